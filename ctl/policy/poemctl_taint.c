/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The command poemctl taint: explains the letters, or the number, of a taint. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "policy/rules/rules.h"
#include "ctl/poemctl.h"
#include "ctl/poemctl_json.h"

#define FORMAT "poemd-taint/1"
#define ALL ((1u << TAINT_COUNT) - 1)

/* Reads "0x" and hexadecimal digits, or decimal digits. */
static bool poemctl_taint_read_number(const char *text, uint32_t *taint)
{
    const bool hex = strncmp(text, "0x", 2) == 0;
    const char *digits = hex ? text + 2 : text;
    unsigned long v;

    if (*digits == '\0' ||
        digits[strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789")] != '\0') {
        return false;
    }
    errno = 0;
    v = strtoul(digits, NULL, hex ? 16 : 10);
    if (errno || v > UINT32_MAX) {
        v = UINT32_MAX;
    }
    *taint = (uint32_t)v;
    return true;
}

static bool poemctl_taint_read_taint(const char *text, uint32_t *taint)
{
    char shown[8];
    char bad;

    if (poemctl_taint_read_number(text, taint)) {
        if (*taint & ~ALL) {
            poemctl_error("taint", "at most 0x%x: no letter has a higher bit", ALL);
            return false;
        }
        return true;
    }
    if (!taint_read(text, taint, &bad)) {
        if (bad == '\0') {
            poemctl_error("taint", "letters, a number, or \"-\" for none");
        } else {
            poemctl_error("taint", "\"%s\" is not a taint letter",
                          log_escape(shown, sizeof shown, &bad, 1));
        }
        return false;
    }
    return true;
}

static json_t *poemctl_taint_as_json(uint32_t taint)
{
    char letters[TAINT_COUNT + 1];
    json_t *list = json_array();

    for (unsigned i = 0; i < TAINT_COUNT; i++) {
        const char letter[] = {taint_letter(i), '\0'};

        if (taint & (1u << i)) {
            (void)json_array_append_new(list,
                                        json_pack("{s:s, s:i, s:s}", "letter", letter, "bit",
                                                  (int)(1u << i), "meaning", taint_meaning(i)));
        }
    }
    return json_pack("{s:s, s:s, s:i, s:o}", "format", FORMAT, "letters",
                     taint_text(taint, letters), "number", (int)taint, "taints", list);
}

static void poemctl_taint_as_text(uint32_t taint)
{
    if (taint == 0) {
        printf("-  not tainted\n");
    }
    for (unsigned i = 0; i < TAINT_COUNT; i++) {
        if (taint & (1u << i)) {
            printf("%c  0x%x  %s\n", taint_letter(i), 1u << i, taint_meaning(i));
        }
    }
}

struct options {
    bool json;
};

static int poemctl_taint_main(int argc, char **argv)
{
    struct options o = {.json = false};
    char **const operands = poemctl_parse(&poemctl_taint, argc, argv, &o);
    uint32_t taint;
    int code;

    if (!operands) {
        return POEMCTL_USAGE;
    }
    if (!poemctl_taint_read_taint(operands[0], &taint)) {
        return poemctl_usage(&poemctl_taint);
    }
    code = taint & ~TAINT_OBSERVATIONS ? POEMCTL_NO : POEMCTL_YES;
    if (o.json) {
        return poemctl_json("taint", poemctl_taint_as_json(taint), code);
    }
    poemctl_taint_as_text(taint);
    return code;
}

static const struct cli_option options[] = {
    POEMCTL_JSON_OPTION(struct options, json),
    POEMCTL_END_OPTION,
};

const struct poemctl_command poemctl_taint = {
    .name = "taint",
    .synopsis = "[--json] LETTERS | NUMBER",
    .what = "explain the letters of a taint",
    .manual = "poemctl-taint(1)",
    .options = options,
    .least = 1,
    .most = 1,
    .missing = "which letters?",
    .surplus = "all letters in one word",
    .run = poemctl_taint_main,
};
