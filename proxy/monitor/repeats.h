/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Limits how much one user can make the monitor write on one route, to the log and the audit log,
 * by sessions that come to nothing or end at once. Otherwise anyone with access to the socket could
 * fill the disk.
 *
 *   comes to nothing   LIMIT_REPEAT_BURST of them, then one each LIMIT_REPEAT_MS, have their lines
 *                      and records. The others are only counted, and make one line and one
 *                      sessions-repeated record each LIMIT_REPEAT_TELL_MS. A denial of a new kind
 *                      (another rule, another executable) has a burst of its own, so that a flood
 *                      does not hide other denials.
 *   is allowed         Each has its records. With an audit log, new ones wait once
 *                      LIMIT_BRIEF_BURST ended within LIMIT_BRIEF_MS: one goes on each
 *                      LIMIT_BRIEF_INTERVAL_MS. Without one they do not wait, and are counted in
 *                      the log.
 *
 * Whether a session is to be quiet is known when it connects. Its beginning is held back then, and
 * recorded with its verdict if it is allowed.
 */
#ifndef POEMD_PROXY_MONITOR_REPEATS_H
#define POEMD_PROXY_MONITOR_REPEATS_H

#include <event2/event.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/tree.h>
#include <sys/types.h>

#include "policy/rules/rules.h"
#include "proxy/monitor/routes/repeats_peer.h"

struct monitor_context;
struct monitor_session;
struct monitor_session_table;
struct route_table;
struct verdict_facts;

RB_HEAD(repeats_tree, repeats_peer);
TAILQ_HEAD(repeats_list, repeats_peer);

struct repeats {
    struct monitor_context *context;
    struct repeats_tree tree;
    struct repeats_list used;
    struct repeats_list pending;
    struct event *tell;
    unsigned n;
};

/*
 * Sets from now on whether a session is quiet when it begins, and counts it when it ends. Returns 0
 * or -ENOMEM; deinitialize it in either case. routes and sessions are borrowed.
 */
int repeats_init(struct repeats *r, struct route_table *routes,
                 struct monitor_session_table *sessions) __attribute__((warn_unused_result));

/* Reports all counts now: their rules are known by lines of a configuration that changes. */
void repeats_flush(struct repeats *r);

/* Reports the remaining counts; the audit log must still be open. */
void repeats_deinit(struct repeats *r);

/*
 * Returns the milliseconds that a session must wait before its backend is dialled, or 0. Logs that
 * sessions wait, once in LIMIT_REPEAT_TELL_MS.
 */
unsigned repeats_wait_ms(struct monitor_session *t);

/* A session is denied. Returns false if it stays quiet, and is counted when it ends. */
bool repeats_denied(struct monitor_session *t, const struct verdict_facts *f);

/* A session is allowed: no longer quiet, unless one of very many without an audit log. */
void repeats_allowed(struct monitor_session *t);

#endif
