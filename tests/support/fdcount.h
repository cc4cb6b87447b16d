/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Which file descriptors a process has open, so that a test can see what it left behind.
 */
#ifndef POEMD_TESTS_FDCOUNT_H
#define POEMD_TESTS_FDCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define FDCOUNT_MAX 4096

struct fdcount {
    unsigned n;
    int fds[FDCOUNT_MAX]; /* ascending */
    dev_t dev[FDCOUNT_MAX];
    ino_t ino[FDCOUNT_MAX];
};

/* Takes down what this process has open. 0, or -errno; -ENOSPC above FDCOUNT_MAX. */
int fdcount_take(struct fdcount *c) __attribute__((warn_unused_result));

/* How many fds the process pid has open, or -errno. */
int fdcount_of(pid_t pid) __attribute__((warn_unused_result));

/*
 * Whether both are the same fds of the same files. Where not, the difference is written to out
 * (size bytes): "+7 socket:[123]" came, "-5" went, "~4 …" is another file now.
 */
bool fdcount_same(const struct fdcount *before, const struct fdcount *after, char *out, size_t size)
    __attribute__((warn_unused_result));

#endif
