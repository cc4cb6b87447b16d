/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
#include "trace/decode/show_hex.h"

#define SHOW_HEX_COLUMNS 16u

/* So that a line fits into 80 columns. */
static const char show_hex_indent[] = "  ";

static void show_hex_line(struct strbuf *t, const struct trace_message *m, uint32_t at)
{
    const uint32_t left = m->kept - at;
    const uint32_t n = left < SHOW_HEX_COLUMNS ? left : SHOW_HEX_COLUMNS;
    const uint8_t offset[] = {(uint8_t)(at >> 8), (uint8_t)at};

    strbuf_str(t, show_hex_indent);
    strbuf_str(t, m->sender == SIDE_CLIENT ? "--> " : "<-- ");
    strbuf_bytes(t, offset, sizeof offset);
    strbuf_char(t, ' ');
    for (uint32_t i = 0; i < SHOW_HEX_COLUMNS; i++) {
        strbuf_str(t, i % 8 == 0 ? " " : "");
        if (i < n) {
            strbuf_bytes(t, m->data + at + i, 1);
            strbuf_char(t, ' ');
        } else {
            strbuf_str(t, "   ");
        }
    }
    strbuf_str(t, " |");
    for (uint32_t i = 0; i < n; i++) {
        const char c = (char)m->data[at + i];

        strbuf_char(t, c >= ' ' && c <= '~' ? c : '.');
    }
    strbuf_str(t, "|\n");
}

void show_hex_dump(struct strbuf *t, const struct trace_message *m)
{
    for (uint32_t at = 0; at < m->kept; at += SHOW_HEX_COLUMNS) {
        show_hex_line(t, m, at);
    }
    if (m->kept < m->size - m->missing) {
        strbuf_str(t, show_hex_indent);
        strbuf_str(t, "    ");
        strbuf_dec(t, m->size - m->missing - m->kept);
        strbuf_str(t, " more bytes were not kept\n");
    }
}
