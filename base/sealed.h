/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A file in memory that can no longer be changed: settings that a child process reads first. */
#ifndef POEMD_BASE_SEALED_H
#define POEMD_BASE_SEALED_H

#include <stddef.h>

struct sealed_part {
    const void *p;
    size_t n; /* bytes */
};

/*
 * Makes a file of n consecutive parts (borrowed), sealed against every change: a child that is
 * taken over cannot alter what the next one reads. name is shown in /proc. Returns its fd, which
 * the caller owns, or -errno.
 */
int sealed_new(const char *name, const struct sealed_part *parts, size_t n)
    __attribute__((warn_unused_result));

/*
 * Seals a file in memory (borrowed fd, made with MFD_ALLOW_SEALING) in the same way: nor can the
 * child make it larger. Returns 0 or -errno.
 */
int sealed_seal(int fd) __attribute__((warn_unused_result));

#endif
