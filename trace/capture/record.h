/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A captured message as a record in a ring, on its way from a worker to the tracer. Pure. Both
 * processes run the same program, so numbers are in the machine's own form; but the reader checks
 * every field of a record.
 */
#ifndef POEMD_TRACE_CAPTURE_RECORD_H
#define POEMD_TRACE_CAPTURE_RECORD_H

#include <stddef.h>

#include "trace/file/message.h"

/* Returns the size of the message's record in bytes. */
size_t record_size(const struct trace_message *m);

/* Writes the record, record_size(m) bytes, to p, which is aligned to 8. */
void record_put(void *p, const struct trace_message *m);

/*
 * Reads the record of n bytes at p, which is aligned to 8; m's pointers point into it. Returns
 * false if it is malformed: counts that do not fit, or values out of range.
 */
bool record_get(const void *p, size_t n, struct trace_message *m)
    __attribute__((warn_unused_result));

#endif
