/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Makes poems from bytes. Pure, except that libcrypto allocates memory: no file, no log. */
#include "poem/poem.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <string.h>

#include "base/text/hex.h"

const char *poem_outcome_text(enum poem_outcome o)
{
    switch (o) {
    case POEM_OK:
        return "ok";
    case POEM_EMPTY:
        return "the poem is empty";
    case POEM_TOO_LONG:
        return "the poem is longer than 8,192 bytes";
    case POEM_NUL:
        return "the poem contains a NUL";
    case POEM_NOT_UTF8:
        return "the poem is not UTF-8";
    case POEM_NO_DIGEST:
        return "the poem's digest could not be computed";
    }
    return "?";
}

/*
 * Returns how many bytes follow a character's first byte, or -1; *least is the smallest value that
 * needs this length.
 */
static int poem_continuation(unsigned char first, uint32_t *value, uint32_t *least)
{
    static const struct {
        unsigned char mask, mark;
        uint32_t least;
    } lengths[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};

    for (int i = 0; i < 4; i++) {
        if ((first & lengths[i].mask) == lengths[i].mark) {
            *value = first & (unsigned char)~lengths[i].mask;
            *least = lengths[i].least;
            return i;
        }
    }
    return -1;
}

/* Returns the number of bytes of the character at p, or 0 if it is invalid. */
static size_t poem_utf8_character(const unsigned char *p, size_t n)
{
    uint32_t value;
    uint32_t least;
    const int more = poem_continuation(p[0], &value, &least);

    if (more < 0 || (size_t)more >= n) {
        return 0;
    }
    for (int i = 1; i <= more; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
        value = value << 6 | (p[i] & 0x3f);
    }
    if (value < least || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) {
        return 0;
    }
    return (size_t)more + 1;
}

static bool poem_is_utf8(const void *bytes, size_t n)
{
    const unsigned char *p = bytes;

    while (n > 0) {
        const size_t step = poem_utf8_character(p, n);

        if (step == 0) {
            return false;
        }
        p += step;
        n -= step;
    }
    return true;
}

/* ---- the refrain ---- */

struct line {
    const char *p;
    size_t n;
};

/* Returns the line at *at, without its end (LF or CR LF), and moves *at to the next one. */
static struct line poem_next_line(const char **at, const char *end)
{
    struct line l = {.p = *at};
    const char *lf = memchr(*at, '\n', (size_t)(end - *at));

    l.n = (size_t)((lf ? lf : end) - *at);
    *at = lf ? lf + 1 : end;
    if (l.n > 0 && l.p[l.n - 1] == '\r') {
        l.n--;
    }
    return l;
}

static bool poem_is_blank(struct line l)
{
    for (size_t i = 0; i < l.n; i++) {
        if (l.p[i] != ' ' && l.p[i] != '\t') {
            return false;
        }
    }
    return true;
}

/* Returns its size as a JSON string in the shortest form, including the quotes. */
static size_t poem_json_size(struct line l)
{
    size_t n = 2;

    for (size_t i = 0; i < l.n; i++) {
        const unsigned char c = (unsigned char)l.p[i];

        if (c == '"' || c == '\\' || (c != '\0' && c < 0x20 && strchr("\b\f\n\r\t", c))) {
            n += 2;
        } else {
            n += c < 0x20 ? 6 : 1;
        }
    }
    return n;
}

static bool poem_comes_again(struct line l, const char *at, const char *end)
{
    while (at < end) {
        const struct line other = poem_next_line(&at, end);

        if (other.n == l.n && memcmp(other.p, l.p, l.n) == 0) {
            return true;
        }
    }
    return false;
}

static void poem_find_refrain(struct poem *poem)
{
    const char *const end = poem->text + poem->size;
    const char *at = poem->text;

    while (at < end) {
        const struct line l = poem_next_line(&at, end);

        if (!poem_is_blank(l) && poem_json_size(l) <= POEM_REFRAIN_JSON_MAX &&
            poem_comes_again(l, at, end)) {
            memcpy(poem->refrain, l.p, l.n);
            return;
        }
    }
}

enum poem_outcome poem_read(struct poem *out, const void *p, size_t n)
{
    *out = (struct poem){0};
    if (n == 0) {
        return POEM_EMPTY;
    }
    if (n > POEM_SIZE_MAX) {
        return POEM_TOO_LONG;
    }
    if (memchr(p, '\0', n)) {
        return POEM_NUL;
    }
    if (!poem_is_utf8(p, n)) {
        return POEM_NOT_UTF8;
    }
    if (EVP_Digest(p, n, out->digest, NULL, EVP_sha256(), NULL) != 1) {
        *out = (struct poem){0};
        return POEM_NO_DIGEST;
    }
    out->text = p;
    out->size = n;
    poem_find_refrain(out);
    return POEM_OK;
}

const char *poem_digest_hex(const struct poem *poem, char out[POEM_DIGEST_HEX_SIZE + 1])
{
    return hex_text(poem->digest, POEM_DIGEST_SIZE, out);
}
