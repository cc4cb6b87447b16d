/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
#include "base/text/numbers.h"

#include <string.h>

/* Returns the value of a digit of any base up to 16, or 16 for another character. */
static unsigned numbers_digit(char c)
{
    const int lower = c | 0x20;

    if (c >= '0' && c <= '9') {
        return (unsigned)(c - '0');
    }
    return lower >= 'a' && lower <= 'f' ? (unsigned)(lower - 'a') + 10 : 16;
}

bool numbers_take(const char **p, const char *end, unsigned base, uint64_t most, uint64_t *out)
{
    const char *const start = *p;
    uint64_t v = 0;

    for (; *p < end && numbers_digit(**p) < base; ++*p) {
        const unsigned digit = numbers_digit(**p);

        if (digit > most || v > (most - digit) / base) {
            return false;
        }
        v = v * base + digit;
    }
    *out = v;
    return *p > start;
}

size_t numbers_series(const char *text, const char *between, uint64_t *out, size_t n)
{
    const char *const end = text + strlen(text);
    uint64_t v;
    size_t i = 0;

    for (; i < n; i++) {
        text += strspn(text, between);
        if (!numbers_take(&text, end, 10, UINT64_MAX, &v)) {
            break;
        }
        out[i] = v;
    }
    return i;
}

static bool numbers_whole(const char *p, size_t n, unsigned base, uint64_t most, uint64_t *out)
{
    const char *const end = p + n;
    uint64_t v;

    if (!numbers_take(&p, end, base, most, &v) || p != end) {
        return false;
    }
    *out = v;
    return true;
}

bool numbers_decimal(const char *text, uint64_t most, uint64_t *out)
{
    return numbers_whole(text, strlen(text), 10, most, out);
}

bool numbers_read(const char *p, size_t n, uint64_t most, uint64_t *out)
{
    if (n > 2 && p[0] == '0' && (p[1] | 0x20) == 'x') {
        return numbers_whole(p + 2, n - 2, 16, most, out);
    }
    return numbers_whole(p, n, 10, most, out);
}
