/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The monitor's hand on the audit log: records are queued, written out together once the loop's
 * turn is over, and whoever waits for one is told when it is on disk.
 *
 * Without an audit log in the configuration everything is as if it were on disk at once.
 */
#ifndef POEMD_PROXY_MONITOR_AUDIT_WRITER_H
#define POEMD_PROXY_MONITOR_AUDIT_WRITER_H

#include <event2/event.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "audit/audit_log.h"
#include "policy/rules/rules.h"
#include "proxy/config/config.h"
#include "proxy/monitor/repeats_rate.h"

/* Told once: whether the record is on disk. Not called after audit_writer_forget. */
typedef void audit_writer_fn(void *arg, bool durable);

/* One who waits; lives in whoever waits. */
struct audit_writer_wait {
    TAILQ_ENTRY(audit_writer_wait) link;
    uint64_t number; /* of the append; 0: does not wait */
    uint64_t seq;    /* the record's number in the log: when fn is told that it is on disk */
    audit_writer_fn *fn;
    void *arg;
};

TAILQ_HEAD(audit_writer_waits, audit_writer_wait);

struct audit_writer {
    struct audit_log *log; /* NULL: none is kept */
    const char *path;      /* borrowed */
    struct event *readable;
    struct event *turn;     /* made active by an append: commits when the turn is over */
    struct event *more;     /* made active where not all who wait could be told in a turn */
    struct audit_done done; /* what was written last: those who wait for it are being told */
    struct audit_writer_waits waits;
    bool failing;              /* the last batch was lost */
    bool losing;               /* a record could not be queued: the log has said so */
    struct repeats_rate lines; /* on that: it may come and go with each batch */
    struct rules_date today;   /* the latest day that was seen: see audit_writer_today */
};

/*
 * Opens the configured log. 0, or -errno: it cannot be kept, and why has been logged. To be
 * audit_writer_deinit'ed in either case.
 */
int audit_writer_init(struct audit_writer *r, struct event_base *base, const struct config *config)
    __attribute__((warn_unused_result));

/* Seals and closes the log: blocks until it is on disk. */
void audit_writer_deinit(struct audit_writer *r);

/* Whether a log is kept. */
bool audit_writer_on(const struct audit_writer *r);

/*
 * Records an event; fields is a new reference, consumed (NULL: no memory). False: it could not even
 * be queued, which has been logged.
 */
bool audit_writer_note(struct audit_writer *r, const char *event, json_t *fields);

/*
 * The same, and has fn called when it is on disk or lost, from the loop, never from within.
 * False: it could not be queued; fn is not called.
 */
bool audit_writer_await(struct audit_writer *r, const char *event, json_t *fields,
                        struct audit_writer_wait *w, audit_writer_fn *fn, void *arg);

/*
 * Today, UTC, for rules that hold up to a day: the latest day that a record of the log or the clock
 * has had. A clock that is set back does not let a day begin again; without a log that holds for
 * this run.
 */
struct rules_date audit_writer_today(struct audit_writer *r);

/* Waits until all that was appended is on disk or lost, and tells those who wait: for the start. */
void audit_writer_settle(struct audit_writer *r);

/* Whoever waits is no more. May be called for one that does not wait. */
void audit_writer_forget(struct audit_writer *r, struct audit_writer_wait *w);

#endif
