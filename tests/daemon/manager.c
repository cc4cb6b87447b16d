/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
#define _GNU_SOURCE
#include "tests/daemon/manager.h"

#include <check.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fdset.h"
#include "base/sock.h"
#include "base/text/numbers.h"
#include "tests/daemon/rig.h"
#include "tests/support/patience.h"
#include "tests/support/process.h"
#include "tests/support/unit.h"

void manager_init(struct manager *m)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    *m = (struct manager){.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    ck_assert_int_ge(m->fd, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", unit_path("notify.sock"));
    ck_assert_int_eq(bind(m->fd, (const struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(setenv("NOTIFY_SOCKET", address.sun_path, 1), 0);
}

static void manager_take(struct manager *m, const char *name, int fd)
{
    ck_assert_uint_lt(m->n, MANAGER_KEPT);
    snprintf(m->kept[m->n].name, sizeof m->kept[m->n].name, "%s", name);
    m->kept[m->n++].fd = fd;
}

void manager_keep(struct manager *m, const char *name, int fd)
{
    manager_take(m, name, dup(fd));
}

static void manager_remove(struct manager *m, const char *name)
{
    for (unsigned i = 0; i < m->n; i++) {
        if (strcmp(m->kept[i].name, name) == 0) {
            close(m->kept[i].fd);
            m->kept[i] = m->kept[--m->n];
            i--;
        }
    }
}

/* Dispatches one message; the fds are those that came with it. */
static void manager_dispatch(struct manager *m, char *text, struct fdset *fds)
{
    char *save = NULL;
    const char *name = "";
    bool store = false;
    bool remove = false;
    bool poll_off = false;
    bool reloading = false;
    uint64_t usec = 0;

    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        if (strncmp(line, "FDNAME=", 7) == 0) {
            name = line + 7;
        } else if (strcmp(line, "FDSTORE=1") == 0) {
            store = true;
        } else if (strcmp(line, "FDSTOREREMOVE=1") == 0) {
            remove = true;
        } else if (strcmp(line, "FDPOLL=0") == 0) {
            poll_off = true;
        } else if (strcmp(line, "READY=1") == 0) {
            m->ready++;
        } else if (strcmp(line, "STOPPING=1") == 0) {
            m->stopping++;
        } else if (strcmp(line, "WATCHDOG=1") == 0) {
            m->alive++;
        } else if (strncmp(line, "STATUS=", 7) == 0) {
            snprintf(m->status, sizeof m->status, "%s", line + 7);
        } else if (strcmp(line, "RELOADING=1") == 0) {
            reloading = true;
        } else if (strncmp(line, "MONOTONIC_USEC=", 15) == 0) {
            /* Of this clock, and not of the future. */
            ck_assert(numbers_decimal(line + 15, clock_ns() / 1000, &usec));
        } else {
            ck_abort_msg("the manager does not know \"%s\"", line);
        }
    }
    ck_assert(reloading == (usec > 0));
    m->reloading += reloading;
    ck_assert_uint_eq(fds->n, store ? 1 : 0);
    ck_assert((store || remove) == (*name != '\0'));
    /* It would close an fd with POLLHUP otherwise. */
    ck_assert(store == poll_off);
    if (store) {
        manager_take(m, name, fdset_steal(fds, 0));
    } else if (remove) {
        manager_remove(m, name);
    }
}

void manager_hear(struct manager *m)
{
    char text[4096];
    struct fdset fds;
    ssize_t n;

    for (;;) {
        fdset_init(&fds);
        n = sock_recv(m->fd, text, sizeof text - 1, &fds, MSG_DONTWAIT);
        if (n <= 0) {
            break;
        }
        text[n] = '\0';
        manager_dispatch(m, text, &fds);
        fdset_close(&fds);
    }
}

static bool manager_has(const struct manager *m, const char *name)
{
    bool has = false;

    for (unsigned i = 0; i < m->n; i++) {
        has = has || strcmp(m->kept[i].name, name) == 0;
    }
    return has;
}

void manager_await(struct manager *m, const char *name, bool kept)
{
    const struct patience patience = patience_begin();
    struct pollfd p = {.fd = m->fd, .events = POLLIN};

    for (manager_hear(m); manager_has(m, name) != kept; manager_hear(m)) {
        ck_assert_msg(poll(&p, 1, patience_left(&patience)) == 1, "\"%s\" is %s kept", name,
                      kept ? "not" : "still");
    }
}

void manager_await_status(struct manager *m, const char *text)
{
    const struct patience patience = patience_begin();
    struct pollfd p = {.fd = m->fd, .events = POLLIN};

    for (manager_hear(m); !strstr(m->status, text); manager_hear(m)) {
        ck_assert_msg(poll(&p, 1, patience_left(&patience)) == 1, "the status is \"%s\"",
                      m->status);
    }
}

void manager_await_count(struct manager *m, const unsigned *count, unsigned n)
{
    const struct patience patience = patience_begin();
    struct pollfd p = {.fd = m->fd, .events = POLLIN};

    for (manager_hear(m); *count < n; manager_hear(m)) {
        ck_assert_msg(poll(&p, 1, patience_left(&patience)) == 1, "it was notified %u times",
                      *count);
    }
}

void manager_launch(struct manager *m, struct rig *r)
{
    char names[MANAGER_KEPT * 256] = "";
    int fds[MANAGER_KEPT];
    size_t at = 0;

    for (unsigned i = 0; i < m->n; i++) {
        fds[i] = m->kept[i].fd;
        at +=
            (size_t)snprintf(names + at, sizeof names - at, "%s%s", i ? ":" : "", m->kept[i].name);
    }
    rig_launch_passed(r, &(struct process_passed){fds, m->n, names});
}

void manager_leave(struct manager *m, struct rig *r)
{
    int status;

    ck_assert_int_eq(kill(r->daemon, SIGRTMIN + 1), 0);
    status = process_wait(r->daemon);
    r->daemon = 0;
    ck_assert_int_eq(status, 0);
    manager_hear(m);
}

void manager_deinit(struct manager *m)
{
    while (m->n > 0) {
        close(m->kept[--m->n].fd);
    }
    sock_close(&m->fd);
    ck_assert_int_eq(unsetenv("NOTIFY_SOCKET"), 0);
}
