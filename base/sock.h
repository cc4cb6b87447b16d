/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * AF_UNIX sockets: messages with file descriptors, listening without stealing, dialling.
 *
 * Every call here returns 0 or more, or a negative errno; EINTR is retried. Received fds are
 * close-on-exec. Nothing raises SIGPIPE.
 */
#ifndef POEMD_BASE_SOCK_H
#define POEMD_BASE_SOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/fdset.h"

/* Marks the fd non-blocking. 0 or -errno. */
int sock_nonblock(int fd) __attribute__((warn_unused_result));

/* Makes it blocking. 0 or -errno. */
int sock_block(int fd) __attribute__((warn_unused_result));

/* Closes *fd unless it is -1, and makes it -1. */
void sock_close(int *fd);

/*
 * Closes a connected stream socket like sock_close, but so that the peer sees the end of the stream
 * and nothing else. A plain close with bytes unread makes the peer's next read fail with
 * ECONNRESET, and at that QEMU 11.1 aborts with its whole machine (an assertion: it sets its error
 * twice). Never blocks. Bytes already sent stay readable for the peer; unread ones are lost with
 * their fds.
 */
void sock_hang_up(int *fd);

/*
 * Receives at most n bytes and the fds with them, which are added to fds (which may own some).
 * flags: MSG_DONTWAIT, MSG_WAITALL; MSG_TRUNC on a SEQPACKET socket, which then returns the
 * message's size also where it is above n. Returns bytes, 0 at the end of the stream, -EAGAIN, or
 * -EMSGSIZE: ancillary data was cut off (MSG_CTRUNC: too many fds, or this process is out of
 * them). In that case some fds may have been added; the stream can no longer be trusted.
 */
ssize_t sock_recv(int fd, void *p, size_t n, struct fdset *fds, int flags)
    __attribute__((warn_unused_result));

/* Who sent something, as the kernel tells it where the socket has SO_PASSCRED. */
struct sock_sender {
    pid_t pid; /* 0: not seen from here, or not told */
    uid_t uid;
    gid_t gid;
};

/*
 * Has the kernel report it, of all that is sent from now on, or no more; also of a listening
 * socket, for those that are accepted from it. 0 or -errno.
 */
int sock_pass_sender(int fd, bool on) __attribute__((warn_unused_result));

/* Who is at the other end, as it was at connect() or listen(); pid 0 where that cannot be known. */
void sock_peer(int fd, struct sock_sender *out);

/*
 * sock_recv, on a socket with SO_PASSCRED: the bytes are those of one sender, who is told. What was
 * sent before the kernel was asked, or is asked no more, has pid 0.
 */
ssize_t sock_recv_from(int fd, void *p, size_t n, struct fdset *fds, int flags,
                       struct sock_sender *from) __attribute__((warn_unused_result));

/*
 * Looks at the next bytes without taking them. Never blocks. Returns bytes, 0 at the end of the
 * stream, or -EAGAIN. *fds_near is set where fds came with some of the bytes seen, or, where all n
 * bytes were seen, with those of the buffer behind (Linux 6.18 looks there, too): unset is sure,
 * set is not. The fds stay in the socket. The kernel never shows bytes behind those that fds came
 * with.
 */
ssize_t sock_peek(int fd, void *p, size_t n, bool *fds_near) __attribute__((warn_unused_result));

/* The same on a socket with SO_PASSCRED, where sock_peek would take a sender's name for fds. */
ssize_t sock_peek_passed(int fd, void *p, size_t n, bool *fds_near)
    __attribute__((warn_unused_result));

/*
 * Counts the fds that the next read of at most n bytes would bring: installs copies of them, at
 * most LIMIT_FDS_KERNEL, and closes those again. Returns the bytes seen, as sock_peek does;
 * -EMFILE: this process has no room for as many.
 */
ssize_t sock_peek_fds(int fd, void *p, size_t n, unsigned *fds) __attribute__((warn_unused_result));

/*
 * Whether the peer has received all that was sent on this socket, and with it every fd, or has
 * gone. The kernel counts the bytes of what is unread with its own overhead, so that only 0 is
 * exact.
 */
bool sock_all_received(int fd);

/*
 * Sends n > 0 bytes in one sendmsg, the fds with the first of them; fds may be NULL. The set keeps
 * its fds (the kernel has made copies); the caller closes them as soon as one byte has gone, and
 * never sends them again. flags: MSG_DONTWAIT. Returns bytes (maybe fewer than n), -EAGAIN,
 * -ETOOMANYREFS (back-pressure: fds in flight), -EPIPE.
 */
ssize_t sock_send(int fd, const void *p, size_t n, const struct fdset *fds, int flags)
    __attribute__((warn_unused_result));

/*
 * Sends all n bytes, blocking or not by the fd's own mode; fds with the first byte, kept. For tools
 * and devices: never in the daemon's loops. 0, or -errno (-EAGAIN on a non-blocking fd: part may
 * have gone).
 */
int sock_send_all(int fd, const void *p, size_t n, const struct fdset *fds)
    __attribute__((warn_unused_result));

/*
 * Receives exactly n bytes; fds are added to the set. For tools and devices. 0, -EPIPE (the stream
 * ended before the first byte), -ECONNRESET (… in the middle), or another -errno.
 */
int sock_recv_all(int fd, void *p, size_t n, struct fdset *fds) __attribute__((warn_unused_result));

/* Whether both ends of the connection are closed, not only the peer's writing. */
bool sock_hung_up(int fd);

/*
 * A listening SOCK_STREAM socket at path, non-blocking, close-on-exec. A socket file that nobody
 * listens on any more is removed first; a live one never is. The file gets mode (e.g. 0660), owner
 * and group ((uid_t)-1 and (gid_t)-1 leave them), before the first connection can be made, and
 * never another file than the socket's own. backlog as for listen(2). Changes the process's umask
 * for a moment: other threads must not make files meanwhile.
 * Two that listen at the same path at once take turns by PATH.lock, a file of our own that is gone
 * afterwards; it is waited for LIMIT_LISTEN_LOCK_MS at the most.
 * Returns the fd, or -EADDRINUSE (somebody listens there), -EEXIST (the path is no socket), -EPERM
 * (owner or group cannot be set, or the socket's file cannot be told from another's: see
 * sock_file_open), -ENOLCK (PATH.lock is another user's, open to others, or no file), -ETIMEDOUT
 * (it is held), -ENAMETOOLONG, or another -errno of the step that failed.
 */
int sock_listen(const char *path, mode_t mode, uid_t owner, gid_t group, int backlog)
    __attribute__((warn_unused_result));

/* The same with a SOCK_SEQPACKET socket. */
int sock_listen_packets(const char *path, mode_t mode, uid_t owner, gid_t group, int backlog)
    __attribute__((warn_unused_result));

/*
 * Opens the file of a socket that was bound to path, with O_PATH. Returns the fd, or -EPERM: we
 * lack CAP_NET_ADMIN, and others can change a folder of the path; or another -errno.
 */
int sock_file_open(int listen_fd, const char *path) __attribute__((warn_unused_result));

struct stat;

/*
 * fstat of that file. If it cannot be opened, of what the path leads to, which may be another's by
 * now, with our own user and group in place of its own. 0 or -errno.
 */
int sock_file_stat(int listen_fd, const char *path, struct stat *st)
    __attribute__((warn_unused_result));

/*
 * Gives the file of a bound socket its owner and group ((uid_t)-1 and (gid_t)-1 leave them), and
 * mode if it has another one. 0, or -errno, as of sock_file_open if owner or group are asked for.
 */
int sock_file_settle(int bound_fd, const char *path, mode_t mode, uid_t owner, gid_t group)
    __attribute__((warn_unused_result));

/*
 * Connects to a SOCK_STREAM socket; the fd is close-on-exec, and non-blocking where asked. A
 * non-blocking connect is done at once or fails: -EAGAIN means the accept queue is full. Returns
 * the fd, -ENOENT or -ECONNREFUSED (nobody listens), -ENAMETOOLONG, or another -errno.
 */
int sock_connect(const char *path, bool nonblock) __attribute__((warn_unused_result));

/*
 * Connects to a SOCK_SEQPACKET socket, waiting for room in its accept queue; the fd blocks. Returns
 * it, -EPROTOTYPE (another kind of socket listens there), or as sock_connect does.
 */
int sock_connect_packets(const char *path) __attribute__((warn_unused_result));

#endif
