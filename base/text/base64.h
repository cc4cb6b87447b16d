/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Base64 (RFC 4648), read strictly: no white space, no bits beyond the last byte. Pure. */
#ifndef POEMD_BASE_TEXT_BASE64_H
#define POEMD_BASE_TEXT_BASE64_H

#include <stdbool.h>
#include <stddef.h>

/* Characters that n bytes take. */
#define BASE64_SIZE(n) (((n) + 2) / 3 * 4)

/* Writes BASE64_SIZE(n) characters of the standard alphabet, with padding, and a NUL. */
void base64_write(const void *p, size_t n, char *out);

/* Reads exactly n bytes from exactly text_n characters of the standard alphabet, with padding. */
bool base64_read(const char *text, size_t text_n, void *out, size_t n)
    __attribute__((warn_unused_result));

/*
 * Reads the standard alphabet with padding, or the URL-safe one with or without: what DSSE lets an
 * envelope have. Writes *used bytes to out (size bytes). Returns false if the text is malformed or
 * too long.
 */
bool base64_read_any(const char *text, size_t n, void *out, size_t size, size_t *used)
    __attribute__((warn_unused_result));

#endif
