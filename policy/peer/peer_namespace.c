/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Namespaces, as far as they affect how reliable the kernel's answers about a peer are. Theory:
 *
 *   Pid namespaces. SO_PEERCRED and SO_PEERPIDFD come from the kernel and are reliable in any
 *   namespace. Credentials sent with a message (SCM_CREDENTIALS) are chosen by the sender within
 *   limits: a process with CAP_SYS_ADMIN in the user namespace that owns the sender's pid
 *   namespace may name any process of that pid namespace. Every user can create both namespaces
 *   and has the capability there. In ours, only root of our own user namespace has it, and a
 *   sender in a pid namespace below ours cannot name a process outside of its own. So the senders
 *   of a peer can be distinguished if the peer is in our pid namespace, and that namespace belongs
 *   to our user namespace, or is the initial one. The kernel shows in /proc/self/fdinfo in how
 *   many pid namespaces, counted from that of /proc, the process of a pidfd is; a process never
 *   changes its own.
 *
 *   User namespaces. The kernel shows all users without a mapping in ours as one number, the
 *   overflow id. That is also the number of a real user ("nobody"), which can be distinguished
 *   from the others only if all users are mapped.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/peer/peer_proc.h"

/* The inode of the first pid namespace, as in the kernel's include/linux/proc_ns.h. */
#define FIRST_PID_NAMESPACE 0xEFFFFFFCu

/* The number shown for an unmapped id unless /proc/sys/kernel sets another one. */
#define OVERFLOW_ID_DEFAULT 65534u

/* ---- users ---- */

static bool peer_namespace_maps_all(const char *map_file)
{
    /* At most 340 lines of three numbers, in columns of 10. */
    char text[16384];
    const ssize_t n = peer_proc_read(AT_FDCWD, map_file, text, sizeof text);

    return n > 0 && peer_proc_maps_all(text, (size_t)n);
}

/* Returns the number that stands for all unmapped ids. */
static uint32_t peer_namespace_overflow(const char *overflow_file)
{
    char text[32];

    return peer_proc_read(AT_FDCWD, overflow_file, text, sizeof text) > 0
               ? (uint32_t)strtoul(text, NULL, 10)
               : OVERFLOW_ID_DEFAULT;
}

bool peer_uid_mapped(uid_t uid)
{
    return uid != peer_namespace_overflow("/proc/sys/kernel/overflowuid") ||
           peer_namespace_maps_all("/proc/self/uid_map");
}

bool peer_gid_mapped(gid_t gid)
{
    return gid != peer_namespace_overflow("/proc/sys/kernel/overflowgid") ||
           peer_namespace_maps_all("/proc/self/gid_map");
}

/* Removes the unmapped groups; the remaining ones are still valid facts. */
static void peer_namespace_check_groups(struct peer *p)
{
    const uint32_t overflow = peer_namespace_overflow("/proc/sys/kernel/overflowgid");
    unsigned kept = 0;

    for (unsigned i = 0; i < p->n_groups; i++) {
        if (p->groups[i] != overflow) {
            p->groups[kept++] = p->groups[i];
        }
    }
    if (kept < p->n_groups && !peer_namespace_maps_all("/proc/self/gid_map")) {
        p->n_groups_unmapped = p->n_groups - kept;
        p->n_groups = kept;
    }
}

void peer_namespace_check_ids(struct peer *p)
{
    if (peer_knows(p, PEER_UID) && !peer_uid_mapped(p->uid)) {
        peer_set_unknown(p, PEER_UID, 0, "our user namespace does not map its user");
    }
    if (peer_knows(p, PEER_GID) && !peer_gid_mapped(p->gid)) {
        peer_set_unknown(p, PEER_GID, 0, "our user namespace does not map its group");
    }
    if (peer_knows(p, PEER_GROUPS)) {
        peer_namespace_check_groups(p);
    }
}

/* ---- processes ---- */

/*
 * Returns whether only root of our own user namespace, or of one above it, can forge senders in
 * this pid namespace; link is its file in /proc.
 */
static bool peer_namespace_is_guarded(const char *link)
{
    struct stat owner;
    struct stat own;
    bool guarded = false;
    int owner_fd;
    int fd;

    if (stat(link, &own) == 0 && own.st_ino == FIRST_PID_NAMESPACE) {
        return true;
    }
    fd = open(link, O_RDONLY | O_CLOEXEC);
    owner_fd = fd < 0 ? -1 : ioctl(fd, NS_GET_USERNS);
    if (owner_fd >= 0) {
        guarded = fstat(owner_fd, &owner) == 0 && stat("/proc/self/ns/user", &own) == 0 &&
                  owner.st_dev == own.st_dev && owner.st_ino == own.st_ino;
        close(owner_fd);
    }
    if (fd >= 0) {
        close(fd);
    }
    return guarded;
}

bool peer_namespace_find(struct peer *p)
{
    char name[64];
    char text[1024];
    unsigned levels = 0;
    pid_t pid = 0;
    ssize_t n;

    snprintf(name, sizeof name, "/proc/self/fdinfo/%d", p->pidfd);
    n = p->pidfd < 0 ? -EBADF : peer_proc_read(AT_FDCWD, name, text, sizeof text);
    if (n < 0 || !peer_proc_pidns(text, (size_t)n, &pid, &levels)) {
        peer_set_unknown(p, PEER_PIDNS, n < 0 && n != -EBADF ? (int)-n : 0,
                         "its pid namespace cannot be determined");
        return true;
    }
    if (pid < 0) {
        peer_set_unknown(p, PEER_PIDNS, ESRCH, "the process is gone");
    } else if (pid != p->pid) {
        peer_set_unknown(p, PEER_PIDNS, 0, "our /proc belongs to another pid namespace");
        return false;
    } else if (levels != 1) {
        peer_set_unknown(p, PEER_PIDNS, 0,
                         "it is in a pid namespace other than ours, as in a container, where "
                         "other processes can send in its name");
    } else if (!peer_namespace_is_guarded("/proc/self/ns/pid")) {
        peer_set_unknown(p, PEER_PIDNS, 0,
                         "our own pid namespace is not owned by our user namespace, so that "
                         "other processes can send in its name");
    }
    return true;
}

void peer_namespace_find_child(struct peer *p)
{
    char link[64];

    if (!peer_namespace_find(p) || peer_knows(p, PEER_PIDNS) || p->pidfd < 0) {
        return;
    }
    snprintf(link, sizeof link, "/proc/%ld/ns/pid", (long)p->pid);
    if (peer_namespace_is_guarded(link)) {
        p->unknown[PEER_PIDNS] = (struct peer_unknown){0};
    }
}
