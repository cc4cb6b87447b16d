/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Steps by which a process that reads what peers wrote gives up rights: what the relay workers, the
 * inspector and the tracer have in common. Each then goes its own way (proxy/sandbox.c,
 * policy/inspector_sandbox.c, trace/tracer.c).
 */
#ifndef POEMD_BASE_CONFINE_H
#define POEMD_BASE_CONFINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Lowers both limits of a resource (RLIMIT_*) to most, where they are not below it. 0 or -errno. */
int confine_limit(int resource, uint64_t most) __attribute__((warn_unused_result));

/*
 * For root: becomes uid and gid, without groups; where new_root is set, an empty, already removed
 * folder is the root first. Without that folder it goes on, and says so in who's name. 0 or -errno.
 */
int confine_become(uid_t uid, gid_t gid, bool new_root, const char *who)
    __attribute__((warn_unused_result));

/*
 * Whether this build looks for faults: the sanitizers' reports read /proc/self, so that its
 * processes keep that.
 */
bool confine_keeps_eyes(void);

/*
 * No new privileges, and from now on no file can be opened but to be read below one of the n
 * folders (borrowed; negative ones are none). Where the kernel has no Landlock, that is logged in
 * who's name and done without; so it is where confine_keeps_eyes. 0 or -errno.
 */
int confine_files(const int *folder_fds, size_t n, const char *who)
    __attribute__((warn_unused_result));

#endif
