/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Checks whether a captured message agrees with the specification, as far as its bytes were kept.
 * Pure.
 */
#ifndef POEMD_TRACE_DECODE_CHECK_H
#define POEMD_TRACE_DECODE_CHECK_H

#include "trace/file/message.h"

/*
 * Works like wire_check, for a message with n kept payload bytes at p, in this machine's byte order
 * (trace/decode/native.h). A message that was not kept whole is judged by its fixed part and its
 * size.
 */
enum wire_check check_message(const struct trace_message *m, const struct wire_hdr *hdr,
                              const void *p, size_t n);

#endif
