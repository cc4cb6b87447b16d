/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A command line described once, as a table of options: parsed by getopt_long, explained by --help,
 * offered by shell completion. Faults are reported on standard error.
 */
#ifndef POEMD_BASE_CLI_H
#define POEMD_BASE_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Options of one command. */
#define CLI_OPTIONS_MAX 24u

/* How often an option can be given: hosts with keys of their own in one call of poemctl audit. */
#define CLI_LIST_MAX 64u

/* Arguments of an option that can be given more than once; they point into argv. */
struct cli_list {
    size_t n;
    const char *items[CLI_LIST_MAX];
};

enum cli_kind { CLI_IS_FLAG, CLI_IS_TEXT, CLI_IS_LIST, CLI_IS_CHOICE, CLI_IS_NUMBER, CLI_IS_READ };

/* An option. A table of them ends with a row without a name. */
struct cli_option {
    const char *name;  /* without the dashes */
    char letter;       /* the short form, or '\0' */
    const char *value; /* the argument's name, or the words of a choice with '|' between them */
    const char *help;  /* one line */
    /* How it is stored: by one of the macros below. */
    enum cli_kind kind;
    size_t at;   /* of the member that it sets */
    size_t size; /* of an integer */
    uint64_t least;
    uint64_t most;
    bool (*read)(void *values, const char *text);
};

#define CLI_MEMBER(type, member, c_type) \
    .at = _Generic(((type *)0)->member, c_type : offsetof(type, member))
#define CLI_INTEGER(type, member) .at = offsetof(type, member), .size = sizeof(((type *)0)->member)

/* Sets the bool. */
#define CLI_FLAG(type, member) .kind = CLI_IS_FLAG, CLI_MEMBER(type, member, bool)

/* Stores the argument, which points into argv; of several, the last. */
#define CLI_TEXT(type, member) .kind = CLI_IS_TEXT, CLI_MEMBER(type, member, const char *)

/* Appends the argument to the struct cli_list. */
#define CLI_LIST(type, member) .kind = CLI_IS_LIST, CLI_MEMBER(type, member, struct cli_list)

/* Stores in an enum or int which of the words in .value the argument is, from 0. */
#define CLI_CHOICE(type, member) .kind = CLI_IS_CHOICE, CLI_INTEGER(type, member)

/* Stores a decimal number from low to high in an integer of 32 or 64 bits. */
#define CLI_NUMBER(type, member, low, high) \
    .kind = CLI_IS_NUMBER, CLI_INTEGER(type, member), .least = (low), .most = (high)

/* Calls function(values, argument), which reports what is wrong and then returns false. */
#define CLI_READ(function) .kind = CLI_IS_READ, .read = (function)

/*
 * Stores the options of argv in values, the struct of the macros' members. Messages begin with
 * "PROGRAM: ". Moves operands to the end of argv, as getopt_long does, and returns the place of the
 * first; -1 after a fault.
 */
int cli_parse(const char *program, const struct cli_option *options, int argc, char **argv,
              void *values) __attribute__((warn_unused_result));

/* Reads a decimal number from least to most; false if text is anything else. */
bool cli_number(const char *text, uint64_t least, uint64_t most, uint64_t *out)
    __attribute__((warn_unused_result));

/* Prints a line for each option: its forms, its argument, its help. */
void cli_help(FILE *f, const struct cli_option *options);

#endif
