/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The fds that the keeper has, by name, and the service manager's store behind it
 * ($NOTIFY_SOCKET, sd_notify(3)): what is kept or dropped here is kept or dropped there, except for
 * processes, which do not outlive this one.
 */
#ifndef POEMD_PROXY_KEEPER_KEEPER_STORE_H
#define POEMD_PROXY_KEEPER_KEEPER_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "base/tree.h"

struct keeper_entry {
    RB_ENTRY(keeper_entry) link;
    TAILQ_ENTRY(keeper_entry) due_link;
    int fd;           /* -1: dropped, and only due */
    bool due;         /* the manager has not got it yet, or not its end */
    bool wanted;      /* a process that is to be collected as soon as the kernel permits */
    const char *name; /* behind this structure */
};

RB_HEAD(keeper_entries, keeper_entry);
TAILQ_HEAD(keeper_due, keeper_entry);

struct keeper_store {
    struct keeper_entries all;
    struct keeper_due due; /* in the order in which the manager gets them */
    size_t n;
    size_t n_wanted;   /* entries */
    size_t names_size; /* bytes of all names, with one more for each */
    int manager_fd;    /* connected to the service manager, or -1 */
    bool deaf;         /* it did not take a message in time, and more may wait */
    bool owes_ready;   /* likewise KEEPER_STORE_READY */
};

/* All sockets listen and all workers are ready; or a reload is over. */
#define KEEPER_STORE_READY "READY=1\n"

/*
 * Starts empty, then takes what the service manager has kept ($LISTEN_FDS), and connects to it.
 * Removes its variables from the environment. The fds get numbers of at least first_fd.
 */
void keeper_store_init(struct keeper_store *s, int first_fd);

/*
 * Keeps the fd under the name, instead of an older one. Returns 0, or -ENOMEM with the fd closed.
 */
int keeper_store_keep_take(struct keeper_store *s, const char *name, int fd)
    __attribute__((warn_unused_result));

/* Closes the fd of that name, if there is one. */
void keeper_store_drop(struct keeper_store *s, const char *name);

/* Returns true if a process of this pid is kept. */
bool keeper_store_has_child(const struct keeper_store *s, pid_t pid);

/* Notes that the process is to be collected, if it is kept. */
void keeper_store_want_child(struct keeper_store *s, pid_t pid);

/* Returns the first wanted process behind the given one (0: the very first), or 0. */
pid_t keeper_store_next_wanted(const struct keeper_store *s, pid_t after);

/* Forgets a process that has been collected. */
void keeper_store_drop_child(struct keeper_store *s, pid_t pid);

/*
 * Returns the entries, s->n of them, by the numbers of their fds, and writes their names, each with
 * a newline behind it, to a new file in memory. Free the list with free. NULL: errno.
 */
const struct keeper_entry **keeper_store_list(const struct keeper_store *s, int *names_fd)
    __attribute__((warn_unused_result));

/*
 * Sends a line to the service manager, if there is one; before it, all that the manager could not
 * take earlier: fds, and KEEPER_STORE_READY. Other lines are lost if it cannot take them.
 */
void keeper_store_notify(struct keeper_store *s, const char *line);

/*
 * Closes everything. A peer of a socket sees the end of its stream and no error, unless the service
 * manager has a copy.
 */
void keeper_store_deinit(struct keeper_store *s, bool leave);

#endif
