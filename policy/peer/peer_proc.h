/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Facts from /proc about a process, and from the kernel's mount tables about a file. These parts of
 * policy/peer/peer_collect.c read the kernel's text; the parsers themselves are pure.
 */
#ifndef POEMD_POLICY_PEER_PEER_PROC_H
#define POEMD_POLICY_PEER_PEER_PROC_H

#include "policy/peer/peer.h"

/* ---- pure: n bytes of the kernel's text at p ---- */

/* Reads field 22 of /proc/PID/stat. Returns false if it is missing. */
bool peer_proc_start(const char *p, size_t n, uint64_t *ticks) __attribute__((warn_unused_result));

/*
 * Reads effective ids and groups from /proc/PID/status. Returns 0, -EPROTO if malformed, or -ERANGE
 * if there are too many groups.
 */
int peer_proc_ids(const char *p, size_t n, struct peer *out) __attribute__((warn_unused_result));

/* Returns whether /proc/PID/uid_map or gid_map maps every id. */
bool peer_proc_maps_all(const char *p, size_t n) __attribute__((warn_unused_result));

/*
 * Reads the text of a pidfd in /proc/self/fdinfo: the process's number in the pid namespace of
 * /proc (-1 if it is gone, 0 if it is not visible there), and the number of pid namespaces, from
 * that one on, in which it has a number. Returns false if the text has neither.
 */
bool peer_proc_pidns(const char *p, size_t n, pid_t *pid, unsigned *levels)
    __attribute__((warn_unused_result));

/*
 * Reads the cgroup from /proc/PID/cgroup: that of version 2 or, if it is the root, that of
 * systemd's own hierarchy. Returns false if there is none or if it does not fit.
 */
bool peer_proc_cgroup(const char *p, size_t n, char out[PEER_CGROUP_MAX])
    __attribute__((warn_unused_result));

/*
 * Determines systemd's unit of a cgroup: its first component that is not a slice. Deeper components
 * may belong to any user, since units may subdivide their cgroup. Returns false if it is not in a
 * unit.
 */
bool peer_proc_unit(const char *cgroup, char out[PEER_UNIT_MAX])
    __attribute__((warn_unused_result));

/* A file's mount and file system, to be looked up in a table. */
struct peer_mount {
    uint64_t id;
    uint32_t dev_major;
    uint32_t dev_minor;
    bool found_id;     /* the table contains this mount ... */
    uint32_t id_major; /* ... with this device: btrfs shows another one for each subvolume */
    uint32_t id_minor;
    bool found_dev; /* the table contains this file system, maybe mounted elsewhere */
    char type[32];  /* of the entry found; by id rather than by device */
};

/* Compares one line of mountinfo, without its newline. */
void peer_mount_line(struct peer_mount *m, const char *p, size_t n);

/* ---- reading ---- */

/*
 * Reads a small file of /proc below dir_fd to out and adds a NUL. Returns the number of bytes or
 * -errno.
 */
ssize_t peer_proc_read(int dir_fd, const char *name, char *out, size_t size)
    __attribute__((warn_unused_result));

/* Looks up the mount in "mountinfo" below dir_fd. Returns 0 or -errno. */
int peer_mount_look(struct peer_mount *m, int dir_fd) __attribute__((warn_unused_result));

/* The parts of a struct peer_exe that are unknown: why is NULL for those that are known. */
struct peer_exe_faults {
    struct peer_unknown path;
    struct peer_unknown id;
    struct peer_unknown file;
    uint32_t mount_major; /* of its mount, as /proc/PID/maps shows it; often that of the id */
    uint32_t mount_minor;
};

/*
 * Finds the file to which a link ("exe") of the process's folder leads: path, identity, and an fd
 * unless opening it could block on another process. The caller closes e->fd.
 */
void peer_exe_open(struct peer_exe *e, int dir_fd, const char *link, struct peer_exe_faults *f);

/* Collects all of p->exe through the process's folder in /proc. */
void peer_exe_init(struct peer *p, int dir_fd);

/* Opens the folder of a process in /proc (O_PATH). Returns the fd or -errno. */
int peer_open_folder(pid_t pid) __attribute__((warn_unused_result));

/* Sets those of p's ids to unknown that our user namespace does not map. */
void peer_namespace_check_ids(struct peer *p);

/*
 * Determines PEER_PIDNS from the pidfd. Returns false if /proc shows other pids than ours, so that
 * nothing can be looked up there by pid.
 */
bool peer_namespace_find(struct peer *p);

/*
 * Does the same for a child of our own. The fact is also known if its pid namespace is a child of
 * ours that our user namespace owns, as for a device that the broker starts.
 */
void peer_namespace_find_child(struct peer *p);

/* Sets a fact to unknown. why is static. */
void peer_set_unknown(struct peer *p, enum peer_fact f, int error, const char *why);

#endif
