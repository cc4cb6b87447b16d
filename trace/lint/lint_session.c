/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Judges sessions and headers, pairs requests with replies, reports and counts findings. Pure
 * except for its memory.
 */
#include "trace/lint/lint.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace/lint/lint_session.h"

struct lint {
    enum profile profile;
    lint_fn *fn;
    void *arg;
    struct trace_pairs *pairs;
    struct decode_scratch scratch;
    uint64_t count[LINT_LEVELS];
};

struct lint *lint_new(enum profile profile, lint_fn *fn, void *arg)
{
    struct lint *l = calloc(1, sizeof *l);

    if (!l) {
        return NULL;
    }
    l->pairs = trace_pairs_new();
    if (!l->pairs) {
        free(l);
        return NULL;
    }
    l->profile = profile;
    l->fn = fn;
    l->arg = arg;
    return l;
}

void lint_free(struct lint *l)
{
    if (l) {
        decode_scratch_deinit(&l->scratch);
        trace_pairs_free(l->pairs);
        free(l);
    }
}

enum profile lint_profile_of(const struct lint *l)
{
    return l->profile;
}

uint64_t lint_count(const struct lint *l, enum lint_level level)
{
    return l->count[level];
}

/* ---- findings ---- */

void lint_report(struct lint *l, struct lint_session *known, const struct lint_finding *f)
{
    struct lint_finding reported = *f;

    if (l->profile == PROFILE_QEMU && f->party == SIDE_BACKEND) {
        reported.effect = lint_rule_qemu(f->code);
    }
    l->count[f->level]++;
    if (known->found[f->code]++ < LINT_EACH_MAX) {
        l->fn(&reported, l->arg);
    }
}

const char *lint_section_of(enum lint_code code, uint16_t command)
{
    const struct lint_rule *r = lint_rule(code);
    const struct wire_command_info *c = wire_command_find(command);

    return r->section ? r->section : c ? c->section : "Commands";
}

void lint_say(const struct lint_at *at, enum lint_code code, const char *fmt, ...)
{
    const struct trace_message *m = at->v.m;
    char detail[256] = "";
    va_list ap;

    if (at->known->found[code] < LINT_EACH_MAX) {
        va_start(ap, fmt);
        vsnprintf(detail, sizeof detail, fmt, ap);
        va_end(ap);
    }
    lint_report(at->lint, at->known,
                &(struct lint_finding){.code = code,
                                       .level = lint_rule(code)->level,
                                       .session = at->session,
                                       .number = m->number,
                                       .read_ns = m->read_ns,
                                       .party = (enum side)m->sender,
                                       .id = at->v.hdr.id,
                                       .command = at->v.hdr.command,
                                       .section = lint_section_of(code, at->v.hdr.command),
                                       .detail = detail});
}

/* ---- sessions ---- */

/*
 * Returns true if the member of a line of JSON is the boolean `truth`; false also if the text is
 * not JSON.
 */
static bool lint_json_reports(const char *text, const char *member, bool truth)
{
    json_t *const o = *text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
    const json_t *const v = json_object_get(o, member);
    const bool says = truth ? json_is_true(v) : v != NULL;

    json_decref(o);
    return says;
}

bool lint_session(struct lint *l, struct trace_session *s, const char *section)
{
    struct lint_session *known = calloc(1, sizeof *known);

    (void)l;
    s->user = known;
    if (!known) {
        return false;
    }
    known->device = calloc(1, sizeof *known->device);
    known->partial =
        lint_json_reports(s->comment, "late", true) || lint_json_reports(section, "filter", false);
    known->maps_known = !known->partial;
    known->state_known = !known->partial;
    known->state = WIRE_MIG_RUNNING;
    known->max_dma_maps = UINT64_MAX;
    known->page = 1;
    return known->device != NULL;
}

/* Messages are missing: forgets the state that can only be followed if all of them are seen. */
static void lint_gap(struct lint_session *s)
{
    s->partial = true;
    s->maps_known = false;
    s->state_known = false;
    lint_maps_deinit(&s->maps);
}

void lint_statistics(struct lint *l, struct trace_session *s)
{
    struct lint_session *known = s->user;

    if (!known || !s->over) {
        return;
    }
    lint_silence_over(l, s);
    lint_early_over(l, s);
    /* If the capture was stopped, the session may have gone on: it does not count as over. */
    known->over = lint_json_reports(s->ending, "ended", false);
    known->partial = known->partial || s->lost > 0;
    lint_maps_deinit(&known->maps);
    json_decref(known->capabilities);
    known->capabilities = NULL;
    known->maps_known = false;
    free(known->device);
    known->device = NULL;
}

static void lint_sum_up(struct lint *l, const struct trace_session *s,
                        const struct lint_session *known)
{
    for (unsigned i = 0; i < LINT_CODES; i++) {
        if (known->found[i] > LINT_EACH_MAX) {
            const enum lint_code code = (enum lint_code)i;

            l->fn(&(struct lint_finding){.code = code,
                                         .level = lint_rule(code)->level,
                                         .session = s,
                                         .section = lint_section_of(code, 0),
                                         .detail = "",
                                         .more = known->found[i] - LINT_EACH_MAX},
                  l->arg);
        }
    }
}

void lint_forget(struct lint *l, struct trace_session *s)
{
    struct lint_session *known = s->user;

    if (known) {
        lint_early_over(l, s);
        lint_sum_up(l, s, known);
        lint_maps_deinit(&known->maps);
        json_decref(known->capabilities);
        free(known->device);
        free(known);
        s->user = NULL;
    }
}

void lint_end(struct lint *l)
{
    trace_pairs_waiting(l->pairs, lint_silence_unanswered, l);
}

/* ---- posted requests ---- */

static void lint_remember_posted(struct lint_session *s, const struct decode_view *v)
{
    s->device->posted[s->device->next_posted++ % LINT_POSTED] =
        (struct lint_posted){.used = true,
                             .twin = (v->m->flags & TRACE_TWIN) != 0,
                             .sender = v->m->sender,
                             .id = v->hdr.id,
                             .command = v->hdr.command};
}

/* Returns true if a reply matches one of the last posted requests; each matches once. */
static bool lint_answers_posted(struct lint_session *s, const struct decode_view *v)
{
    for (unsigned i = 0; i < LINT_POSTED; i++) {
        struct lint_posted *p = &s->device->posted[i];

        if (p->used && p->id == v->hdr.id && p->command == v->hdr.command &&
            p->sender != v->m->sender && p->twin == ((v->m->flags & TRACE_TWIN) != 0)) {
            p->used = false;
            return true;
        }
    }
    return false;
}

/* ---- messages ---- */

/*
 * Judges the size by the bound at which the relay ends a session (proxy/relay/relay_direction.c).
 */
static void lint_judge_bound(const struct lint_at *at)
{
    const struct lint_limits *l = &at->known->limits[at->v.m->sender & 1u];
    uint32_t bound;
    uint32_t asked;

    if (!l->known) {
        return;
    }
    bound = wire_bound(&at->v.hdr, &l->takes);
    asked = at->request ? lint_asked(at) : 0;
    bound = asked > bound ? asked : bound;
    if (at->v.hdr.size > bound) {
        lint_say(at, LINT_MESSAGE_SIZE, "%" PRIu32 " bytes, at most %" PRIu32, at->v.hdr.size,
                 bound);
    }
}

static void lint_judge_header(const struct lint_at *at)
{
    const struct wire_hdr *h = &at->v.hdr;

    if (h->size != at->v.m->size) {
        lint_say(at, LINT_HEADER_SIZE, "%u in the header, %u bytes came", h->size, at->v.m->size);
    }
    lint_judge_bound(at);
    if (h->flags & ~WIRE_FLAGS_KNOWN) {
        lint_say(at, LINT_RESERVED_FLAGS, "flags 0x%x", h->flags);
    }
    if (wire_is_reply(h) && (h->flags & WIRE_NO_REPLY)) {
        lint_say(at, LINT_NO_REPLY_IN_REPLY, "flags 0x%x", h->flags);
    }
    if (h->error && !(h->flags & WIRE_ERROR)) {
        lint_say(at, LINT_ERROR_FIELD, "error %u", h->error);
    }
}

/* Reports errors of the payload's form; returns true if the payload can be read further. */
static bool lint_judge_payload(const struct lint_at *at)
{
    const struct decode_view *v = &at->v;

    switch (v->check) {
    case WIRE_OK:
        return true;
    case WIRE_PAYLOAD_SHORT:
        lint_say(at, LINT_PAYLOAD_SHORT, "%zu bytes", v->total);
        return false;
    case WIRE_PAYLOAD_LONG:
        lint_say(at, LINT_PAYLOAD_LONG, "%zu bytes", v->total);
        return false;
    case WIRE_COUNT_MISMATCH:
        lint_say(at, LINT_COUNT, "%zu bytes", v->total);
        return false;
    case WIRE_ERROR_PAYLOAD:
        lint_say(at, LINT_ERROR_PAYLOAD, "%zu bytes", v->total);
        return false;
    case WIRE_BAD_OFFSET:
        lint_say(at, LINT_CAPS, "%zu bytes", v->total);
        return false;
    case WIRE_BAD_FLAGS:
        /* The header's own flags have been reported already. */
        if (!(v->hdr.flags & ~WIRE_FLAGS_KNOWN)) {
            lint_say(at, LINT_FLAGS, "%zu bytes", v->total);
        }
        return false;
    case WIRE_UNKNOWN_COMMAND:
    case WIRE_UNKNOWN_TYPE:
        break;
    }
    return false;
}

static void lint_judge_fds(const struct lint_at *at)
{
    const struct trace_message *m = at->v.m;
    const struct lint_limits *limits = &at->known->limits[m->sender & 1u];
    const bool reply = at->request != NULL;

    if (m->n_fds == 0) {
        return;
    }
    if (limits->known && m->n_fds > limits->max_msg_fds) {
        lint_say(at, LINT_TOO_MANY_FDS, "%u, at most %u", m->n_fds, limits->max_msg_fds);
    }
    if (at->info && (!(reply ? at->info->reply.fds : at->info->request.fds) ||
                     (at->v.hdr.flags & WIRE_ERROR))) {
        lint_say(at, LINT_FDS_WHERE_NONE, "%u with a %s", m->n_fds, reply ? "reply" : "request");
    }
}

static uint64_t lint_session_request(struct lint_at *at)
{
    const struct decode_view *v = &at->v;
    struct lint_session *s = at->known;

    if (v->hdr.flags & WIRE_NO_REPLY) {
        lint_remember_posted(s, v);
    }
    if (v->hdr.command == WIRE_VERSION) {
        lint_version_request(at);
        return 0;
    }
    if (!lint_judged(at)) {
        return 0;
    }
    lint_judge_header(at);
    lint_judge_fds(at);
    if (!s->answered && !s->partial) {
        lint_say(at, LINT_BEFORE_VERSION, "%s", "");
    }
    if (!at->info) {
        lint_say(at, LINT_UNKNOWN_COMMAND, "command %u", v->hdr.command);
        return 0;
    }
    if (at->info->sender != (v->m->sender & 1u)) {
        lint_say(at, LINT_WRONG_DIRECTION, "%s", "");
    }
    lint_profile_request(at);
    return lint_judge_payload(at) ? lint_request(at) : 0;
}

static void lint_session_reply(struct lint_at *at)
{
    const struct decode_view *v = &at->v;
    struct lint_session *s = at->known;
    uint64_t *last = &s->last_answered[at->request->sender & 1u];

    if (at->request->number > *last) {
        *last = at->request->number;
    }
    if (v->m->sender == SIDE_BACKEND && lint_judged(at)) {
        lint_maps_settle(&s->maps, at->request->number);
    }
    if (at->request->hdr.command != v->hdr.command) {
        if (lint_judged(at) && !s->partial) {
            lint_say(at, LINT_REPLY_COMMAND, "it answers %s",
                     wire_command_name(at->request->hdr.command));
        }
        return;
    }
    if (v->hdr.command == WIRE_VERSION) {
        lint_version_reply(at);
        return;
    }
    if (lint_judged(at)) {
        lint_judge_header(at);
        lint_judge_fds(at);
        lint_profile_reply(at);
        if (!v->reply) {
            lint_say(at, LINT_ERROR_WITHOUT_REPLY, "error %u", v->hdr.error);
        } else if (at->info && !lint_judge_payload(at)) {
            return;
        }
    }
    lint_reply(at);
}

/* Judges a message that is neither a request nor a reply to one that was seen. */
static void lint_other(struct lint_at *at, enum trace_pairing pairing)
{
    if (!lint_judged(at)) {
        return;
    }
    lint_judge_header(at);
    if (pairing == TRACE_PAIR_NEITHER) {
        lint_say(at, LINT_UNKNOWN_TYPE, "type %u", at->v.hdr.flags & WIRE_TYPE_MASK);
    } else if (lint_answers_posted(at->known, &at->v)) {
        lint_say(at, LINT_REPLY_TO_NO_REPLY, "%s", "");
    } else if (!at->known->partial && !lint_early_keep(at)) {
        lint_say(at, LINT_UNASKED_REPLY, "%s", "");
    }
}

static void lint_judge(struct lint_at *at)
{
    struct trace_request answered;
    const bool command = (at->v.hdr.flags & WIRE_TYPE_MASK) == WIRE_TYPE_COMMAND;
    uint64_t tag = 0;
    enum trace_pairing pairing;

    if (command && !(at->v.hdr.flags & WIRE_ERROR)) {
        tag = lint_session_request(at);
        if (lint_early_take(at)) {
            return;
        }
    }
    pairing = trace_pairs_feed(at->lint->pairs, at->session, at->v.m, tag, &answered);
    if (pairing == TRACE_PAIR_REPLY && trace_in_stead(&answered, at->v.m)) {
        lint_silence_in_stead(at, &answered);
        return;
    }
    if (pairing == TRACE_PAIR_REPLY) {
        at->request = &answered;
        lint_session_reply(at);
        at->request = NULL;
    } else if (pairing != TRACE_PAIR_REQUEST) {
        lint_other(at, pairing);
    } else if (at->v.hdr.flags & WIRE_ERROR) {
        if (lint_judged(at)) {
            lint_say(at, LINT_ERROR_IN_COMMAND, "error %u", at->v.hdr.error);
        }
        (void)lint_session_request(at);
    }
}

/* A message that is not whole: only that is judged. */
static void lint_judge_incomplete(struct lint_at *at)
{
    struct trace_request answered;
    const bool reply =
        at->v.has_hdr && at->v.reply &&
        trace_pairs_feed(at->lint->pairs, at->session, at->v.m, 0, &answered) == TRACE_PAIR_REPLY;

    if (at->v.has_hdr && !at->v.reply) {
        (void)lint_early_take(at);
    }
    lint_silence_incomplete(at, reply ? &answered : NULL);
}

void lint_message(struct lint *l, struct trace_session *s, const struct trace_message *m)
{
    struct lint_at at = {.lint = l, .session = s, .known = s->user};

    /* Messages after the session's end are not judged. */
    if (!at.known || !at.known->device) {
        return;
    }
    if (m->lost > 0 || m->number != at.known->number + 1) {
        lint_gap(at.known);
    }
    at.known->number = m->number;
    decode_open(&at.v, m, &l->scratch);
    if (m->missing > 0) {
        lint_judge_incomplete(&at);
        return;
    }
    if (!at.v.has_hdr) {
        return;
    }
    at.info = wire_command_find(at.v.hdr.command);
    lint_judge(&at);
}
