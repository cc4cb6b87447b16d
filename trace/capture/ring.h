/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A ring of records in memory that two processes share: one writes, the other reads, and neither
 * waits for the other or trusts it.
 *
 * The memory is a memfd of fixed size (sealed), mapped by both; records lie in it one behind the
 * other and never wrap, since the data pages are mapped twice in a row. Where there is no room a
 * record is not written: the writer's matter. A bell (an eventfd) is rung only when the reader says
 * that it sleeps, or that it looks now and then and the ring is a quarter full: while records flow,
 * writing one is no system call.
 *
 * What the other side has written is used for nothing before it has been checked; the reader works
 * on copies, since what is shared can change under its hands.
 */
#ifndef POEMD_TRACE_CAPTURE_RING_H
#define POEMD_TRACE_CAPTURE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of data: a power of two between these. */
#define RING_SIZE_MIN (64u << 10)
#define RING_SIZE_MAX (1u << 30)

/* A ring of at least size bytes of data, rounded up to a power of two in bounds. Its fd or -errno.
 */
int ring_create(uint64_t size) __attribute__((warn_unused_result));

/* A bell: non-blocking. Its fd or -errno. */
int ring_bell_create(void) __attribute__((warn_unused_result));

/* ---- writing ---- */

struct ring_writer;

/* Takes both fds, in every case. 0, *out being the caller's, or -errno (-EINVAL: no ring of ours).
 */
int ring_writer_new_take(struct ring_writer **out, int ring_fd, int bell_fd)
    __attribute__((warn_unused_result));
void ring_writer_free(struct ring_writer *w);

/* The largest record, in bytes. */
size_t ring_writer_most(const struct ring_writer *w);

/*
 * Room for a record of n > 0 bytes, aligned to 8; NULL: the ring has none, or never will. It is the
 * reader's only once ring_publish was called, so several can be written before.
 */
void *ring_reserve(struct ring_writer *w, size_t n) __attribute__((warn_unused_result));

/* What was reserved has been written: it is the reader's now, whose bell is rung where it waits. */
void ring_publish(struct ring_writer *w);

/* ---- reading ---- */

struct ring_reader;

/* As ring_writer_new_take; the bell stays open, borrowed by ring_reader_bell. */
int ring_reader_new_take(struct ring_reader **out, int ring_fd, int bell_fd)
    __attribute__((warn_unused_result));
void ring_reader_free(struct ring_reader *r);

/* Can be read when the bell has been rung. Borrowed. */
int ring_reader_bell(const struct ring_reader *r);

/*
 * The next record, copied to memory that is good until the next call. 1, 0: there is none, or
 * -EPROTO: the ring is damaged, and will never be read again; -ENOMEM.
 */
int ring_read(struct ring_reader *r, const void **p, size_t *n) __attribute__((warn_unused_result));

/* The record that ring_read returned last is to be returned again. */
void ring_unread(struct ring_reader *r);

/* Gives the room of all that was read back to the writer. Also done by ring_read, now and then. */
void ring_release(struct ring_reader *r);

enum ring_wait {
    RING_AWAKE,   /* the bell stays silent */
    RING_LOOKING, /* it is rung when a quarter is full */
    RING_ASLEEP,  /* it is rung at the next record */
};

/* Says how the reader waits from now on. False: there is something to read already; it is awake. */
bool ring_wait(struct ring_reader *r, enum ring_wait how) __attribute__((warn_unused_result));

/* Hears the bell: silences it. */
void ring_hear(struct ring_reader *r);

#endif
