/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
#define _GNU_SOURCE
#include "proxy/keeper/keeper_store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sealed.h"
#include "base/sock.h"
#include "base/text/numbers.h"
#include "proxy/keeper/keeper_message.h"

/* The first fd that a service manager passes (sd_listen_fds(3)). */
#define LISTEN_FDS_START 3

/* Time for the service manager to read a message, in seconds: it may be busy with others. */
#define MANAGER_S 1

static int keeper_store_compare(const struct keeper_entry *a, const struct keeper_entry *b)
{
    return strcmp(a->name, b->name);
}

TREE_GENERATE(keeper_entries, keeper_entry, link, keeper_store_compare)

/* ---- the service manager ---- */

/*
 * Sends a message to the manager. Waits for it once; then only when it has taken all that waits.
 * Returns false if it may take it later.
 */
static bool keeper_store_send(struct keeper_store *s, const char *text, int fd)
{
    struct fdset fds;
    ssize_t sent;
    bool later;

    if (s->manager_fd < 0) {
        return true;
    }
    fdset_init(&fds);
    if (fd >= 0) {
        fds.fds[fds.n++] = fd; /* borrowed for the call */
    }
    sent = sock_send(s->manager_fd, text, strlen(text), &fds, s->deaf ? MSG_DONTWAIT : 0);
    /* ETOOMANYREFS: more fds of this user are in sockets, not received yet, than it may have. */
    later = sent == -EAGAIN || sent == -ETOOMANYREFS || sent == -ENOBUFS || sent == -ENOMEM;
    if (sent < 0 && !(later && s->deaf)) {
        log_error("the service manager did not take a message: %s", strerror((int)-sent));
    }
    s->deaf = later || (s->deaf && !TAILQ_EMPTY(&s->due));
    return !later;
}

/* Sends what the manager does not have yet, in the order in which it came about. */
static void keeper_store_settle(struct keeper_store *s)
{
    struct keeper_entry *e;

    while ((e = TAILQ_FIRST(&s->due))) {
        char text[FDSTORE_MESSAGE_MAX];

        snprintf(text, sizeof text,
                 e->fd >= 0 ? "FDSTORE=1\nFDNAME=%s\nFDPOLL=0\n" : "FDSTOREREMOVE=1\nFDNAME=%s\n",
                 e->name);
        if (keeper_message_child(e->name) == 0 && !keeper_store_send(s, text, e->fd)) {
            return;
        }
        TAILQ_REMOVE(&s->due, e, due_link);
        e->due = false;
        if (e->fd < 0) {
            free(e);
        }
    }
}

void keeper_store_notify(struct keeper_store *s, const char *line)
{
    keeper_store_settle(s);
    s->owes_ready = s->owes_ready && !keeper_store_send(s, KEEPER_STORE_READY, -1);
    s->owes_ready |= !keeper_store_send(s, line, -1) && strcmp(line, KEEPER_STORE_READY) == 0;
}

/* Enters the fd of an entry, or its end, behind all else that the manager does not have yet. */
static void keeper_store_owe(struct keeper_store *s, struct keeper_entry *e)
{
    e->due = true;
    TAILQ_INSERT_TAIL(&s->due, e, due_link);
    keeper_store_settle(s);
}

/* ---- entries ---- */

static struct keeper_entry *keeper_store_find(const struct keeper_store *s, const char *name)
{
    struct keeper_entry key = {.name = name};
    struct keeper_entries all = s->all;

    return keeper_entries_RB_FIND(&all, &key);
}

/* Enters the fd, without a word to the manager. Returns the entry, or NULL with the fd closed. */
static struct keeper_entry *keeper_store_enter_take(struct keeper_store *s, const char *name,
                                                    int fd)
{
    const size_t size = strlen(name) + 1;
    struct keeper_entry *const e = malloc(sizeof *e + size);

    if (!e) {
        close(fd);
        return NULL;
    }
    *e = (struct keeper_entry){.fd = fd, .name = memcpy(e + 1, name, size)};
    (void)keeper_entries_RB_INSERT(&s->all, e);
    s->n++;
    s->names_size += size;
    return e;
}

/*
 * Takes the entry out, unless it is NULL. The manager is sent its end, unless it never got the fd:
 * so no more of these wait than there were entries.
 */
static void keeper_store_remove(struct keeper_store *s, struct keeper_entry *e)
{
    if (!e) {
        return;
    }
    (void)keeper_entries_RB_REMOVE(&s->all, e);
    s->n--;
    s->n_wanted -= e->wanted;
    s->names_size -= strlen(e->name) + 1;
    sock_close(&e->fd);
    if (e->due) {
        TAILQ_REMOVE(&s->due, e, due_link);
        free(e);
    } else {
        keeper_store_owe(s, e);
    }
}

int keeper_store_keep_take(struct keeper_store *s, const char *name, int fd)
{
    struct keeper_entry *e;

    keeper_store_drop(s, name);
    e = keeper_store_enter_take(s, name, fd);
    if (!e) {
        return -ENOMEM;
    }
    keeper_store_owe(s, e);
    return 0;
}

void keeper_store_drop(struct keeper_store *s, const char *name)
{
    keeper_store_remove(s, keeper_store_find(s, name));
}

static struct keeper_entry *keeper_store_find_child(const struct keeper_store *s, pid_t pid)
{
    char name[32];

    snprintf(name, sizeof name, FDSTORE_CHILD_PREFIX "%ld", (long)pid);
    return keeper_store_find(s, name);
}

bool keeper_store_has_child(const struct keeper_store *s, pid_t pid)
{
    return keeper_store_find_child(s, pid) != NULL;
}

void keeper_store_want_child(struct keeper_store *s, pid_t pid)
{
    struct keeper_entry *const e = keeper_store_find_child(s, pid);

    if (e && !e->wanted) {
        e->wanted = true;
        s->n_wanted++;
    }
}

pid_t keeper_store_next_wanted(const struct keeper_store *s, pid_t after)
{
    struct keeper_entry *e = after ? keeper_store_find_child(s, after) : NULL;
    struct keeper_entries all = s->all;

    e = e ? keeper_entries_RB_NEXT(e) : RB_MIN(keeper_entries, &all);
    while (e && !e->wanted) {
        e = keeper_entries_RB_NEXT(e);
    }
    return e ? keeper_message_child(e->name) : 0;
}

void keeper_store_drop_child(struct keeper_store *s, pid_t pid)
{
    keeper_store_remove(s, keeper_store_find_child(s, pid));
}

/* ---- for the next monitor ---- */

static int keeper_store_by_fd(const void *a, const void *b)
{
    const struct keeper_entry *const *const x = a;
    const struct keeper_entry *const *const y = b;

    return ((*x)->fd > (*y)->fd) - ((*x)->fd < (*y)->fd);
}

const struct keeper_entry **keeper_store_list(const struct keeper_store *s, int *names_fd)
{
    const struct keeper_entry **const list = calloc(s->n + 1, sizeof(const struct keeper_entry *));
    char *const names = malloc(s->names_size + 1);
    struct keeper_entries all = s->all;
    struct keeper_entry *e;
    size_t i = 0;
    char *at = names;

    *names_fd = -1;
    if (list && names) {
        RB_FOREACH(e, keeper_entries, &all)
        {
            list[i++] = e;
        }
        qsort(list, i, sizeof(const struct keeper_entry *), keeper_store_by_fd);
        for (i = 0; i < s->n; i++) {
            at = stpcpy(at, list[i]->name);
            *at++ = '\n';
        }
        *names_fd = sealed_new("poemd-names", &(struct sealed_part){names, s->names_size}, 1);
    }
    free(names);
    if (*names_fd < 0) {
        free(list);
        return NULL;
    }
    return list;
}

/* ---- the beginning and the end ---- */

/* Enters what the manager has kept under this name, n characters; has no use for any other fd. */
static void keeper_store_take_one(struct keeper_store *s, const char *name, size_t n, int fd,
                                  int first_fd)
{
    const int moved_fd = fcntl(fd, F_DUPFD_CLOEXEC, first_fd);
    char text[FDSTORE_NAME_MAX + 1];

    close(fd);
    if (moved_fd < 0 || !keeper_message_name_sound(name, n)) {
        log_warning("an fd of the service manager is not used");
        if (moved_fd >= 0) {
            close(moved_fd);
        }
        return;
    }
    memcpy(text, name, n);
    text[n] = '\0';
    if (keeper_store_find(s, text) || keeper_message_child(text) > 0) {
        close(moved_fd);
    } else {
        (void)keeper_store_enter_take(s, text, moved_fd);
    }
}

/* Takes the fds that the manager has passed to this process. */
static void keeper_store_take_all(struct keeper_store *s, int first_fd)
{
    const char *const pid = getenv("LISTEN_PID");
    const char *const count = getenv("LISTEN_FDS");
    const char *names = getenv("LISTEN_FDNAMES");
    uint64_t of;
    uint64_t n;

    if (!pid || !count || !numbers_decimal(pid, INT_MAX, &of) || (pid_t)of != getpid() ||
        !numbers_decimal(count, INT_MAX - LISTEN_FDS_START, &n)) {
        return;
    }
    names = names ? names : "";
    for (int fd = LISTEN_FDS_START; fd < LISTEN_FDS_START + (int)n; fd++) {
        const size_t size = strcspn(names, ":");

        keeper_store_take_one(s, names, size, fd, first_fd);
        names += size + (names[size] == ':');
    }
}

void keeper_store_init(struct keeper_store *s, int first_fd)
{
    static const char *const variables[] = {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES",
                                            "NOTIFY_SOCKET"};
    static const struct timeval patience = {.tv_sec = MANAGER_S};
    const char *const where = getenv("NOTIFY_SOCKET");

    *s = (struct keeper_store){.manager_fd = -1};
    RB_INIT(&s->all);
    TAILQ_INIT(&s->due);
    keeper_store_take_all(s, first_fd);
    if (where) {
        s->manager_fd = sock_connect_datagrams(where);
        if (s->manager_fd < 0) {
            log_error("cannot reach the service manager: %s", strerror(-s->manager_fd));
        } else {
            (void)setsockopt(s->manager_fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        }
    }
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        unsetenv(variables[i]);
    }
}

void keeper_store_deinit(struct keeper_store *s, bool leave)
{
    struct keeper_entry *e;

    if (leave) {
        s->deaf = false;
        keeper_store_settle(s);
    }
    sock_close(&s->manager_fd);
    keeper_store_settle(s);
    while ((e = RB_MIN(keeper_entries, &s->all))) {
        /* A listener may be the service manager's, which listens on. */
        if (!leave && sock_is_unix_stream(e->fd) && !sock_is_listener(e->fd)) {
            sock_hang_up(&e->fd);
        }
        keeper_store_remove(s, e);
    }
}
