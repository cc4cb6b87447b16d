/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Collects a trace's statistics, message by message. Pure except for its memory. */
#include "trace/report/stats.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/wire/wire_command.h"
#include "trace/report/stats_excerpts.h"

static_assert(WIRE_MIG_DATA_WRITE < STATS_COMMANDS, "a row for each command");

struct stats *stats_new(void)
{
    struct stats *const s = calloc(1, sizeof *s);

    if (!s) {
        return NULL;
    }
    s->pairs = trace_pairs_new();
    if (!s->pairs) {
        free(s);
        return NULL;
    }
    stats_time_init(&s->time);
    s->others.index = UINT32_MAX;
    return s;
}

void stats_free(struct stats *s)
{
    if (!s) {
        return;
    }
    for (size_t i = 0; i < s->n_regions; i++) {
        free(s->regions[i]);
    }
    free(s->sessions);
    trace_pairs_free(s->pairs);
    free(s);
}

/* ---- rows ---- */

const char *stats_command_name(unsigned code)
{
    return code == 0 ? "other" : wire_command_name((uint16_t)code);
}

static struct stats_row *stats_command_row(struct stats *s, uint16_t code)
{
    return &s->commands[code < STATS_COMMANDS && wire_command_find(code) ? code : 0];
}

static struct stats_region *stats_region_row(struct stats *s, const char *route, uint32_t index)
{
    struct stats_region *r;

    for (size_t i = 0; i < s->n_regions; i++) {
        if (s->regions[i]->index == index && strcmp(s->regions[i]->route, route) == 0) {
            return s->regions[i];
        }
    }
    r = s->n_regions < STATS_REGIONS ? calloc(1, sizeof *r) : NULL;
    if (!r) {
        return &s->others;
    }
    r->index = index;
    snprintf(r->route, sizeof r->route, "%s", route);
    s->regions[s->n_regions++] = r;
    return r;
}

/* Returns the session's own counts, or NULL if memory runs out. */
static struct stats_session *stats_session_row(struct stats *s, const struct trace_session *session)
{
    const size_t i = session->index;
    struct stats_session *more;
    size_t room = s->sessions_room;

    if (i >= room) {
        while (i >= room) {
            room = room ? 2 * room : 16;
        }
        more = realloc(s->sessions, room * sizeof *more);
        if (!more) {
            return NULL;
        }
        memset(more + s->sessions_room, 0, (room - s->sessions_room) * sizeof *more);
        s->sessions = more;
        s->sessions_room = room;
    }
    s->sessions[i].session = session;
    return &s->sessions[i];
}

static void stats_note_comment(struct stats *s, const char *comment)
{
    if (strncmp(comment, "unseen: ", 8) != 0) {
        return;
    }
    comment += 8;
    for (size_t i = 0; i < s->n_notes; i++) {
        if (strncmp(s->notes[i].text, comment, STATS_NOTE_BYTES - 1) == 0) {
            s->notes[i].count++;
            return;
        }
    }
    if (s->n_notes == STATS_NOTES) {
        s->more_notes++;
        return;
    }
    snprintf(s->notes[s->n_notes].text, STATS_NOTE_BYTES, "%s", comment);
    s->notes[s->n_notes++].count = 1;
}

/* ---- requests and replies ---- */

/* Counts a request's access to a region: in its row of writes or reads, and in the map. */
static void stats_count_access(struct stats *s, const char *route, const struct access *a,
                               bool write)
{
    struct stats_region *const r = stats_region_row(s, route, a->region);
    struct stats_row *const row = write ? &r->write : &r->read;

    row->requests++;
    row->no_reply += (a->hdr.flags & WIRE_NO_REPLY) != 0;
    row->bytes += a->count;
    stats_heat_add(&r->heat, a->offset, write);
}

static void stats_count_request(struct stats *s, const struct trace_session *session,
                                const struct trace_message *m, const struct access *a)
{
    struct stats_row *const row = stats_command_row(s, a->hdr.command);
    struct access writes[ACCESS_WRITES];
    size_t n;

    row->requests++;
    row->bytes += m->size;
    row->no_reply += (a->hdr.flags & WIRE_NO_REPLY) != 0;
    if (a->hdr.command == WIRE_REGION_WRITE_MULTI) {
        n = access_writes(m, writes);
        for (size_t i = 0; i < n; i++) {
            stats_count_access(s, session->route, &writes[i], true);
        }
    } else if (a->hdr.command == WIRE_REGION_READ || a->hdr.command == WIRE_REGION_WRITE) {
        if (a->kind == ACCESS_REGION) {
            stats_count_access(s, session->route, a, a->hdr.command == WIRE_REGION_WRITE);
        }
    }
}

static void stats_count_answer(struct stats_row *row, bool error, uint64_t latency)
{
    row->replies++;
    row->errors += error;
    stats_histogram_add(&row->latency, latency);
}

/* Returns a region's row for a reply to an access, or NULL if the request was not an access. */
static struct stats_row *stats_accessed_row(struct stats *s, const struct trace_session *session,
                                            const struct trace_request *request)
{
    struct stats_region *r;
    struct access a;

    access_of_request(request, &a);
    if (a.kind == ACCESS_REGION &&
        (a.hdr.command == WIRE_REGION_READ || a.hdr.command == WIRE_REGION_WRITE)) {
        r = stats_region_row(s, session->route, a.region);
        return a.hdr.command == WIRE_REGION_WRITE ? &r->write : &r->read;
    }
    return NULL;
}

/* Counts a request that was not answered, or not whole. */
static void stats_count_waiting(const struct trace_request *request, void *arg)
{
    struct stats *const s = arg;
    struct stats_row *row;

    if ((request->flags & TRACE_BROKER) != 0) {
        return;
    }
    stats_command_row(s, request->hdr.command)->unanswered++;
    row = stats_accessed_row(s, request->session, request);
    if (row) {
        row->unanswered++;
    }
}

static uint64_t stats_since(uint64_t earlier, uint64_t later)
{
    return later > earlier ? later - earlier : 0;
}

/* Counts a reply and its request. Returns the latency. */
static uint64_t stats_count_reply(struct stats *s, const struct trace_session *session,
                                  const struct trace_message *m, const struct access *a,
                                  const struct trace_request *request)
{
    const uint64_t latency = trace_latency(request, m);
    const bool error = (a->hdr.flags & WIRE_ERROR) != 0;
    struct stats_row *row = stats_command_row(s, request->hdr.command);

    if ((request->flags & TRACE_BROKER) != 0 || trace_in_stead(request, m)) {
        return latency;
    }
    row->bytes += m->size;
    stats_count_answer(row, error, latency);
    stats_histogram_add(&s->latency, latency);
    row = stats_accessed_row(s, session, request);
    if (row) {
        stats_count_answer(row, error, latency);
    }
    /* What was not delivered waited for its receiver, not for the broker. */
    if (request->legs == TRACE_LEGS && m->legs == TRACE_LEGS &&
        ((request->flags | m->flags) & TRACE_UNDELIVERED) == 0) {
        s->whole_ns += latency + m->passed_ns;
        s->broker_ns += request->broker_ns + trace_message_broker_ns(m);
    }
    return latency;
}

/* Takes a region's size from a reply that has it. */
static void stats_learn_size(struct stats *s, const struct trace_session *session,
                             const struct access *a)
{
    struct stats_region *r;

    if (a->size > 0) {
        r = stats_region_row(s, session->route, a->region);
        if (r != &s->others) {
            r->size = a->size;
        }
    }
}

/* ---- all messages ---- */

static void stats_count_sender(struct stats *s, const struct trace_message *m)
{
    struct stats_sender *const from = &s->senders[m->sender == SIDE_BACKEND];

    s->messages++;
    s->undelivered += (m->flags & TRACE_UNDELIVERED) != 0;
    if ((m->flags & TRACE_BROKER) != 0) {
        s->made++;
        return;
    }
    from->messages++;
    from->bytes += m->size;
    from->fds += m->n_fds;
    if (m->legs == TRACE_LEGS && (m->flags & TRACE_UNDELIVERED) == 0) {
        stats_histogram_add(&from->passed, trace_message_broker_ns(m));
    }
}

static void stats_count_time(struct stats *s, const struct trace_message *m)
{
    if (s->messages == 0) {
        s->begin_ns = m->read_ns;
    }
    if (m->read_ns + m->passed_ns > s->end_ns) {
        s->end_ns = m->read_ns + m->passed_ns;
    }
}

static void stats_add_step(struct stats *s, const struct trace_session *session,
                           const struct trace_message *m, const struct access *a, uint64_t latency,
                           bool slowest)
{
    const struct stats_step step = {
        .session = session->number,
        .number = m->number,
        .read_ns = stats_since(s->begin_ns, m->read_ns),
        .passed_ns = m->passed_ns,
        .latency = latency,
        .access = *a,
        .lost = m->lost,
        .n_fds = m->n_fds,
        .sender = m->sender == SIDE_BACKEND,
        .legs = m->legs,
        .flags = m->flags,
    };

    stats_excerpts_add(&s->excerpts, &step, slowest);
}

/* Counts a message as request, reply or neither. */
static void stats_count_kind(struct stats *s, const struct trace_session *session,
                             const struct trace_message *m, struct stats_column *column)
{
    const uint64_t slowest = s->latency.max;
    struct trace_request request;
    struct access a = {.hdr = {.size = m->size}};
    uint64_t latency = 0;
    bool header = access_read(m, &a);

    switch (trace_pairs_feed(s->pairs, session, m, 0, &request)) {
    case TRACE_PAIR_REQUEST:
        if ((m->flags & TRACE_BROKER) == 0 && header) {
            stats_count_request(s, session, m, &a);
        }
        break;
    case TRACE_PAIR_REPLY:
        if (m->missing > 0) {
            stats_count_waiting(&request, s);
            break;
        }
        latency = stats_count_reply(s, session, m, &a, &request);
        if ((request.flags & TRACE_BROKER) == 0 && !trace_in_stead(&request, m)) {
            stats_column_reply(column, latency);
        }
        stats_learn_size(s, session, &a);
        break;
    case TRACE_PAIR_UNASKED:
        s->unasked++;
        stats_learn_size(s, session, &a);
        break;
    case TRACE_PAIR_NEITHER:
        s->malformed++;
        break;
    }
    column->errors += wire_is_reply(&a.hdr) && (a.hdr.flags & WIRE_ERROR) != 0;
    stats_add_step(s, session, m, &a, latency, s->latency.max > slowest);
}

int stats_feed(struct stats *s, const struct trace_session *session, const struct trace_message *m,
               const char *comment)
{
    struct stats_session *const row = stats_session_row(s, session);
    struct stats_column *column;

    if (!row) {
        return -ENOMEM;
    }
    stats_count_time(s, m);
    stats_count_sender(s, m);
    row->messages++;
    row->lost += m->lost;
    column = stats_time_at(&s->time, stats_since(s->begin_ns, m->read_ns));
    column->messages[m->sender == SIDE_BACKEND]++;
    column->lost += m->lost;
    if (comment) {
        stats_note_comment(s, comment);
    }
    stats_count_kind(s, session, m, column);
    return 0;
}

/* ---- at the end ---- */

void stats_finish(struct stats *s)
{
    trace_pairs_waiting(s->pairs, stats_count_waiting, s);
    s->given_up = trace_pairs_given_up(s->pairs);
}

uint64_t stats_session_lost(const struct stats_session *s)
{
    return s->session && s->session->lost > s->lost ? s->session->lost : s->lost;
}

uint64_t stats_lost(const struct stats *s)
{
    uint64_t n = 0;

    for (size_t i = 0; i < s->sessions_room; i++) {
        n += stats_session_lost(&s->sessions[i]);
    }
    return n;
}
