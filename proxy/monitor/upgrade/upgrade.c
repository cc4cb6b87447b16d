/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Checks a program, and hands it to the keeper. */
#define _GNU_SOURCE
#include "proxy/monitor/upgrade/upgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/sock.h"
#include "proxy/ipc/fdstore.h"
#include "proxy/monitor/keep/state_file.h"
#include "proxy/monitor/monitor_context.h"
#include "proxy/monitor/upgrade/upgrade_check.h"
#include "proxy/monitor/upgrade/upgrade_note.h"

struct upgrade {
    struct monitor_context *context;
    char *const *words;
    void (*go)(void *arg);
    void *go_arg;
    struct upgrade_request request; /* while it is carried out */
    int program_fd;                 /* -1: none is */
    struct upgrade_check *check;
    struct upgrade_note last; /* of an earlier monitor */
    struct event *later;
    upgrade_answer_fn *fn;
    void *arg;
};

/* ---- the program ---- */

/* What the kernel appends to the path of a file that has been removed or replaced. */
#define UPGRADE_DELETED " (deleted)"

/* Opens the file from which this program was started, or what has taken its place. */
static int upgrade_open_own(void)
{
    char path[PATH_MAX];
    const ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    const size_t end = strlen(UPGRADE_DELETED);
    int fd;

    if (n < 0) {
        return -errno;
    }
    path[n] = '\0';
    if ((size_t)n > end && strcmp(path + n - end, UPGRADE_DELETED) == 0) {
        path[(size_t)n - end] = '\0';
    }
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

/* Returns NULL, or the reason why this file must not be executed. */
static const char *upgrade_fault(int fd)
{
    struct stat st;

    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        return "the program is not a regular file";
    }
    if (!(st.st_mode & S_IXUSR)) {
        return "the program is not executable";
    }
    if ((st.st_uid != 0 && st.st_uid != geteuid()) || (st.st_mode & (S_IWGRP | S_IWOTH))) {
        return "the program can be changed by other users than root and poemd's own";
    }
    return NULL;
}

/* ---- going ---- */

static void upgrade_over(struct upgrade *u, const char *why)
{
    upgrade_answer_fn *const fn = u->fn;

    if (why) {
        sock_close(&u->program_fd);
        log_error("not upgraded: %.*s", (int)strcspn(why, "\n"), why);
    }
    u->fn = NULL;
    if (fn) {
        fn(u->arg, why);
    }
}

/* Notes for the next monitor what has been asked for, and gives the program to the keeper. */
static int upgrade_plan(struct upgrade *u)
{
    struct state_file *const state = u->context->state;
    struct upgrade_note note = {.outcome = UPGRADE_PENDING,
                                .signal = u->request.signal,
                                .uid = u->request.uid,
                                .pid = (int32_t)u->request.pid};
    struct stat st;
    int err = fstat(u->program_fd, &st) < 0 ? -errno : 0;

    if (!err) {
        note.device = st.st_dev;
        note.inode = st.st_ino;
        snprintf(note.from, sizeof note.from, "%s", POEMD_VERSION);
        err = upgrade_note_keep(u->context->store, &note);
    }
    if (!err) {
        state_file_head(state)->planned = 1;
        state_file_write_head(state);
        err = fdstore_upgrade(u->context->store, u->program_fd);
    }
    if (err) {
        state_file_head(state)->planned = 0;
        state_file_write_head(state);
    }
    return err;
}

/* The answer has had its time to leave. */
static void upgrade_on_later(evutil_socket_t fd, short what, void *arg)
{
    struct upgrade *const u = arg;
    int err;

    (void)fd;
    (void)what;
    if (u->context->stopping || u->program_fd < 0) {
        return;
    }
    err = upgrade_plan(u);
    if (err) {
        log_error("not upgraded: the keeper does not take the program: %s", strerror(-err));
        sock_close(&u->program_fd);
        return;
    }
    log_warning("going on as another program");
    u->go(u->go_arg);
}

static void upgrade_on_checked(void *arg, bool good, const char *text)
{
    struct upgrade *const u = arg;
    const struct timeval tv = clock_timeval(LIMIT_UPGRADE_ANSWER_MS);

    if (!good) {
        upgrade_over(u, *text ? text : "the program refuses without a reason");
        return;
    }
    upgrade_over(u, NULL);
    evtimer_add(u->later, &tv);
}

/* ---- the monitor behind it ---- */

static json_t *upgrade_by(const struct upgrade_note *n)
{
    return n->signal ? json_string("SIGUSR2")
                     : json_sprintf("uid=%u pid=%d", (unsigned)n->uid, (int)n->pid);
}

void upgrade_settle(struct upgrade *u)
{
    if (!upgrade_note_take(u->context->store, &u->last)) {
        return;
    }
    if (u->last.outcome == UPGRADE_FAILED) {
        log_error("the upgrade has failed: the new program could not go on; this is the earlier "
                  "one again");
        return;
    }
    log_warning("upgraded from %s to " POEMD_VERSION, u->last.from);
    (void)audit_writer_note(&u->context->audit_writer, "broker-upgraded",
                            json_pack("{s:s,s:s,s:o}", "version", POEMD_VERSION, "from",
                                      u->last.from, "by", upgrade_by(&u->last)));
}

json_t *upgrade_json(const struct upgrade *u)
{
    static const char *const words[UPGRADE_OUTCOMES] = {
        [UPGRADE_PENDING] = "pending", [UPGRADE_DONE] = "done", [UPGRADE_FAILED] = "failed"};

    return u->last.outcome == UPGRADE_NONE
               ? json_null()
               : json_pack("{s:s,s:s}", "outcome", words[u->last.outcome], "from", u->last.from);
}

/* ---- beginning ---- */

const char *upgrade_begin(struct upgrade *u, const struct upgrade_request *q, upgrade_answer_fn *fn,
                          void *arg)
{
    int fd = q->program_fd < 0 ? upgrade_open_own() : q->program_fd;
    const char *why = NULL;

    if (!u->context->state) {
        why = "this poemd has no keeper";
    } else if (u->program_fd >= 0) {
        why = "another upgrade is under way";
    } else if (u->context->stopping || u->context->draining) {
        why = "poemd is stopping";
    } else if (fd < 0) {
        why = "the file from which this program was started cannot be opened";
    } else {
        why = upgrade_fault(fd);
    }
    if (!why) {
        upgrade_check_free(u->check);
        u->check = upgrade_check_new(u->context->base, fd, u->words, upgrade_on_checked, u);
        why = u->check ? NULL : "the program cannot be checked: see the log";
    }
    if (why) {
        sock_close(&fd);
        return why;
    }
    u->request = *q;
    u->program_fd = fd;
    u->fn = fn;
    u->arg = arg;
    return NULL;
}

struct upgrade *upgrade_new(struct monitor_context *context, char *const words[],
                            void (*go)(void *arg), void *arg)
{
    struct upgrade *const u = calloc(1, sizeof *u);

    if (!u) {
        return NULL;
    }
    *u = (struct upgrade){.context = context,
                          .words = words,
                          .go = go,
                          .go_arg = arg,
                          .program_fd = -1,
                          .later = evtimer_new(context->base, upgrade_on_later, u)};
    if (!u->later) {
        free(u);
        return NULL;
    }
    return u;
}

void upgrade_free(struct upgrade *u)
{
    if (u) {
        upgrade_check_free(u->check);
        event_free(u->later);
        sock_close(&u->program_fd);
        free(u);
    }
}
