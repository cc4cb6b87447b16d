/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* What has passed in a worker's sessions, told to the monitor when it asks (session_count). */
#ifndef POEMD_PROXY_WORKER_SESSION_COUNT_H
#define POEMD_PROXY_WORKER_SESSION_COUNT_H

#include "proxy/worker/session.h"

/* Adds what has passed in the lane. */
void session_count_lane(const struct channel_pair *l, struct ipc_count *to_backend,
                        struct ipc_count *to_client);

/* Bytes that both sides have taken, of a session with its lanes. */
uint64_t session_count_taken(const struct session *s);

/* The channel takes messages again: tells what had to wait. */
void session_count_resume(struct session_host *h);

#endif
