/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Whether a captured message agrees with the specification, as far as its bytes were kept. Pure. */
#ifndef POEMD_TRACE_DECODE_CHECK_H
#define POEMD_TRACE_DECODE_CHECK_H

#include "trace/file/message.h"

/*
 * As wire_check, of a message of which n payload bytes at p were kept, in this machine's byte order
 * (trace/decode/native.h). Of one that was not kept whole, what its fixed part and its size say.
 */
enum wire_check check_message(const struct trace_message *m, const struct wire_hdr *hdr,
                              const void *p, size_t n);

#endif
