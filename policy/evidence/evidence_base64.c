/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Reads base64. libcrypto's own reader accepts white space and leftover bits. */
#include "policy/evidence/evidence_base64.h"

static int evidence_base64_value_of(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }
    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }
    if (c == '+' || c == '-') {
        return 62;
    }
    return c == '/' || c == '_' ? 63 : -1;
}

/* Returns the alphabet of a character: 1 for standard, 2 for URL-safe, 0 for either. */
static unsigned evidence_base64_alphabet(char c)
{
    if (c == '+' || c == '/') {
        return 1;
    }
    return c == '-' || c == '_' ? 2 : 0;
}

bool evidence_base64(const char *p, size_t n, uint8_t *out, size_t size, size_t *used)
{
    size_t padding = 0;
    unsigned seen = 0;
    uint32_t bits = 0;
    unsigned have = 0;

    *used = 0;
    while (padding < 2 && n > 0 && p[n - 1] == '=') {
        n--;
        padding++;
    }
    if ((padding > 0 && (n + padding) % 4 != 0) || n % 4 == 1) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        const int v = evidence_base64_value_of(p[i]);

        seen |= evidence_base64_alphabet(p[i]);
        if (v < 0 || seen == 3) {
            return false;
        }
        bits = bits << 6 | (uint32_t)v;
        have += 6;
        if (have >= 8) {
            have -= 8;
            if (*used == size) {
                return false;
            }
            out[(*used)++] = (uint8_t)(bits >> have);
        }
    }
    /* The standard alphabet requires its padding. */
    if (seen == 1 && (n + padding) % 4 != 0) {
        return false;
    }
    return (bits & ((1u << have) - 1)) == 0;
}
