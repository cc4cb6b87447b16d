/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The values in a configuration, with one reader for the file and the command line. Pure.
 * poemd.conf(5), "VALUES".
 */
#ifndef POEMD_PROXY_CONFIG_CONFIG_VALUE_H
#define POEMD_PROXY_CONFIG_CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxy/config/value_fault.h"

enum value_kind {
    VALUE_NAME,     /* of a route: text */
    VALUE_SOCKET,   /* absolute path of an AF_UNIX socket: text */
    VALUE_ACCOUNT,  /* user or group, name or number, not looked up: text */
    VALUE_COUNT,    /* decimal */
    VALUE_DURATION, /* in milliseconds */
    VALUE_WAIT,     /* the same, or "never": 0 */
    VALUE_MICROSECONDS,
    VALUE_MODE,     /* octal permission bits */
    VALUE_LEVEL,    /* enum log_level */
    VALUE_FILE,     /* absolute path of a file: text */
    VALUE_COMMAND,  /* of a spawned device (proxy/config/command.h): text */
    VALUE_TEXT,     /* 1 to 1,000 bytes of printable ASCII: text */
    VALUE_DATE,     /* YYYY-MM-DD: the number YYYYMMDD */
    VALUE_SIZE,     /* bytes, see value_size: text */
    VALUE_ENDPOINT, /* numeric address and port of TCP: text */
    VALUE_RANGE,    /* addresses, see value_range: text */
    VALUE_PAYLOAD,  /* bytes, "all" or "guest": see proxy/config/config_trace.h */
    VALUE_CHOICE,   /* one of several words: its index; read by value_choose */
    VALUE_CHOICES,  /* the same, combined from several statements: 1 << index, or'ed */
};

/* Returns true if the kind is stored as text; otherwise it is a number. */
bool value_is_text(enum value_kind kind);

/*
 * Checks text, and stores its number (for kinds with one) in *number. least and most bound
 * VALUE_COUNT, VALUE_DURATION, VALUE_WAIT and VALUE_MICROSECONDS. Returns false with the reason in
 * *f, leaving *number unchanged.
 */
bool value_read(enum value_kind kind, const char *text, unsigned least, unsigned most,
                unsigned *number, struct value_fault *f) __attribute__((warn_unused_result));

/* Finds text among the words (NULL at the end). Returns false with *f set and *index unchanged. */
bool value_choose(const char *text, const char *const *words, unsigned *index,
                  struct value_fault *f) __attribute__((warn_unused_result));

/* Reads a number of bytes, 1 … 2^63: decimal, then optionally K, M, G or T (powers of 1024). */
bool value_size(const char *text, uint64_t *out) __attribute__((warn_unused_result));

/*
 * Reads "FIRST-LAST", two addresses, decimal or hexadecimal with 0x, the second not below the
 * first.
 */
bool value_range(const char *text, uint64_t *first, uint64_t *last)
    __attribute__((warn_unused_result));

/* Orders absolute paths in some way: less than, equal to or greater than 0. Equal … */
int value_compare_paths(const char *a, const char *b);

/* … are those that differ only in "//" and "/./". Returns true if two are. */
bool value_same_path(const char *a, const char *b);

/*
 * Returns the word among n candidates for which text is most likely a misspelling, by the number of
 * typing mistakes, or NULL if none is near.
 */
const char *value_nearest(const char *text, const char *const *words, size_t n);

#endif
