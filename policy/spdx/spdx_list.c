/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Look-ups in the lists. Pure. */
#include "policy/spdx/spdx_list.h"

#include <string.h>

#include "policy/spdx/spdx_list.inc"

#define LICENCES (sizeof licences / sizeof *licences)
#define EXCEPTIONS (sizeof exceptions / sizeof *exceptions)

static int spdx_list_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

int spdx_list_compare(const char *p, size_t n, const char *id)
{
    for (size_t i = 0; i < n; i++) {
        const int d = spdx_list_lower(p[i]) - spdx_list_lower(id[i]);

        if (d != 0) {
            return d;
        }
    }
    return id[n] == '\0' ? 0 : -1;
}

int spdx_list_licence(const char *p, size_t n)
{
    size_t from = 0;
    size_t to = LICENCES;

    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        const int d = spdx_list_compare(p, n, licences[middle].id);

        if (d == 0) {
            return (int)middle;
        }
        if (d < 0) {
            to = middle;
        } else {
            from = middle + 1;
        }
    }
    return -1;
}

int spdx_list_exception(const char *p, size_t n)
{
    for (size_t i = 0; i < EXCEPTIONS; i++) {
        if (spdx_list_compare(p, n, exceptions[i].id) == 0) {
            return (int)i;
        }
    }
    return -1;
}

const struct spdx_licence *spdx_licence_at(int index)
{
    return &licences[index];
}

const struct spdx_exception *spdx_exception_at(int index)
{
    return &exceptions[index];
}

size_t spdx_list_licences(void)
{
    return LICENCES;
}

size_t spdx_list_exceptions(void)
{
    return EXCEPTIONS;
}
