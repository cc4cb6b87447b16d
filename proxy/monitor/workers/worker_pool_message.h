/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The messages about a session for its worker. */
#ifndef POEMD_PROXY_MONITOR_WORKER_POOL_MESSAGE_H
#define POEMD_PROXY_MONITOR_WORKER_POOL_MESSAGE_H

#include "proxy/ipc/ipc.h"

struct config_route;
struct monitor_session;

/* Returns what to ask a backend for, by the words of its route. */
enum reciter_wants worker_pool_message_wants(const struct config_route *r);

/*
 * Returns true until the session's worker has been notified of its last export: it must wait for
 * that.
 */
bool worker_pool_exporting(const struct monitor_session *t);

/* Notes the processes whose use of its sockets is checked, as long as they are known. */
void worker_pool_message_senders(struct monitor_session *t);

/*
 * Makes a message about the session, only when it is sent: a relaying session must not carry a
 * message's kilobytes.
 */
struct ipc_msg worker_pool_message(const struct monitor_session *t, enum ipc_type type);

#endif
