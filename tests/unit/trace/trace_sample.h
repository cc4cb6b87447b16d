/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A trace that is always the same, with one of everything: every command of wire.h with its
 * request and reply, an error reply, posted writes, fds of each kind, messages on the twin socket,
 * made by the broker, kept in part, undelivered, big-endian, after lost ones, unasked for, and
 * unknown; comments; three sessions (edu0/1 from its start; nvme0/2, which the capture joined late;
 * gone0/3, refused), statistics of each, the last with why it ended. For golden files, and for
 * whoever reads traces.
 *
 * The program trace_sample writes it:
 *
 *   trace_sample OUT           the file OUT, made anew
 *   trace_sample OUT N         only the first N blocks of it
 */
#ifndef POEMD_TESTS_UNIT_TRACE_TRACE_SAMPLE_H
#define POEMD_TESTS_UNIT_TRACE_TRACE_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

#define TRACE_SAMPLE_MAX 65536u
#define TRACE_SAMPLE_BLOCKS 256u

struct trace_sample {
    size_t size; /* bytes at p */
    unsigned n_blocks;
    uint32_t ends[TRACE_SAMPLE_BLOCKS]; /* where each block ends */
    uint8_t p[TRACE_SAMPLE_MAX];
};

/* Makes the sample. */
void trace_sample(struct trace_sample *out);

#endif
