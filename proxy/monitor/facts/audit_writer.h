/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The monitor's access to the audit log: records are queued and written together at the end of the
 * loop's turn; a waiter is called once its record is on disk.
 *
 * If no audit log is configured, every record counts as on disk at once.
 */
#ifndef POEMD_PROXY_MONITOR_FACTS_AUDIT_WRITER_H
#define POEMD_PROXY_MONITOR_FACTS_AUDIT_WRITER_H

#include <event2/event.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "audit/audit_line.h"
#include "audit/audit_log.h"
#include "policy/rules/rules.h"
#include "proxy/config/config.h"
#include "proxy/ipc/rate_limit.h"

/* Called once, with true if the record is on disk. Not called after audit_writer_forget. */
typedef void audit_writer_fn(void *arg, bool durable);

/* One waiter. Lives in the object that waits. */
struct audit_writer_wait {
    TAILQ_ENTRY(audit_writer_wait) link;
    uint64_t number; /* of the append; 0: not waiting */
    uint64_t seq;    /* the record's number in the log, valid when fn is called with true */
    audit_writer_fn *fn;
    void *arg;
};

TAILQ_HEAD(audit_writer_waits, audit_writer_wait);

struct audit_writer {
    struct audit_log *log; /* NULL if no log is configured */
    const char *path;      /* borrowed */
    struct event *readable;
    struct event *turn;     /* made active by an append: commits when the turn is over */
    struct event *more;     /* active if not all waiters could be called in one turn */
    struct audit_done done; /* the last batch written, whose waiters are being called */
    struct audit_writer_waits waits;
    bool failing;            /* the last batch was lost */
    uint64_t failures;       /* batches that were lost */
    bool losing;             /* a record could not be queued, which has been logged */
    struct rate_limit lines; /* about failures, since these may come and go with each batch */
    uint32_t today;          /* the latest day seen: see audit_writer_today */
};

/*
 * Opens the configured log. Returns 0, or -errno if the log cannot be opened (logged). Call
 * audit_writer_deinit in either case.
 */
int audit_writer_init(struct audit_writer *r, struct event_base *base, const struct config *config)
    __attribute__((warn_unused_result));

/* Seals and closes the log: blocks until it is on disk. */
void audit_writer_deinit(struct audit_writer *r);

/* Returns true if a log is configured. */
bool audit_writer_on(const struct audit_writer *r);

/*
 * Records an event. Consumes the new reference fields (NULL: out of memory). Returns false if the
 * record could not even be queued, which has been logged.
 */
bool audit_writer_note(struct audit_writer *r, const char *event, json_t *fields);

/*
 * Records an event as audit_writer_note does, and calls fn from the loop, never from within this
 * call, once the record is on disk or lost. Returns false if it could not be queued; fn is then not
 * called.
 */
bool audit_writer_await(struct audit_writer *r, const char *event, json_t *fields,
                        struct audit_writer_wait *w, audit_writer_fn *fn, void *arg);

/*
 * Returns today's date, UTC, for rules with a last day: the latest day of any record in the log or
 * of the clock. Setting the clock back does not bring a day back; without a log, this holds for the
 * current run.
 */
uint32_t audit_writer_today(struct audit_writer *r);

/* Blocks until every appended record is on disk or lost, and calls the waiters. For startup. */
void audit_writer_settle(struct audit_writer *r);

/* Removes a waiter. Does nothing if w does not wait. */
void audit_writer_forget(struct audit_writer *r, struct audit_writer_wait *w);

/* Writes the time of day, UTC, of a past moment of clock_ms(), in the form of records. */
void audit_writer_time_of(uint64_t then_ms, char out[AUDIT_TIME_SIZE + 1]);

#endif
