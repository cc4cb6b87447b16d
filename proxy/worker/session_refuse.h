/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Clients that a worker refuses: the answer without a request, and the report to the monitor. */
#ifndef POEMD_PROXY_WORKER_SESSION_REFUSE_H
#define POEMD_PROXY_WORKER_SESSION_REFUSE_H

#include "proxy/worker/session.h"

/*
 * A client has been answered, or is gone, and its fd here is closed: the monitor closes its copy.
 * Returns false if the channel is full.
 */
bool session_report_refused(struct session_host *h, uint64_t number);

/*
 * Answers a request that another worker has read: sends the client (its socket is taken) one reply
 * with that id.
 */
void session_refuse_heard_take(struct session_host *h, const struct ipc_refuse *settings,
                               int client_fd);

#endif
