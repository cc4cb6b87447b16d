/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Collects facts about a peer, first from the socket's options, then from /proc. Theory:
 *
 *   A pid may have been reused by another process by the time it is looked up. An open /proc/PID
 *   folder cannot be: it belongs to one process and becomes invalid with it. So the folder is
 *   opened once, and everything is read through it. It is certain to be the peer's if the kernel
 *   provides the peer's pidfd (SO_PEERPIDFD, Linux 6.5) and that process is alive after the folder
 *   was opened. Otherwise the pidfd is opened by pid, and the start times before and after must
 *   agree: then folder and pidfd belong to one process, which is the peer unless the peer had
 *   exited before.
 */
#define _GNU_SOURCE
#include "policy/peer/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "policy/peer/peer_proc.h"

/* Missing in Debian 12's headers. */
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

const char *peer_fact_name(enum peer_fact f)
{
    static const char *const names[PEER_FACTS] = {
        [PEER_PID] = "pid",           [PEER_PIDFD] = "pidfd",
        [PEER_START] = "start",       [PEER_UID] = "uid",
        [PEER_GID] = "gid",           [PEER_GROUPS] = "groups",
        [PEER_LABEL] = "label",       [PEER_CGROUP] = "cgroup",
        [PEER_UNIT] = "unit",         [PEER_VM] = "vm",
        [PEER_EXE_PATH] = "exe-path", [PEER_EXE_ID] = "exe-file",
        [PEER_EXE_FILE] = "exe",      [PEER_PIDNS] = "pid-namespace",
    };

    return f < PEER_FACTS ? names[f] : "?";
}

bool peer_file_id_same(const struct peer_file_id *a, const struct peer_file_id *b)
{
    return a->dev_major == b->dev_major && a->dev_minor == b->dev_minor && a->inode == b->inode &&
           a->size == b->size && a->mtime == b->mtime && a->ctime == b->ctime;
}

void peer_set_unknown(struct peer *p, enum peer_fact f, int error, const char *why)
{
    p->unknown[f] = (struct peer_unknown){.error = error, .why = why};
}

static void peer_proc_unknown(struct peer *p, int error, const char *why)
{
    static const enum peer_fact facts[] = {PEER_START,    PEER_CGROUP, PEER_UNIT,    PEER_VM,
                                           PEER_EXE_PATH, PEER_EXE_ID, PEER_EXE_FILE};

    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        peer_set_unknown(p, facts[i], error, why);
    }
}

static void peer_clear(struct peer *p)
{
    memset(p, 0, sizeof *p);
    p->pidfd = -1;
    p->exe.fd = -1;
}

void peer_init_unknown(struct peer *p, const char *why)
{
    peer_clear(p);
    for (int f = 0; f < PEER_FACTS; f++) {
        peer_set_unknown(p, (enum peer_fact)f, 0, why);
    }
}

void peer_deinit(struct peer *p)
{
    if (p->pidfd >= 0) {
        close(p->pidfd);
        p->pidfd = -1;
    }
    if (p->exe.fd >= 0) {
        close(p->exe.fd);
        p->exe.fd = -1;
    }
}

bool peer_alive(const struct peer *p)
{
    struct pollfd poll_fd = {.fd = p->pidfd, .events = POLLIN};

    return p->pidfd >= 0 && poll(&poll_fd, 1, 0) == 0;
}

const char *peer_why(const struct peer *p, enum peer_fact f, char *out, size_t size)
{
    const struct peer_unknown *u = &p->unknown[f];

    if (!u->why) {
        out[0] = '\0';
    } else if (u->error) {
        snprintf(out, size, "unknown: %s (%s)", u->why, strerror(u->error));
    } else {
        snprintf(out, size, "unknown: %s", u->why);
    }
    return out;
}

/* ---- the socket ---- */

static void peer_find_ids(struct peer *p, int socket_fd)
{
    struct ucred c = {.uid = (uid_t)-1};
    socklen_t n = sizeof c;
    int err = 0;

    if (getsockopt(socket_fd, SOL_SOCKET, SO_PEERCRED, &c, &n) < 0) {
        err = errno;
    }
    if (err || n != sizeof c || c.uid == (uid_t)-1) {
        peer_set_unknown(p, PEER_PID, err, "the socket has no peer's credentials");
        peer_set_unknown(p, PEER_UID, err, "the socket has no peer's credentials");
        peer_set_unknown(p, PEER_GID, err, "the socket has no peer's credentials");
        return;
    }
    p->uid = c.uid;
    p->gid = c.gid;
    p->pid = c.pid;
    if (c.pid <= 0) {
        peer_set_unknown(p, PEER_PID, 0, "it is in a pid namespace that is not visible to us");
    }
}

static void peer_find_groups(struct peer *p, int socket_fd)
{
    socklen_t n = sizeof p->groups;

    if (getsockopt(socket_fd, SOL_SOCKET, SO_PEERGROUPS, p->groups, &n) < 0) {
        peer_set_unknown(p, PEER_GROUPS, errno,
                         errno == ERANGE ? "there are too many"
                                         : "the kernel does not report its groups");
        return;
    }
    p->n_groups = (unsigned)(n / sizeof p->groups[0]);
}

static void peer_find_label(struct peer *p, int socket_fd)
{
    socklen_t n = sizeof p->label - 1;

    if (getsockopt(socket_fd, SOL_SOCKET, SO_PEERSEC, p->label, &n) < 0) {
        p->label[0] = '\0';
        peer_set_unknown(p, PEER_LABEL, errno,
                         errno == ENOPROTOOPT ? "no security module labels sockets here"
                                              : "the kernel does not report its label");
        return;
    }
    /* Some modules include a trailing NUL in the length, others do not. */
    p->label[n] = '\0';
}

/* ---- the process ---- */

static int peer_start_of(int dir_fd, uint64_t *ticks)
{
    char text[1024];
    const ssize_t n = peer_proc_read(dir_fd, "stat", text, sizeof text);

    if (n < 0) {
        return (int)n;
    }
    return peer_proc_start(text, (size_t)n, ticks) ? 0 : -EPROTO;
}

int peer_open_folder(pid_t pid)
{
    char name[32];
    int fd;

    snprintf(name, sizeof name, "/proc/%ld", (long)pid);
    fd = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static void peer_take_pidfd(struct peer *p, int socket_fd)
{
    socklen_t n = sizeof p->pidfd;

    if (getsockopt(socket_fd, SOL_SOCKET, SO_PEERPIDFD, &p->pidfd, &n) < 0) {
        p->pidfd = -1;
        return;
    }
    p->pid_sure = true;
}

/* Opens the pidfd by pid; it must belong to the process of dir_fd. */
static void peer_open_pidfd(struct peer *p, int dir_fd)
{
    uint64_t before = 0;
    uint64_t after = 0;
    int again;

    if (peer_start_of(dir_fd, &before) < 0) {
        peer_set_unknown(p, PEER_PIDFD, ESRCH, "the process is gone");
        return;
    }
    p->pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
    if (p->pidfd < 0) {
        peer_set_unknown(p, PEER_PIDFD, errno, "its pidfd cannot be opened");
        return;
    }
    again = peer_open_folder(p->pid);
    if (again < 0 || peer_start_of(again, &after) < 0 || before != after) {
        peer_set_unknown(p, PEER_PIDFD, ESRCH, "its pid was reused");
        close(p->pidfd);
        p->pidfd = -1;
    }
    if (again >= 0) {
        close(again);
    }
}

static void peer_find_cgroup(struct peer *p, int dir_fd)
{
    char text[8192];
    const ssize_t n = peer_proc_read(dir_fd, "cgroup", text, sizeof text);

    if (n < 0 || !peer_proc_cgroup(text, (size_t)n, p->cgroup)) {
        peer_set_unknown(p, PEER_CGROUP, n < 0 ? (int)-n : 0, "its cgroup cannot be read");
        peer_set_unknown(p, PEER_UNIT, n < 0 ? (int)-n : 0, "its cgroup cannot be read");
        return;
    }
    if (!peer_proc_unit(p->cgroup, p->unit)) {
        peer_set_unknown(p, PEER_UNIT, 0, "its cgroup is not in a unit");
    }
}

static void peer_find_process(struct peer *p, int dir_fd)
{
    const int err = peer_start_of(dir_fd, &p->start_ticks);

    if (err) {
        peer_set_unknown(p, PEER_START, -err, "its start time cannot be read");
    }
    peer_find_cgroup(p, dir_fd);
    peer_set_unknown(p, PEER_VM, 0, "its command line was not read");
    peer_exe_init(p, dir_fd);
}

void peer_init(struct peer *p, int socket_fd)
{
    int dir_fd;

    peer_clear(p);
    peer_find_ids(p, socket_fd);
    peer_find_groups(p, socket_fd);
    peer_namespace_check_ids(p);
    peer_find_label(p, socket_fd);
    peer_take_pidfd(p, socket_fd);
    if (!peer_knows(p, PEER_PID)) {
        if (p->pidfd < 0) {
            p->unknown[PEER_PIDFD] = p->unknown[PEER_PID];
        }
        p->unknown[PEER_PIDNS] = p->unknown[PEER_PID];
        peer_proc_unknown(p, p->unknown[PEER_PID].error, p->unknown[PEER_PID].why);
        return;
    }
    dir_fd = peer_open_folder(p->pid);
    if (!p->pid_sure && dir_fd >= 0) {
        peer_open_pidfd(p, dir_fd);
    } else if (!p->pid_sure) {
        peer_set_unknown(p, PEER_PIDFD, -dir_fd, "the process is gone, or hidden from us");
    }
    /* The process is alive now, so the folder, opened before, belongs to it. */
    if (!peer_namespace_find(p)) {
        peer_proc_unknown(p, 0, "our /proc belongs to another pid namespace");
    } else if (dir_fd < 0) {
        peer_proc_unknown(p, -dir_fd, "the process is gone, or hidden from us");
    } else if (!peer_alive(p)) {
        peer_proc_unknown(p, ESRCH, "the process is gone");
    } else {
        peer_find_process(p, dir_fd);
    }
    if (dir_fd >= 0) {
        close(dir_fd);
    }
}

/* ---- by pid ---- */

static void peer_find_ids_of_process(struct peer *p, int dir_fd)
{
    char text[16384];
    const ssize_t n = peer_proc_read(dir_fd, "status", text, sizeof text);
    const int err = n < 0 ? (int)n : peer_proc_ids(text, (size_t)n, p);

    if (err == 0) {
        return;
    }
    if (err != -ERANGE) {
        peer_set_unknown(p, PEER_UID, -err, "its ids cannot be read");
        peer_set_unknown(p, PEER_GID, -err, "its ids cannot be read");
    }
    peer_set_unknown(p, PEER_GROUPS, -err, "its groups cannot be read");
}

void peer_init_pid(struct peer *p, pid_t pid, bool sure)
{
    int dir_fd;

    peer_init_unknown(p, "the process is gone");
    dir_fd = peer_open_folder(pid);
    if (dir_fd < 0) {
        for (int f = 0; f < PEER_FACTS; f++) {
            peer_set_unknown(p, (enum peer_fact)f, dir_fd == -ENOENT ? ESRCH : -dir_fd,
                             "there is no such process");
        }
        return;
    }
    peer_clear(p);
    p->pid = pid;
    peer_open_pidfd(p, dir_fd);
    p->pid_sure = sure && p->pidfd >= 0;
    /* The pid comes from this very /proc. */
    if (sure) {
        peer_namespace_find_child(p);
    } else {
        peer_namespace_find(p);
    }
    peer_find_ids_of_process(p, dir_fd);
    peer_namespace_check_ids(p);
    peer_set_unknown(p, PEER_LABEL, 0, "only sockets have one");
    peer_find_process(p, dir_fd);
    close(dir_fd);
}
