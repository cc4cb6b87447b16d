/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A parsed configuration, for the suites of the language: a text, what it means, its errors. */
#ifndef POEMD_TESTS_UNIT_CONFIG_PARSED_H
#define POEMD_TESTS_UNIT_CONFIG_PARSED_H

#include <stddef.h>

#include "proxy/config/config.h"

/* A good route of four lines, and one with more statements from its fourth line on. */
#define ROUTE "route a {\nlisten /l\nbackend /b\n}\n"
#define IN_ROUTE(s) "route a {\nlisten /l\nbackend /b\n" s "\n}\n"

#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))

struct parsed {
    struct config c;
    struct config_errors e;
    int r;
};

/* config_parse of n bytes, of a text, of one that must be good, of nothing as yet. */
struct parsed parse_bytes(const void *p, size_t n);
struct parsed parse(const char *text);
struct parsed parse_good(const char *text);
struct parsed parse_nothing(void);

/* Frees it. */
void let_go(struct parsed *x);

/* A text with one error. */
struct wrong {
    const char *text;
    unsigned line;
    unsigned column;
    const char *error; /* a part of it */
    const char *hint;  /* a part of it, or "" */
};

/* Fails the test unless x has this error and no other. */
void must_be_wrong(const struct parsed *x, const struct wrong *w);

#endif
