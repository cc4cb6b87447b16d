/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Shared by both players: results, and reasons why a message cannot be sent. */
#define _GNU_SOURCE
#include "ctl/replay/replay.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "trace/decode/names.h"

void replay_result_init(struct replay_result *r)
{
    *r = (struct replay_result){.sent = 0};
    replay_objects_init(&r->objects);
}

void replay_result_deinit(struct replay_result *r)
{
    replay_objects_deinit(&r->objects);
}

struct replay_finding *replay_finding_add(struct replay_result *r, enum replay_finding_kind kind,
                                          const struct replay_message *recorded,
                                          const struct replay_message *request)
{
    struct replay_finding *f;

    r->found++;
    if (r->n_findings == REPLAY_FINDINGS_MAX) {
        return NULL;
    }
    f = &r->findings[r->n_findings++];
    *f = (struct replay_finding){.kind = kind,
                                 .recorded = recorded,
                                 .request = request,
                                 .command = recorded ? recorded->hdr.command : 0};
    return f;
}

bool replay_could_not(struct replay_result *r, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(r->why, sizeof r->why, fmt, ap);
    va_end(ap);
    r->could_not = true;
    return false;
}

const char *replay_not_whole_text(const struct replay_message *m, char *out, size_t size)
{
    const bool guest = m->hdr.command == WIRE_DMA_READ || m->hdr.command == WIRE_DMA_WRITE;

    snprintf(out, size,
             "cannot be sent: of its %u bytes, the trace has only %u; capture with \"payload %s\"",
             m->hdr.size, m->kept, guest ? "guest" : "all");
    return out;
}

/* Sets this as the reason why the session could not be replayed. Returns false. */
static bool replay_not_whole(struct replay_result *r, const struct replay_message *m)
{
    char name[64];
    char text[160];

    return replay_could_not(r, "%s %s", replay_name(m, name, sizeof name),
                            replay_not_whole_text(m, text, sizeof text));
}

bool replay_fds(struct replay_result *r, const struct replay_message *m, uint16_t without,
                struct fdset *set)
{
    char name[64];
    unsigned bad;
    const int err = replay_objects_add(&r->objects, m->fds, m->n_fds, without, set, &bad);

    if (err == 0) {
        return true;
    }
    if (err == -EOPNOTSUPP) {
        return replay_could_not(r, "%s had a %s with it, which cannot be made anew",
                                replay_name(m, name, sizeof name), names_fd_kind(m->fds[bad].kind));
    }
    return replay_could_not(r, "%s had a %s with it, which cannot be made anew: %s",
                            replay_name(m, name, sizeof name), names_fd_kind(m->fds[bad].kind),
                            strerror(-err));
}

uint32_t replay_max_size(const struct replay_script *s)
{
    uint32_t max = LIMIT_DATA_XFER_DEFAULT + LIMIT_MESSAGE_OVERHEAD;

    for (size_t i = 0; i < s->n; i++) {
        max = s->messages[i].hdr.size > max ? s->messages[i].hdr.size : max;
    }
    return max < LIMIT_REPLAY_MESSAGE ? max : LIMIT_REPLAY_MESSAGE;
}

bool replay_can_play(const struct replay_settings *settings, struct replay_result *out)
{
    const struct replay_script *const s = settings->script;

    if (s->missing > 0) {
        return replay_could_not(out,
                                "%" PRIu64 " messages of the session are not in the trace, the "
                                "first of them before message %" PRIu64
                                ": lost, or not asked for; capture without a filter",
                                s->missing, s->missing_near);
    }
    for (size_t i = 0; i < s->n; i++) {
        const struct replay_message *const m = &s->messages[i];

        /* The answer to DMA_READ can be read from memory again. */
        if (m->sender == SIDE_CLIENT && !replay_whole(m) && !(m->flags & TRACE_UNDELIVERED) &&
            !(m->reply && m->partner != REPLAY_NONE && m->hdr.command == WIRE_DMA_READ)) {
            return replay_not_whole(out, m);
        }
    }
    return true;
}
