/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Denied accesses in the log. Reads the clock; nothing else. */
#include "proxy/denial.h"

#include <inttypes.h>
#include <stdio.h>

#include "proxy/monitor.h"

#define QUIET_MS 1000u

void denial_log(struct denials *all, const struct log_subject *about, const struct dma_denial *d)
{
    const uint64_t now = monitor_now_ms();
    char more[48] = "";
    char allowed[64] = "nothing";

    if (all->told_ms != 0 && now - all->told_ms < QUIET_MS) {
        all->untold++;
        return;
    }
    if (all->untold > 0) {
        snprintf(more, sizeof more, "; %" PRIu64 " more since the last line", all->untold);
    }
    if (d->some) {
        snprintf(allowed, sizeof allowed, "0x%" PRIx64 "-0x%" PRIx64, d->allowed.first,
                 d->allowed.last);
    }
    log_line(LOG_WARNING, about,
             "%s denied: %saddress=0x%" PRIx64 " count=0x%" PRIx64 "; allowed near it: %s%s",
             wire_command_name(d->command), d->malformed ? "malformed; " : "", d->address, d->count,
             allowed, more);
    *all = (struct denials){.untold = 0, .told_ms = now};
}

void denial_rest(struct denials *all, const struct log_subject *about)
{
    if (all->untold > 0) {
        log_line(LOG_WARNING, about, "%" PRIu64 " more accesses were denied", all->untold);
        all->untold = 0;
    }
}
