/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A ring of records in memory shared by two processes: one writes, the other reads, and neither
 * waits for the other or trusts it.
 *
 * The memory is a sealed memfd of fixed size, mapped by both sides. Records follow each other and
 * never wrap, since the data pages are mapped twice in a row. If the ring is full, the record is
 * not written, and the writer counts the loss. The bell (an eventfd) is rung only if the reader
 * sleeps, or if it polls now and then and the ring is a quarter full: while records flow, writing
 * one takes no system call.
 *
 * Neither side uses a value of the other's before checking it; the reader works on copies, since
 * shared memory can change at any time.
 */
#ifndef POEMD_TRACE_CAPTURE_RING_H
#define POEMD_TRACE_CAPTURE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of data: a power of two from MIN to MAX. */
#define RING_SIZE_MIN (64u << 10)
#define RING_SIZE_MAX (1u << 30)

/*
 * Creates a ring with at least size bytes of data, rounded up to a power of two within the bounds.
 * Returns its fd or -errno.
 */
int ring_create(uint64_t size) __attribute__((warn_unused_result));

/* Creates a bell, which never blocks. Returns its fd or -errno. */
int ring_bell_create(void) __attribute__((warn_unused_result));

/* ---- writing ---- */

struct ring_writer;

/*
 * Takes both fds, also on failure. Returns 0 with a writer for the caller to free in *out, or
 * -errno (-EINVAL: not a ring).
 */
int ring_writer_new_take(struct ring_writer **out, int ring_fd, int bell_fd)
    __attribute__((warn_unused_result));
void ring_writer_free(struct ring_writer *w);

/* Size of the largest record, in bytes. */
size_t ring_writer_most(const struct ring_writer *w);

/*
 * Returns room for a record of n > 0 bytes, aligned to 8, or NULL if the ring has too little room.
 * The reader sees it only after ring_publish, so several records can be written before.
 */
void *ring_reserve(struct ring_writer *w, size_t n) __attribute__((warn_unused_result));

/* Passes all reserved records on to the reader, and rings its bell if it waits. */
void ring_publish(struct ring_writer *w);

/* ---- reading ---- */

struct ring_reader;

/* Like ring_writer_new_take; the bell stays open, borrowed by ring_reader_bell. */
int ring_reader_new_take(struct ring_reader **out, int ring_fd, int bell_fd)
    __attribute__((warn_unused_result));
void ring_reader_free(struct ring_reader *r);

/* The fd that becomes readable when the bell is rung. Borrowed. */
int ring_reader_bell(const struct ring_reader *r);

/*
 * Copies the next record to memory that is valid until the next call. Returns 1, 0 if there is no
 * record, -EPROTO if the ring is damaged (then it is never read again), or -ENOMEM.
 */
int ring_read(struct ring_reader *r, const void **p, size_t *n) __attribute__((warn_unused_result));

/* Makes ring_read return its last record again. */
void ring_unread(struct ring_reader *r);

/*
 * Returns the room of all records that were read to the writer. ring_read also does so from time to
 * time.
 */
void ring_release(struct ring_reader *r);

enum ring_wait {
    RING_AWAKE,   /* the bell stays silent */
    RING_LOOKING, /* rung when a quarter is full */
    RING_ASLEEP,  /* rung at the next record */
};

/*
 * Sets how the reader waits from now on. Returns false, with the reader awake, if it wanted to
 * sleep but there is a record to read.
 */
bool ring_wait(struct ring_reader *r, enum ring_wait how) __attribute__((warn_unused_result));

/* Silences the bell. */
void ring_hear(struct ring_reader *r);

#endif
