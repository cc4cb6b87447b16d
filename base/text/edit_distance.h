/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The similarity of two words, for "did you mean". Pure. */
#ifndef POEMD_BASE_TEXT_EDIT_DISTANCE_H
#define POEMD_BASE_TEXT_EDIT_DISTANCE_H

#include <stddef.h>

/* Longest text that is compared: identifiers, keywords and options are shorter. */
#define EDIT_DISTANCE_MAX 48u

/*
 * Returns the number of typing mistakes between two texts: letters missing, added or wrong, or two
 * neighbours swapped (optimal string alignment). Ignores the case of ASCII letters. If a text is
 * longer than EDIT_DISTANCE_MAX, every letter counts as wrong.
 */
size_t edit_distance(const char *a, size_t a_n, const char *b, size_t b_n);

/*
 * The most mistakes in a text of n letters that was meant as another word: every third letter may
 * be wrong.
 */
static inline size_t edit_distance_most(size_t n)
{
    return (n + 2) / 3;
}

#endif
