/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The statements of the configuration language, as a table. A new statement is a new row, a new
 * kind of block a new context; the parser itself knows no words. Each row is described in
 * poemd.conf(5), which the tests check.
 */
#ifndef POEMD_PROXY_CONFIG_CONFIG_WORDS_H
#define POEMD_PROXY_CONFIG_CONFIG_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "proxy/config/config.h"
#include "proxy/config/config_value.h"
#include "proxy/config/config_words_begin.h"

/* The block of a statement. */
enum config_context {
    CONTEXT_NONE, /* for a statement that opens no block */
    CONTEXT_FILE, /* outside of all blocks */
    CONTEXT_ROUTE,
    CONTEXT_DEFAULTS, /* of routes: their statements but those with CONFIG_OWN, and its own */
};

/* A statement of the language itself, which the parser carries out. */
enum config_special {
    CONFIG_ORDINARY,
    CONFIG_INCLUDE, /* config_source_read has put the files behind it */
    CONFIG_SOURCE,
    CONFIG_DEFINE,
    CONFIG_INSTANCES,
};

#define CONFIG_REQUIRED 1u   /* a block without it is an error */
#define CONFIG_REPEATABLE 2u /* may occur several times in one block */
#define CONFIG_PRESET 4u     /* replaced by the statements of the route's preset */
#define CONFIG_OWN 16u       /* a route's own: not allowed among the defaults */
#define CONFIG_FIXED 8u      /* cannot change while poemd runs: a reload that does is an error */

#define CONFIG_NO_PLACE ((size_t)-1)

/* A fixed word without a value, such as "to". */
#define CONFIG_NO_TARGET ((size_t)-1)

/*
 * An argument. It is stored in the target of its statement's block (for a statement that opens a
 * block: the new block's): texts in a char * (owned), numbers in an unsigned.
 */
struct config_arg {
    const char *keyword; /* NULL: a VALUE that is required, in this order; otherwise an optional
                          * "KEYWORD VALUE", in any order. May have two words, with one space
                          * between them */
    const char *name;    /* of the value, for messages: "PATH"; NULL ends the list */
    enum value_kind kind;
    unsigned least; /* for counts and durations */
    unsigned most;
    size_t to;    /* offset in the target */
    size_t place; /* … of the struct config_place for its place, or CONFIG_NO_PLACE; for
                   * VALUE_CHOICES an array of them, by choice */
    const char *const *choices; /* of VALUE_CHOICE and VALUE_CHOICES, ending with NULL */
};

#define CONFIG_ARGS 8

struct config_word {
    const char *word;
    const char *second; /* second word that distinguishes this statement from the row before it with
                         * the same word; both count as one if they are not repeatable; or NULL */
    enum config_context context; /* a word of several contexts has a row for each */
    enum config_context opens;   /* CONTEXT_NONE: a plain statement */
    unsigned flags;              /* CONFIG_REQUIRED, CONFIG_REPEATABLE */
    enum config_special special;
    config_begin *begin; /* for statements that open a block, or have a target of their own */
    struct config_arg args[CONFIG_ARGS];
    const char *help; /* one line */
};

/* Returns a row by number, 0 … config_word_count() - 1. */
const struct config_word *config_word_at(size_t i);
size_t config_word_count(void);

/* Returns true if the row's statement may stand in this context. */
bool config_word_in(const struct config_word *row, enum config_context context);

/* Returns the first row with the same word and context; without a second word, the row itself. */
size_t config_word_first(size_t i);

/* At least the number of rows; for arrays. */
#define CONFIG_WORDS_MAX 64

/* Writes the syntax of a row, such as "listen PATH [mode MODE]". Returns out (size bytes). */
const char *config_word_usage(const struct config_word *row, char *out, size_t size);

#endif
