/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Finds the name of a client's virtual machine (policy/peer/peer_vm.h). Its command line is read
 * in a thread (offload.h), since the process can block that.
 */
#ifndef POEMD_PROXY_MONITOR_FACTS_VM_FACTS_H
#define POEMD_PROXY_MONITOR_FACTS_VM_FACTS_H

#include <event2/event.h>

#include "policy/peer/peer.h"
#include "proxy/monitor/facts/offload.h"

struct vm_facts;

/* PEER_VM is settled. Called once, from the loop, never from within vm_facts_new. */
typedef void vm_facts_fn(void *arg);

/*
 * Begins to find PEER_VM of p. After LIMIT_VM_MS its unit alone counts. All are borrowed until
 * vm_facts_free. Returns NULL if there is nothing to read, or no memory: then the fact is settled
 * already, and fn is not called.
 */
struct vm_facts *vm_facts_new(struct event_base *base, struct offload *offload, struct peer *p,
                              vm_facts_fn *fn, void *arg) __attribute__((warn_unused_result));

/* NULL is allowed. */
void vm_facts_free(struct vm_facts *v);

#endif
