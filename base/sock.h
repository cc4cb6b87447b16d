/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
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
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "base/fdset.h"

/* Makes the fd non-blocking. Returns 0 or -errno. */
int sock_nonblock(int fd) __attribute__((warn_unused_result));

/* Makes the fd blocking. Returns 0 or -errno. */
int sock_block(int fd) __attribute__((warn_unused_result));

/* Closes *fd unless it is -1, and makes it -1. */
void sock_close(int *fd);

/*
 * Closes a connected stream socket like sock_close, but so that the peer sees only the end of the
 * stream. A plain close with unread bytes makes the peer's next read fail with ECONNRESET, at which
 * QEMU 11.1 aborts with its whole machine (an assertion: it sets its error twice). Never blocks.
 * Bytes already sent stay readable for the peer; unread ones are lost with their fds.
 */
void sock_hang_up(int *fd);

/*
 * Receives at most n bytes, and adds their fds to fds (which may own some). flags: MSG_DONTWAIT,
 * MSG_WAITALL; MSG_TRUNC on a SEQPACKET socket, which then returns the message's size even if that
 * is above n. Returns bytes, 0 at the end of the stream, -EAGAIN, or -EMSGSIZE if ancillary data
 * was cut off (MSG_CTRUNC: too many fds, or this process is out of them). In that case some fds may
 * have been added, and the stream can no longer be trusted.
 */
ssize_t sock_recv(int fd, void *p, size_t n, struct fdset *fds, int flags)
    __attribute__((warn_unused_result));

/* The sender of bytes, as the kernel reports it if the socket has SO_PASSCRED. */
struct sock_sender {
    pid_t pid; /* 0: not visible from here, or not reported */
    uid_t uid;
    gid_t gid;
};

/*
 * Turns the kernel's reports of senders on or off for data sent from now on; on a listening socket,
 * for those accepted from it. Returns 0 or -errno.
 */
int sock_pass_sender(int fd, bool on) __attribute__((warn_unused_result));

/* Gets the process at the other end, as of connect() or listen(); pid 0 if it is unknown. */
void sock_peer(int fd, struct sock_sender *out);

/*
 * Does sock_recv on a socket with SO_PASSCRED: the bytes are those of one sender, which is stored
 * in *from. Data sent while the reports are off has pid 0.
 */
ssize_t sock_recv_from(int fd, void *p, size_t n, struct fdset *fds, int flags,
                       struct sock_sender *from) __attribute__((warn_unused_result));

/*
 * Looks at the next bytes without taking them. Never blocks. Returns bytes, 0 at the end of the
 * stream, or -EAGAIN. Sets *fds_near if fds came with some of the bytes seen or, if all n bytes
 * were seen, with those of the next buffer (Linux 6.18 looks there, too): unset is certain, set is
 * not. The fds stay in the socket. The kernel never shows bytes behind those that fds came with.
 */
ssize_t sock_peek(int fd, void *p, size_t n, bool *fds_near) __attribute__((warn_unused_result));

/*
 * The same on a socket with SO_PASSCRED, on which sock_peek would mistake credentials for fds. The
 * bytes seen are those of one sender, which is stored in *from.
 */
ssize_t sock_peek_passed(int fd, void *p, size_t n, bool *fds_near, struct sock_sender *from)
    __attribute__((warn_unused_result));

/*
 * Looks again at n > 0 bytes that have been seen, and stores them at p, except for the last one or
 * more. Returns the number of bytes before those that one sendmsg has brought with the last one. So
 * if a look has ended with bytes that fds came with, these belong to a message that ends behind
 * that number. If fewer than n bytes are there now, returns their number, or -errno if there are
 * none.
 */
ssize_t sock_peek_last(int fd, void *p, size_t n) __attribute__((warn_unused_result));

/*
 * Takes n bytes that have been seen, and closes fds that came with them. Never blocks. Returns n,
 * fewer if the socket has another reader, or -errno if there are none.
 */
ssize_t sock_take(int fd, void *p, size_t n) __attribute__((warn_unused_result));

/*
 * Counts the fds that the next read of at most n bytes would bring: installs copies of them, at
 * most LIMIT_FDS_KERNEL, and closes these again. Returns the bytes seen, as sock_peek does, or
 * -EMFILE if this process has no room for as many.
 */
ssize_t sock_peek_fds(int fd, void *p, size_t n, unsigned *fds) __attribute__((warn_unused_result));

/* Returns true if fd, which may be anything, is a UNIX stream socket. */
bool sock_is_unix_stream(int fd);

/* Returns true if the fd is a socket that accepts connections. */
bool sock_is_listener(int fd);

/*
 * Returns true if the peer has received everything sent on this socket, including every fd, or has
 * gone. The kernel counts unread bytes with its own overhead, so only 0 is exact.
 */
bool sock_all_received(int fd);

/*
 * Sends n > 0 bytes in one call, with the fds at the first byte; fds may be NULL. The set keeps its
 * fds (the kernel has made copies); the caller closes them as soon as one byte has gone, and never
 * sends them again. flags: MSG_DONTWAIT. Returns bytes (maybe fewer than n), -EAGAIN,
 * -ETOOMANYREFS (back-pressure: fds in flight), -EPIPE.
 */
ssize_t sock_send(int fd, const void *p, size_t n, const struct fdset *fds, int flags)
    __attribute__((warn_unused_result));

/*
 * A call of which the kernel stores the result, before it returns to the process: in memory that
 * outlives a process, it is known of one that was killed whether it has sent or received, and how
 * much.
 */
struct sock_post {
    struct msghdr call; /* of the process's own, except for msg_controllen after a receipt: the room
                         * that its ancillary data took */
    uint32_t done;      /* bytes; the caller clears it before */
};

/*
 * Does sock_send, with the result also in post->done, unless it is negative. post has been written
 * to by this process, so that its memory is there.
 */
ssize_t sock_send_post(int fd, struct sock_post *post, const void *p, size_t n,
                       const struct fdset *fds, int flags) __attribute__((warn_unused_result));

/* Does the same with sock_recv_from; from may be NULL. */
ssize_t sock_recv_post(int fd, struct sock_post *post, void *p, size_t n, struct fdset *fds,
                       int flags, struct sock_sender *from) __attribute__((warn_unused_result));

/*
 * Sends all n bytes, blocking or not by the fd's own mode; fds with the first byte, kept. For tools
 * and devices, never in the daemon's loops. Returns 0, or -errno (-EAGAIN on a non-blocking fd:
 * part may have gone).
 */
int sock_send_all(int fd, const void *p, size_t n, const struct fdset *fds)
    __attribute__((warn_unused_result));

/*
 * Receives exactly n bytes; adds fds to the set. For tools and devices. Returns 0, -EPIPE (the
 * stream ended before the first byte), -ECONNRESET (… in the middle), or another -errno.
 */
int sock_recv_all(int fd, void *p, size_t n, struct fdset *fds) __attribute__((warn_unused_result));

/* Returns true if both ends of the connection are closed, not only the peer's writing. */
bool sock_hung_up(int fd);

/*
 * Returns a listening SOCK_STREAM socket at path, non-blocking, close-on-exec. Removes a socket
 * file without a listener first, but never a live one. The file gets mode (e.g. 0660), owner and
 * group ((uid_t)-1 and (gid_t)-1: unchanged) before the first connection can be made, and never a
 * file other than the socket's own. backlog as for listen(2). Changes the process's umask for a
 * moment: other threads must not create files meanwhile. Two processes that listen at the same path
 * at once take turns by PATH.lock, a file of our own that is gone afterwards; waits for it for at
 * most LIMIT_LISTEN_LOCK_MS. Returns the fd, or -EADDRINUSE (in use by a listener), -EEXIST (the
 * path is not a socket), -EPERM (owner or group cannot be set, or the socket's file cannot be told
 * from another's: sock_file.c), -ENOLCK (PATH.lock belongs to another user, is accessible to
 * others, or is not a file), -ETIMEDOUT (the lock is held), -ENAMETOOLONG, or another -errno of the
 * step that failed.
 */
int sock_listen(const char *path, mode_t mode, uid_t owner, gid_t group, int backlog)
    __attribute__((warn_unused_result));

/* The same with a SOCK_SEQPACKET socket. */
int sock_listen_packets(const char *path, mode_t mode, uid_t owner, gid_t group, int backlog)
    __attribute__((warn_unused_result));

struct stat;

/*
 * Does fstat on that file. If it cannot be opened, does so for path, which may be another file by
 * now, with our own user and group instead of its own. Returns 0 or -errno.
 */
int sock_file_stat(int listen_fd, const char *path, struct stat *st)
    __attribute__((warn_unused_result));

/* Removes the file at path, if it still is the one with these numbers. */
void sock_file_remove(const char *path, dev_t dev, ino_t ino);

/*
 * Sets owner and group of a bound socket's file ((uid_t)-1 and (gid_t)-1: unchanged), and corrects
 * its mode. Returns 0 or -errno, as sock_file_open does if owner or group are requested.
 */
int sock_file_settle(int bound_fd, const char *path, mode_t mode, uid_t owner, gid_t group)
    __attribute__((warn_unused_result));

/*
 * Connects to a SOCK_STREAM socket; the fd is close-on-exec, and non-blocking if requested. A
 * non-blocking connect succeeds at once or fails: -EAGAIN means the accept queue is full. Returns
 * the fd, -ENOENT or -ECONNREFUSED (no listener), -ENAMETOOLONG, or another -errno.
 */
int sock_connect(const char *path, bool nonblock) __attribute__((warn_unused_result));

/*
 * Connects to a SOCK_SEQPACKET socket, waiting for room in its accept queue; the fd blocks. Returns
 * it, -EPROTOTYPE (another kind of socket listens there), or as sock_connect does.
 */
int sock_connect_packets(const char *path) __attribute__((warn_unused_result));

/*
 * Connects to a SOCK_DGRAM socket, which may have a name in the abstract namespace, behind "@"; the
 * fd blocks. Returns it, or as sock_connect_packets does.
 */
int sock_connect_datagrams(const char *path) __attribute__((warn_unused_result));

/*
 * Connects a socket of sock_connect_datagrams to path again if its peer has gone and a send has
 * failed since; otherwise it stays as it is. The peer changes for all processes that have the
 * socket. Never waits. Returns 0, or -errno as sock_connect_datagrams does.
 */
int sock_rejoin_datagrams(int fd, const char *path) __attribute__((warn_unused_result));

#endif
