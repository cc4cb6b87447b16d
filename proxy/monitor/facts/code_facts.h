/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Gathers the code that one party has mapped, with the inspector's findings about each file.
 *
 *   code_facts_new      lists the code, and has files inspected that are not in the cache, a few at
 *                       a time, while the handshake goes on
 *   code_facts_finish   the handshake is done: lists it again, for the verdict, and has files
 *                       inspected that are new
 *   (fn)                all is known, or the time is over
 *
 * The list is taken in a thread (offload.h), since a process can block it.
 */
#ifndef POEMD_PROXY_MONITOR_FACTS_CODE_FACTS_H
#define POEMD_PROXY_MONITOR_FACTS_CODE_FACTS_H

#include <event2/event.h>

#include "policy/inspector/inspector.h"
#include "policy/rules/rules.h"
#include "proxy/monitor/facts/offload.h"

struct code_facts;

/* All are borrowed for as long as the facts exist; who is copied. */
struct code_facts_settings {
    struct event_base *base;
    struct offload *offload;
    struct inspector *inspector;
    const struct peer *peer;
    struct inspector_asker who;
    unsigned timeout_ms; /* what is unknown after that stays unknown */
};

/* Called once after code_facts_finish, from the loop, never from within it. */
typedef void code_facts_fn(void *arg);

/* Begins to look. Returns NULL if out of memory. */
struct code_facts *code_facts_new(const struct code_facts_settings *s, code_facts_fn *fn, void *arg)
    __attribute__((warn_unused_result));
void code_facts_free(struct code_facts *c);

/* Wants the facts as they are now, for fn. */
void code_facts_finish(struct code_facts *c);

/* Returns the facts, after fn was called. Refers to c. */
const struct rules_mapped *code_facts_mapped(const struct code_facts *c);

#endif
