/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Replies that are recorded before their requests. Pure. */
#include "trace/lint/lint_session.h"

/* Returns true if requests of the command can be so large that they are relayed in pieces. */
static bool lint_early_possible(const struct wire_command_info *c)
{
    return c && (c->request.tail == WIRE_TAIL_DATA || c->request.tail == WIRE_TAIL_WRITES);
}

bool lint_early_keep(const struct lint_at *at)
{
    const struct trace_message *const m = at->v.m;

    for (unsigned i = 0; i < LINT_EARLY && lint_early_possible(at->info); i++) {
        struct lint_early *const e = &at->known->device->early[i];

        if (!e->known) {
            *e = (struct lint_early){.known = true,
                                     .twin = (m->flags & TRACE_TWIN) != 0,
                                     .sender = m->sender,
                                     .id = at->v.hdr.id,
                                     .command = at->v.hdr.command,
                                     .number = m->number,
                                     .read_ns = m->read_ns};
            return true;
        }
    }
    return false;
}

bool lint_early_take(const struct lint_at *at)
{
    const struct trace_message *const m = at->v.m;

    for (unsigned i = 0; i < LINT_EARLY; i++) {
        struct lint_early *const e = &at->known->device->early[i];

        if (e->known && e->id == at->v.hdr.id && e->command == at->v.hdr.command &&
            e->sender != m->sender && e->twin == ((m->flags & TRACE_TWIN) != 0) &&
            m->read_ns <= e->read_ns) {
            e->known = false;
            return true;
        }
    }
    return false;
}

void lint_early_over(struct lint *l, const struct trace_session *s)
{
    struct lint_session *const known = s->user;
    const enum lint_code code = LINT_UNASKED_REPLY;

    for (unsigned i = 0; i < LINT_EARLY && known->device; i++) {
        struct lint_early *const e = &known->device->early[i];

        if (e->known && !known->partial) {
            lint_report(l, known,
                        &(struct lint_finding){.code = code,
                                               .level = lint_rule(code)->level,
                                               .session = s,
                                               .number = e->number,
                                               .read_ns = e->read_ns,
                                               .party = (enum side)e->sender,
                                               .id = e->id,
                                               .command = e->command,
                                               .section = lint_section_of(code, e->command),
                                               .detail = ""});
        }
        e->known = false;
    }
}
