/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Namespaces and Landlock, only for base/confine/confine.c. Features that the kernel lacks are
 * logged.
 */
#ifndef POEMD_BASE_CONFINE_CONFINE_FILES_H
#define POEMD_BASE_CONFINE_CONFINE_FILES_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Moves to new namespaces of network, IPC, host name, cgroups and mounts, and makes an empty folder
 * the root (except in a build with sanitizers). user: through a user namespace.
 */
void confine_apart(const char *who, bool user);

/*
 * Forbids opening files, except for reading below one of the n folders, binding or connecting TCP
 * ports, connecting to others' abstract sockets and signalling other processes, as far as this
 * kernel's Landlock can. In a build with sanitizers, only the last three.
 */
void confine_landlock(const char *who, const int *folder_fds, size_t n);

#endif
