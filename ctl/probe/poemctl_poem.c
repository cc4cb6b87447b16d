/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The command poemctl poem: prints the poem built into this program, its digest and its grant; or
 * checks whether a file holds the same poem.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "poem/file.h"
#include "ctl/poemctl.h"
#include "ctl/poemctl_json.h"
#include "ctl/probe/probe.h"

#define FORMAT "poemd-poem/1"
#define LICENCE "GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception"

struct options {
    bool json;
    bool grant;
    const char *file; /* NULL: do not compare */
};

/* ---- the poem itself ---- */

static int poemctl_poem_show_json(void)
{
    char hex[POEM_DIGEST_HEX_SIZE + 1];

    return poemctl_json("poem",
                        json_pack("{s:s, s:s, s:I, s:s, s:s, s:s, s:s}", "format", FORMAT, "text",
                                  poem_builtin.text, "bytes", (json_int_t)poem_builtin.size,
                                  "sha256", poem_digest_hex(&poem_builtin, hex), "refrain",
                                  poem_builtin.refrain, "licence", LICENCE, "grant",
                                  poem_builtin_grant),
                        POEMCTL_YES);
}

static int poemctl_poem_show(const struct options *o)
{
    char hex[POEM_DIGEST_HEX_SIZE + 1];

    if (o->json) {
        return poemctl_poem_show_json();
    }
    if (o->grant) {
        fputs(poem_builtin_grant, stdout);
        return POEMCTL_YES;
    }
    printf("%s\n"
           "SHA-256: %s (%zu bytes)\n"
           "Licence: " LICENCE ", copyright 2026 The poemd authors.\n"
           "         For programs under the GPL alone: see poemctl poem --grant.\n",
           poem_builtin.text, poem_digest_hex(&poem_builtin, hex), poem_builtin.size);
    return POEMCTL_YES;
}

/* ---- comparing with a file ---- */

/* Returns the line, from 1, of the first byte that differs, or 0. */
static size_t poemctl_poem_first_difference(const struct poem *other)
{
    const size_t n = other->size < poem_builtin.size ? other->size : poem_builtin.size;
    size_t line = 1;

    for (size_t i = 0; i < n; i++) {
        if (other->text[i] != poem_builtin.text[i]) {
            return line;
        }
        line += other->text[i] == '\n';
    }
    return other->size == poem_builtin.size ? 0 : line;
}

/*
 * Prints the result of the comparison. other is the poem in the file, or NULL, with the reason in
 * why.
 */
static int poemctl_poem_check_result(const struct options *o, const struct poem *other,
                                     const char *why)
{
    char hex[POEM_DIGEST_HEX_SIZE + 1] = "";
    char path[512];
    const size_t line = other ? poemctl_poem_first_difference(other) : 0;
    const int code = !other || line ? POEMCTL_NO : POEMCTL_YES;

    log_escape(path, sizeof path, o->file, strlen(o->file));
    if (other) {
        poem_digest_hex(other, hex);
    }
    if (o->json) {
        return poemctl_json(
            "poem",
            json_pack("{s:s, s:s, s:b, s:s?, s:o, s:s?}", "format", FORMAT, "file", path, "same",
                      code == POEMCTL_YES, "sha256", other ? hex : NULL, "differs_in_line",
                      line ? json_integer((json_int_t)line) : json_null(), "why", why),
            code);
    }
    if (!other) {
        printf("%s: %s\n", path, why);
    } else if (line) {
        printf("%s: a different poem: the first difference is in line %zu\nSHA-256: %s\n", path,
               line, hex);
    } else {
        printf("%s: the same poem\nSHA-256: %s\n", path, hex);
    }
    return code;
}

static int poemctl_poem_check(const struct options *o)
{
    struct poem_file file;
    enum poem_outcome outcome;
    int code;
    const int err = poem_file_init(&file, o->file, &outcome);

    if (err && outcome != POEM_OK) {
        return poemctl_poem_check_result(o, NULL, poem_outcome_text(outcome));
    }
    if (err) {
        return poemctl_could_not("poem", o->file, strerror(-err));
    }
    code = poemctl_poem_check_result(o, &file.poem, NULL);
    poem_file_deinit(&file);
    return code;
}

static int poemctl_poem_main(int argc, char **argv)
{
    struct options o = {.file = NULL};

    if (!poemctl_parse(&poemctl_poem, argc, argv, &o)) {
        return POEMCTL_USAGE;
    }
    if (o.grant && o.file) {
        poemctl_error("poem", "--grant and --check are two questions");
        return poemctl_usage(&poemctl_poem);
    }
    return o.file ? poemctl_poem_check(&o) : poemctl_poem_show(&o);
}

static const struct cli_option options[] = {
    POEMCTL_JSON_OPTION(struct options, json),
    {"grant", 0, NULL, "show the grant for programs under the GPL alone",
     CLI_FLAG(struct options, grant)},
    {"check", 0, "FILE", "compare the poem in this file", CLI_TEXT(struct options, file)},
    POEMCTL_END_OPTION,
};

const struct poemctl_command poemctl_poem = {
    .name = "poem",
    .synopsis = "[--json] [--grant | --check FILE]",
    .what = "show the poem and its grant, or compare a file",
    .manual = "poemctl(1)",
    .options = options,
    .surplus = "what is the argument for? A file is compared with --check FILE",
    .run = poemctl_poem_main,
};
