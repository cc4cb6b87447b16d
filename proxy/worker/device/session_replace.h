/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Replaces a session's running device by another process of it (proxy/worker/device/replace.h),
 * while the client waits for some ms at most, and notices no more than that.
 *
 * The new process exchanges VERSION, and gets nothing else before its verdict; meanwhile the old
 * one serves. Then the client's requests are held in its socket. Requests of the old process go on
 * until it has stopped, those of the new one from RUNNING on: the channel pair relays them, and
 * leaves only replies to messages of our own. If anything fails, the old process goes on. If that
 * has gone, too, the session is held like any other whose device is lost, or ends.
 */
#ifndef POEMD_PROXY_WORKER_SESSION_REPLACE_H
#define POEMD_PROXY_WORKER_SESSION_REPLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "proxy/ipc/setup_lack.h"
#include "proxy/relay/channel_pair.h"
#include "proxy/worker/session.h"

struct session_replace;

/*
 * Returns why the session's device cannot be replaced now, as far as that is known without asking
 * it; SETUP_KEPT if it can. The session must have a guard.
 */
enum setup_lack session_replace_lack(const struct session *s);

/* Begins, with a socket of the new process (taken). The outcome is reported in any case. */
void session_replace_begin_take(struct session_host *host, uint64_t id,
                                const struct ipc_session *settings, int device_fd);

/* Returns true if the verdict was for a new process. */
bool session_replace_decide(struct session *s, int err, enum session_reason reason);

/* News of the session's channel pair: CHANNEL_PAIR_STOPPED or CHANNEL_PAIR_QUIET. */
void session_replace_on_channels(struct session *s, enum channel_pair_news news);

/*
 * The device that the channel pair relays to is gone. Returns false if the session must end:
 * neither does the old process go on, nor can it be held (session_hold_lose).
 */
bool session_replace_lose(struct session *s, enum session_reason reason);

/*
 * Another monitor has taken over, which knows nothing of it: gives it up. Returns false if it is
 * too late for that, and the session must end.
 */
bool session_replace_repeat(struct session *s) __attribute__((warn_unused_result));

/* Sends the monitor what is due. Returns false if the channel is full. */
bool session_replace_report(struct session *s) __attribute__((warn_unused_result));

/* Stops all events, and closes what it has. Call when the session ends. */
void session_replace_stop(struct session *s);

/* Frees it. Call when the session's fds are closed. */
void session_replace_free(struct session *s);

#endif
