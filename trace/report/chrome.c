/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Writes trace events, one per line. A request's slice is put on the first free lane of its side,
 * so that slices of one thread never overlap, as the format demands; a lane is free again once its
 * slice is over.
 */
#include "trace/report/chrome.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/wire/wire_command.h"
#include "trace/decode/access.h"
#include "trace/decode/names.h"

#define NO_LANE CHROME_LANES

/* The client's last write, which a DMA request of the device may follow from. */
struct write {
    uint64_t read_ns; /* since 1970; 0 if none */
    unsigned lane;
};

/* A session: a process. */
struct process {
    uint64_t busy[SIDES];  /* lanes with a request that waits for its reply, as bits */
    uint64_t named[SIDES]; /* lanes whose names have been written */
    uint64_t until[SIDES][CHROME_LANES]; /* end of a lane's last slice, since 1970 */
    bool told;                           /* the process's name has been written */
    uint64_t sample;                     /* the counter's current sample, from 0 */
    uint64_t counted[SIDES];
    bool counting; /* the last sample written was not 0 */
    struct write write;
};

struct chrome {
    FILE *f;
    bool any; /* an event has been written: the next one needs a comma */
    uint64_t begin_ns;
    uint64_t end_ns;
    uint64_t flows;
    uint64_t asyncs;
    struct process *processes; /* by the session's index */
    size_t room;
    struct trace_pairs *pairs;
};

struct chrome *chrome_new(FILE *f)
{
    struct chrome *const c = calloc(1, sizeof *c);

    if (!c) {
        return NULL;
    }
    c->pairs = trace_pairs_new();
    if (!c->pairs) {
        free(c);
        return NULL;
    }
    c->f = f;
    fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[", f);
    return c;
}

void chrome_free(struct chrome *c)
{
    if (c) {
        trace_pairs_free(c->pairs);
        free(c->processes);
        free(c);
    }
}

static struct process *chrome_process_of(struct chrome *c, const struct trace_session *s)
{
    struct process *more;
    size_t room = c->room;

    if (s->index < room) {
        return &c->processes[s->index];
    }
    while (s->index >= room) {
        room = room ? 2 * room : 16;
    }
    more = realloc(c->processes, room * sizeof *more);
    if (!more) {
        return NULL;
    }
    memset(more + c->room, 0, (room - c->room) * sizeof *more);
    c->processes = more;
    c->room = room;
    return &c->processes[s->index];
}

/* ---- events ---- */

/* Writes a JSON string of foreign text: after log_escape, only backslashes need another escape. */
static void chrome_put_string(FILE *f, const char *text)
{
    char shown[512];

    log_escape(shown, sizeof shown, text, strlen(text));
    fputc('"', f);
    for (const char *p = shown; *p; p++) {
        if (*p == '"' || *p == '\\') {
            fputc('\\', f);
        }
        fputc(*p, f);
    }
    fputc('"', f);
}

/* The format's times are microseconds; three decimals keep every nanosecond. */
static void chrome_put_us(FILE *f, const char *key, uint64_t ns)
{
    fprintf(f, ",\"%s\":%" PRIu64 ".%03u", key, ns / 1000, (unsigned)(ns % 1000));
}

static uint64_t chrome_since_begin(const struct chrome *c, uint64_t ns)
{
    return ns > c->begin_ns ? ns - c->begin_ns : 0;
}

/* Returns a process's number: from 1, since 0 has a special meaning in the format. */
static unsigned chrome_pid_of(const struct trace_session *s)
{
    return s->index + 1;
}

/* Returns a thread's number: the client's lanes come before the backend's. */
static unsigned chrome_tid_of(unsigned sender, unsigned lane)
{
    return 1 + sender * (CHROME_LANES + 1) + lane;
}

/* Begins an event; the caller adds ",…" and ends it. */
static void chrome_begin(struct chrome *c, const char *phase, unsigned pid, unsigned tid)
{
    fprintf(c->f, "%s\n{\"ph\":\"%s\",\"pid\":%u,\"tid\":%u", c->any ? "," : "", phase, pid, tid);
    c->any = true;
}

static void chrome_end(struct chrome *c)
{
    fputc('}', c->f);
}

static void chrome_name_process(struct chrome *c, const struct trace_session *s, struct process *p)
{
    if (!p->told) {
        p->told = true;
        chrome_begin(c, "M", chrome_pid_of(s), 0);
        fputs(",\"name\":\"process_name\",\"args\":{\"name\":", c->f);
        chrome_put_string(c->f, s->name);
        fputc('}', c->f);
        chrome_end(c);
    }
}

static void chrome_name_lane(struct chrome *c, const struct trace_session *s, struct process *p,
                             unsigned sender, unsigned lane)
{
    static const char *const names[SIDES] = {"client's requests", "backend's requests"};
    const unsigned tid = chrome_tid_of(sender, lane);

    if (lane < CHROME_LANES && (p->named[sender] >> lane & 1) == 0) {
        p->named[sender] |= (uint64_t)1 << lane;
        chrome_begin(c, "M", chrome_pid_of(s), tid);
        fprintf(c->f, ",\"name\":\"thread_name\",\"args\":{\"name\":\"%s", names[sender]);
        if (lane > 0) {
            fprintf(c->f, " (%u)", lane + 1);
        }
        fputs("\"}", c->f);
        chrome_end(c);
        chrome_begin(c, "M", chrome_pid_of(s), tid);
        fprintf(c->f, ",\"name\":\"thread_sort_index\",\"args\":{\"sort_index\":%u}", tid);
        chrome_end(c);
    }
}

/* ---- requests ---- */

/* A request to be written, with or without its reply. */
struct span {
    const struct trace_session *session;
    struct access access;
    uint64_t number;
    uint64_t read_ns;
    uint64_t end_ns;
    uint64_t passed_ns;
    unsigned sender;
    unsigned lane;
    unsigned n_fds;
    bool made;                         /* by the broker */
    const struct trace_message *reply; /* NULL if none */
    const struct access *answer;       /* of the reply */
};

static void chrome_put_place(FILE *f, const struct access *a)
{
    const char *const region =
        a->kind == ACCESS_REGION ? wire_name_of(wire_regions, a->region) : NULL;

    if (a->kind == ACCESS_REGION) {
        fprintf(f, ",\"region\":%" PRIu32, a->region);
        if (region) {
            fprintf(f, ",\"region_name\":\"%s\"", region);
        }
    }
    if (a->kind != ACCESS_NONE && (a->kind == ACCESS_MEMORY || a->count > 0)) {
        fprintf(f, ",\"%s\":\"0x%" PRIx64 "\",\"count\":%" PRIu64,
                a->kind == ACCESS_MEMORY ? "address" : "offset", a->offset, a->count);
    }
}

static void chrome_put_error(FILE *f, const struct access *answer)
{
    const char *name;

    if ((answer->hdr.flags & WIRE_ERROR) != 0) {
        name = names_errno(answer->hdr.error);
        fprintf(f, ",\"error\":%" PRIu32, answer->hdr.error);
        if (name) {
            fprintf(f, ",\"error_name\":\"%s\"", name);
        }
    }
}

static void chrome_put_args(struct chrome *c, const struct span *s)
{
    fprintf(c->f,
            ",\"args\":{\"message\":%" PRIu64 ",\"id\":%u,\"size\":%" PRIu32
            ",\"passed_on_ns\":%" PRIu64,
            s->number, s->access.hdr.id, s->access.hdr.size, s->passed_ns);
    chrome_put_place(c->f, &s->access);
    if (s->n_fds > 0) {
        fprintf(c->f, ",\"fds\":%u", s->n_fds);
    }
    if (s->made) {
        fputs(",\"made_by_broker\":true", c->f);
    }
    if (s->reply) {
        fprintf(c->f,
                ",\"reply\":%" PRIu64 ",\"reply_size\":%" PRIu32 ",\"reply_passed_on_ns\":%" PRIu64,
                s->reply->number, s->reply->size, s->reply->passed_ns);
        chrome_put_error(c->f, s->answer);
    } else if ((s->access.hdr.flags & WIRE_NO_REPLY) != 0) {
        fputs(",\"no_reply\":true", c->f);
    } else {
        fputs(",\"unanswered\":true", c->f);
    }
    fputc('}', c->f);
}

static void chrome_put_name(struct chrome *c, const struct access *a)
{
    if (wire_command_find(a->hdr.command)) {
        fprintf(c->f, ",\"name\":\"%s\"", wire_command_name(a->hdr.command));
    } else {
        fprintf(c->f, ",\"name\":\"command %u\"", a->hdr.command);
    }
}

/* Writes one complete event if the request has a lane, else a pair of async events. */
static void chrome_put_span(struct chrome *c, const struct span *s)
{
    const unsigned pid = chrome_pid_of(s->session);
    const unsigned tid = chrome_tid_of(s->sender, s->lane);
    const uint64_t from = chrome_since_begin(c, s->read_ns);
    const uint64_t to = chrome_since_begin(c, s->end_ns);

    if (s->lane < CHROME_LANES) {
        chrome_begin(c, "X", pid, tid);
        chrome_put_name(c, &s->access);
        fputs(",\"cat\":\"request\"", c->f);
        chrome_put_us(c->f, "ts", from);
        chrome_put_us(c->f, "dur", to > from ? to - from : 0);
        chrome_put_args(c, s);
        chrome_end(c);
        return;
    }
    c->asyncs++;
    chrome_begin(c, "b", pid, tid);
    chrome_put_name(c, &s->access);
    fprintf(c->f, ",\"cat\":\"request\",\"id\":\"0x%" PRIx64 "\"", c->asyncs);
    chrome_put_us(c->f, "ts", from);
    chrome_put_args(c, s);
    chrome_end(c);
    chrome_begin(c, "e", pid, tid);
    chrome_put_name(c, &s->access);
    fprintf(c->f, ",\"cat\":\"request\",\"id\":\"0x%" PRIx64 "\"", c->asyncs);
    chrome_put_us(c->f, "ts", to > from ? to : from);
    chrome_end(c);
}

/*
 * Compares times, since messages of two directions may come out of the order in which they were
 * read.
 */
static unsigned chrome_free_lane(const struct process *p, unsigned sender, uint64_t now_ns)
{
    for (unsigned i = 0; i < CHROME_LANES; i++) {
        if ((p->busy[sender] >> i & 1) == 0 && p->until[sender][i] <= now_ns) {
            return i;
        }
    }
    return NO_LANE;
}

/*
 * Writes an arrow from the write to the device's request that followed it; both ends are on slices.
 */
static void chrome_put_flow(struct chrome *c, const struct trace_session *s, struct process *p,
                            const struct trace_message *m, unsigned lane)
{
    const struct write *const w = &p->write;

    if (w->read_ns == 0 || w->read_ns > m->read_ns || m->read_ns - w->read_ns > CHROME_FLOW_NS ||
        lane >= CHROME_LANES) {
        return;
    }
    c->flows++;
    chrome_begin(c, "s", chrome_pid_of(s), chrome_tid_of(SIDE_CLIENT, w->lane));
    fprintf(c->f, ",\"name\":\"DMA after a write\",\"cat\":\"dma\",\"id\":%" PRIu64, c->flows);
    chrome_put_us(c->f, "ts", chrome_since_begin(c, w->read_ns));
    chrome_end(c);
    chrome_begin(c, "f", chrome_pid_of(s), chrome_tid_of(SIDE_BACKEND, lane));
    fprintf(c->f, ",\"bp\":\"e\",\"name\":\"DMA after a write\",\"cat\":\"dma\",\"id\":%" PRIu64,
            c->flows);
    chrome_put_us(c->f, "ts", chrome_since_begin(c, m->read_ns));
    chrome_end(c);
}

static void chrome_request(struct chrome *c, const struct trace_session *s, struct process *p,
                           const struct trace_message *m, const struct access *a, unsigned lane)
{
    const unsigned sender = m->sender == SIDE_BACKEND;
    const bool writes =
        a->hdr.command == WIRE_REGION_WRITE || a->hdr.command == WIRE_REGION_WRITE_MULTI;

    chrome_name_lane(c, s, p, sender, lane);
    if (sender == SIDE_CLIENT && writes && lane < CHROME_LANES) {
        p->write = (struct write){.read_ns = m->read_ns, .lane = lane};
    } else if (sender == SIDE_BACKEND) {
        chrome_put_flow(c, s, p, m, lane);
    }
    if ((a->hdr.flags & WIRE_NO_REPLY) != 0) {
        chrome_put_span(c, &(struct span){.session = s,
                                          .access = *a,
                                          .number = m->number,
                                          .read_ns = m->read_ns,
                                          .end_ns = m->read_ns + m->passed_ns,
                                          .passed_ns = m->passed_ns,
                                          .sender = sender,
                                          .lane = lane,
                                          .n_fds = m->n_fds,
                                          .made = (m->flags & TRACE_BROKER) != 0});
        if (lane < CHROME_LANES) {
            p->until[sender][lane] = m->read_ns + m->passed_ns;
        }
    } else if (lane < CHROME_LANES) {
        p->busy[sender] |= (uint64_t)1 << lane;
    }
}

static void chrome_put_request(struct chrome *c, const struct trace_request *r, uint64_t end_ns,
                               const struct trace_message *reply, const struct access *answer)
{
    struct span s = {.session = r->session,
                     .number = r->number,
                     .read_ns = r->read_ns,
                     .end_ns = end_ns,
                     .passed_ns = r->passed_ns,
                     .sender = r->sender == SIDE_BACKEND,
                     .lane = (unsigned)r->tag,
                     .n_fds = r->n_fds,
                     .made = (r->flags & TRACE_BROKER) != 0,
                     .reply = reply,
                     .answer = answer};

    access_of_request(r, &s.access);
    chrome_put_span(c, &s);
}

static void chrome_give_back(struct process *p, const struct trace_request *r, uint64_t end_ns)
{
    const unsigned sender = r->sender == SIDE_BACKEND;

    if (r->tag < CHROME_LANES) {
        p->busy[sender] &= ~((uint64_t)1 << r->tag);
        p->until[sender][r->tag] = end_ns;
    }
}

/* Writes a message that answers no request, or is malformed. */
static void chrome_put_instant(struct chrome *c, const struct trace_session *s,
                               const struct trace_message *m, const char *what)
{
    chrome_begin(c, "i", chrome_pid_of(s), chrome_tid_of(m->sender == SIDE_BACKEND, 0));
    fprintf(c->f, ",\"s\":\"p\",\"cat\":\"odd\",\"name\":\"%s\"", what);
    chrome_put_us(c->f, "ts", chrome_since_begin(c, m->read_ns));
    fprintf(c->f, ",\"args\":{\"message\":%" PRIu64 ",\"size\":%" PRIu32 "}", m->number, m->size);
    chrome_end(c);
}

/* ---- counters ---- */

static void chrome_put_counter(struct chrome *c, unsigned pid, uint64_t sample,
                               const uint64_t *counted)
{
    const uint64_t per_second = 1000000000 / CHROME_SAMPLE_NS;

    chrome_begin(c, "C", pid, 0);
    fputs(",\"name\":\"messages/s\"", c->f);
    chrome_put_us(c->f, "ts", sample * CHROME_SAMPLE_NS);
    fprintf(c->f, ",\"args\":{\"client\":%" PRIu64 ",\"backend\":%" PRIu64 "}",
            counted[SIDE_CLIENT] * per_second, counted[SIDE_BACKEND] * per_second);
    chrome_end(c);
}

/*
 * Writes the sample that is over; and a sample of 0 if the next one with messages does not follow
 * at once.
 */
static void chrome_end_sample(struct chrome *c, unsigned pid, struct process *p, uint64_t now)
{
    static const uint64_t none[SIDES] = {0};

    if (p->counted[SIDE_CLIENT] + p->counted[SIDE_BACKEND] > 0) {
        chrome_put_counter(c, pid, p->sample, p->counted);
        if (now > p->sample + 1) {
            chrome_put_counter(c, pid, p->sample + 1, none);
        }
    }
    memset(p->counted, 0, sizeof p->counted);
    p->sample = now;
}

static void chrome_count(struct chrome *c, const struct trace_session *s, struct process *p,
                         const struct trace_message *m)
{
    const uint64_t sample = chrome_since_begin(c, m->read_ns) / CHROME_SAMPLE_NS;

    /* A late message with an earlier time counts in the open sample. */
    if (sample > p->sample) {
        chrome_end_sample(c, chrome_pid_of(s), p, sample);
    }
    p->counted[m->sender == SIDE_BACKEND]++;
}

/* ---- the trace ---- */

int chrome_feed(struct chrome *c, const struct trace_session *s, const struct trace_message *m)
{
    struct process *const p = chrome_process_of(c, s);
    struct trace_request asked;
    struct access a;
    unsigned lane;

    if (!p) {
        return -ENOMEM;
    }
    if (c->begin_ns == 0) {
        c->begin_ns = m->read_ns;
    }
    if (m->read_ns + m->passed_ns > c->end_ns) {
        c->end_ns = m->read_ns + m->passed_ns;
    }
    chrome_name_process(c, s, p);
    chrome_count(c, s, p, m);
    lane = chrome_free_lane(p, m->sender == SIDE_BACKEND, m->read_ns);
    switch (trace_pairs_feed(c->pairs, s, m, lane, &asked)) {
    case TRACE_PAIR_REQUEST:
        if (access_read(m, &a)) {
            chrome_request(c, s, p, m, &a, lane);
        }
        break;
    case TRACE_PAIR_REPLY:
        if (trace_in_stead(&asked, m)) {
            chrome_put_instant(c, s, m, "answered by the broker");
            break;
        }
        if (access_read(m, &a)) {
            chrome_put_request(c, &asked, m->read_ns, m, &a);
        }
        chrome_give_back(p, &asked, m->read_ns);
        break;
    case TRACE_PAIR_UNASKED:
        chrome_put_instant(c, s, m, "reply without a request");
        break;
    case TRACE_PAIR_NEITHER:
        chrome_put_instant(c, s, m, "neither command nor reply");
        break;
    }
    return 0;
}

static void chrome_put_waiting(const struct trace_request *r, void *arg)
{
    struct chrome *const c = arg;

    chrome_put_request(c, r, c->end_ns, NULL, NULL);
}

void chrome_finish(struct chrome *c)
{
    trace_pairs_waiting(c->pairs, chrome_put_waiting, c);
    for (size_t i = 0; i < c->room; i++) {
        if (c->processes[i].told) {
            chrome_end_sample(c, (unsigned)i + 1, &c->processes[i], UINT64_MAX);
        }
    }
    fputs("\n]}\n", c->f);
}
