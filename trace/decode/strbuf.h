/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A growing string buffer, fast enough for a million lines a second: no format strings, and it
 * allocates only if a text becomes longer than any before it.
 *
 * If memory runs out, text that does not fit is dropped and failed is set.
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

/* Makes room for n more bytes. Returns false if memory runs out. */
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

/* Appends a decimal number; _in right-aligns it in at least `width` columns, filled with `fill`. */
void strbuf_dec_in(struct strbuf *t, uint64_t v, unsigned width, char fill);
void strbuf_dec(struct strbuf *t, uint64_t v);

/* Appends 0x and as few hexadecimal digits as will do, or `digits` of them. */
void strbuf_hex(struct strbuf *t, uint64_t v);
void strbuf_hex_in(struct strbuf *t, uint64_t v, unsigned digits);

/* Appends two hexadecimal digits per byte, without separators. */
void strbuf_bytes(struct strbuf *t, const uint8_t *p, size_t n);

/*
 * Appends foreign bytes as printable ASCII, escaped as by log_escape but without its length limit.
 */
void strbuf_escape(struct strbuf *t, const void *p, size_t n);

/* Appends them as a JSON string in quotes; a byte that is not ASCII becomes \u00NN. */
void strbuf_json(struct strbuf *t, const void *p, size_t n);

/* Appends a time for people: "850 ns", "12.3 us", "2.5 ms", "1.2 s". */
void strbuf_duration(struct strbuf *t, uint64_t ns);

#endif
