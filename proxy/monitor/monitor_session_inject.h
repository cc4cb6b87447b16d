/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Faults on purpose: the rules in force for a session are its route's, until an operator gives it
 * others. Its worker carries them out.
 */
#ifndef POEMD_PROXY_MONITOR_MONITOR_SESSION_INJECT_H
#define POEMD_PROXY_MONITOR_MONITOR_SESSION_INJECT_H

#include "proxy/monitor/monitor_session.h"

struct session_page_injections;

/* Returns true if there are rules for its worker. */
bool monitor_session_injects(const struct monitor_session *t);

/* Copies the rules in force to out. */
void monitor_session_injections(const struct monitor_session *t, struct ipc_inject *out);

/*
 * Puts an operator's rules in force, or none; sound. Logs and records that; the caller sends
 * IPC_INJECT. Returns NULL, or why not. Static.
 */
const char *monitor_session_inject(struct monitor_session *t, const struct ipc_inject *rules,
                                   uid_t uid, pid_t pid) __attribute__((warn_unused_result));

/* Its worker has died, and left this in its page: logs the loss. */
void monitor_session_inject_lost(const struct monitor_session *t,
                                 const struct session_page_injections *left);

#endif
