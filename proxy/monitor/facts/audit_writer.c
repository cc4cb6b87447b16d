/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Runs the audit log on the monitor's event loop. The callers decide what a record contains. */
#include "proxy/monitor/facts/audit_writer.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proxy/ipc/log_ids.h"
#include "base/clock.h"
#include "base/text/date.h"
#include "base/log.h"
#include "base/limits.h"
#include "audit/audit_host.h"
#include "proxy/ipc/turn.h"

/*
 * Calls the waiters of all records that are done. Returns false if the turn became too long; the
 * rest follows in the next turn.
 */
static bool audit_writer_notify(struct audit_writer *r)
{
    const struct audit_done *const done = &r->done;
    struct audit_writer_wait *w;

    while ((w = TAILQ_FIRST(&r->waits)) && w->number <= done->upto) {
        TAILQ_REMOVE(&r->waits, w, link);
        w->seq = done->seq - (done->upto - w->number);
        w->number = 0;
        w->fn(w->arg, done->outcome == AUDIT_DURABLE);
        if (turn_is_long()) {
            event_active(r->more, 0, 0);
            return false;
        }
    }
    return true;
}

/* Returns true if the rate limit allows one more line about the state of the log. */
static bool audit_writer_may_log(struct audit_writer *r)
{
    const uint64_t now = clock_ms();

    if (!rate_limit_may(&r->lines, now, LIMIT_AUDIT_LINES, LIMIT_AUDIT_LINES_MS)) {
        return false;
    }
    rate_limit_take(&r->lines, now, LIMIT_AUDIT_LINES_MS);
    return true;
}

static void audit_writer_log_lost(const struct audit_writer *r, const struct audit_done *done)
{
    static const struct log_subject about = {.message_id = LOG_ID_AUDIT_FAILED};
    char path[256];

    if (done->touched) {
        log_line(LOG_ERROR, &about,
                 "the audit log \"%s\" cannot be written: %s; records were lost, and no more are "
                 "kept: stop poemd, see what poemctl audit verify reports, and put the log back",
                 log_escape(path, sizeof path, r->path, strlen(r->path)), done->touched);
        return;
    }
    log_line(LOG_ERROR, &about, "the audit log cannot be written: %s; records were lost%s",
             strerror(done->error),
             done->outcome == AUDIT_BROKEN ? ", and no more records are kept until a restart" : "");
}

static void audit_writer_on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct audit_writer *r = arg;

    (void)fd;
    (void)what;
    while (audit_writer_notify(r) && audit_log_collect(r->log, &r->done)) {
        const bool durable = r->done.outcome == AUDIT_DURABLE;

        /* If the log fails and recovers again and again, not every change is logged. */
        if (durable == r->failing && audit_writer_may_log(r)) {
            if (durable) {
                log_warning("the audit log can be written again");
            } else {
                audit_writer_log_lost(r, &r->done);
            }
        }
        r->losing = r->losing && !durable;
        if (durable && r->done.error && audit_writer_may_log(r)) {
            log_warning("cannot begin a new file of the audit log: %s; continuing with the old one",
                        strerror(r->done.error));
        }
        r->failing = !durable;
        r->failures += !durable;
    }
}

static void audit_writer_on_turn(evutil_socket_t fd, short what, void *arg)
{
    struct audit_writer *r = arg;

    (void)fd;
    (void)what;
    audit_log_commit(r->log);
}

/* Updates the day. Records are written by the same clock. */
uint32_t audit_writer_today(struct audit_writer *r)
{
    const uint32_t now = date_today();

    if (r->today <= now) {
        r->today = now;
    }
    return r->today;
}

int audit_writer_init(struct audit_writer *r, struct event_base *base, const struct config *config)
{
    struct audit_settings settings = {.path = config->audit_file,
                                      .key_path = config->audit_key,
                                      .rotate_size = (uint64_t)config->audit_rotate_mib << 20,
                                      .accept_loss = config->accept_loss};
    struct audit_fault why;
    enum audit_open o;

    *r = (struct audit_writer){.log = NULL, .path = config->audit_file};
    TAILQ_INIT(&r->waits);
    (void)audit_writer_today(r);
    if (!config->audit_file) {
        return 0;
    }
    settings.host = audit_host_new();
    if (!settings.host) {
        return -ENOMEM;
    }
    o = audit_log_open(&r->log, &settings, &why);
    json_decref(settings.host);
    if (o != AUDIT_OPEN_OK) {
        log_error("cannot open the audit log: %s", why.text);
        return why.error ? -why.error : -EINVAL;
    }
    /* An empty log has no latest record, and its time is "". */
    r->today = 0;
    (void)date_read(audit_log_latest(r->log), &r->today);
    (void)audit_writer_today(r);
    r->readable =
        event_new(base, audit_log_fd(r->log), EV_READ | EV_PERSIST, audit_writer_on_readable, r);
    r->turn = event_new(base, -1, 0, audit_writer_on_turn, r);
    r->more = event_new(base, -1, 0, audit_writer_on_readable, r);
    if (!r->readable || !r->turn || !r->more || event_add(r->readable, NULL) < 0) {
        return -ENOMEM;
    }
    return 0;
}

void audit_writer_deinit(struct audit_writer *r)
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
    if (r->more) {
        event_free(r->more);
        r->more = NULL;
    }
    if (audit_log_close(r->log, &error) != AUDIT_DURABLE) {
        log_error("the end of the audit log is not on disk: %s", strerror(error));
    }
    r->log = NULL;
}

bool audit_writer_on(const struct audit_writer *r)
{
    return r->log != NULL;
}

static bool audit_writer_append(struct audit_writer *r, const char *event, json_t *fields,
                                uint64_t *number)
{
    const int err = fields ? audit_log_append(r->log, event, fields, number) : -ENOMEM;

    (void)audit_writer_today(r);
    json_decref(fields);
    /* The cause of a broken log is logged with the batch in which it was found. */
    if (err && err != -EIO && !r->losing) {
        log_error("the record \"%s\" is lost, and others may be: %s", event, strerror(-err));
        r->losing = true;
    }
    if (err) {
        return false;
    }
    event_active(r->turn, 0, 0);
    return true;
}

bool audit_writer_note(struct audit_writer *r, const char *event, json_t *fields)
{
    uint64_t number;

    if (!r->log) {
        json_decref(fields);
        return true;
    }
    return audit_writer_append(r, event, fields, &number);
}

bool audit_writer_await(struct audit_writer *r, const char *event, json_t *fields,
                        struct audit_writer_wait *w, audit_writer_fn *fn, void *arg)
{
    *w = (struct audit_writer_wait){.fn = fn, .arg = arg};
    if (!audit_writer_append(r, event, fields, &w->number)) {
        w->number = 0;
        return false;
    }
    TAILQ_INSERT_TAIL(&r->waits, w, link);
    return true;
}

void audit_writer_settle(struct audit_writer *r)
{
    if (!r->log) {
        return;
    }
    audit_log_commit(r->log);
    while (!TAILQ_EMPTY(&r->waits)) {
        struct pollfd p = {.fd = audit_log_fd(r->log), .events = POLLIN};

        if (poll(&p, 1, -1) > 0) {
            audit_writer_on_readable(p.fd, 0, r);
        }
    }
}

void audit_writer_forget(struct audit_writer *r, struct audit_writer_wait *w)
{
    if (w->number) {
        TAILQ_REMOVE(&r->waits, w, link);
        w->number = 0;
    }
}

void audit_writer_time_of(uint64_t then_ms, char out[AUDIT_TIME_SIZE + 1])
{
    const uint64_t ago = clock_ms() - then_ms;
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_sec -= (time_t)(ago / 1000);
    t.tv_nsec -= (long)(ago % 1000) * 1000000;
    if (t.tv_nsec < 0) {
        t.tv_nsec += 1000000000;
        t.tv_sec--;
    }
    audit_line_time(&t, out);
}
