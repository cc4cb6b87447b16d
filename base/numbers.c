/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Numbers in text, where sscanf would not report those that are too large. */
#include "base/numbers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

size_t numbers_read(const char *text, const char *between, uint64_t *out, size_t n)
{
    size_t i = 0;

    for (; i < n; i++) {
        unsigned long long v;
        char *end;

        text += strspn(text, between);
        if (*text < '0' || *text > '9') {
            break;
        }
        errno = 0;
        v = strtoull(text, &end, 10);
        if (errno == ERANGE) {
            break;
        }
        out[i] = v;
        text = end;
    }
    return i;
}
