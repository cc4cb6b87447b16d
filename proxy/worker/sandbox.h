/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The rights that a relay worker gives up before it reads its first foreign byte. */
#ifndef POEMD_PROXY_WORKER_SANDBOX_H
#define POEMD_PROXY_WORKER_SANDBOX_H

#include <stdint.h>
#include <sys/types.h>

/*
 * Confines a relaying process: gives up everything that base/confine/confine.h names, except nofile
 * fds, memory bytes of address space (which another process may raise to memory_most), and reading
 * the files of one folder (readable_fd, borrowed; -1: none). Changes to uid and gid if run as root.
 * Returns 0 or -errno.
 */
int sandbox_enter(uid_t uid, gid_t gid, uint64_t nofile, uint64_t memory, uint64_t memory_most,
                  int readable_fd) __attribute__((warn_unused_result));

#endif
