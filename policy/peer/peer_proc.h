/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What /proc says of a process, and what the kernel's mount tables say of a file. The parts of
 * policy/peer/peer.c that read the kernel's text; the readers themselves are pure.
 */
#ifndef POEMD_POLICY_PEER_PEER_PROC_H
#define POEMD_POLICY_PEER_PEER_PROC_H

#include "policy/peer/peer.h"

/* ---- pure: the kernel's text, n bytes at p ---- */

/* Field 22 of /proc/PID/stat. False: not there. */
bool peer_proc_start(const char *p, size_t n, uint64_t *ticks) __attribute__((warn_unused_result));

/* Effective ids and groups of /proc/PID/status. 0, -EPROTO, or -ERANGE: too many groups. */
int peer_proc_ids(const char *p, size_t n, struct peer *out) __attribute__((warn_unused_result));

/* Whether /proc/PID/uid_map or gid_map maps every id there is. */
bool peer_proc_maps_all(const char *p, size_t n) __attribute__((warn_unused_result));

/*
 * A pidfd's process by its text in /proc/self/fdinfo: its number in the pid namespace of /proc (-1:
 * it is gone, 0: it is not seen from there), and in how many pid namespaces from that one on it has
 * a number. False: the text has neither.
 */
bool peer_proc_pidns(const char *p, size_t n, pid_t *pid, unsigned *levels)
    __attribute__((warn_unused_result));

/*
 * The cgroup of /proc/PID/cgroup: that of version 2, or where it is the root, that of systemd's own
 * hierarchy. False: neither is there, or it does not fit.
 */
bool peer_proc_cgroup(const char *p, size_t n, char out[PEER_CGROUP_MAX])
    __attribute__((warn_unused_result));

/*
 * systemd's unit of a cgroup: its first component that is no slice. What lies deeper can be
 * anybody's own, since units may divide their cgroup as they like. False: it is in no unit.
 */
bool peer_proc_unit(const char *cgroup, char out[PEER_UNIT_MAX])
    __attribute__((warn_unused_result));

/* A file's mount and file system, looked for in a table. */
struct peer_mount {
    uint64_t id;
    uint32_t dev_major;
    uint32_t dev_minor;
    bool found_id;  /* the table has this mount */
    bool found_dev; /* the table has this file system, maybe mounted elsewhere */
    char type[32];  /* of what was found; by id before by device */
};

/* Looks at one line of mountinfo, without its end. */
void peer_mount_line(struct peer_mount *m, const char *p, size_t n);

/* ---- reading it ---- */

/* Reads a small file of /proc below dir_fd to out; NUL-terminated. Bytes or -errno. */
ssize_t peer_proc_read(int dir_fd, const char *name, char *out, size_t size)
    __attribute__((warn_unused_result));

/* Looks for the mount in "mountinfo" below dir_fd. 0 or -errno. */
int peer_mount_look(struct peer_mount *m, int dir_fd) __attribute__((warn_unused_result));

/* Finds out all of p->exe through the process's folder in /proc. */
void peer_exe_init(struct peer *p, int dir_fd);

/* Makes those of p's ids unknown that our user namespace does not map. */
void peer_namespace_check_ids(struct peer *p);

/*
 * Finds out PEER_PIDNS, by the pidfd. Returns false if /proc has other numbers than we do, so that
 * nothing can be read there by a number.
 */
bool peer_namespace_find(struct peer *p);

/*
 * The same of a child of our own, which is known as well if its pid namespace is one below ours
 * that our user namespace owns: that of a device that the broker starts.
 */
void peer_namespace_find_child(struct peer *p);

/* Notes that the fact is unknown. why: static. */
void peer_set_unknown(struct peer *p, enum peer_fact f, int error, const char *why);

#endif
