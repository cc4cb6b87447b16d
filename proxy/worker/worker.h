/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A relay worker: the process between two peers.
 *
 * The monitor re-executes its own program as { WORKER_NAME, WORKER_ARG } with two fds: its end of
 * the channel, and a file that holds a struct worker_settings followed by the poem's bytes.
 */
#ifndef POEMD_PROXY_WORKER_WORKER_H
#define POEMD_PROXY_WORKER_WORKER_H

#include "proxy/ipc/worker_settings.h"

/* Runs the worker. Returns its exit status. */
int worker_main(void);

#endif
