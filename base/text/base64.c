/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* libcrypto's own reader accepts white space, and bits that no byte has. */
#include "base/text/base64.h"

#include <stdint.h>
#include <string.h>

static const char digits64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_write(const void *p, size_t n, char *out)
{
    const uint8_t *in = p;

    for (; n > 0; out += 4) {
        const unsigned take = n >= 3 ? 3 : (unsigned)n;
        const uint32_t v =
            (uint32_t)in[0] << 16 | (take > 1 ? (uint32_t)in[1] << 8 : 0) | (take > 2 ? in[2] : 0);

        out[0] = digits64[v >> 18 & 63];
        out[1] = digits64[v >> 12 & 63];
        out[2] = take > 1 ? digits64[v >> 6 & 63] : '=';
        out[3] = take > 2 ? digits64[v & 63] : '=';
        in += take;
        n -= take;
    }
    *out = '\0';
}

/* The alphabets that have a character: both, or one. */
enum base64_alphabet { BASE64_BOTH, BASE64_STANDARD, BASE64_URL };

static int base64_digit(char c, unsigned *alphabets)
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
    *alphabets |= c == '+' || c == '/' ? BASE64_STANDARD : BASE64_URL;
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

bool base64_read_any(const char *text, size_t n, void *out, size_t size, size_t *used)
{
    uint8_t *const to = out;
    size_t padding = 0;
    unsigned alphabets = BASE64_BOTH;
    uint32_t bits = 0;
    unsigned have = 0;

    *used = 0;
    while (padding < 2 && n > 0 && text[n - 1] == '=') {
        n--;
        padding++;
    }
    if ((padding > 0 && (n + padding) % 4 != 0) || n % 4 == 1) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        const int v = base64_digit(text[i], &alphabets);

        if (v < 0 || alphabets == (BASE64_STANDARD | BASE64_URL)) {
            return false;
        }
        bits = bits << 6 | (uint32_t)v;
        have += 6;
        if (have >= 8) {
            have -= 8;
            if (*used == size) {
                return false;
            }
            to[(*used)++] = (uint8_t)(bits >> have);
        }
    }
    /* The standard alphabet requires its padding. */
    if (alphabets == BASE64_STANDARD && (n + padding) % 4 != 0) {
        return false;
    }
    return (bits & ((1u << have) - 1)) == 0;
}

bool base64_read(const char *text, size_t text_n, void *out, size_t n)
{
    size_t used;

    return text_n == BASE64_SIZE(n) && !memchr(text, '-', text_n) && !memchr(text, '_', text_n) &&
           base64_read_any(text, text_n, out, n, &used) && used == n;
}
