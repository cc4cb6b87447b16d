/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What a relay worker gives up before it reads its first foreign byte.
 */
#ifndef POEMD_PROXY_SANDBOX_H
#define POEMD_PROXY_SANDBOX_H

#include <stdint.h>
#include <sys/types.h>

/*
 * For a process that relays: no new privileges, no files but those of one folder, which may be read
 * (readable_fd, borrowed; -1: none), another user where it is root (then an empty root folder as
 * well), no more fds than nofile. What the kernel does not offer is logged and done without, save
 * the change of user: 0 or -errno.
 */
int sandbox_enter(uid_t uid, gid_t gid, uint64_t nofile, int readable_fd)
    __attribute__((warn_unused_result));

/* Raises RLIMIT_NOFILE to want, or as far as the hard limit lets it. Returns what it is now. */
uint64_t sandbox_raise_nofile(uint64_t want);

#endif
