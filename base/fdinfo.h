/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What the kernel says of our own fds in /proc/self/fdinfo: looked at through a folder that was
 * opened while files could still be.
 */
#ifndef POEMD_BASE_FDINFO_H
#define POEMD_BASE_FDINFO_H

#include <stdbool.h>
#include <stdint.h>

/* The folder of this very process (not of one it is forked from). An fd or -errno. */
int fdinfo_open(void) __attribute__((warn_unused_result));

/*
 * Whether fd is an eventfd. False also if the kernel does not report it or folder_fd is -1: it may
 * then be anything. Both are borrowed.
 */
bool fdinfo_is_eventfd(int folder_fd, int fd);

/*
 * The kernel's number of the eventfd fd (eventfd-id: one eventfd has one, for as long as it lives,
 * in all processes that have it). 0: fd is none, or the kernel does not say (before Linux 5.2), or
 * folder_fd is -1. Both are borrowed.
 */
uint64_t fdinfo_eventfd(int folder_fd, int fd);

#endif
