/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The rights that a relay worker gives up before it reads its first foreign byte. */
#ifndef POEMD_PROXY_WORKER_SANDBOX_H
#define POEMD_PROXY_WORKER_SANDBOX_H

#include "proxy/ipc/worker_settings.h"

/*
 * Confines a relaying process: gives up everything that base/confine/confine.h names, except the
 * fds and the address space of its settings, and reading the files of one folder (readable_fd,
 * borrowed; -1: none). Changes to the settings' uid and gid if run as root. Returns 0 or -errno.
 */
int sandbox_enter(const struct worker_settings *s, int readable_fd)
    __attribute__((warn_unused_result));

#endif
