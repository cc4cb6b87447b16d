/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Numbers in texts, read strictly: only digits, no sign, no white space, no overflow. Pure. */
#ifndef POEMD_BASE_TEXT_NUMBERS_H
#define POEMD_BASE_TEXT_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Reads digits of the base (10 or 16) at *p, before end, and moves *p behind them. Returns false if
 * there are no digits, or if the number is above most; *out is then undefined.
 */
bool numbers_take(const char **p, const char *end, unsigned base, uint64_t most, uint64_t *out)
    __attribute__((warn_unused_result));

/*
 * Reads up to n decimal numbers from the beginning of text, with any of the characters of between
 * before and between them, for lines of /proc and times. Returns the number read before the first
 * invalid one, or one above 2^64 - 1; leaves the rest of out unchanged.
 */
size_t numbers_series(const char *text, const char *between, uint64_t *out, size_t n);

/* Reads the whole text as a decimal number, 0 to most. If it returns false *out is unchanged. */
bool numbers_decimal(const char *text, uint64_t most, uint64_t *out)
    __attribute__((warn_unused_result));

/* Reads all n characters as a number, 0 to most: decimal, or hexadecimal after 0x or 0X. */
bool numbers_read(const char *p, size_t n, uint64_t most, uint64_t *out)
    __attribute__((warn_unused_result));

#endif
