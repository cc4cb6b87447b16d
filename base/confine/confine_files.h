/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* For base/confine/confine.c alone: namespaces and Landlock. What the kernel does not offer is
 * logged. */
#ifndef POEMD_BASE_CONFINE_CONFINE_FILES_H
#define POEMD_BASE_CONFINE_CONFINE_FILES_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Leaves the namespaces of network, IPC, host name, cgroups and mounts, and makes an empty folder
 * the root, which in a build with sanitizers stays. user: by way of a user namespace.
 */
void confine_apart(const char *who, bool user);

/*
 * From now on no file can be opened but to be read below one of the n folders, no TCP port be bound
 * or connected to, no abstract socket reached that others made, no other process signalled: as far
 * as this kernel's Landlock goes. Not in a build with sanitizers, but for the last three.
 */
void confine_landlock(const char *who, const int *folder_fds, size_t n);

#endif
