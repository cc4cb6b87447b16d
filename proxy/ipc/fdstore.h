/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The monitor's side of the keeper (proxy/keeper/): fds that outlive the monitor, by name, and the
 * collection of processes that are the keeper's children.
 *
 * A name has one fd. What was kept when the monitor started can be taken once; it stays kept. A
 * message that was sent reaches the keeper even if the monitor dies right afterwards. Nothing here
 * blocks.
 *
 * Every function takes NULL for a process without a keeper, as tests are: nothing is kept then.
 */
#ifndef POEMD_PROXY_IPC_FDSTORE_H
#define POEMD_PROXY_IPC_FDSTORE_H

#include <stdbool.h>
#include <sys/types.h>

#include "proxy/ipc/fdstore_wire.h"

struct event_base;
struct fdstore;

/*
 * Creates the monitor's side; takes keeper_fd, names_fd and, from first_fd on, as many fds as the
 * file has names. Returns 0, -EINVAL if names or fds are not as fdstore_wire.h has them, -ENOMEM,
 * or another -errno: then none of the fds is of use any more.
 */
int fdstore_new_take(struct fdstore **out, struct event_base *base, int keeper_fd, int names_fd,
                     int first_fd) __attribute__((warn_unused_result));

/* Closes what has not been taken, without dropping it. */
void fdstore_free(struct fdstore *s);

/*
 * Keeps a copy of fd (borrowed) under the name, instead of any older one. Returns 0, -EAGAIN if the
 * socket is full (the keeper is not running), -EPIPE if the keeper has gone, -ENOTCONN if s is
 * NULL, or another -errno.
 */
int fdstore_keep(struct fdstore *s, const char *name, int fd) __attribute__((warn_unused_result));

/*
 * Drops the fd of that name, if any. If the socket is full this is done later, before anything else
 * is sent: a peer must see its socket close. Out of memory for that, the fd stays kept.
 */
void fdstore_drop(struct fdstore *s, const char *name);

/*
 * Takes the fd that was kept under the name before this monitor started. Returns it, close-on-exec
 * and the caller's, or -ENOENT. It stays kept until fdstore_drop.
 */
int fdstore_take(struct fdstore *s, const char *name) __attribute__((warn_unused_result));

/* Returns the fd that fdstore_take would, borrowed until it is taken, or -ENOENT. */
int fdstore_look(const struct fdstore *s, const char *name) __attribute__((warn_unused_result));

/*
 * Returns the first name, in strcmp's order, that begins with the prefix, has not been taken and
 * comes after the given one (NULL: the very first), or NULL. It is valid until it is taken; after
 * may have been taken meanwhile.
 */
const char *fdstore_next(const struct fdstore *s, const char *prefix, const char *after);

/* Drops and closes everything that was kept before this monitor started and not taken. */
void fdstore_drop_rest(struct fdstore *s);

/* Passes READY=1 on: all sockets listen, all workers are ready. Returns 0 or -errno. */
int fdstore_ready(struct fdstore *s) __attribute__((warn_unused_result));

/*
 * Has the keeper go on as another program (borrowed fd) when this process has ended. Returns 0 or
 * -errno, as fdstore_keep does.
 */
int fdstore_upgrade(struct fdstore *s, int program_fd) __attribute__((warn_unused_result));

/* Passes STOPPING=1 on. */
void fdstore_stopping(struct fdstore *s);

/* Passes on that a reload begins, and that it is over. */
void fdstore_reloading(struct fdstore *s);
void fdstore_reloaded(struct fdstore *s);

/*
 * Notifies the keeper that this process makes its turns, every LIMIT_BEAT_MS. status is a sentence
 * for the service manager, printable ASCII of at most 200 characters, or NULL.
 */
void fdstore_alive(struct fdstore *s, const char *status);

/* ---- for children.c ---- */

/* A process has been collected; status as of waitpid. */
typedef void fdstore_collected_fn(void *arg, pid_t pid, int status);

/* Sets the receiver of fdstore_collect's answers. */
void fdstore_on_collected(struct fdstore *s, fdstore_collected_fn *fn, void *arg);

/*
 * Begins and ends the start of processes: between these two the keeper collects none of which it
 * does not know. Returns 0 or -errno, as fdstore_keep does.
 */
int fdstore_fork_begin(struct fdstore *s) __attribute__((warn_unused_result));
void fdstore_fork_end(struct fdstore *s);

/*
 * Has the keeper collect a child that has ended; the answer comes from the loop. Returns 0, or
 * -errno: then there will be no answer.
 */
int fdstore_collect(struct fdstore *s, pid_t pid) __attribute__((warn_unused_result));

#endif
