/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The bytes of a message for people, 16 a line, as offsets, hexadecimal digits and ASCII. */
#ifndef POEMD_TRACE_DECODE_SHOW_HEX_H
#define POEMD_TRACE_DECODE_SHOW_HEX_H

#include "trace/decode/strbuf.h"
#include "trace/file/message.h"

/* Appends the kept bytes, header included, and how many were not kept. */
void show_hex_dump(struct strbuf *t, const struct trace_message *m);

#endif
