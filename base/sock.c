/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* AF_UNIX sockets. Only system calls: no loop, log or allocation. */
#define _GNU_SOURCE
#include "base/sock.h"
#include "base/unconst.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

int sock_nonblock(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

int sock_block(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0 ? -errno : 0;
}

void sock_close(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

void sock_hang_up(int *fd)
{
    char unread[4096];

    if (*fd < 0) {
        return;
    }
    /* After this the peer can add nothing, so the rest can be read to its end. */
    shutdown(*fd, SHUT_RDWR);
    while (recv(*fd, unread, sizeof unread, MSG_DONTWAIT) > 0) {
    }
    sock_close(fd);
}

int sock_pass_sender(int fd, bool on)
{
    const int value = on;

    return setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &value, sizeof value) < 0 ? -errno : 0;
}

void sock_peer(int fd, struct sock_sender *out)
{
    struct ucred c = {.uid = (uid_t)-1, .gid = (gid_t)-1};
    socklen_t n = sizeof c;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &n) < 0) {
        c.pid = 0;
    }
    *out = (struct sock_sender){.pid = c.pid, .uid = c.uid, .gid = c.gid};
}

static void sock_find_sender(struct msghdr *msg, struct sock_sender *from)
{
    *from = (struct sock_sender){.uid = (uid_t)-1, .gid = (gid_t)-1};
    for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
        struct ucred u;

        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS &&
            c->cmsg_len == CMSG_LEN(sizeof u)) {
            memcpy(&u, CMSG_DATA(c), sizeof u);
            *from = (struct sock_sender){.pid = u.pid, .uid = u.uid, .gid = u.gid};
        }
    }
}

/* Room for what may come with bytes. */
union sock_received {
    struct cmsghdr align;
    char room[CMSG_SPACE(LIMIT_FDS_KERNEL * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
};

static struct msghdr sock_receipt(struct iovec *iov, union sock_received *control)
{
    return (struct msghdr){.msg_iov = iov,
                           .msg_iovlen = 1,
                           .msg_control = control->room,
                           .msg_controllen = sizeof control->room};
}

/* got bytes have been received; from may be NULL. Returns them, or -EMSGSIZE. */
static ssize_t sock_received_with(struct msghdr *msg, ssize_t got, struct fdset *fds,
                                  struct sock_sender *from)
{
    int err;

    if (from) {
        sock_find_sender(msg, from);
    }
    if (msg->msg_controllen == 0 && !(msg->msg_flags & MSG_CTRUNC)) {
        return got;
    }
    err = fdset_receive(fds, msg);
    return err || (msg->msg_flags & MSG_CTRUNC) ? -EMSGSIZE : got;
}

/* from may be NULL. */
static ssize_t sock_receive(int fd, void *p, size_t n, struct fdset *fds, int flags,
                            struct sock_sender *from)
{
    union sock_received control;
    struct iovec iov = {.iov_base = p, .iov_len = n};
    struct msghdr msg;
    ssize_t got;

    do {
        msg = sock_receipt(&iov, &control);
        got = recvmsg(fd, &msg, flags | MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : sock_received_with(&msg, got, fds, from);
}

ssize_t sock_recv_post(int fd, struct sock_post *post, void *p, size_t n, struct fdset *fds,
                       int flags, struct sock_sender *from)
{
    union sock_received control;
    struct iovec iov = {.iov_base = p, .iov_len = n};
    int got;

    do {
        post->call = sock_receipt(&iov, &control);
        got = recvmmsg(fd, (struct mmsghdr *)post, 1, flags | MSG_CMSG_CLOEXEC, NULL);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return -errno;
    }
    return sock_received_with(&post->call, (ssize_t) * (volatile uint32_t *)&post->done, fds, from);
}

ssize_t sock_recv(int fd, void *p, size_t n, struct fdset *fds, int flags)
{
    return sock_receive(fd, p, n, fds, flags, NULL);
}

ssize_t sock_recv_from(int fd, void *p, size_t n, struct fdset *fds, int flags,
                       struct sock_sender *from)
{
    return sock_receive(fd, p, n, fds, flags, from);
}

/* from may be NULL. */
static ssize_t sock_peek_into(int fd, void *p, size_t n, bool *fds_near, void *control, size_t size,
                              struct sock_sender *from)
{
    struct iovec iov = {.iov_base = p, .iov_len = n};
    struct msghdr msg;
    ssize_t got;

    do {
        /*
         * Without room for them the kernel does not copy the fds, but only reports that there are
         * some.
         */
        msg = (struct msghdr){
            .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = size};
        got = recvmsg(fd, &msg, MSG_PEEK | MSG_DONTWAIT);
    } while (got < 0 && errno == EINTR);
    *fds_near = got > 0 && (msg.msg_flags & MSG_CTRUNC);
    if (got > 0 && from) {
        sock_find_sender(&msg, from);
    }
    return got < 0 ? -errno : got;
}

ssize_t sock_peek(int fd, void *p, size_t n, bool *fds_near)
{
    return sock_peek_into(fd, p, n, fds_near, NULL, 0, NULL);
}

ssize_t sock_peek_passed(int fd, void *p, size_t n, bool *fds_near, struct sock_sender *from)
{
    /* The credentials come first, and take all the room. */
    union {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(struct ucred))];
    } control;

    return sock_peek_into(fd, p, n, fds_near, control.room, sizeof control.room, from);
}

ssize_t sock_peek_last(int fd, void *p, size_t n)
{
    /*
     * The kernel copies what each sendmsg brought as a whole, or stops before it if that fails. So
     * the last byte is given a place that cannot be written.
     */
    static const char unwritable = 1;
    struct iovec iov[] = {{.iov_base = p, .iov_len = n - 1},
                          {.iov_base = unconst_pointer(&unwritable), .iov_len = 1}};
    struct msghdr msg;
    ssize_t got;

    do {
        msg = (struct msghdr){.msg_iov = iov, .msg_iovlen = 2};
        got = recvmsg(fd, &msg, MSG_PEEK | MSG_DONTWAIT);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return errno == EFAULT ? 0 : -errno;
    }
    return got;
}

ssize_t sock_take(int fd, void *p, size_t n)
{
    size_t taken = 0;

    while (taken < n) {
        const ssize_t got = recv(fd, (char *)p + taken, n - taken, MSG_DONTWAIT);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return taken > 0 || got == 0 ? (ssize_t)taken : -errno;
        }
        taken += (size_t)got;
    }
    return (ssize_t)taken;
}

ssize_t sock_peek_fds(int fd, void *p, size_t n, unsigned *fds)
{
    struct fdset copies;
    ssize_t got;

    fdset_init(&copies);
    got = sock_receive(fd, p, n, &copies, MSG_PEEK | MSG_DONTWAIT, NULL);
    *fds = copies.n;
    fdset_close(&copies);
    return got == -EMSGSIZE ? -EMFILE : got;
}

bool sock_is_unix_stream(int fd)
{
    int domain = 0;
    int type = 0;
    socklen_t n = sizeof domain;

    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &n) < 0) {
        return false;
    }
    n = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 && domain == AF_UNIX &&
           type == SOCK_STREAM;
}

bool sock_is_listener(int fd)
{
    int accepts = 0;
    socklen_t n = sizeof accepts;

    return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &n) == 0 && accepts;
}

bool sock_all_received(int fd)
{
    int unread = 0;

    return ioctl(fd, SIOCOUTQ, &unread) < 0 || unread == 0;
}

/* Room for the fds of one message. */
union sock_control {
    struct cmsghdr align;
    char room[CMSG_SPACE(FDSET_MAX * sizeof(int))];
};

/* Has the message bring the fds, of which there is one at least. */
static void sock_add_fds(struct msghdr *msg, union sock_control *control, const struct fdset *fds)
{
    /* As CMSG_FIRSTHDR, which could be NULL as far as a compiler knows. */
    struct cmsghdr *const c = &control->align;

    msg->msg_control = control->room;
    msg->msg_controllen = CMSG_SPACE(fds->n * sizeof(int));
    memset(control->room, 0, msg->msg_controllen);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(fds->n * sizeof(int));
    memcpy(CMSG_DATA(c), fds->fds, fds->n * sizeof(int));
}

static ssize_t sock_send_fds(int fd, const void *p, size_t n, const struct fdset *fds, int flags)
{
    union sock_control control;
    struct iovec iov = {.iov_base = unconst_pointer(p), .iov_len = n};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

    sock_add_fds(&msg, &control, fds);
    return sendmsg(fd, &msg, flags);
}

ssize_t sock_send(int fd, const void *p, size_t n, const struct fdset *fds, int flags)
{
    ssize_t sent;

    flags |= MSG_NOSIGNAL;
    do {
        sent = fds && fds->n > 0 ? sock_send_fds(fd, p, n, fds, flags) : send(fd, p, n, flags);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : sent;
}

ssize_t sock_send_post(int fd, struct sock_post *post, const void *p, size_t n,
                       const struct fdset *fds, int flags)
{
    union sock_control control;
    struct iovec iov = {.iov_base = unconst_pointer(p), .iov_len = n};
    int sent;

    _Static_assert(sizeof(struct sock_post) == sizeof(struct mmsghdr) &&
                       offsetof(struct sock_post, done) == offsetof(struct mmsghdr, msg_len),
                   "not the kernel's structure");
    post->call = (struct msghdr){.msg_iov = &iov, .msg_iovlen = 1};
    if (fds && fds->n > 0) {
        sock_add_fds(&post->call, &control, fds);
    }
    do {
        sent = sendmmsg(fd, (struct mmsghdr *)post, 1, flags | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    return sent < 0 ? -errno : (ssize_t) * (volatile uint32_t *)&post->done;
}

int sock_send_all(int fd, const void *p, size_t n, const struct fdset *fds)
{
    const char *at = p;

    while (n > 0) {
        ssize_t sent = sock_send(fd, at, n, fds, 0);

        if (sent < 0) {
            return (int)sent;
        }
        fds = NULL;
        at += sent;
        n -= (size_t)sent;
    }
    return 0;
}

int sock_recv_all(int fd, void *p, size_t n, struct fdset *fds)
{
    char *at = p;
    const size_t all = n;

    while (n > 0) {
        ssize_t got = sock_recv(fd, at, n, fds, 0);

        if (got < 0) {
            return (int)got;
        }
        if (got == 0) {
            return n == all ? -EPIPE : -ECONNRESET;
        }
        at += got;
        n -= (size_t)got;
    }
    return 0;
}

bool sock_hung_up(int fd)
{
    struct pollfd p = {.fd = fd, .events = 0};

    return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR));
}

static int sock_address(const char *path, struct sockaddr_un *sun)
{
    size_t n = strlen(path);

    *sun = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (n == 0) {
        return -ENOENT;
    }
    if (n >= sizeof sun->sun_path) {
        return -ENAMETOOLONG;
    }
    memcpy(sun->sun_path, path, n + 1);
    return 0;
}

/* Connects the socket; of datagrams a name behind "@" is abstract. Returns 0 or -errno. */
static int sock_join(int fd, int type, const char *path)
{
    struct sockaddr_un sun;
    socklen_t size = sizeof sun;
    const int err = sock_address(path, &sun);

    if (err) {
        return err;
    }
    if (type == SOCK_DGRAM && path[0] == '@') {
        sun.sun_path[0] = '\0';
        size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    }
    while (connect(fd, (struct sockaddr *)&sun, size) < 0) {
        if (errno != EINTR) {
            return -errno;
        }
    }
    return 0;
}

static int sock_connect_as(int type, const char *path, bool nonblock)
{
    const int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | (nonblock ? SOCK_NONBLOCK : 0), 0);
    int err;

    if (fd < 0) {
        return -errno;
    }
    err = sock_join(fd, type, path);
    if (err) {
        close(fd);
        return err;
    }
    return fd;
}

int sock_connect(const char *path, bool nonblock)
{
    return sock_connect_as(SOCK_STREAM, path, nonblock);
}

int sock_connect_packets(const char *path)
{
    return sock_connect_as(SOCK_SEQPACKET, path, false);
}

int sock_connect_datagrams(const char *path)
{
    return sock_connect_as(SOCK_DGRAM, path, false);
}

int sock_rejoin_datagrams(int fd, const char *path)
{
    struct sockaddr_un sun;
    socklen_t size = sizeof sun;

    if (getpeername(fd, (struct sockaddr *)&sun, &size) == 0) {
        return 0;
    }
    return errno == ENOTCONN ? sock_join(fd, SOCK_DGRAM, path) : -errno;
}

/*
 * Removes a stale socket file before listening. Only connecting shows that it is stale; a full
 * accept queue (-EAGAIN) is as alive as an accepting one.
 */
static int sock_remove_stale(const char *path)
{
    struct stat st;
    int fd;

    if (lstat(path, &st) < 0) {
        return errno == ENOENT ? 0 : -errno;
    }
    if (!S_ISSOCK(st.st_mode)) {
        return -EEXIST;
    }
    fd = sock_connect(path, true);
    if (fd >= 0) {
        close(fd);
        return -EADDRINUSE;
    }
    if (fd == -ENOENT) {
        return 0;
    }
    /* A listener of another type than ours is as alive. */
    if (fd != -ECONNREFUSED) {
        return fd == -EAGAIN || fd == -EPROTOTYPE ? -EADDRINUSE : fd;
    }
    return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

/*
 * Binds with the file's mode set from its first moment on. Owner and group follow before listen(),
 * until which no one can connect.
 */
static int sock_bind_with_mode(int fd, const struct sockaddr_un *sun, mode_t mode, uid_t owner,
                               gid_t group)
{
    const mode_t mask = umask(~mode & 0777);
    const int r = bind(fd, (const struct sockaddr *)sun, sizeof *sun);
    int err = r < 0 ? -errno : 0;

    umask(mask);
    if (err) {
        return err;
    }
    err = sock_file_settle(fd, sun->sun_path, mode, owner, group);
    if (err) {
        unlink(sun->sun_path);
    }
    return err;
}

/* Size of a socket's path and ".lock". */
#define SOCK_LOCK_NAME (sizeof(((struct sockaddr_un *)0)->sun_path) + sizeof ".lock")

/* Returns 0 if only we can hold this lock file: not created by others, nor accessible to them. */
static int sock_lock_judge(int fd)
{
    struct stat st;

    if (fstat(fd, &st) < 0) {
        return -errno;
    }
    return S_ISREG(st.st_mode) && st.st_uid == geteuid() && (st.st_mode & 077) == 0 ? 0 : -ENOLCK;
}

/* Returns true if the opened file still has its name: its last holder may have removed it. */
static bool sock_lock_stands(int fd, const char *name)
{
    struct stat ours;
    struct stat named;

    return fstat(fd, &ours) == 0 && lstat(name, &named) == 0 && ours.st_dev == named.st_dev &&
           ours.st_ino == named.st_ino;
}

/* Tries once. Returns the fd, -EWOULDBLOCK if another process has it, or another -errno. */
static int sock_lock_try(const char *name)
{
    int fd = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
    int err = fd < 0 ? -errno : sock_lock_judge(fd);

    if (!err && flock(fd, LOCK_EX | LOCK_NB) < 0) {
        err = -errno;
    }
    if (!err && !sock_lock_stands(fd, name)) {
        err = -EWOULDBLOCK;
    }
    if (err) {
        sock_close(&fd);
    }
    return err ? err : fd;
}

/*
 * Two starts at once could both find the file stale, and the second could remove the socket that
 * the first has just bound. A lock file beside it makes them take turns. It must be our own: any
 * user who can read the folder could lock that. Writes the file's name (SOCK_LOCK_NAME bytes).
 */
static int sock_lock(const char *path, char *name)
{
    const struct timespec pause = {.tv_nsec = 10000000};
    int fd = -EWOULDBLOCK;

    snprintf(name, SOCK_LOCK_NAME, "%s.lock", path);
    for (unsigned ms = 0; fd == -EWOULDBLOCK && ms < LIMIT_LISTEN_LOCK_MS; ms += 10) {
        fd = sock_lock_try(name);
        if (fd == -EWOULDBLOCK) {
            nanosleep(&pause, NULL);
        }
    }
    return fd == -EWOULDBLOCK ? -ETIMEDOUT : fd;
}

static int sock_listen_as(int type, const char *path, mode_t mode, uid_t owner, gid_t group,
                          int backlog)
{
    char lock[SOCK_LOCK_NAME];
    struct sockaddr_un sun;
    int err = sock_address(path, &sun);
    int lock_fd;
    int fd = -1;

    if (err) {
        return err;
    }
    lock_fd = sock_lock(path, lock);
    if (lock_fd < 0) {
        return lock_fd;
    }
    err = sock_remove_stale(path);
    if (!err) {
        fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        err = fd < 0 ? -errno : sock_bind_with_mode(fd, &sun, mode, owner, group);
    }
    if (!err && listen(fd, backlog) < 0) {
        err = -errno;
        unlink(path);
    }
    /* While the lock is held: a process that has opened it meanwhile sees that its name is gone. */
    unlink(lock);
    close(lock_fd);
    if (err) {
        sock_close(&fd);
        return err;
    }
    return fd;
}

int sock_listen(const char *path, mode_t mode, uid_t owner, gid_t group, int backlog)
{
    return sock_listen_as(SOCK_STREAM, path, mode, owner, group, backlog);
}

int sock_listen_packets(const char *path, mode_t mode, uid_t owner, gid_t group, int backlog)
{
    return sock_listen_as(SOCK_SEQPACKET, path, mode, owner, group, backlog);
}
