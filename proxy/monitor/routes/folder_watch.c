/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
#define _GNU_SOURCE
#include "proxy/monitor/routes/folder_watch.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/log.h"
#include "proxy/config/text/config_source.h"

#define COMES_AND_GOES (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)
#define LOST (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED)

/* Reads in one turn of the loop; the rest is read in the next. */
#define READS 16

struct folder_watch_item {
    char *path; /* in which the folders are */
    int wd;     /* -1: not watched */
    bool told;  /* why it is not watched has been logged */
};

struct folder_watch {
    int fd;
    struct event *readable;
    size_t n;
    struct folder_watch_item *items;
    bool changed;
};

static void folder_watch_lost(struct folder_watch *w, int wd)
{
    for (size_t i = 0; i < w->n; i++) {
        if (w->items[i].wd == wd) {
            w->items[i].wd = -1;
        }
    }
}

static void folder_watch_on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct folder_watch *const w = arg;
    union {
        struct inotify_event event;
        char bytes[4096];
    } room;

    (void)what;
    for (int i = 0; i < READS; i++) {
        const ssize_t n = read(fd, &room, sizeof room);

        for (ssize_t at = 0; at < n;) {
            struct inotify_event e;

            memcpy(&e, room.bytes + at, sizeof e);
            at += (ssize_t)(sizeof e + e.len);
            w->changed = w->changed || e.mask & (IN_Q_OVERFLOW | LOST) ||
                         (e.mask & COMES_AND_GOES && e.mask & IN_ISDIR);
            if (e.mask & LOST) {
                folder_watch_lost(w, e.wd);
            }
        }
        if (n <= 0) {
            return;
        }
    }
}

int folder_watch_new(struct folder_watch **out, struct event_base *base)
{
    struct folder_watch *const w = calloc(1, sizeof *w);

    if (!w) {
        return -ENOMEM;
    }
    *out = w;
    w->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (w->fd < 0) {
        return -errno;
    }
    w->readable = event_new(base, w->fd, EV_READ | EV_PERSIST, folder_watch_on_readable, w);
    return w->readable && event_add(w->readable, NULL) == 0 ? 0 : -ENOMEM;
}

static void folder_watch_forget(struct folder_watch *w)
{
    for (size_t i = 0; i < w->n; i++) {
        if (w->items[i].wd >= 0) {
            (void)inotify_rm_watch(w->fd, w->items[i].wd);
        }
        free(w->items[i].path);
    }
    free(w->items);
    w->items = NULL;
    w->n = 0;
}

void folder_watch_free(struct folder_watch *w)
{
    if (!w) {
        return;
    }
    folder_watch_forget(w);
    if (w->readable) {
        event_free(w->readable);
    }
    if (w->fd >= 0) {
        close(w->fd);
    }
    free(w);
}

/* Returns true if the folder can be watched from now on. */
static bool folder_watch_add(struct folder_watch *w, struct folder_watch_item *it)
{
    it->wd = inotify_add_watch(w->fd, it->path,
                               COMES_AND_GOES | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR);
    if (it->wd < 0 && errno != ENOENT && !it->told) {
        char shown[512];

        it->told = true;
        log_warning("cannot watch \"%s\": %s; reload when a folder was added or removed there",
                    log_escape(shown, sizeof shown, it->path, strlen(it->path)), strerror(errno));
    }
    return it->wd >= 0;
}

/* Returns true if these are the places of the configuration's patterns. */
static bool folder_watch_is_of(const struct folder_watch *w, const struct config *c)
{
    for (size_t i = 0; i < w->n && i < c->folders.n; i++) {
        const char *const pattern = c->folders.items[i].text;
        const size_t n = config_source_star(pattern);

        if (strlen(w->items[i].path) != n || memcmp(w->items[i].path, pattern, n) != 0) {
            return false;
        }
    }
    return w->n == c->folders.n;
}

/* Follows a configuration with other patterns. */
static void folder_watch_follow(struct folder_watch *w, const struct config *c)
{
    folder_watch_forget(w);
    w->items = calloc(c->folders.n + 1, sizeof *w->items);
    for (size_t i = 0; w->items && i < c->folders.n; i++) {
        const char *const pattern = c->folders.items[i].text;
        char *const path = strndup(pattern, config_source_star(pattern));

        if (!path) {
            break;
        }
        w->items[w->n] = (struct folder_watch_item){.path = path, .wd = -1};
        (void)folder_watch_add(w, &w->items[w->n++]);
    }
    /* The folders may have changed between the configuration's reading and the watch. */
    w->changed = w->n > 0;
}

bool folder_watch_beat(struct folder_watch *w, const struct config *c)
{
    bool changed;

    if (!folder_watch_is_of(w, c)) {
        folder_watch_follow(w, c);
    }
    for (size_t i = 0; i < w->n; i++) {
        if (w->items[i].wd < 0 && folder_watch_add(w, &w->items[i])) {
            w->changed = true;
        }
    }
    changed = w->changed;
    w->changed = false;
    return changed;
}
