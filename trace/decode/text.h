/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Text that is put together piece by piece, a million lines a second: no format strings, and no
 * memory taken but where a text becomes longer than any before it.
 *
 * Where there is no memory, what does not fit is left out, and failed says so.
 */
#ifndef POEMD_TRACE_DECODE_TEXT_H
#define POEMD_TRACE_DECODE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct text {
    char *p; /* owned; not NUL-terminated */
    size_t n;
    size_t room;
    bool failed;
};

void text_init(struct text *t);
void text_deinit(struct text *t);

/* Makes room for n bytes more; false where there is none. */
bool text_grow(struct text *t, size_t n);

static inline void text_clear(struct text *t)
{
    t->n = 0;
}

static inline bool text_room(struct text *t, size_t n)
{
    return t->room - t->n >= n || text_grow(t, n);
}

static inline void text_put(struct text *t, const char *p, size_t n)
{
    if (n > 0 && text_room(t, n)) {
        memcpy(t->p + t->n, p, n);
        t->n += n;
    }
}

static inline void text_str(struct text *t, const char *s)
{
    text_put(t, s, strlen(s));
}

static inline void text_char(struct text *t, char c)
{
    if (text_room(t, 1)) {
        t->p[t->n++] = c;
    }
}

/* A decimal number; right-aligned in at least `width` columns, filled with `fill`. */
void text_dec_in(struct text *t, uint64_t v, unsigned width, char fill);
void text_dec(struct text *t, uint64_t v);

/* 0x and hexadecimal digits: as few as will do, or `digits` of them. */
void text_hex(struct text *t, uint64_t v);
void text_hex_in(struct text *t, uint64_t v, unsigned digits);

/* Two hexadecimal digits a byte, nothing between. */
void text_bytes(struct text *t, const uint8_t *p, size_t n);

/* Foreign bytes as printable ASCII: as log_escape, without a bound of its own. */
void text_escape(struct text *t, const void *p, size_t n);

/* The same as a JSON string, with its quotes; a byte that is not ASCII becomes \u00NN. */
void text_json(struct text *t, const void *p, size_t n);

/* A time for people: "850 ns", "12.3 us", "2.5 ms", "1.2 s". */
void text_duration(struct text *t, uint64_t ns);

#endif
