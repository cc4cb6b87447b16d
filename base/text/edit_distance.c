/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
#include "base/text/edit_distance.h"

#include <stdint.h>
#include <strings.h>

static uint8_t edit_distance_least(unsigned a, unsigned b)
{
    return (uint8_t)(a < b ? a : b);
}

static unsigned edit_distance_differ(char a, char b)
{
    return strncasecmp(&a, &b, 1) != 0;
}

size_t edit_distance(const char *a, size_t a_n, const char *b, size_t b_n)
{
    uint8_t d[EDIT_DISTANCE_MAX + 1][EDIT_DISTANCE_MAX + 1];

    if (a_n > EDIT_DISTANCE_MAX || b_n > EDIT_DISTANCE_MAX) {
        return a_n > b_n ? a_n : b_n;
    }
    for (size_t i = 0; i <= a_n; i++) {
        d[i][0] = (uint8_t)i;
    }
    for (size_t j = 0; j <= b_n; j++) {
        d[0][j] = (uint8_t)j;
    }
    for (size_t i = 1; i <= a_n; i++) {
        for (size_t j = 1; j <= b_n; j++) {
            d[i][j] = edit_distance_least(d[i - 1][j] + 1u, d[i][j - 1] + 1u);
            d[i][j] = edit_distance_least(d[i][j], d[i - 1][j - 1] +
                                                       edit_distance_differ(a[i - 1], b[j - 1]));
            if (i > 1 && j > 1 && !edit_distance_differ(a[i - 1], b[j - 2]) &&
                !edit_distance_differ(a[i - 2], b[j - 1])) {
                d[i][j] = edit_distance_least(d[i][j], d[i - 2][j - 2] + 1u);
            }
        }
    }
    return d[a_n][b_n];
}
