/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Logs denied accesses and withheld fds. Reads the clock; nothing else. */
#include "proxy/worker/dma_denial_log.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/wire/wire_command.h"

#define QUIET_MS 1000u

/* The device fails or leaves if it cannot do without the memory: the message names the remedy. */
#define MISSING \
    "\"dma\" withholds memory on this route: a device that must map it, such as SPDK's, or log " \
    "its writes to it, such as libvfio-user's in a migration, cannot work here"

static void dma_denial_log_access(const struct log_subject *about, const struct dma_denial *d,
                                  const char *more)
{
    char allowed[64] = "nothing";

    if (d->some) {
        snprintf(allowed, sizeof allowed, "0x%" PRIx64 "-0x%" PRIx64, d->allowed.first,
                 d->allowed.last);
    }
    log_line(LOG_WARNING, about,
             "%s denied: %saddress=0x%" PRIx64 " count=0x%" PRIx64 "; allowed near it: %s%s",
             wire_command_name(d->command), d->malformed ? "malformed; " : "", d->address, d->count,
             allowed, more);
}

void dma_denial_log_add(struct dma_denial_log *all, const struct log_subject *about,
                        const struct dma_denial *d)
{
    const uint64_t now = clock_ms();
    char more[48] = "";

    if (d->what == DMA_MEMORY_MISSING) {
        log_line(LOG_WARNING, about, "the device failed %s: %s; " MISSING,
                 wire_command_name(d->command),
                 d->error > 0 && d->error <= INT_MAX ? strerror((int)d->error) : "no error number");
        return;
    }
    if (all->told_ms != 0 && now - all->told_ms < QUIET_MS) {
        all->untold++;
        return;
    }
    if (all->untold > 0) {
        snprintf(more, sizeof more, "; %" PRIu64 " more since the last line", all->untold);
    }
    if (d->what == DMA_FDS_WITHHELD) {
        log_line(LOG_WARNING, about,
                 "fds withheld from command %u (%s): they are not eventfds, and may be memory%s",
                 d->command, wire_command_name(d->command), more);
    } else {
        dma_denial_log_access(about, d, more);
    }
    *all = (struct dma_denial_log){.untold = 0, .told_ms = now};
}

void dma_denial_log_missing(const struct dma_gate *g, const struct log_subject *about,
                            enum session_reason reason)
{
    if (reason == REASON_BACKEND_CLOSED && g->stripped && !g->hinted) {
        log_line(LOG_WARNING, about, "the device has closed its socket; " MISSING);
    }
}

void dma_denial_log_rest(struct dma_denial_log *all, const struct log_subject *about)
{
    if (all->untold > 0) {
        log_line(LOG_WARNING, about, "%" PRIu64 " more accesses were denied", all->untold);
        all->untold = 0;
    }
}
