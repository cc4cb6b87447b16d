/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A growing string buffer. Pure except for its memory. */
#include "trace/decode/strbuf.h"

#include <stdlib.h>

#define ROOM_FIRST 4096u

static const char digits16[] = "0123456789abcdef";

void strbuf_init(struct strbuf *t)
{
    *t = (struct strbuf){.p = NULL};
}

void strbuf_deinit(struct strbuf *t)
{
    free(t->p);
    strbuf_init(t);
}

bool strbuf_grow(struct strbuf *t, size_t n)
{
    size_t room = t->room ? t->room : ROOM_FIRST;
    char *p;

    while (room - t->n < n) {
        if (room > SIZE_MAX / 2) {
            t->failed = true;
            return false;
        }
        room *= 2;
    }
    p = realloc(t->p, room);
    if (!p) {
        t->failed = true;
        return false;
    }
    t->p = p;
    t->room = room;
    return true;
}

void strbuf_dec_in(struct strbuf *t, uint64_t v, unsigned width, char fill)
{
    char d[24];
    unsigned at = sizeof d;

    do {
        d[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    for (unsigned n = (unsigned)sizeof d - at; n < width; n++) {
        strbuf_char(t, fill);
    }
    strbuf_put(t, d + at, sizeof d - at);
}

void strbuf_dec(struct strbuf *t, uint64_t v)
{
    strbuf_dec_in(t, v, 0, ' ');
}

void strbuf_hex_in(struct strbuf *t, uint64_t v, unsigned digits)
{
    char d[16];
    unsigned at = sizeof d;

    do {
        d[--at] = digits16[v & 0xf];
        v >>= 4;
    } while (v);
    while (sizeof d - at < digits && at > 0) {
        d[--at] = '0';
    }
    strbuf_put(t, "0x", 2);
    strbuf_put(t, d + at, sizeof d - at);
}

void strbuf_hex(struct strbuf *t, uint64_t v)
{
    strbuf_hex_in(t, v, 1);
}

void strbuf_bytes(struct strbuf *t, const uint8_t *p, size_t n)
{
    if (!strbuf_room(t, 2 * n)) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        t->p[t->n++] = digits16[p[i] >> 4];
        t->p[t->n++] = digits16[p[i] & 0xf];
    }
}

/* Length of the leading bytes that need no escape. */
static size_t strbuf_plain(const uint8_t *p, size_t n)
{
    size_t i = 0;

    while (i < n && p[i] >= 0x20 && p[i] < 0x7f && p[i] != '"' && p[i] != '\\') {
        i++;
    }
    return i;
}

static void strbuf_escape_with(struct strbuf *t, const uint8_t *p, size_t n, const char *lead,
                               unsigned lead_n)
{
    while (n > 0) {
        const size_t run = strbuf_plain(p, n);

        strbuf_put(t, (const char *)p, run);
        p += run;
        n -= run;
        if (n > 0) {
            strbuf_put(t, lead, lead_n);
            strbuf_bytes(t, p, 1);
            p++;
            n--;
        }
    }
}

void strbuf_escape(struct strbuf *t, const void *p, size_t n)
{
    strbuf_escape_with(t, p, n, "\\x", 2);
}

void strbuf_json(struct strbuf *t, const void *p, size_t n)
{
    strbuf_char(t, '"');
    strbuf_escape_with(t, p, n, "\\u00", 4);
    strbuf_char(t, '"');
}

void strbuf_duration(struct strbuf *t, uint64_t ns)
{
    static const struct {
        uint64_t unit;
        const char *name;
    } units[] = {{1000000000, " s"}, {1000000, " ms"}, {1000, " us"}};

    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (ns >= units[i].unit) {
            strbuf_dec(t, ns / units[i].unit);
            strbuf_char(t, '.');
            strbuf_char(t, (char)('0' + ns % units[i].unit / (units[i].unit / 10)));
            strbuf_str(t, units[i].name);
            return;
        }
    }
    strbuf_dec(t, ns);
    strbuf_str(t, " ns");
}
