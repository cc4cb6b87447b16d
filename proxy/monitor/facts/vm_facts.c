/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Reads one command line in a thread, for as long as the verdict can wait for it. */
#include "proxy/monitor/facts/vm_facts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/sock.h"
#include "policy/peer/peer_vm.h"

/* A command line on its way through a thread. */
struct vm_job {
    struct offload_job job; /* first */
    struct vm_facts *owner; /* valid unless the job is forgotten */
    pid_t pid;
    int pidfd; /* owned */
    struct peer_vm given;
};

struct vm_facts {
    struct offload *offload;
    struct peer *peer;
    struct vm_job *job; /* under way, or NULL */
    struct event *deadline;
    vm_facts_fn *fn;
    void *arg;
};

static void vm_facts_job_drop(struct offload_job *job)
{
    struct vm_job *const j = (struct vm_job *)job;

    sock_close(&j->pidfd);
    free(j);
}

/* In a thread. */
static void vm_facts_job_run(struct offload_job *job)
{
    struct vm_job *const j = (struct vm_job *)job;

    peer_vm_read(&j->given, j->pid, j->pidfd);
}

static void vm_facts_on_job(struct offload_job *job)
{
    struct vm_job *const j = (struct vm_job *)job;
    struct vm_facts *const v = j->owner;

    v->job = NULL;
    event_del(v->deadline);
    peer_vm_settle(v->peer, &j->given);
    vm_facts_job_drop(job);
    v->fn(v->arg);
}

static void vm_facts_on_deadline(evutil_socket_t fd, short what, void *arg)
{
    static const struct peer_vm late = {
        .unknown = {.error = ETIMEDOUT, .why = "reading its command line took too long"}};
    struct vm_facts *const v = arg;

    (void)fd;
    (void)what;
    offload_forget(v->offload, &v->job->job);
    v->job = NULL;
    peer_vm_settle(v->peer, &late);
    v->fn(v->arg);
}

static struct vm_job *vm_facts_job_new(struct vm_facts *v)
{
    struct vm_job *const j = calloc(1, sizeof *j);

    if (j) {
        j->job =
            (struct offload_job){.owner = peer_knows(v->peer, PEER_UID) ? v->peer->uid : (uid_t)-1,
                                 .run = vm_facts_job_run,
                                 .done = vm_facts_on_job,
                                 .drop = vm_facts_job_drop};
        j->owner = v;
        j->pid = v->peer->pid;
        j->pidfd = fcntl(v->peer->pidfd, F_DUPFD_CLOEXEC, 0);
    }
    return j;
}

static struct vm_facts *vm_facts_start(struct event_base *base, struct offload *offload,
                                       struct peer *p)
{
    const struct timeval tv = clock_timeval(LIMIT_VM_MS);
    struct vm_facts *const v = calloc(1, sizeof *v);

    if (!v) {
        return NULL;
    }
    v->offload = offload;
    v->peer = p;
    v->deadline = evtimer_new(base, vm_facts_on_deadline, v);
    v->job = v->deadline ? vm_facts_job_new(v) : NULL;
    if (!v->job || event_add(v->deadline, &tv) < 0) {
        if (v->job) {
            vm_facts_job_drop(&v->job->job);
            v->job = NULL;
        }
        vm_facts_free(v);
        return NULL;
    }
    return v;
}

struct vm_facts *vm_facts_new(struct event_base *base, struct offload *offload, struct peer *p,
                              vm_facts_fn *fn, void *arg)
{
    const bool readable = peer_knows(p, PEER_PID) && peer_knows(p, PEER_PIDFD);
    struct peer_vm none = {.unknown = {.error = ENOMEM, .why = "out of memory"}};
    struct vm_facts *const v = readable ? vm_facts_start(base, offload, p) : NULL;

    if (!v) {
        if (!readable) {
            none.unknown = p->unknown[PEER_VM];
        }
        peer_vm_settle(p, &none);
        return NULL;
    }
    v->fn = fn;
    v->arg = arg;
    offload_add(offload, &v->job->job);
    return v;
}

void vm_facts_free(struct vm_facts *v)
{
    if (!v) {
        return;
    }
    if (v->job) {
        offload_forget(v->offload, &v->job->job);
    }
    if (v->deadline) {
        event_free(v->deadline);
    }
    free(v);
}
