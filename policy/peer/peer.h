/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Who is at the other end of an AF_UNIX socket: facts that the kernel vouches for.
 *
 * Each fact is known, or unknown with a reason; never a value that stands for "unknown". Nothing
 * here reads a byte of a peer's files, and nothing waits for a peer: the executable is looked at by
 * O_PATH, and opened only where its file system is not one that a peer could answer for (FUSE).
 *
 * What the facts mean:
 *
 *   - Credentials (SO_PEERCRED, SO_PEERGROUPS, SO_PEERSEC, SO_PEERPIDFD) are fixed when the peer
 *     called connect(); on a connection that we made, when somebody called listen(). A listener may
 *     have passed its socket on since: a socket-activated server's facts are the service manager's.
 *   - What comes from /proc (executable, cgroup, unit) is of the moment of peer_init: a process can
 *     execute another program later.
 *   - A peer in another pid namespace, as in a container, is known by all of these as any other is.
 *     Only what comes with a message (SCM_CREDENTIALS) can there be another sender's: PEER_PIDNS.
 *   - Users and groups that our user namespace does not map are unknown: the kernel shows them all
 *     as one number.
 *   - The executable's path is what the kernel says. In another mount namespace anybody can make
 *     any path; exe.path_ours says whether its mount is one of ours.
 */
#ifndef POEMD_POLICY_PEER_PEER_H
#define POEMD_POLICY_PEER_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum peer_fact {
    PEER_PID,      /* pid */
    PEER_PIDFD,    /* pidfd, pid_sure */
    PEER_PIDNS,    /* no field: its pid namespace is ours, nobody else can send in its name */
    PEER_START,    /* start_ticks */
    PEER_UID,      /* uid: effective, at connect or listen */
    PEER_GID,      /* gid */
    PEER_GROUPS,   /* groups, n_groups */
    PEER_LABEL,    /* label */
    PEER_CGROUP,   /* cgroup */
    PEER_UNIT,     /* unit */
    PEER_EXE_PATH, /* exe.path, exe.path_ours, exe.deleted */
    PEER_EXE_ID,   /* exe.id */
    PEER_EXE_FILE, /* exe.fd */
    PEER_FACTS,
};

/* The fact's name, as in records and rules: "pid", "exe-path" … Static. */
const char *peer_fact_name(enum peer_fact f);

#define PEER_GROUPS_MAX 256
#define PEER_LABEL_MAX 256
#define PEER_CGROUP_MAX 1024
#define PEER_UNIT_MAX 256
#define PEER_PATH_MAX 4096

/* Why a fact is unknown. */
struct peer_unknown {
    int error;       /* errno, 0 where none took part */
    const char *why; /* static text; NULL: the fact is known */
};

/* A file's identity: as long as all of it is the same, its bytes are. */
struct peer_file_id {
    uint32_t dev_major;
    uint32_t dev_minor;
    uint64_t inode;
    uint64_t size; /* bytes */
    int64_t mtime; /* nanoseconds since 1970 */
    int64_t ctime;
};

bool peer_file_id_same(const struct peer_file_id *a, const struct peer_file_id *b);

/* The identity of an open file. It may ask the file system: not for a peer's files in the monitor.
 * 0 or -errno. */
int peer_file_id_get(int fd, struct peer_file_id *out) __attribute__((warn_unused_result));

struct peer_exe {
    int fd; /* open for reading through /proc, -1: unknown. Owned */
    struct peer_file_id id;
    char path[PEER_PATH_MAX]; /* foreign bytes; without the kernel's " (deleted)" */
    bool path_ours;           /* its mount is in our mount table: the path means what it says */
    bool deleted;             /* unlinked or replaced since; also where the name itself ends so */
};

struct peer {
    struct peer_unknown unknown[PEER_FACTS];
    pid_t pid;
    int pidfd;            /* owned, -1: unknown */
    bool pid_sure;        /* by SO_PEERPIDFD, or one's own child: it cannot be another process */
    uint64_t start_ticks; /* since boot, field 22 of /proc/PID/stat, in sysconf(_SC_CLK_TCK) */
    uid_t uid;
    gid_t gid;
    unsigned n_groups;
    gid_t groups[PEER_GROUPS_MAX]; /* supplementary */
    unsigned n_groups_unmapped;    /* more of them, which our user namespace does not map */
    char label[PEER_LABEL_MAX];    /* foreign bytes, NUL-terminated */
    char cgroup[PEER_CGROUP_MAX];  /* path in the version 2 hierarchy */
    char unit[PEER_UNIT_MAX];      /* "nvme0.service", "session-3.scope"; of systemd's naming */
    struct peer_exe exe;
};

static inline bool peer_knows(const struct peer *p, enum peer_fact f)
{
    return !p->unknown[f].why;
}

/*
 * Finds out all it can about the peer of a connected AF_UNIX socket (borrowed). Cannot fail: what
 * cannot be had is unknown. About 100 µs. To be peer_deinit'ed.
 */
void peer_init(struct peer *p, int socket_fd);

/*
 * The same of a process by its number (for tools, and children of one's own). The caller knows that
 * the number is the process's: pid_sure is what it says. Groups and ids are those of /proc; the
 * label is unknown.
 */
void peer_init_pid(struct peer *p, pid_t pid, bool sure);

/* Nothing known, nothing owned: for a peer that is not there. why: static. */
void peer_init_unknown(struct peer *p, const char *why);

/* Closes what p owns. Of a zeroed struct with fds of -1 it does nothing; it may be called twice. */
void peer_deinit(struct peer *p);

/*
 * Looks at the file that a process executes now, by a pidfd of it: its identity to *out. Asks no
 * file system. 0, -ESRCH: the process has ended, or another -errno.
 */
int peer_exe_look(pid_t pid, int pidfd, struct peer_file_id *out)
    __attribute__((warn_unused_result));

/* Whether the process is still there (by pidfd). False, too, where there is no pidfd. */
bool peer_alive(const struct peer *p);

/*
 * Returns whether the number that the kernel shows is that user's or group's own. False for the
 * overflow id where our user namespace maps only some: it stands for all others then.
 */
bool peer_uid_mapped(uid_t uid);
bool peer_gid_mapped(gid_t gid);

/* "unknown: TEXT (ERRNO TEXT)" of a fact to out (size bytes); "" where it is known. Returns out. */
const char *peer_why(const struct peer *p, enum peer_fact f, char *out, size_t size);

#endif
