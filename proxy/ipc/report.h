/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A worker's reports about a relaying session to the monitor: taint, and memory that the client
 * handed out. Nothing is lost and nothing grows: exported memory goes in one message at a time,
 * kept until the answer that it is recorded, and while more of it waits than report_full allows,
 * the session reads nothing from its peers. If the monitor dies, the next one is sent all that the
 * last one may not have recorded.
 *
 * Knows messages, not sessions; the owner sends them.
 */
#ifndef POEMD_PROXY_IPC_REPORT_H
#define POEMD_PROXY_IPC_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "proxy/ipc/ipc.h"

/*
 * Ranges that can wait. One turn of a relay direction sees at most LIMIT_PEEK bytes of whole
 * messages, so beyond REPORT_FULL there is still room for a range from every header of that turn.
 */
#define REPORT_RANGES 512u
#define REPORT_FULL (REPORT_RANGES - LIMIT_PEEK / 16u)

struct report {
    uint32_t taint[SIDES];        /* that each party has caused so far */
    uint32_t taint_unsent[SIDES]; /* the part not yet sent */
    bool keeps_exports;           /* there is an audit log for them */
    bool unanswered;              /* the monitor has not answered an IPC_EXPORT, … */
    unsigned sent;                /* … which has the first ranges, so many */
    bool again;                   /* the next IPC_EXPORT may repeat ranges that are recorded */
    unsigned n;
    struct ipc_range *ranges; /* n of them, owned; or NULL */
};

/* Initializes an empty report. */
void report_init(struct report *r, bool keeps_exports);
void report_deinit(struct report *r);

/*
 * Adds taint that a party caused: bits of IPC_TAINT_MAY. Returns true if there is something to send
 * now.
 */
bool report_taint(struct report *r, enum side by, uint32_t bits)
    __attribute__((warn_unused_result));

/*
 * Adds a range, or drops it if exports are not recorded. Returns 0, or an error after which the
 * session must end: -ENOMEM, or -ENOSPC if REPORT_RANGES wait, which cannot happen as long as
 * report_full is respected.
 */
int report_export(struct report *r, const struct ipc_range *range)
    __attribute__((warn_unused_result));

/* Returns true if messages that could add ranges must not be read for now. */
bool report_full(const struct report *r);

/* Makes the next message in m (the caller sets its session). Returns false if there is none. */
bool report_next(const struct report *r, struct ipc_msg *m) __attribute__((warn_unused_result));

/* m, from report_next, has been sent. */
void report_sent(struct report *r, const struct ipc_msg *m);

/* Another monitor has taken over: sends taint, and ranges without an answer, again. */
void report_again(struct report *r);

/* Returns the number of ranges that have not been sent. */
unsigned report_unsent(const struct report *r);

/* The monitor has answered an IPC_EXPORT. */
void report_answered(struct report *r);

/* Returns true if everything has been sent, and the ranges are recorded. */
bool report_done(const struct report *r);

#endif
