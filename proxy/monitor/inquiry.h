/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What the monitor finds out about both parties of a session before it decides: facts from the
 * kernel, what the inspector reads in their executables, what the worker heard in the handshake.
 *
 * Lives from dialling to the verdict.
 */
#ifndef POEMD_PROXY_MONITOR_INQUIRY_H
#define POEMD_PROXY_MONITOR_INQUIRY_H

#include <jansson.h>

#include "policy/rules/rules.h"
#include "proxy/ipc/ipc.h"

struct inquiry;

/* All that can be known is known. From the loop, or from within inquiry_heard. */
typedef void inquiry_fn(void *arg);

/*
 * Begins to find out about the parties at both sockets (borrowed for the call; -1: nothing asks who
 * they are). backend_pid: of a backend that is a child of ours, not collected yet; its socket says
 * nothing of it then; else 0. fn is called once, after inquiry_heard. inspector may be NULL:
 * executables are not read. route: its number, for the inspector's shares; rules: its own, borrowed
 * for the call. An executable that none of them goes by is read behind all others, and waited for
 * half as long. NULL without memory.
 */
struct inquiry *inquiry_new(struct inspector *inspector, const struct rules *rules, uint32_t route,
                            int client_fd, int backend_fd, pid_t backend_pid, unsigned timeout_ms,
                            inquiry_fn *fn, void *arg) __attribute__((warn_unused_result));
void inquiry_free(struct inquiry *q);

/* The facts of a party, which were looked for when the inquiry began. */
const struct peer *inquiry_peer(const struct inquiry *q, enum rules_party party);

/* The worker's evidence, which has been checked by ipc_evidence_sound. */
void inquiry_heard(struct inquiry *q, const struct ipc_evidence *e);

/* Decides by the rules, after fn was called. today: UTC, as recorder_today has it. */
void inquiry_decide(const struct inquiry *q, const struct rules *rules, struct rules_date today,
                    struct rules_verdict *out);

/*
 * Whether a party contradicts itself (rules_contradicts_itself); then how, in printable ASCII, to
 * out. After inquiry_heard.
 */
bool inquiry_contradiction(const struct inquiry *q, enum rules_party party, char *out, size_t size);

/* The operator's word on a party's licence that a rule may go by, or NULL. */
const struct rules_assign *inquiry_assigned(const struct inquiry *q, const struct rules *rules,
                                            enum rules_party party);

/* A party as an audit record has it, a new reference; NULL without memory. */
json_t *inquiry_party(const struct inquiry *q, enum rules_party party)
    __attribute__((warn_unused_result));

/* All evidence of both parties' licences as a record has it, the rules' own included; as above. */
json_t *inquiry_evidence(const struct inquiry *q, const struct rules *rules)
    __attribute__((warn_unused_result));

#endif
