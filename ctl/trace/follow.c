/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Watches a file with inotify, and its folder until the file exists. Since some network file
 * systems send no events, the file is also read again at intervals. Polls a pipe.
 */
#define _GNU_SOURCE
#include "ctl/trace/follow.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/clock.h"

/* Time without an event after which the file is read again. */
#define LOOK_MS 200

/* Time in which the writer of a pipe can end after a signal. */
#define LAST_MS 500

static volatile sig_atomic_t stopped;

static void follow_stop(int signal_number)
{
    (void)signal_number;
    stopped = 1;
}

bool follow_stopped(void)
{
    return stopped != 0;
}

static int follow_watch_folder(struct follow *f)
{
    char folder[4096];
    const char *slash = strrchr(f->path, '/');
    const size_t n = slash ? (size_t)(slash - f->path) + 1 : 0;

    if (n >= sizeof folder) {
        return -ENAMETOOLONG;
    }
    memcpy(folder, f->path, n);
    folder[n] = '\0';
    f->dir = inotify_add_watch(f->inotify_fd, n ? folder : ".",
                               IN_CREATE | IN_MOVED_TO | IN_ATTRIB | IN_ONLYDIR);
    return f->dir < 0 ? -errno : 0;
}

/* Returns 0 or -errno. */
static int follow_catch_signals(void)
{
    const struct sigaction sa = {.sa_handler = follow_stop};

    return sigaction(SIGINT, &sa, NULL) < 0 || sigaction(SIGTERM, &sa, NULL) < 0 ? -errno : 0;
}

int follow_begin(struct follow *f, const char *path)
{
    int err;

    *f = (struct follow){.inotify_fd = -1, .dir = -1, .file = -1, .path = path, .pipe_fd = -1};
    f->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (f->inotify_fd < 0) {
        return -errno;
    }
    err = follow_catch_signals();
    return err ? err : follow_watch_folder(f);
}

int follow_begin_pipe(struct follow *f, int fd)
{
    *f = (struct follow){.inotify_fd = -1, .dir = -1, .file = -1, .path = "", .pipe_fd = fd};
    return follow_catch_signals();
}

bool follow_ready(void *arg)
{
    struct follow *const f = arg;
    struct pollfd p = {.fd = f->pipe_fd, .events = POLLIN};

    f->ready = poll(&p, 1, 0) > 0;
    return f->ready;
}

bool follow_at_end(const struct follow *f)
{
    return f->pipe_fd >= 0 && f->ready;
}

void follow_end(struct follow *f)
{
    if (f->inotify_fd >= 0) {
        close(f->inotify_fd);
        f->inotify_fd = -1;
    }
}

/* Reads all events; returns true if a writer has closed the file. */
static bool follow_take_events(struct follow *f)
{
    _Alignas(struct inotify_event) char bytes[4096];
    bool closed = false;
    ssize_t n;

    while ((n = read(f->inotify_fd, bytes, sizeof bytes)) > 0) {
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *e = (const void *)(bytes + at);

            closed = closed || (e->wd == f->file && (e->mask & IN_CLOSE_WRITE));
            at += (ssize_t)(sizeof *e + e->len);
        }
    }
    return closed;
}

static enum follow_event follow_wait_pipe(struct follow *f)
{
    struct pollfd p = {.fd = f->pipe_fd, .events = POLLIN};
    uint64_t now = clock_ms();
    int n;

    if (stopped && f->stop_ms == 0) {
        f->stop_ms = now + LAST_MS;
    }
    if (f->stop_ms != 0 && now >= f->stop_ms) {
        return FOLLOW_STOP;
    }
    n = poll(&p, 1, LOOK_MS);
    if (n < 0 && errno != EINTR) {
        return FOLLOW_FAILED;
    }
    return n > 0 ? FOLLOW_GROWN : FOLLOW_IDLE;
}

enum follow_event follow_wait(struct follow *f)
{
    struct pollfd p = {.fd = f->inotify_fd, .events = POLLIN};
    int n;

    if (f->pipe_fd >= 0) {
        return follow_wait_pipe(f);
    }
    if (stopped) {
        return FOLLOW_STOP;
    }
    n = poll(&p, 1, LOOK_MS);
    if (stopped) {
        return FOLLOW_STOP;
    }
    if (n < 0 && errno != EINTR) {
        return FOLLOW_FAILED;
    }
    if (n <= 0) {
        return FOLLOW_IDLE;
    }
    return follow_take_events(f) ? FOLLOW_CLOSED : FOLLOW_GROWN;
}

int follow_until_there(struct follow *f)
{
    while ((f->file = inotify_add_watch(f->inotify_fd, f->path, IN_MODIFY | IN_CLOSE_WRITE)) < 0) {
        if (errno != ENOENT) {
            return -errno;
        }
        switch (follow_wait(f)) {
        case FOLLOW_STOP:
            return -EINTR;
        case FOLLOW_FAILED:
            return -EIO;
        case FOLLOW_GROWN:
        case FOLLOW_IDLE:
        case FOLLOW_CLOSED:
            break;
        }
    }
    if (inotify_rm_watch(f->inotify_fd, f->dir) < 0) {
        return -errno;
    }
    f->dir = -1;
    return 0;
}
