/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A captured message as it lies in a ring, on its way from a worker to the tracer. Pure. Both are
 * the same program, so numbers are the machine's own; but whoever reads a record believes nothing
 * of it.
 */
#ifndef POEMD_TRACE_CAPTURE_RECORD_H
#define POEMD_TRACE_CAPTURE_RECORD_H

#include <stddef.h>

#include "trace/file/message.h"

/* Bytes that the message takes as a record. */
size_t record_size(const struct trace_message *m);

/* Writes it to record_size(m) bytes at p, which is aligned to 8. */
void record_put(void *p, const struct trace_message *m);

/*
 * Reads the n bytes at p, which is aligned to 8; m's pointers go into them. False: that is no
 * record: counts that do not fit, or values out of range.
 */
bool record_get(const void *p, size_t n, struct trace_message *m)
    __attribute__((warn_unused_result));

#endif
