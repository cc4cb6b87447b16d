/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * How a process that reads peers' data gives up its rights: the relay workers, the inspector and
 * the tracer. Each lists what it keeps in a plan (proxy/worker/sandbox.c,
 * policy/inspector/inspector_sandbox.c, trace/capture/tracer_sandbox.c); confine_enter takes away
 * the rest:
 *
 *   1. namespaces of its own: no network except an unused loopback, no System V IPC, host name or
 *      cgroup path, and an empty, read-only root folder. Not of pids: a worker compares the pids of
 *      senders, which the kernel translates into the reader's namespace. Nor of users, for the same
 *      reason and for uids, unless the plan allows it;
 *   2. capabilities: bounding set, ambient set and securebits, then user, groups and the rest;
 *   3. limits: fds, memory, CPU time; no child process, no core (its memory holds guests' data);
 *   4. no_new_privs, and /proc/PID closed to its own user (PR_SET_DUMPABLE);
 *   5. Landlock: files only for reading below named folders, no TCP, abstract sockets or signals;
 *   6. the system-call filter (base/confine/filter.h).
 *
 * Steps 1, 2 and the change of user need root; 1 is tried as an ordinary user as well, in a user
 * namespace. A right that the kernel, or poemd's own rights, do not let a process give up is logged
 * and kept; a failed change of user, limit or filter is an error.
 */
#ifndef POEMD_BASE_CONFINE_CONFINE_H
#define POEMD_BASE_CONFINE_CONFINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/confine/confine_sanitizers.h"
#include "base/confine/filter.h"

struct confine_plan {
    const char *who; /* "worker" ..., static: begins its log lines */
    uid_t uid;       /* to become, if started as root */
    gid_t gid;
    uint64_t nofile;         /* maximum number of fds */
    uint64_t nofile_most;    /* to which another process may raise that later; 0: none may */
    uint64_t memory;         /* bytes of address space; not applied under tools that need more */
    uint64_t memory_most;    /* to which another process may raise that later; 0: none may */
    uint64_t cpu_s;          /* seconds of CPU time; 0: unlimited */
    bool user_namespace;     /* set if it compares no ids: an ordinary user may create one */
    const int *readable_fds; /* folders below which files may be read; negative ones are skipped */
    size_t n_readable;
    const struct filter_call *calls; /* in addition to the basics */
    size_t n_calls;
};

/* Gives up everything that is not in the plan. Nothing can be taken back. Returns 0 or -errno. */
int confine_enter(const struct confine_plan *p) __attribute__((warn_unused_result));

/* Empties the bounding set, so that exec can no longer gain a capability. Returns 0 or -errno. */
int confine_drop_capabilities(void);

/* Raises RLIMIT_NOFILE to want, or as far as the hard limit permits. Returns the new value. */
uint64_t confine_raise_nofile(uint64_t want);

#endif
