/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Faults on purpose in a worker's sessions: the monitor decides, and sends the rules (IPC_INJECT);
 * the worker parses them again, carries them out, logs them and taints the session.
 */
#ifndef POEMD_PROXY_WORKER_SESSION_INJECT_H
#define POEMD_PROXY_WORKER_SESSION_INJECT_H

#include "proxy/worker/session.h"

struct session_injections;

/*
 * Puts rules in force, or none. Those of a session that is not there yet are kept until the next
 * call of session_inject_adopt.
 */
void session_inject(struct session_host *h, uint64_t id, const struct ipc_inject *rules);

/* A session has begun, or goes on: puts the rules that came before it in force. */
void session_inject_adopt(struct session *s);

/* Its channel pairs are open: injects into both. */
void session_inject_channels(struct session *s);

/* Returns how many faults have been injected. */
uint64_t session_inject_count(const struct session *s);

/* Logs those that were not logged. */
void session_inject_log_rest(const struct session *s);

/* The session's channel pairs are closed. */
void session_inject_free(struct session *s);

/* Frees rules of a session that never came. */
void session_inject_deinit(struct session_host *h);

#endif
