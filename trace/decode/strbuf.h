/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Text that is put together piece by piece, a million lines a second: no format strings, and no
 * memory taken but where a text becomes longer than any before it.
 *
 * Where there is no memory, what does not fit is left out, and failed says so.
 */
#ifndef POEMD_TRACE_DECODE_STRBUF_H
#define POEMD_TRACE_DECODE_STRBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct strbuf {
    char *p; /* owned; not NUL-terminated */
    size_t n;
    size_t room;
    bool failed;
};

void strbuf_init(struct strbuf *t);
void strbuf_deinit(struct strbuf *t);

/* Makes room for n bytes more; false where there is none. */
bool strbuf_grow(struct strbuf *t, size_t n);

static inline void strbuf_clear(struct strbuf *t)
{
    t->n = 0;
}

static inline bool strbuf_room(struct strbuf *t, size_t n)
{
    return t->room - t->n >= n || strbuf_grow(t, n);
}

static inline void strbuf_put(struct strbuf *t, const char *p, size_t n)
{
    if (n > 0 && strbuf_room(t, n)) {
        memcpy(t->p + t->n, p, n);
        t->n += n;
    }
}

static inline void strbuf_str(struct strbuf *t, const char *s)
{
    strbuf_put(t, s, strlen(s));
}

static inline void strbuf_char(struct strbuf *t, char c)
{
    if (strbuf_room(t, 1)) {
        t->p[t->n++] = c;
    }
}

/* A decimal number; right-aligned in at least `width` columns, filled with `fill`. */
void strbuf_dec_in(struct strbuf *t, uint64_t v, unsigned width, char fill);
void strbuf_dec(struct strbuf *t, uint64_t v);

/* 0x and hexadecimal digits: as few as will do, or `digits` of them. */
void strbuf_hex(struct strbuf *t, uint64_t v);
void strbuf_hex_in(struct strbuf *t, uint64_t v, unsigned digits);

/* Two hexadecimal digits a byte, nothing between. */
void strbuf_bytes(struct strbuf *t, const uint8_t *p, size_t n);

/* Foreign bytes as printable ASCII: as log_escape, without a bound of its own. */
void strbuf_escape(struct strbuf *t, const void *p, size_t n);

/* The same as a JSON string, with its quotes; a byte that is not ASCII becomes \u00NN. */
void strbuf_json(struct strbuf *t, const void *p, size_t n);

/* A time for people: "850 ns", "12.3 us", "2.5 ms", "1.2 s". */
void strbuf_duration(struct strbuf *t, uint64_t ns);

#endif
