/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Counts of relayed messages in a worker's sessions, sent when the monitor asks (session_count). */
#ifndef POEMD_PROXY_WORKER_SESSION_COUNT_H
#define POEMD_PROXY_WORKER_SESSION_COUNT_H

#include "proxy/worker/session.h"

/* Adds the counts of a channel pair. */
void session_count_channels(const struct channel_pair *l, struct ipc_count *to_backend,
                            struct ipc_count *to_client);

/* Returns the bytes that both sides of a session have taken. Needs its channel pair. */
uint64_t session_count_taken(const struct session *s);

/* The channel takes messages again: sends counts that had to wait. */
void session_count_resume(struct session_host *h);

#endif
