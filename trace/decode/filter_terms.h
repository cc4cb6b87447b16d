/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A filter's parsed terms: filter_terms.c parses them, filter.c judges by them. Pure. */
#ifndef POEMD_TRACE_DECODE_FILTER_TERMS_H
#define POEMD_TRACE_DECODE_FILTER_TERMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FILTER_TERMS_MAX 16u
#define FILTER_VALUES_MAX 64u

enum term_kind {
    TERM_COMMAND,
    TERM_FROM,
    TERM_REGION,
    TERM_SESSION,
    TERM_ROUTE,
    TERM_ID,
    TERM_AFTER,
    TERM_BEFORE,
    TERM_SINCE,
    TERM_UNTIL,
    TERM_ERRORS,
    TERM_SLOWER,
    TERM_FDS,
};

struct term {
    enum term_kind kind;
    bool negated;
    unsigned n;
    union {
        uint64_t number; /* also: nanoseconds; a sender */
        const char *name;
    } value[FILTER_VALUES_MAX];
};

struct terms {
    unsigned n;
    struct term term[FILTER_TERMS_MAX];
};

/*
 * Parses text, which is modified: names in the terms point into it. Returns false on an error, with
 * the fault, its place and the expected words in why, of size bytes.
 */
bool filter_terms_read(struct terms *t, char *text, char *why, size_t size)
    __attribute__((warn_unused_result));

#endif
