/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The configuration language's words: bytes in, tokens with their places out. Pure: no fd, clock,
 * log or allocation; it knows no statements. poemd.conf(5), "GRAMMAR".
 */
#ifndef POEMD_PROXY_CONFIG_CONFIG_LEX_H
#define POEMD_PROXY_CONFIG_CONFIG_LEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/limits.h"
#include "proxy/config/config.h"

enum lex_kind {
    LEX_WORD, /* bare or quoted: text and n, unescaped */
    LEX_OPEN,
    LEX_CLOSE,
    LEX_NEWLINE, /* follows every line that has a token or a fault, including the last one */
    LEX_END,
    LEX_FAULT, /* the rest of its line is skipped; LEX_NEWLINE follows */
};

enum lex_fault {
    LEX_NONE,
    LEX_NUL,
    LEX_CARRIAGE_RETURN,
    LEX_CONTROL,
    LEX_UTF8,
    LEX_NOT_ASCII, /* outside of quotes and comments */
    LEX_CHARACTER, /* invalid in a bare word */
    LEX_COMMENT,   /* # inside a word */
    LEX_SEMICOLON,
    LEX_GLUED, /* no space after a word or a string */
    LEX_ESCAPE,
    LEX_UNTERMINATED,
    LEX_LONG_LINE,
};

struct lex_token {
    enum lex_kind kind;
    struct config_place at;
    unsigned end;                     /* the column behind it */
    enum lex_fault fault;             /* of LEX_FAULT */
    bool fault_opens;                 /* … the faulty line ends in "{": a block begins there */
    size_t n;                         /* … the faulty line ends in "{": a block begins there */
    char text[LIMIT_CONFIG_LINE + 1]; /* of LEX_WORD, NUL-terminated, no NUL inside */
};

struct lex {
    const char *p; /* borrowed */
    size_t n;
    size_t at;
    size_t line_start;
    size_t line_end;
    unsigned line;
    unsigned before; /* number of lines counted before the first; 0, unless set after lex_init */
    bool begun;      /* the line has had a token: a LEX_NEWLINE is due */
};

/* Begins with the n bytes at p, which must not change. */
void lex_init(struct lex *l, const void *p, size_t n);

/* Returns the next token; after LEX_END, always LEX_END. */
void lex_next(struct lex *l, struct lex_token *t);

/* Writes text as a string, with its quotes: the lexer reads that as one word. */
void lex_quote(const char *text, FILE *to);

/* Return a description of the fault, and how to correct it ("" if unknown). Static. */
const char *lex_fault_text(enum lex_fault f);
const char *lex_fault_hint(enum lex_fault f);

#endif
