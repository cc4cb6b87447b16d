/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Bytes as hexadecimal text: digests, keys, identities. Pure. */
#ifndef POEMD_BASE_TEXT_HEX_H
#define POEMD_BASE_TEXT_HEX_H

#include <stdbool.h>
#include <stddef.h>

/* Writes n bytes as 2 * n lower-case digits and a NUL to out, which must have room. Returns out. */
char *hex_text(const void *p, size_t n, char *out);

/* Reads n bytes from 2 * n lower-case digits. Returns false at any other character. */
bool hex_read(const char *text, void *out, size_t n) __attribute__((warn_unused_result));

#endif
