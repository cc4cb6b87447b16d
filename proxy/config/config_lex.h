/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The configuration language's words: bytes in, tokens with their places out. Pure: no fd, clock,
 * log or allocation; it knows no statement. poemd.conf(5), "GRAMMAR".
 */
#ifndef POEMD_PROXY_CONFIG_CONFIG_LEX_H
#define POEMD_PROXY_CONFIG_CONFIG_LEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/limits.h"
#include "proxy/config/config.h"

enum lex_kind {
    LEX_WORD, /* bare or quoted: text and n, escapes undone */
    LEX_OPEN,
    LEX_CLOSE,
    LEX_NEWLINE, /* comes after every line that has a token or a fault, the last one too */
    LEX_END,
    LEX_FAULT, /* the rest of its line is not read; LEX_NEWLINE comes next */
};

enum lex_fault {
    LEX_NONE,
    LEX_NUL,
    LEX_CARRIAGE_RETURN,
    LEX_CONTROL,
    LEX_UTF8,
    LEX_NOT_ASCII, /* outside of quotes and comments */
    LEX_CHARACTER, /* no bare word may have it */
    LEX_COMMENT,   /* # inside a word */
    LEX_SEMICOLON,
    LEX_GLUED, /* no space between a word or a string and what follows */
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
    size_t n;                         /* bytes of text */
    char text[LIMIT_CONFIG_LINE + 1]; /* of LEX_WORD, NUL-terminated, no NUL inside */
};

struct lex {
    const char *p; /* borrowed */
    size_t n;
    size_t at;
    size_t line_start;
    size_t line_end;
    unsigned line;
    unsigned before; /* lines that are counted before the first; 0, unless set after lex_init */
    bool begun;      /* the line has had a token: a LEX_NEWLINE is due */
};

/* Begins with the n bytes at p, which must stay as they are. */
void lex_init(struct lex *l, const void *p, size_t n);

/* The next token. After LEX_END it is LEX_END for ever. */
void lex_next(struct lex *l, struct lex_token *t);

/* What is wrong, and what would be right; static, the hint "" where there is none. */
const char *lex_fault_text(enum lex_fault f);
const char *lex_fault_hint(enum lex_fault f);

#endif
