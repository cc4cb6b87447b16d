/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The facts about both parties of a session that the monitor gathers before it decides: facts from
 * the kernel, the inspector's findings in their executables, the worker's report of the handshake.
 *
 * Lives from dialling to the verdict.
 */
#ifndef POEMD_PROXY_MONITOR_FACTS_PEER_FACTS_H
#define POEMD_PROXY_MONITOR_FACTS_PEER_FACTS_H

#include <event2/event.h>

#include "policy/rules/rules.h"
#include "proxy/ipc/ipc.h"

struct offload;
struct peer_facts;

/* All facts are there. Called from the loop, or from within peer_facts_heard. */
typedef void peer_facts_fn(void *arg);

/*
 * Begins to gather facts about the parties at both sockets (borrowed for the call; -1 if their
 * identity is not needed). backend_pid is the pid of a backend that is our uncollected child, since
 * its socket gives no facts then; otherwise 0. fn is called once, after peer_facts_heard. inspector
 * may be NULL: executables are not read. route is the route's number, for the inspector's shares;
 * rules are its rules, borrowed for the call. An executable on which no rule depends is read after
 * all others, and waited for half as long. Returns NULL if out of memory.
 */
struct peer_facts *peer_facts_new(struct event_base *base, struct inspector *inspector,
                                  struct offload *offload, const struct rules *rules,
                                  uint32_t route, const int fds[SIDES], pid_t backend_pid,
                                  unsigned timeout_ms, peer_facts_fn *fn, void *arg)
    __attribute__((warn_unused_result));
void peer_facts_free(struct peer_facts *q);

/* Returns the facts of a party, as they were when gathering began. */
const struct peer *peer_facts_peer(const struct peer_facts *q, enum side party);

/* Takes the worker's evidence, which ipc_evidence_sound has checked. */
void peer_facts_heard(struct peer_facts *q, const struct ipc_evidence *e);

/* Returns all facts of a party in the form that rules take, after fn was called. Refers to q. */
struct rules_known peer_facts_known(const struct peer_facts *q, enum side party);

#endif
