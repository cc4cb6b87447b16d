/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Text put together piece by piece. Pure but for its memory. */
#include "trace/decode/text.h"

#include <stdlib.h>

#define ROOM_FIRST 4096u

static const char digits16[] = "0123456789abcdef";

void text_init(struct text *t)
{
    *t = (struct text){.p = NULL};
}

void text_deinit(struct text *t)
{
    free(t->p);
    text_init(t);
}

bool text_grow(struct text *t, size_t n)
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

void text_dec_in(struct text *t, uint64_t v, unsigned width, char fill)
{
    char d[24];
    unsigned at = sizeof d;

    do {
        d[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    for (unsigned n = (unsigned)sizeof d - at; n < width; n++) {
        text_char(t, fill);
    }
    text_put(t, d + at, sizeof d - at);
}

void text_dec(struct text *t, uint64_t v)
{
    text_dec_in(t, v, 0, ' ');
}

void text_hex_in(struct text *t, uint64_t v, unsigned digits)
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
    text_put(t, "0x", 2);
    text_put(t, d + at, sizeof d - at);
}

void text_hex(struct text *t, uint64_t v)
{
    text_hex_in(t, v, 1);
}

void text_bytes(struct text *t, const uint8_t *p, size_t n)
{
    if (!text_room(t, 2 * n)) {
        return;
    }
    for (size_t i = 0; i < n; i++) {
        t->p[t->n++] = digits16[p[i] >> 4];
        t->p[t->n++] = digits16[p[i] & 0xf];
    }
}

/* How many bytes from the beginning stand for themselves. */
static size_t plain(const uint8_t *p, size_t n)
{
    size_t i = 0;

    while (i < n && p[i] >= 0x20 && p[i] < 0x7f && p[i] != '"' && p[i] != '\\') {
        i++;
    }
    return i;
}

static void escape(struct text *t, const uint8_t *p, size_t n, const char *lead, unsigned lead_n)
{
    while (n > 0) {
        const size_t run = plain(p, n);

        text_put(t, (const char *)p, run);
        p += run;
        n -= run;
        if (n > 0) {
            text_put(t, lead, lead_n);
            text_bytes(t, p, 1);
            p++;
            n--;
        }
    }
}

void text_escape(struct text *t, const void *p, size_t n)
{
    escape(t, p, n, "\\x", 2);
}

void text_json(struct text *t, const void *p, size_t n)
{
    text_char(t, '"');
    escape(t, p, n, "\\u00", 4);
    text_char(t, '"');
}

void text_duration(struct text *t, uint64_t ns)
{
    static const struct {
        uint64_t unit;
        const char *name;
    } units[] = {{1000000000, " s"}, {1000000, " ms"}, {1000, " us"}};

    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (ns >= units[i].unit) {
            text_dec(t, ns / units[i].unit);
            text_char(t, '.');
            text_char(t, (char)('0' + ns % units[i].unit / (units[i].unit / 10)));
            text_str(t, units[i].name);
            return;
        }
    }
    text_dec(t, ns);
    text_str(t, " ns");
}
