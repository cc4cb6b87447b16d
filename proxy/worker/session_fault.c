/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Logs faults of framing: count, limit, command, id and side. */
#include "proxy/worker/session_fault.h"

#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "base/wire/wire_command.h"

void session_fault_log(const struct session *s, const struct channel_pair_event *e)
{
    const char *leg = e->from_client ? "client" : "backend";
    const struct relay_detail *d = e->detail;
    const struct log_subject about = {.session = s->id, .route = s->route, .leg = leg};

    switch (e->reason) {
    case REASON_INJECTED:
        /* It has been logged. */
        break;
    case REASON_NONE:
    case REASON_BAD_FRAME:
        log_line(LOG_WARNING, &about, "%s: command %u (%s), id %u, size %u, %s %llu%s",
                 wire_frame_text(d->frame), d->hdr.command, wire_command_name(d->hdr.command),
                 d->hdr.id, d->hdr.size, d->frame == WIRE_FRAME_TOO_SMALL ? "at least" : "at most",
                 (unsigned long long)d->bound,
                 e->reason == REASON_NONE
                     ? "; answered with EINVAL, like later ones, which are not logged"
                     : "");
        break;
    case REASON_TOO_MANY_FDS:
    case REASON_FDS_CUT_OFF:
    case REASON_OWN_SOCKET:
    case REASON_TRUNCATED_MESSAGE:
        log_line(LOG_WARNING, &about, "%s: %llu %s, %s %llu: command %u (%s), id %u, size %u",
                 session_reason_word(e->reason), (unsigned long long)d->count,
                 e->reason == REASON_TRUNCATED_MESSAGE ? "bytes came" : "fds came",
                 e->reason == REASON_TRUNCATED_MESSAGE ? "of" : "at most",
                 (unsigned long long)d->bound, d->hdr.command, wire_command_name(d->hdr.command),
                 d->hdr.id, d->hdr.size);
        break;
    default:
        log_line(LOG_WARNING, &about, "%s%s%s", session_reason_word(e->reason), d->err ? ": " : "",
                 d->err ? strerror(d->err) : "");
        break;
    }
}

void session_fault_log_overdue(const struct session *s, const struct wire_hdr *request)
{
    const struct overdue *const o = &s->guard->page->overdue;

    if (o->answered == 1) {
        log_line(LOG_WARNING,
                 &(struct log_subject){.session = s->id, .route = s->route, .leg = "backend"},
                 "no reply to command %u (%s), id %u, for %" PRIu32 " ms: answered with ETIMEDOUT "
                 "in its stead, like later ones, which are not logged",
                 request->command, wire_command_name(request->command), request->id, o->after_ms);
    }
}

void session_fault_log_overdue_rest(const struct session *s)
{
    const struct overdue *const o = &s->guard->page->overdue;

    if (o->answered > 0) {
        log_line(LOG_WARNING,
                 &(struct log_subject){.session = s->id, .route = s->route, .leg = "backend"},
                 "overdue: %" PRIu64 " request%s answered in its stead; %" PRIu64
                 " late repl%s discarded",
                 o->answered, o->answered == 1 ? " was" : "s were", o->discarded,
                 o->discarded == 1 ? "y was" : "ies were");
    }
}
