/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What a worker's session has to tell the monitor while it relays: taint, and memory that the
 * client handed out. Kept until the channel takes it; nothing is lost and nothing grows: exported
 * memory goes in one message at a time, each answered when it is recorded, and while more of it
 * waits than report_full allows the session reads nothing from its peers.
 *
 * Knows messages, not sessions: who sends them is the owner's matter.
 */
#ifndef POEMD_PROXY_IPC_REPORT_H
#define POEMD_PROXY_IPC_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "proxy/ipc/ipc.h"

/*
 * Ranges that can wait. One turn of a pipe sees at most LIMIT_PEEK bytes of whole messages, so that
 * from REPORT_FULL on there is still room for whatever that turn finds: a range for every header.
 */
#define REPORT_RANGES 512u
#define REPORT_FULL (REPORT_RANGES - LIMIT_PEEK / 16u)

struct report {
    uint32_t taint;        /* all that there was */
    uint32_t taint_unsent; /* of it */
    bool keeps_exports;    /* somebody records them */
    bool unanswered;       /* an IPC_EXPORT is with the monitor */
    unsigned n;
    struct ipc_range *ranges; /* n of them, owned; NULL: none */
};

/* Nothing to tell. */
void report_init(struct report *r, bool keeps_exports);
void report_deinit(struct report *r);

/* More taint: bits of IPC_TAINT_MAY. True: there is something to send now. */
bool report_taint(struct report *r, uint32_t bits) __attribute__((warn_unused_result));

/*
 * One more range. Where nobody records them, it is forgotten. 0, or what makes it get lost, and the
 * session is to end:
 * -ENOMEM, or -ENOSPC: REPORT_RANGES wait. Who keeps to report_full never comes to that.
 */
int report_export(struct report *r, const struct ipc_range *range)
    __attribute__((warn_unused_result));

/* Whether no more may be read that could bring ranges. */
bool report_full(const struct report *r);

/* What is to be sent next, into m (its session is the caller's). False: nothing, for now. */
bool report_next(const struct report *r, struct ipc_msg *m) __attribute__((warn_unused_result));

/* m, of report_next, has been sent. */
void report_sent(struct report *r, const struct ipc_msg *m);

/* The monitor has answered an IPC_EXPORT. */
void report_answered(struct report *r);

/* Whether all has been sent. */
bool report_done(const struct report *r);

#endif
