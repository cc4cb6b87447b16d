/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The kernel's information about our own fds in /proc/self/fdinfo, read through a folder that was
 * opened while files still could be.
 */
#ifndef POEMD_BASE_FDINFO_H
#define POEMD_BASE_FDINFO_H

#include <stdbool.h>
#include <stdint.h>

/* Opens the folder of this very process (not of a parent). Returns an fd or -errno. */
int fdinfo_open(void) __attribute__((warn_unused_result));

/*
 * Returns true if fd is an eventfd. Returns false also if the kernel does not report it or
 * folder_fd is -1: fd may then be anything. Both are borrowed.
 */
bool fdinfo_is_eventfd(int folder_fd, int fd);

/*
 * Returns the kernel's number of the eventfd fd (eventfd-id: unique while the eventfd lives, and
 * the same in all processes that have it). Returns 0 if fd is not an eventfd, the kernel does not
 * report it (before Linux 5.2), or folder_fd is -1. Both are borrowed.
 */
uint64_t fdinfo_eventfd(int folder_fd, int fd);

#endif
