/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A configuration's text line by line, as far as needed to find its blocks: for what comes before
 * the parser (config_source.h), and for statements that are read more than once (config_repeat.h).
 * Pure.
 */
#ifndef POEMD_PROXY_CONFIG_CONFIG_LINES_H
#define POEMD_PROXY_CONFIG_CONFIG_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "proxy/config/text/config_lex.h"

/* As many words of a line as anyone looks at. */
#define CONFIG_LINES_WORDS 3u

struct config_line {
    struct lex lex; /* at the line's first token */
    size_t n;       /* words, including those that are not kept */
    struct config_place at[CONFIG_LINES_WORDS];
    char words[CONFIG_LINES_WORDS][LIMIT_CONFIG_LINE + 1];
    bool fault;
    bool opens;   /* it has a "{" … */
    bool closes;  /* … or a "}", which comes first … */
    bool alone;   /* … and is all there is */
    size_t start; /* offsets in the text, the end behind the line feed */
    size_t end;
};

/* Reads the next line that has a token. Returns false at the end. */
bool config_lines_next(struct lex *l, struct config_line *out) __attribute__((warn_unused_result));

#endif
