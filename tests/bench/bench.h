/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What the programs of the benchmarks share: the device's data, QEMU's offer, how they say that
 * they are ready, how they give up. They are programs of one job each and exit where something
 * fails.
 */
#ifndef POEMD_TESTS_BENCH_BENCH_H
#define POEMD_TESTS_BENCH_BENCH_H

#include <stddef.h>
#include <stdint.h>

/* The largest REGION_READ and REGION_WRITE that is measured, in bytes. */
#define BENCH_DATA_MAX 1048576u

/* A peer that stays silent for this long has failed, in seconds. */
#define BENCH_TIMEOUT_S 20

/* The byte at offset i of the device's region, so that a reader can tell misplaced data. */
static inline uint8_t bench_byte(size_t i)
{
    return (uint8_t)(i ^ (i >> 8) ^ (i >> 16));
}

/* QEMU 11.1's own offer, byte by byte, so that replies have the room that they have with QEMU. */
extern const char bench_qemu_json[];

/* Options of the relay benchmark's programs that are connected to. */
struct bench_options {
    const char *listen;
    const char *backend; /* NULL where not given */
    int ready_fd;        /* -1 where not given */
};

/* Reads --listen, --backend and --ready-fd; exits with 2 where the command line is wrong. */
struct bench_options bench_options(int argc, char **argv);

/* Writes a line to ready_fd and closes it; -1 is none. */
void bench_ready(int ready_fd);

/* Raises the soft limit of open files to the hard one. */
void bench_raise_files(void);

/* Makes fd blocking, each send and receive on it bounded by BENCH_TIMEOUT_S. */
void bench_block(int fd);

/* Nanoseconds of the monotonic clock. */
uint64_t bench_now(void);

/* Puts the n numbers at order, at least one, into a new order, so that none has always the same one
 * before it. */
void bench_shuffle(size_t *order, size_t n);

/* Writes "program: what: text of -err" (err 0: without the text) and exits with 3. */
_Noreturn void bench_die(const char *what, int err);

#endif
