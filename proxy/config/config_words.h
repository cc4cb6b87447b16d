/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The statements of the configuration language, as a table. A new statement is a new row, a new
 * kind of block a new context; the parser knows no word by itself. Each row stands in
 * poemd.conf(5), which the tests check.
 */
#ifndef POEMD_PROXY_CONFIG_CONFIG_WORDS_H
#define POEMD_PROXY_CONFIG_CONFIG_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "proxy/config/config.h"
#include "proxy/config/config_value.h"

/* Where a statement stands. */
enum config_context {
    CONTEXT_NONE, /* of a statement that opens no block */
    CONTEXT_FILE, /* outside of all blocks */
    CONTEXT_ROUTE,
};

#define CONFIG_REQUIRED 1u   /* a block without it is an error */
#define CONFIG_REPEATABLE 2u /* may stand several times in one block */
#define CONFIG_PRESET 4u     /* the statements of the route's preset are read in its place */

#define CONFIG_NO_PLACE ((size_t)-1)

/* A word that must be there and means nothing by itself, such as "to". */
#define CONFIG_NO_TARGET ((size_t)-1)

/*
 * An argument. It is kept in the target of the block that its statement stands in (for one that
 * opens a block: the new block's): texts in a char * (owned), numbers in an unsigned.
 */
struct config_arg {
    const char *keyword; /* "KEYWORD VALUE" may come, in any order; NULL: VALUE must, in this one.
                            It may be of two words, set apart by one space */
    const char *name;    /* of the value in messages: "PATH"; NULL ends the list */
    enum value_kind kind;
    unsigned least; /* for counts and durations */
    unsigned most;
    size_t to;    /* offset in the target */
    size_t place; /* … of the struct config_place that keeps where it stood, or CONFIG_NO_PLACE; of
                   VALUE_CHOICES an array of them, by choice */
    const char *const *choices; /* of VALUE_CHOICE and VALUE_CHOICES, NULL ends them */
};

#define CONFIG_ARGS 8

struct config_parser {
    struct config *config;
    struct config_errors *errors;
    bool no_memory; /* set by whoever ran out of it: parsing ends */
};

/*
 * A block, or a statement that adds to a list, begins: makes its target, valid until it ends. NULL:
 * the block is left out (an error was added, or no_memory set).
 */
typedef void *config_begin(struct config_parser *p, struct config_place at);

struct config_word {
    const char *word;
    const char *second; /* of a statement that this second word tells from another of the same word,
                           behind which it stands in the table; the two are one where they may not
                           stand twice. NULL: there is none */
    enum config_context context; /* a word of several contexts has a row for each */
    enum config_context opens;   /* CONTEXT_NONE: a plain statement */
    unsigned flags;              /* CONFIG_REQUIRED, CONFIG_REPEATABLE */
    config_begin *begin; /* of statements that open a block, or have a target of their own */
    struct config_arg args[CONFIG_ARGS];
    const char *help; /* one line */
};

/* Row by number, 0 … config_word_count() - 1. */
const struct config_word *config_word_at(size_t i);
size_t config_word_count(void);

/* The first row of the same word and context: the row itself, but where it has a second word. */
size_t config_word_first(size_t i);

/* At least as many as there are rows: for arrays. */
#define CONFIG_WORDS_MAX 64

/* How a row is written, such as "listen PATH [mode MODE]". Returns out (size bytes). */
const char *config_word_usage(const struct config_word *row, char *out, size_t size);

#endif
