/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Facts that the kernel guarantees about the process at the other end of an AF_UNIX socket.
 *
 * Each fact is known, or unknown with a reason; no value stands for "unknown". These functions read
 * no byte of a peer's files and never wait for a peer: the executable is examined through O_PATH,
 * and opened only if its file system cannot be served by a peer (FUSE).
 *
 * Meaning of the facts:
 *
 *   - Credentials (SO_PEERCRED, SO_PEERGROUPS, SO_PEERSEC, SO_PEERPIDFD) are those at the time of
 *     the peer's connect() or, on a connection that we made, of the listen() call. The listening
 *     process may have passed its socket on since: for a socket-activated server the facts
 *     describe the service manager.
 *   - Facts from /proc (executable, cgroup, unit) are those at the time of peer_init: a process
 *     may execute another program later.
 *   - These facts are as reliable for a peer in another pid namespace, as in a container, as for
 *     any other. Only credentials sent with a message (SCM_CREDENTIALS) may be another sender's
 *     there: see PEER_PIDNS.
 *   - Users and groups without a mapping in our user namespace are unknown: the kernel shows all
 *     of them as one number.
 *   - The executable's path is the one that the kernel reports. In another mount namespace any
 *     user can create any path; exe.path_ours is true if its mount is one of ours.
 */
#ifndef POEMD_POLICY_PEER_PEER_H
#define POEMD_POLICY_PEER_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "policy/peer/peer_verity.h"

enum peer_fact {
    PEER_PID,    /* pid */
    PEER_PIDFD,  /* pidfd, pid_sure */
    PEER_PIDNS,  /* no field: its pid namespace is ours, so no other process can send in its name */
    PEER_START,  /* start_ticks */
    PEER_UID,    /* uid: effective, at connect or listen */
    PEER_GID,    /* gid */
    PEER_GROUPS, /* groups, n_groups */
    PEER_LABEL,  /* label */
    PEER_CGROUP, /* cgroup */
    PEER_UNIT,   /* unit */
    PEER_VM,     /* vm, vm_by_unit: peer_vm.h; not collected by peer_init */
    PEER_EXE_PATH, /* exe.path, exe.path_ours, exe.deleted */
    PEER_EXE_ID,   /* exe.id */
    PEER_EXE_FILE, /* exe.fd */
    PEER_FACTS,
};

/* Returns the fact's name in records and rules: "pid", "exe-path" … Static. */
const char *peer_fact_name(enum peer_fact f);

#define PEER_GROUPS_MAX 256
#define PEER_LABEL_MAX 256
#define PEER_CGROUP_MAX 1024
#define PEER_UNIT_MAX 256
#define PEER_VM_MAX 256
#define PEER_PATH_MAX 4096

/* The reason why a fact is unknown. */
struct peer_unknown {
    int error;       /* errno, or 0 if no system call failed */
    const char *why; /* static text; NULL if the fact is known */
};

/* A file's identity: while all members stay the same, so do its bytes. */
struct peer_file_id {
    uint32_t dev_major;
    uint32_t dev_minor;
    uint64_t inode;
    uint64_t size; /* bytes */
    int64_t mtime; /* nanoseconds since 1970 */
    int64_t ctime;
};

bool peer_file_id_same(const struct peer_file_id *a, const struct peer_file_id *b);

/*
 * Gets the identity of an open file. May block on the file system, so the monitor must not use it
 * on a peer's files. Returns 0 or -errno.
 */
int peer_file_id_get(int fd, struct peer_file_id *out) __attribute__((warn_unused_result));

struct peer_exe {
    int fd; /* open for reading through /proc, or -1 if unknown. Owned */
    struct peer_file_id id;
    struct peer_verity verity; /* of size 0 if it has none, or if the file is not open */
    char path[PEER_PATH_MAX];  /* foreign bytes; without the kernel's " (deleted)" */
    bool path_ours; /* its mount is in our mount table, so the path has its usual meaning */
    bool deleted; /* unlinked or replaced since; also set if the name itself ends in " (deleted)" */
};

struct peer {
    struct peer_unknown unknown[PEER_FACTS];
    pid_t pid;
    int pidfd;            /* owned, or -1 if unknown */
    bool pid_sure;        /* from SO_PEERPIDFD, or our own child: it cannot be another process */
    uint64_t start_ticks; /* since boot, field 22 of /proc/PID/stat, in sysconf(_SC_CLK_TCK) */
    uid_t uid;
    gid_t gid;
    unsigned n_groups;
    gid_t groups[PEER_GROUPS_MAX]; /* supplementary */
    unsigned n_groups_unmapped;    /* further groups without a mapping in our user namespace */
    char label[PEER_LABEL_MAX];    /* foreign bytes, NUL-terminated */
    char cgroup[PEER_CGROUP_MAX];  /* path in the version 2 hierarchy */
    char unit[PEER_UNIT_MAX];      /* "nvme0.service", "session-3.scope"; a name of systemd */
    char vm[PEER_VM_MAX];          /* foreign bytes; a name for people, no proof of identity */
    bool vm_by_unit;               /* by its unit, which the process cannot change */
    struct peer_exe exe;
};

static inline bool peer_knows(const struct peer *p, enum peer_fact f)
{
    return !p->unknown[f].why;
}

/*
 * Collects all facts but PEER_VM about the peer of a connected AF_UNIX socket (borrowed). Cannot
 * fail: a fact that cannot be obtained is unknown. Takes about 100 µs. The caller calls
 * peer_deinit.
 */
void peer_init(struct peer *p, int socket_fd);

/*
 * Does the same for a process by its pid (for tools, and for our own children). sure states that
 * the caller knows the pid to be the process's; it becomes pid_sure. Groups and ids are read from
 * /proc; the label is unknown.
 */
void peer_init_pid(struct peer *p, pid_t pid, bool sure);

/* Sets all facts to unknown, for a peer that does not exist. Owns nothing. why is static. */
void peer_init_unknown(struct peer *p, const char *why);

/*
 * Closes the fds that p owns. Does nothing for a zeroed struct with fds of -1; may be called twice.
 */
void peer_deinit(struct peer *p);

/*
 * Gets the identity of the file that a process executes now, by a pidfd of it. Does not block on
 * file systems. Returns 0, -ESRCH if the process has ended, or another -errno.
 */
int peer_exe_look(pid_t pid, int pidfd, struct peer_file_id *out)
    __attribute__((warn_unused_result));

/* Returns whether the process still exists, by its pidfd; false if there is no pidfd. */
bool peer_alive(const struct peer *p);

/*
 * Returns whether a number shown by the kernel is really that user's or group's. Returns false for
 * the overflow id if our user namespace maps only some ids, because it then stands for all others.
 */
bool peer_uid_mapped(uid_t uid);
bool peer_gid_mapped(gid_t gid);

/*
 * Writes "unknown: TEXT (ERRNO TEXT)" of a fact to out (size bytes), or "" if it is known. Returns
 * out.
 */
const char *peer_why(const struct peer *p, enum peer_fact f, char *out, size_t size);

#endif
