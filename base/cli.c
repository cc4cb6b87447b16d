/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A command line, as its table of options describes it. */
#define _GNU_SOURCE
#include "base/cli.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text/edit_distance.h"
#include "base/text/numbers.h"

/* Where help begins; an option that is wider has its help on the next line. */
#define HELP_COLUMN 24

/* getopt_long returns an option's place in the table behind all letters. */
#define FIRST 0x100

bool cli_number(const char *text, uint64_t least, uint64_t most, uint64_t *out)
{
    return numbers_decimal(text, most, out) && *out >= least;
}

static void cli_store_integer(const struct cli_option *o, uint64_t n, void *member)
{
    if (o->size == sizeof n) {
        memcpy(member, &n, sizeof n);
    } else {
        memcpy(member, &(uint32_t){(uint32_t)n}, sizeof(uint32_t));
    }
}

/* The next word of a choice, from *at on: its length, 0 after the last. */
static size_t cli_next_word(const char **at)
{
    *at += **at == '|';
    return strcspn(*at, "|");
}

static bool cli_store_choice(const char *program, const struct cli_option *o, const char *text,
                             void *member)
{
    const char *const words = o->value ? o->value : "";
    const char *const bar = strrchr(words, '|');
    const char *word = words;
    unsigned i = 0;
    size_t n;

    for (; (n = cli_next_word(&word)) > 0; word += n, i++) {
        if (strlen(text) == n && strncmp(text, word, n) == 0) {
            cli_store_integer(o, i, member);
            return true;
        }
    }
    fprintf(stderr, "%s: --%s: ", program, o->name);
    for (word = words; (n = cli_next_word(&word)) > 0; word += n) {
        const bool last = bar && word == bar + 1;

        fprintf(stderr, "%s%.*s", word == words ? "" : last ? " or " : ", ", (int)n, word);
    }
    fputc('\n', stderr);
    return false;
}

static bool cli_store_number(const char *program, const struct cli_option *o, const char *text,
                             void *member)
{
    uint64_t n;

    if (!cli_number(text, o->least, o->most, &n)) {
        fprintf(stderr, "%s: --%s %s: a number from %" PRIu64 " to %" PRIu64 "\n", program, o->name,
                o->value, o->least, o->most);
        return false;
    }
    cli_store_integer(o, n, member);
    return true;
}

static bool cli_store_item(const char *program, const struct cli_option *o, const char *text,
                           struct cli_list *list)
{
    if (list->n == CLI_LIST_MAX) {
        fprintf(stderr, "%s: --%s: more than %u of them\n", program, o->name, CLI_LIST_MAX);
        return false;
    }
    list->items[list->n++] = text;
    return true;
}

static bool cli_store(const char *program, const struct cli_option *o, const char *text,
                      void *values)
{
    void *const member = (char *)values + o->at;

    switch (o->kind) {
    case CLI_IS_FLAG:
        *(bool *)member = true;
        return true;
    case CLI_IS_TEXT:
        *(const char **)member = text;
        return true;
    case CLI_IS_LIST:
        return cli_store_item(program, o, text, member);
    case CLI_IS_CHOICE:
        return cli_store_choice(program, o, text, member);
    case CLI_IS_NUMBER:
        return cli_store_number(program, o, text, member);
    case CLI_IS_READ:
        break;
    }
    return o->read(values, text);
}

/* Which option getopt_long has found: by its place, or by its letter. */
static const struct cli_option *cli_find(const struct cli_option *options, int c)
{
    const struct cli_option *o = options;

    if (c >= FIRST) {
        return &options[c - FIRST];
    }
    while (o->letter != c) {
        o++;
    }
    return o;
}

/* Prints the option that an unknown word, with its dashes, is most like, if there is one. */
static void cli_suggest(const char *program, const struct cli_option *options, const char *word)
{
    const struct cli_option *nearest = NULL;
    const size_t n = strncmp(word, "--", 2) == 0 ? strcspn(word + 2, "=") : 0;
    size_t least = edit_distance_most(n) + 1;

    for (const struct cli_option *o = options; n > 0 && o->name; o++) {
        const size_t mistakes = edit_distance(word + 2, n, o->name, strlen(o->name));

        if (mistakes < least) {
            nearest = o;
            least = mistakes;
        }
    }
    if (nearest) {
        fprintf(stderr, "%s: did you mean --%s?\n", program, nearest->name);
    }
}

int cli_parse(const char *program, const struct cli_option *options, int argc, char **argv,
              void *values)
{
    struct option longs[CLI_OPTIONS_MAX + 1] = {{0}};
    char shorts[2 * CLI_OPTIONS_MAX + 1] = "";
    char *letter = shorts;
    char *const word = argv[0];
    char name[64];
    int c;

    for (int i = 0; options[i].name; i++) {
        longs[i] = (struct option){.name = options[i].name,
                                   .has_arg = options[i].value ? required_argument : no_argument,
                                   .val = FIRST + i};
        if (options[i].letter) {
            *letter++ = options[i].letter;
            *letter = ':';
            letter += options[i].value != NULL;
        }
    }
    *letter = '\0';
    snprintf(name, sizeof name, "%s", program);
    argv[0] = name; /* in getopt_long's messages */
    optind = 0;     /* glibc: resets the state of an earlier call */
    while ((c = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        if (c == '?' && optopt == 0) {
            cli_suggest(program, options, argv[optind - 1]);
        }
        if (c == '?' || !cli_store(program, cli_find(options, c), optarg, values)) {
            break;
        }
    }
    argv[0] = word;
    return c == -1 ? optind : -1;
}

void cli_help(FILE *f, const struct cli_option *options)
{
    for (const struct cli_option *o = options; o->name; o++) {
        const char *const letter = (const char[]){'-', o->letter, ',', ' ', '\0'};
        const int n = fprintf(f, "  %s--%s%s%s", o->letter ? letter : "", o->name,
                              o->value ? " " : "", o->value ? o->value : "");

        if (n > HELP_COLUMN - 2) {
            fprintf(f, "\n%*s%s\n", HELP_COLUMN, "", o->help);
        } else {
            fprintf(f, "%*s%s\n", HELP_COLUMN - n, "", o->help);
        }
    }
}
