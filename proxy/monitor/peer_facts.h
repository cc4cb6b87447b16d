/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What the monitor finds out about both parties of a session before it decides: facts from the
 * kernel, what the inspector reads in their executables, what the worker heard in the handshake.
 *
 * Lives from dialling to the verdict.
 */
#ifndef POEMD_PROXY_MONITOR_PEER_FACTS_H
#define POEMD_PROXY_MONITOR_PEER_FACTS_H

#include <jansson.h>

#include "policy/rules/rules.h"
#include "proxy/ipc/ipc.h"

struct peer_facts;

/* All that can be known is known. From the loop, or from within peer_facts_heard. */
typedef void peer_facts_fn(void *arg);

/*
 * Begins to find out about the parties at both sockets (borrowed for the call; -1: nothing asks who
 * they are). backend_pid: of a backend that is a child of ours, not collected yet; its socket says
 * nothing of it then; else 0. fn is called once, after peer_facts_heard. inspector may be NULL:
 * executables are not read. route: its number, for the inspector's shares; rules: its own, borrowed
 * for the call. An executable that none of them goes by is read behind all others, and waited for
 * half as long. NULL without memory.
 */
struct peer_facts *peer_facts_new(struct inspector *inspector, const struct rules *rules,
                                  uint32_t route, int client_fd, int backend_fd, pid_t backend_pid,
                                  unsigned timeout_ms, peer_facts_fn *fn, void *arg)
    __attribute__((warn_unused_result));
void peer_facts_free(struct peer_facts *q);

/* The facts of a party, which were looked for when the inquiry began. */
const struct peer *peer_facts_peer(const struct peer_facts *q, enum rules_party party);

/* The worker's evidence, which has been checked by ipc_evidence_sound. */
void peer_facts_heard(struct peer_facts *q, const struct ipc_evidence *e);

/* Decides by the rules, after fn was called. today: UTC, as audit_writer_today has it. */
void peer_facts_decide(const struct peer_facts *q, const struct rules *rules,
                       struct rules_date today, struct rules_verdict *out);

/*
 * Whether a party contradicts itself (rules_contradicts_itself); then how, in printable ASCII, to
 * out. After peer_facts_heard.
 */
bool peer_facts_contradiction(const struct peer_facts *q, enum rules_party party, char *out,
                              size_t size);

/* The operator's word on a party's licence that a rule may go by, or NULL. */
const struct rules_assign *peer_facts_assigned(const struct peer_facts *q,
                                               const struct rules *rules, enum rules_party party);

/* A party as an audit record has it, a new reference; NULL without memory. */
json_t *peer_facts_party(const struct peer_facts *q, enum rules_party party)
    __attribute__((warn_unused_result));

/* All evidence of both parties' licences as a record has it, the rules' own included; as above. */
json_t *peer_facts_evidence(const struct peer_facts *q, const struct rules *rules)
    __attribute__((warn_unused_result));

#endif
