/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Messages to the keeper, and what it had kept. */
#define _GNU_SOURCE
#include "proxy/ipc/fdstore.h"

#include <bsd/sys/queue.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/sock.h"
#include "base/text/numbers.h"
#include "base/tree.h"

/* Kept before this monitor started, and not taken. */
struct fdstore_kept {
    RB_ENTRY(fdstore_kept) link;
    const char *name; /* in the text of all names, or a key's */
    int fd;
};

RB_HEAD(fdstore_all, fdstore_kept);

/* A message without fds that waits for room. */
struct fdstore_message {
    STAILQ_ENTRY(fdstore_message) link;
    size_t n;
    char text[];
};

struct fdstore {
    int socket_fd;
    struct event *readable;
    struct event *writable;
    STAILQ_HEAD(, fdstore_message) waiting;
    struct fdstore_all kept;
    char *names; /* each ends in NUL */
    fdstore_collected_fn *collected;
    void *arg;
};

static int fdstore_compare(const struct fdstore_kept *a, const struct fdstore_kept *b)
{
    return strcmp(a->name, b->name);
}

TREE_GENERATE(fdstore_all, fdstore_kept, link, fdstore_compare)

/* ---- sending ---- */

/* Sends a message. Returns 0 or -errno; -EAGAIN if there is no room. */
static int fdstore_send(struct fdstore *s, const char *text, size_t n, int fd)
{
    struct fdset fds;
    ssize_t sent;

    fdset_init(&fds);
    if (fd >= 0) {
        fds.fds[fds.n++] = fd; /* borrowed for the call */
    }
    sent = sock_send(s->socket_fd, text, n, fd >= 0 ? &fds : NULL, MSG_DONTWAIT);
    if (sent == -ENOBUFS || sent == -ETOOMANYREFS) {
        return -EAGAIN;
    }
    return sent < 0 ? (int)sent : 0;
}

/* Sends what waits. Returns false if something still does. */
static bool fdstore_flush(struct fdstore *s)
{
    struct fdstore_message *m;

    while ((m = STAILQ_FIRST(&s->waiting))) {
        if (fdstore_send(s, m->text, m->n, -1) == -EAGAIN) {
            event_add(s->writable, NULL);
            return false;
        }
        STAILQ_REMOVE_HEAD(&s->waiting, link);
        free(m);
    }
    return true;
}

static void fdstore_on_writable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)fdstore_flush(arg);
}

static int fdstore_wait(struct fdstore *s, const char *text, size_t n)
{
    struct fdstore_message *const m = malloc(sizeof *m + n);

    if (!m) {
        return -ENOMEM;
    }
    m->n = n;
    memcpy(m->text, text, n);
    STAILQ_INSERT_TAIL(&s->waiting, m, link);
    event_add(s->writable, NULL);
    return 0;
}

/* Sends a message without fds behind those that wait, now or later. Returns 0 or -errno. */
static int fdstore_post(struct fdstore *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static int fdstore_post(struct fdstore *s, const char *fmt, ...)
{
    char text[FDSTORE_MESSAGE_MAX];
    va_list ap;
    int err = -EAGAIN;
    int n;

    if (!s) {
        return -ENOTCONN;
    }
    va_start(ap, fmt);
    n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof text) {
        return -ENAMETOOLONG;
    }
    if (fdstore_flush(s)) {
        err = fdstore_send(s, text, (size_t)n, -1);
    }
    return err == -EAGAIN ? fdstore_wait(s, text, (size_t)n) : err;
}

/* Sends a message that cannot wait, with its fd (-1: none). Returns 0 or -errno. */
static int fdstore_send_now(struct fdstore *s, const char *text, int fd)
{
    if (!s) {
        return -ENOTCONN;
    }
    return fdstore_flush(s) ? fdstore_send(s, text, strlen(text), fd) : -EAGAIN;
}

int fdstore_keep(struct fdstore *s, const char *name, int fd)
{
    char text[FDSTORE_MESSAGE_MAX];
    const int n = snprintf(text, sizeof text, "FDSTORE=1\nFDNAME=%s\nFDPOLL=0\n", name);

    if (s && (strlen(name) > FDSTORE_NAME_MAX || (size_t)n >= sizeof text)) {
        return -ENAMETOOLONG;
    }
    return fdstore_send_now(s, text, fd);
}

void fdstore_drop(struct fdstore *s, const char *name)
{
    const int err = fdstore_post(s, "FDSTOREREMOVE=1\nFDNAME=%s\n", name);

    if (err && err != -ENOTCONN && err != -EPIPE) {
        log_error("cannot drop \"%s\" from the keeper: %s", name, strerror(-err));
    }
}

int fdstore_ready(struct fdstore *s)
{
    return fdstore_post(s, "READY=1\n");
}

int fdstore_upgrade(struct fdstore *s, int program_fd)
{
    return fdstore_send_now(s, "UPGRADE=1\n", program_fd);
}

void fdstore_stopping(struct fdstore *s)
{
    (void)fdstore_post(s, "STOPPING=1\n");
}

void fdstore_reloading(struct fdstore *s)
{
    (void)fdstore_post(s, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\n", clock_ns() / 1000);
}

void fdstore_reloaded(struct fdstore *s)
{
    (void)fdstore_post(s, "RELOADED=1\n");
}

void fdstore_alive(struct fdstore *s, const char *status)
{
    static const char alive[] = "WATCHDOG=1\n";

    /* A keeper that does not read is not sent more of these than it has room for. */
    if (status) {
        (void)fdstore_post(s, "WATCHDOG=1\nSTATUS=%s\n", status);
    } else {
        (void)fdstore_send_now(s, alive, -1);
    }
}

int fdstore_fork_begin(struct fdstore *s)
{
    return fdstore_send_now(s, "FORKING=1\n", -1);
}

void fdstore_fork_end(struct fdstore *s)
{
    (void)fdstore_post(s, "FORKING=0\n");
}

int fdstore_collect(struct fdstore *s, pid_t pid)
{
    return fdstore_post(s, "COLLECT=%ld\n", (long)pid);
}

/* ---- what was kept ---- */

static struct fdstore_kept *fdstore_find(const struct fdstore *s, const char *name)
{
    struct fdstore_kept key = {.name = name};
    struct fdstore_all all = s->kept;

    return fdstore_all_RB_FIND(&all, &key);
}

int fdstore_look(const struct fdstore *s, const char *name)
{
    const struct fdstore_kept *const k = s ? fdstore_find(s, name) : NULL;

    return k ? k->fd : -ENOENT;
}

int fdstore_take(struct fdstore *s, const char *name)
{
    struct fdstore_kept *const k = s ? fdstore_find(s, name) : NULL;
    int fd;

    if (!k) {
        return -ENOENT;
    }
    fd = k->fd;
    (void)fdstore_all_RB_REMOVE(&s->kept, k);
    free(k);
    return fd;
}

const char *fdstore_next(const struct fdstore *s, const char *prefix, const char *after)
{
    struct fdstore_kept key = {.name = after ? after : prefix};
    struct fdstore_all all = s ? s->kept : (struct fdstore_all){NULL};
    struct fdstore_kept *k = fdstore_all_RB_NFIND(&all, &key);

    if (k && after && strcmp(k->name, after) == 0) {
        k = fdstore_all_RB_NEXT(k);
    }
    return k && strncmp(k->name, prefix, strlen(prefix)) == 0 ? k->name : NULL;
}

void fdstore_drop_rest(struct fdstore *s)
{
    const char *name;

    while ((name = fdstore_next(s, "", NULL))) {
        fdstore_drop(s, name);
        close(fdstore_take(s, name));
    }
}

/* Enters the fd that has the name. Returns 0 or -errno. */
static int fdstore_enter(struct fdstore *s, const char *name, int fd)
{
    struct fdstore_kept *k;

    if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || *name == '\0') {
        return -EINVAL;
    }
    k = malloc(sizeof *k);
    if (!k) {
        return -ENOMEM;
    }
    *k = (struct fdstore_kept){.name = name, .fd = fd};
    if (fdstore_all_RB_INSERT(&s->kept, k)) {
        free(k);
        return -EINVAL;
    }
    return 0;
}

/* Reads the file of names, each with a newline behind it. Returns its size or -errno. */
static ssize_t fdstore_read_names(struct fdstore *s, int names_fd)
{
    struct stat st;
    ssize_t n;

    if (fstat(names_fd, &st) < 0) {
        return -errno;
    }
    s->names = malloc((size_t)st.st_size + 1);
    if (!s->names) {
        return -ENOMEM;
    }
    n = pread(names_fd, s->names, (size_t)st.st_size, 0);
    if (n != st.st_size || (n > 0 && s->names[n - 1] != '\n')) {
        return n < 0 ? -errno : -EINVAL;
    }
    s->names[n] = '\0';
    return n;
}

static int fdstore_enter_all(struct fdstore *s, int names_fd, int first_fd)
{
    const ssize_t n = fdstore_read_names(s, names_fd);
    char *at = s->names;
    int err = 0;

    if (n < 0 || !at) {
        return n < 0 ? (int)n : -EINVAL;
    }
    while (!err && at < s->names + n) {
        char *const end = strchr(at, '\n');

        if (!end) {
            return -EINVAL;
        }
        *end = '\0';
        err = fdstore_enter(s, at, first_fd++);
        at = end + 1;
    }
    return err;
}

/* ---- receiving ---- */

static bool fdstore_read_one(struct fdstore *s)
{
    static const char word[] = "COLLECTED=";
    char text[FDSTORE_MESSAGE_MAX + 1];
    uint64_t numbers[2];
    struct fdset fds;
    ssize_t n;

    fdset_init(&fds);
    n = sock_recv(s->socket_fd, text, sizeof text - 1, &fds, MSG_DONTWAIT);
    fdset_close(&fds);
    if (n <= 0) {
        if (n != -EAGAIN) {
            /* The keeper is dead; the kernel has sent this process a signal as well. */
            event_del(s->readable);
        }
        return false;
    }
    text[n] = '\0';
    if (strncmp(text, word, sizeof word - 1) == 0 &&
        numbers_series(text + sizeof word - 1, " ", numbers, 2) == 2 && s->collected) {
        s->collected(s->arg, (pid_t)numbers[0], (int)numbers[1]);
    }
    return true;
}

static void fdstore_on_readable(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)fdstore_read_one(arg);
}

void fdstore_on_collected(struct fdstore *s, fdstore_collected_fn *fn, void *arg)
{
    if (s) {
        s->collected = fn;
        s->arg = arg;
    }
}

/* ---- creation ---- */

void fdstore_free(struct fdstore *s)
{
    struct fdstore_message *m;
    const char *name;

    if (!s) {
        return;
    }
    while ((m = STAILQ_FIRST(&s->waiting))) {
        STAILQ_REMOVE_HEAD(&s->waiting, link);
        free(m);
    }
    while ((name = fdstore_next(s, "", NULL))) {
        close(fdstore_take(s, name));
    }
    if (s->readable) {
        event_free(s->readable);
    }
    if (s->writable) {
        event_free(s->writable);
    }
    sock_close(&s->socket_fd);
    free(s->names);
    free(s);
}

int fdstore_new_take(struct fdstore **out, struct event_base *base, int keeper_fd, int names_fd,
                     int first_fd)
{
    struct fdstore *s = calloc(1, sizeof *s);
    int err;

    *out = NULL;
    if (!s) {
        close(keeper_fd);
        close(names_fd);
        return -ENOMEM;
    }
    STAILQ_INIT(&s->waiting);
    RB_INIT(&s->kept);
    s->socket_fd = keeper_fd;
    err = fcntl(keeper_fd, F_SETFD, FD_CLOEXEC) < 0 ? -errno : 0;
    if (!err) {
        err = fdstore_enter_all(s, names_fd, first_fd);
    }
    close(names_fd);
    s->readable = event_new(base, keeper_fd, EV_READ | EV_PERSIST, fdstore_on_readable, s);
    s->writable = event_new(base, keeper_fd, EV_WRITE, fdstore_on_writable, s);
    if (!err && (!s->readable || !s->writable || event_add(s->readable, NULL) < 0)) {
        err = -ENOMEM;
    }
    if (err) {
        fdstore_free(s);
        return err;
    }
    *out = s;
    return 0;
}
