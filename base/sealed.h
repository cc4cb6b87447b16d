/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A file in memory that nobody can change any more: what a child process reads at its start. */
#ifndef POEMD_BASE_SEALED_H
#define POEMD_BASE_SEALED_H

#include <stddef.h>

struct sealed_part {
    const void *p;
    size_t n; /* bytes */
};

/*
 * Makes a file of n parts one behind the other (borrowed), sealed against every change: a child
 * that is taken over cannot alter what the next one reads. name: shown in /proc. Its fd, which is
 * the caller's, or -errno.
 */
int sealed_new(const char *name, const struct sealed_part *parts, size_t n)
    __attribute__((warn_unused_result));

#endif
