/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The audit log on the monitor's loop. What stands in a record is others' matter.
 */
#include "proxy/recorder.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

static void tell(struct recorder *r, const struct audit_done *done)
{
    struct recorder_wait *w;

    while ((w = TAILQ_FIRST(&r->waits)) && w->number <= done->upto) {
        TAILQ_REMOVE(&r->waits, w, link);
        w->seq = done->seq - (done->upto - w->number);
        w->number = 0;
        w->fn(w->arg, done->outcome == AUDIT_DURABLE);
    }
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct recorder *r = arg;
    struct audit_done done;

    (void)fd;
    (void)what;
    while (audit_log_collect(r->log, &done)) {
        const bool durable = done.outcome == AUDIT_DURABLE;

        if (!durable && !r->failing) {
            log_error("the audit log cannot be written: %s; records were lost%s",
                      strerror(done.error),
                      done.outcome == AUDIT_BROKEN ? ", and no more are kept until a restart" : "");
        } else if (durable && r->failing) {
            log_warning("the audit log is written again");
        }
        if (durable && done.error) {
            log_warning("no new file of the audit log could be begun: %s; the old one goes on",
                        strerror(done.error));
        }
        r->failing = !durable;
        tell(r, &done);
    }
}

static void on_turn(evutil_socket_t fd, short what, void *arg)
{
    struct recorder *r = arg;

    (void)fd;
    (void)what;
    audit_log_commit(r->log);
}

int recorder_init(struct recorder *r, struct event_base *base, const struct config *config)
{
    const struct audit_settings settings = {.path = config->audit_file,
                                            .key_path = config->audit_key,
                                            .rotate_size = (uint64_t)config->audit_rotate_mib
                                                           << 20};
    struct audit_fault why;

    *r = (struct recorder){.log = NULL};
    TAILQ_INIT(&r->waits);
    if (!config->audit_file) {
        return 0;
    }
    if (audit_log_open(&r->log, &settings, &why) != AUDIT_OPEN_OK) {
        log_error("no audit log: %s", why.text);
        return why.error ? -why.error : -EINVAL;
    }
    r->readable = event_new(base, audit_log_fd(r->log), EV_READ | EV_PERSIST, on_readable, r);
    r->turn = event_new(base, -1, 0, on_turn, r);
    if (!r->readable || !r->turn || event_add(r->readable, NULL) < 0) {
        return -ENOMEM;
    }
    return 0;
}

void recorder_deinit(struct recorder *r)
{
    int error = 0;

    if (r->readable) {
        event_free(r->readable);
        r->readable = NULL;
    }
    if (r->turn) {
        event_free(r->turn);
        r->turn = NULL;
    }
    if (audit_log_close(r->log, &error) != AUDIT_DURABLE) {
        log_error("the end of the audit log is not on disk: %s", strerror(error));
    }
    r->log = NULL;
}

bool recorder_on(const struct recorder *r)
{
    return r->log != NULL;
}

static bool append(struct recorder *r, const char *event, json_t *fields, uint64_t *number)
{
    const int err = fields ? audit_log_append(r->log, event, fields, number) : -ENOMEM;

    json_decref(fields);
    if (err) {
        log_error("the record \"%s\" is lost: %s", event, strerror(-err));
        return false;
    }
    event_active(r->turn, 0, 0);
    return true;
}

bool recorder_note(struct recorder *r, const char *event, json_t *fields)
{
    uint64_t number;

    if (!r->log) {
        json_decref(fields);
        return true;
    }
    return append(r, event, fields, &number);
}

bool recorder_await(struct recorder *r, const char *event, json_t *fields, struct recorder_wait *w,
                    recorder_fn *fn, void *arg)
{
    *w = (struct recorder_wait){.fn = fn, .arg = arg};
    if (!append(r, event, fields, &w->number)) {
        w->number = 0;
        return false;
    }
    TAILQ_INSERT_TAIL(&r->waits, w, link);
    return true;
}

void recorder_settle(struct recorder *r)
{
    if (!r->log) {
        return;
    }
    audit_log_commit(r->log);
    while (!TAILQ_EMPTY(&r->waits)) {
        struct pollfd p = {.fd = audit_log_fd(r->log), .events = POLLIN};

        if (poll(&p, 1, -1) > 0) {
            on_readable(p.fd, 0, r);
        }
    }
}

void recorder_forget(struct recorder *r, struct recorder_wait *w)
{
    if (w->number) {
        TAILQ_REMOVE(&r->waits, w, link);
        w->number = 0;
    }
}
