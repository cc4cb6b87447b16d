/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Numbers in lines of /proc and in times. Pure.
 */
#ifndef POEMD_BASE_NUMBERS_H
#define POEMD_BASE_NUMBERS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Reads up to n decimal numbers without a sign from the beginning of text, with any of the
 * characters of between before and between them. Returns how many there were before the first thing
 * that is none, or is above 2^64 - 1; the rest of out is untouched.
 */
size_t numbers_read(const char *text, const char *between, uint64_t *out, size_t n);

#endif
