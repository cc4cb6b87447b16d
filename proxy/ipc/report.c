/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Reports that wait for the monitor's channel. Allocates; no I/O. */
#include "proxy/ipc/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void report_init(struct report *r, bool keeps_exports)
{
    *r = (struct report){.keeps_exports = keeps_exports};
}

void report_deinit(struct report *r)
{
    free(r->ranges);
    r->ranges = NULL;
    r->n = 0;
}

bool report_taint(struct report *r, enum side by, uint32_t bits)
{
    bits &= ~r->taint[by];
    r->taint[by] |= bits;
    r->taint_unsent[by] |= bits;
    return bits != 0;
}

int report_export(struct report *r, const struct ipc_range *range)
{
    if (!r->keeps_exports) {
        return 0;
    }
    if (!r->ranges) {
        r->ranges = calloc(REPORT_RANGES, sizeof *r->ranges);
        if (!r->ranges) {
            return -ENOMEM;
        }
    }
    if (r->n == REPORT_RANGES) {
        return -ENOSPC;
    }
    r->ranges[r->n++] = *range;
    return 0;
}

bool report_full(const struct report *r)
{
    return r->n > REPORT_FULL;
}

bool report_next(const struct report *r, struct ipc_msg *m)
{
    for (uint32_t by = 0; by < SIDES; by++) {
        if (r->taint_unsent[by]) {
            *m = (struct ipc_msg){.type = IPC_TAINT,
                                  .u.taint = {.bits = r->taint_unsent[by], .by = by}};
            return true;
        }
    }
    if (r->n == 0 || r->unanswered) {
        return false;
    }
    *m = (struct ipc_msg){.type = IPC_EXPORT};
    m->u.exports.n = r->n < IPC_EXPORT_RANGES ? r->n : IPC_EXPORT_RANGES;
    m->u.exports.again = r->again;
    memcpy(m->u.exports.ranges, r->ranges, m->u.exports.n * sizeof *r->ranges);
    return true;
}

void report_sent(struct report *r, const struct ipc_msg *m)
{
    if (m->type == IPC_TAINT) {
        r->taint_unsent[m->u.taint.by] &= ~m->u.taint.bits;
        return;
    }
    r->unanswered = true;
    r->sent = m->u.exports.n;
    r->again = false;
}

void report_answered(struct report *r)
{
    r->unanswered = false;
    r->n -= r->sent;
    if (r->n == 0) {
        /* A session maps memory at its beginning, and seldom later. */
        report_deinit(r);
    } else {
        memmove(r->ranges, r->ranges + r->sent, r->n * sizeof *r->ranges);
    }
    r->sent = 0;
}

void report_again(struct report *r)
{
    memcpy(r->taint_unsent, r->taint, sizeof r->taint_unsent);
    r->again = r->again || r->sent > 0;
    r->unanswered = false;
    r->sent = 0;
}

unsigned report_unsent(const struct report *r)
{
    return r->n - r->sent;
}

bool report_done(const struct report *r)
{
    return r->taint_unsent[SIDE_CLIENT] == 0 && r->taint_unsent[SIDE_BACKEND] == 0 && r->n == 0;
}
