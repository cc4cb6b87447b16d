/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * How a process that reads what peers wrote gives up its rights: the relay workers, the inspector
 * and the tracer. Each says in a plan what it keeps (proxy/worker/sandbox.c,
 * policy/inspector/inspector_sandbox.c, trace/capture/tracer_sandbox.c); confine_enter takes the
 * rest:
 *
 *   1. namespaces of its own: no network but an unused loopback, no System V IPC, no host name, no
 *      cgroup's path, and a root folder that is empty and cannot be written to. Not of pids: a
 *      worker compares the pids of senders, which the kernel translates into the reader's
 *      namespace; nor of users, for the same reason and for uids, where a plan does not allow it;
 *   2. capabilities: bounding set, ambient set and securebits, then user, groups and the rest;
 *   3. limits: fds, memory, CPU time; no process, no core (its memory holds what guests wrote);
 *   4. no_new_privs, and /proc/PID closed to its own user (PR_SET_DUMPABLE);
 *   5. Landlock: no file but to read below named folders, no TCP, no abstract socket, no signal;
 *   6. the system-call filter (base/confine/filter.h).
 *
 * Steps 1, 2 and the change of user need root; 1 is tried as an ordinary user as well, in a user
 * namespace. What the kernel, or the rights that poemd was started with, do not offer is logged and
 * done without; a change of user, a limit or a filter that fails is an error.
 */
#ifndef POEMD_BASE_CONFINE_CONFINE_H
#define POEMD_BASE_CONFINE_CONFINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/confine/filter.h"

struct confine_plan {
    const char *who; /* "worker" ..., static: begins what is logged */
    uid_t uid;       /* to become, if started as root */
    gid_t gid;
    uint64_t nofile;         /* fds */
    uint64_t memory;         /* bytes of address space; not applied under tools that need more */
    uint64_t cpu_s;          /* seconds of CPU time; 0: unlimited */
    bool user_namespace;     /* it compares no ids: as an ordinary user it may have one */
    const int *readable_fds; /* folders below which files may be read; negative ones are none */
    size_t n_readable;
    const struct filter_call *calls; /* beside the basics */
    size_t n_calls;
};

/* Gives up everything but the plan's. Nothing can be taken back. 0 or -errno. */
int confine_enter(const struct confine_plan *p) __attribute__((warn_unused_result));

/*
 * Whether this build looks for faults: the sanitizers' reports read /proc/self, so that its
 * processes keep that, and their shadow memory is larger than any limit.
 */
bool confine_keeps_eyes(void);

/*
 * The environment for a child that is to be confined: none, but what configures the sanitizers in a
 * build that has them. Static; valid until the environment changes.
 */
char **confine_environment(void);

/* Empties the bounding set: no capability is gained by exec any more. 0 or -errno. */
int confine_drop_capabilities(void);

/* Raises RLIMIT_NOFILE to want, or as far as the hard limit lets it. Returns what it is now. */
uint64_t confine_raise_nofile(uint64_t want);

#endif
