/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Writes the logs of gates, and reads them. Only memory. */
#include "proxy/relay/gate_keep.h"

#include <stdatomic.h>
#include <string.h>

/* Entries that a log may have beyond twice its state. */
#define GATE_KEEP_SPARE (2 * GATE_CHUNK_ENTRIES)

void gate_keep_init(struct gate_keep *k, struct dma_gate *gate, struct dma_gate_side *main,
                    struct dma_gate_side *twin, struct session_page *page,
                    struct gate_chunks *chunks)
{
    *k = (struct gate_keep){.log = {.chunks = chunks}, .gate = gate, .page = page};
    k->sides[0] = main;
    k->sides[1] = twin;
    gate->keep = k;
}

void gate_keep_deinit(struct gate_keep *k)
{
    gate_log_drop(&k->log);
}

/* Returns the direction to that side. */
static uint8_t gate_keep_way(const struct gate_keep *k, const struct dma_gate_side *l,
                             bool to_client)
{
    const unsigned twin = l == k->sides[1] ? SESSION_PAGE_TWIN_TO_BACKEND : 0;

    return (uint8_t)(twin + (to_client ? SESSION_PAGE_TO_CLIENT : SESSION_PAGE_TO_BACKEND));
}

static struct dma_way *gate_keep_way_of(const struct gate_keep *k, unsigned way)
{
    struct dma_gate_side *const l = k->sides[way / 2];

    return l ? (way % 2 == SESSION_PAGE_TO_CLIENT ? &l->client : &l->backend) : NULL;
}

/* Returns the first chunk of the log, or NULL if it is empty. */
static struct gate_chunk *gate_keep_head(const struct gate_keep *k)
{
    return gate_log_head(k->log.chunks, k->page->gate_log);
}

/* ---- writing ---- */

/* Stores a word after all that was stored before it, and before all that is stored later. */
static void gate_keep_store(uint64_t *to, uint64_t value)
{
    atomic_signal_fence(memory_order_seq_cst);
    *(volatile uint64_t *)to = value;
    atomic_signal_fence(memory_order_seq_cst);
}

static void gate_keep_store_outside(struct gate_keep *k, uint32_t outside)
{
    atomic_signal_fence(memory_order_seq_cst);
    *(volatile uint32_t *)&k->page->outside = outside;
    atomic_signal_fence(memory_order_seq_cst);
}

void gate_keep_end(struct gate_keep *k)
{
    k->lost = true;
    gate_keep_store_outside(k, 1);
    k->page->gate_log = 0;
    gate_log_drop(&k->log);
}

static void gate_keep_add(struct gate_keep *k, const struct gate_entry *e)
{
    if (k->lost) {
        return;
    }
    if (!gate_log_add(&k->log, e)) {
        gate_keep_end(k);
        return;
    }
    gate_keep_store(&k->page->gate_log, gate_log_word(&k->log));
}

/* A log that is written, until an entry has no room. */
struct gate_keep_copy {
    struct gate_log log;
    bool good;
};

static void gate_keep_put(struct gate_keep_copy *c, const struct gate_entry *e)
{
    c->good = c->good && gate_log_add(&c->log, e);
}

static void gate_keep_put_map(void *arg, const struct dma_map *m)
{
    struct gate_entry e = {.position = m->number, .kind = GATE_ENTRY_MAP};

    e.u.kept.span = m->span;
    e.u.kept.flags = m->flags;
    e.u.kept.passed = m->passed;
    gate_keep_put(arg, &e);
}

struct gate_keep_requests {
    struct gate_keep_copy *copy;
    uint8_t way;
};

static void gate_keep_put_request(void *arg, const struct dma_request *r)
{
    const struct gate_keep_requests *const to = arg;
    struct gate_entry e = {.position = r->map.number, .kind = GATE_ENTRY_REQUEST, .way = to->way};

    e.u.kept.span = r->map.span;
    e.u.kept.flags = r->map.flags;
    e.u.kept.error = (uint32_t)r->refused;
    e.u.kept.id = r->id;
    e.u.kept.command = r->command;
    e.u.kept.passed = r->map.passed;
    e.u.kept.unmaps = r->unmaps;
    e.u.kept.all = r->all;
    gate_keep_put(to->copy, &e);
}

static void gate_keep_put_answer(struct gate_keep_copy *c, uint8_t way, const struct wire_hdr *hdr)
{
    struct gate_entry e = {.kind = GATE_ENTRY_ANSWER, .way = way};

    e.u.kept.id = hdr->id;
    e.u.kept.command = hdr->command;
    e.u.kept.error = hdr->error;
    gate_keep_put(c, &e);
}

/* The replies to this side, the first of which may have been sent in part. */
static void gate_keep_put_replies(struct gate_keep_copy *c, uint8_t way, const struct dma_way *w)
{
    struct wire_hdr hdr;

    for (size_t at = w->reply_start - w->reply_start % WIRE_HDR_SIZE; at < w->reply_end;
         at += WIRE_HDR_SIZE) {
        if (wire_get_hdr(w->replies + at, WIRE_HDR_SIZE, WIRE_HDR_SIZE, &hdr) == WIRE_FRAME_OK) {
            gate_keep_put_answer(c, way, &hdr);
        }
    }
}

static void gate_keep_put_way(const struct gate_keep *k, struct gate_keep_copy *c, uint8_t way)
{
    struct dma_way *const w = gate_keep_way_of(k, way);
    struct gate_keep_requests to = {.copy = c, .way = way};
    const struct gate_entry closed = {.kind = GATE_ENTRY_CLOSED, .way = way};

    if (!w) {
        return;
    }
    dma_requests_each(&w->requests, gate_keep_put_request, &to);
    gate_keep_put_replies(c, way, w);
    if (w->closed) {
        gate_keep_put(c, &closed);
    }
}

static void gate_keep_put_state(const struct gate_keep *k, const struct gate_chunk *head,
                                struct gate_keep_copy *c)
{
    struct gate_entry e = {.position = k->gate->last_map, .kind = GATE_ENTRY_STATE};

    e.flags = (uint8_t)((k->gate->hinted ? GATE_ENTRY_HINTED : 0) |
                        (k->gate->stripped ? GATE_ENTRY_STRIPPED : 0));
    for (unsigned way = 0; way < GATE_ENTRY_WAYS; way++) {
        const uint64_t sent = head->replied[way] >> 1;

        e.u.state.replied[way] = sent - sent % WIRE_HDR_SIZE;
    }
    e.u.state.exported = head->exported;
    gate_keep_put(c, &e);
}

/* Replaces the log, which is not empty, by the gate's state. */
static void gate_keep_shorten(struct gate_keep *k)
{
    const struct gate_chunk *const head = gate_keep_head(k);
    struct gate_keep_copy c = {.log = {.chunks = k->log.chunks}, .good = true};
    const struct report *const r = k->gate->report;
    struct gate_chunk *copy;

    gate_keep_put_state(k, head, &c);
    dma_maps_each(&k->gate->maps, gate_keep_put_map, &c);
    for (uint8_t way = 0; way < GATE_ENTRY_WAYS; way++) {
        gate_keep_put_way(k, &c, way);
    }
    for (unsigned i = 0; i < r->n; i++) {
        const struct gate_entry e = {.kind = GATE_ENTRY_RANGE, .u.range = r->ranges[i]};

        gate_keep_put(&c, &e);
    }
    copy = gate_log_head(c.log.chunks, gate_log_word(&c.log));
    if (!c.good || !copy) {
        gate_log_drop(&c.log);
        gate_keep_end(k);
        return;
    }
    copy->exporting = head->exporting;
    copy->exported = head->exported;
    memcpy(copy->replied, head->replied, sizeof copy->replied);
    gate_keep_store(&k->page->gate_log, gate_log_word(&c.log));
    gate_log_drop(&k->log);
    k->log = c.log;
    k->begun = c.log.n;
}

void gate_keep_before(struct dma_gate_side *l)
{
    struct gate_keep *const k = l->gate->keep;

    if (k && !k->lost && k->log.n >= 2 * k->begun + GATE_KEEP_SPARE) {
        gate_keep_shorten(k);
    }
}

void gate_keep_seen(struct dma_gate_side *l, bool from_client, uint64_t position,
                    const struct wire_hdr *hdr, const uint8_t *p, size_t n, struct dma_fds fds)
{
    struct gate_keep *const k = l->gate->keep;
    struct gate_entry e = {.position = position, .kind = GATE_ENTRY_SEEN};

    if (!k) {
        return;
    }
    e.way = gate_keep_way(k, l, !from_client);
    e.fds = (uint8_t)fds.n;
    e.flags = fds.eventfds ? GATE_ENTRY_EVENTFDS : 0;
    e.n = (uint32_t)(n < GATE_ENTRY_BODY ? n : GATE_ENTRY_BODY);
    wire_put_hdr(e.u.seen.hdr, hdr);
    memcpy(e.u.seen.body, p, e.n);
    gate_keep_add(k, &e);
}

void gate_keep_invalid(struct dma_gate_side *l, bool from_client, uint64_t position,
                       const struct wire_hdr *hdr)
{
    struct gate_keep *const k = l->gate->keep;
    struct gate_entry e = {.position = position, .kind = GATE_ENTRY_INVALID};

    if (k) {
        e.way = gate_keep_way(k, l, !from_client);
        wire_put_hdr(e.u.seen.hdr, hdr);
        gate_keep_add(k, &e);
    }
}

void gate_keep_answered(struct dma_gate_side *l, bool to_client, uint16_t id, uint16_t command,
                        int err)
{
    struct gate_keep *const k = l->gate->keep;
    struct gate_entry e = {.kind = GATE_ENTRY_ANSWER};

    if (k) {
        e.way = gate_keep_way(k, l, to_client);
        e.u.kept.id = id;
        e.u.kept.command = command;
        e.u.kept.error = (uint32_t)err;
        gate_keep_add(k, &e);
    }
}

void gate_keep_closed(struct dma_gate_side *l, bool to_client)
{
    struct gate_keep *const k = l->gate ? l->gate->keep : NULL;
    struct gate_entry e = {.kind = GATE_ENTRY_CLOSED};

    if (k) {
        e.way = gate_keep_way(k, l, to_client);
        gate_keep_add(k, &e);
    }
}

void gate_keep_replace(struct dma_gate_side *l)
{
    struct gate_keep *const k = l->gate->keep;
    struct gate_entry e = {.kind = GATE_ENTRY_REPLACED};

    if (k) {
        e.way = gate_keep_way(k, l, false);
        /* As if they had been sent. */
        gate_keep_sent(l, false, l->backend.reply_end - l->backend.reply_start);
        gate_keep_add(k, &e);
    }
}

void gate_keep_sending(struct dma_gate_side *l, bool to_client)
{
    const struct gate_keep *const k = l->gate->keep;
    struct gate_chunk *const head = k ? gate_keep_head(k) : NULL;

    if (head) {
        uint64_t *const replied = &head->replied[gate_keep_way(k, l, to_client)];

        gate_keep_store(replied, *replied | 1);
    }
}

void gate_keep_sent(struct dma_gate_side *l, bool to_client, size_t n)
{
    const struct gate_keep *const k = l->gate->keep;
    struct gate_chunk *const head = k ? gate_keep_head(k) : NULL;

    if (head) {
        uint64_t *const replied = &head->replied[gate_keep_way(k, l, to_client)];

        gate_keep_store(replied, ((*replied >> 1) + n) << 1);
    }
}

void gate_keep_exporting(const struct gate_keep *k, unsigned n)
{
    struct gate_chunk *const head = k ? gate_keep_head(k) : NULL;

    if (head) {
        head->exporting = n;
    }
}

void gate_keep_recorded(const struct gate_keep *k, unsigned n)
{
    struct gate_chunk *const head = k ? gate_keep_head(k) : NULL;

    if (head) {
        gate_keep_store(&head->exported, head->exported + n);
        head->exporting = 0;
    }
}

bool gate_keep_rest(struct gate_keep *k)
{
    if (!k) {
        return false;
    }
    if (dma_gate_is_empty(k->sides[0]) && (!k->sides[1] || dma_gate_is_empty(k->sides[1]))) {
        gate_keep_store(&k->page->gate_log, 0);
        gate_log_drop(&k->log);
        k->begun = 0;
        k->lost = false;
    }
    return !k->lost;
}

/* ---- reading ---- */

struct gate_keep_reader {
    struct gate_keep *k;
    const struct gate_chunk *head; /* of its log */
    const uint8_t *places;
    uint64_t replied[GATE_ENTRY_WAYS]; /* bytes of replies that were made and sent so far */
    uint64_t exported;
    bool begun; /* an entry has been read */
};

/* Returns true if the verdict on the last message that was judged is stored. */
static bool gate_keep_is_judged(const struct gate_keep_reader *r, const struct gate_entry *e)
{
    const struct relay_mark *const m = &r->k->page->marks[e->way];
    const struct held *h;

    if (m->place == 0) {
        return e->position < relay_mark_progress(m).taken || e->position < m->judged ||
               (e->position == m->judged && m->verdict != DMA_PASS);
    }
    if (!r->places || m->place > SESSION_PAGE_LAST_PLACE) {
        return false;
    }
    h = (const void *)(r->places + (size_t)(m->place - 1) * HELD_PLACE);
    return e->position < h->base.taken || (e->position == h->base.taken && h->verdict > 0);
}

static bool gate_keep_read_state(struct gate_keep_reader *r, const struct gate_entry *e)
{
    r->k->gate->last_map = e->position;
    r->k->gate->hinted = e->flags & GATE_ENTRY_HINTED;
    r->k->gate->stripped = e->flags & GATE_ENTRY_STRIPPED;
    memcpy(r->replied, e->u.state.replied, sizeof r->replied);
    r->exported = e->u.state.exported;
    return !r->begun && r->exported <= r->head->exported;
}

static struct dma_map gate_keep_map(const struct gate_entry *e)
{
    return (struct dma_map){.span = e->u.kept.span,
                            .flags = e->u.kept.flags,
                            .passed = e->u.kept.passed,
                            .number = e->position};
}

static bool gate_keep_read_map(const struct gate_keep_reader *r, const struct gate_entry *e)
{
    const struct dma_map map = gate_keep_map(e);
    struct dma_gate *const g = r->k->gate;

    return g->checks && map.span.first <= map.span.last && map.number <= g->last_map &&
           g->maps.n < LIMIT_DMA_MAPS && dma_maps_add(&g->maps, &map) == 0;
}

static bool gate_keep_read_request(struct dma_way *w, const struct gate_entry *e)
{
    const struct dma_request request = {.id = e->u.kept.id,
                                        .command = e->u.kept.command,
                                        .refused = (int)e->u.kept.error,
                                        .unmaps = e->u.kept.unmaps,
                                        .all = e->u.kept.all,
                                        .map = gate_keep_map(e)};

    return e->u.kept.error <= INT16_MAX && request.map.span.first <= request.map.span.last &&
           dma_requests_add(&w->requests, &request);
}

static bool gate_keep_read_range(const struct gate_keep_reader *r, const struct gate_entry *e)
{
    return e->u.range.how < IPC_HOWS && (e->u.range.flags & ~WIRE_DMA_KNOWN) == 0 &&
           report_export(r->k->gate->report, &e->u.range) == 0;
}

static bool gate_keep_read_message(struct dma_gate_side *l, const struct gate_entry *e)
{
    const bool from_client = e->way % 2 == SESSION_PAGE_TO_BACKEND;
    const struct dma_fds fds = {.n = e->fds, .eventfds = e->flags & GATE_ENTRY_EVENTFDS};
    struct wire_hdr hdr;

    if (e->n > GATE_ENTRY_BODY ||
        wire_get_hdr(e->u.seen.hdr, WIRE_HDR_SIZE, UINT32_MAX, &hdr) == WIRE_FRAME_SHORT) {
        return false;
    }
    if (e->kind == GATE_ENTRY_INVALID) {
        return dma_gate_invalid(l, from_client, &hdr);
    }
    return hdr.size >= WIRE_HDR_SIZE + e->n &&
           dma_gate_judge(l, from_client, &hdr, e->u.seen.body, e->n, fds) != DMA_NO_MEMORY;
}

static bool gate_keep_read_entry(struct gate_keep_reader *r, const struct gate_entry *e)
{
    struct dma_gate_side *const l = r->k->sides[e->way / 2];
    struct dma_way *const w = gate_keep_way_of(r->k, e->way);
    const bool to_client = e->way % 2 == SESSION_PAGE_TO_CLIENT;

    if (!l || !w) {
        return false;
    }
    switch (e->kind) {
    case GATE_ENTRY_SEEN:
    case GATE_ENTRY_INVALID:
        return gate_keep_read_message(l, e);
    case GATE_ENTRY_ANSWER:
        return e->u.kept.error <= INT16_MAX &&
               dma_gate_answer(l, to_client, e->u.kept.id, e->u.kept.command, (int)e->u.kept.error);
    case GATE_ENTRY_CLOSED:
        dma_gate_close(l, to_client);
        return true;
    case GATE_ENTRY_REPLACED:
        dma_gate_replace_backend(l);
        return true;
    case GATE_ENTRY_STATE:
        return gate_keep_read_state(r, e);
    case GATE_ENTRY_MAP:
        return gate_keep_read_map(r, e);
    case GATE_ENTRY_REQUEST:
        return gate_keep_read_request(w, e);
    case GATE_ENTRY_RANGE:
        return gate_keep_read_range(r, e);
    default:
        return false;
    }
}

/* Takes off what had been sent by the end, as far as it has been made. */
static void gate_keep_read_sent(struct gate_keep_reader *r)
{
    struct report *const report = r->k->gate->report;
    const uint64_t recorded = r->head->exported - r->exported;

    for (unsigned way = 0; way < GATE_ENTRY_WAYS; way++) {
        struct dma_gate_side *const l = r->k->sides[way / 2];
        const bool to_client = way % 2 == SESSION_PAGE_TO_CLIENT;
        const uint64_t sent = r->head->replied[way] >> 1;
        const uint8_t *bytes;
        const uint64_t made = l ? dma_gate_replies(l, to_client, &bytes) : 0;
        const uint64_t left = sent > r->replied[way] ? sent - r->replied[way] : 0;
        const uint64_t n = made < left ? made : left;

        if (n > 0) {
            dma_gate_replied(l, to_client, (size_t)n);
            r->replied[way] += n;
        }
    }
    if (recorded > 0 && report->n > 0) {
        report->sent = report->n < recorded ? report->n : (unsigned)recorded;
        r->exported += report->sent;
        report_answered(report);
    }
}

static bool gate_keep_read(void *arg, const struct gate_entry *e, bool last)
{
    struct gate_keep_reader *const r = arg;
    const bool judged = e->kind == GATE_ENTRY_SEEN || e->kind == GATE_ENTRY_INVALID;

    if (e->way >= GATE_ENTRY_WAYS || !r->k->sides[e->way / 2] || e->kind >= GATE_ENTRY_KINDS) {
        return false;
    }
    if (last && judged && !gate_keep_is_judged(r, e)) {
        return true;
    }
    if (!gate_keep_read_entry(r, e)) {
        return false;
    }
    r->begun = true;
    gate_keep_read_sent(r);
    return true;
}

static void gate_keep_on_gate(void *arg, const struct dma_denial *d)
{
    /* All this was logged when it happened. */
    (void)arg;
    (void)d;
}

bool gate_keep_restore(struct gate_keep *k, const uint8_t *places)
{
    struct gate_keep_reader r = {.k = k, .head = gate_keep_head(k), .places = places};
    dma_gate_fn *const fn = k->gate->fn;
    struct report *const report = k->gate->report;
    bool good;

    if (!r.head) {
        return k->page->gate_log == 0;
    }
    k->gate->fn = gate_keep_on_gate;
    good = gate_log_read(k->log.chunks, k->page->gate_log, gate_keep_read, &r);
    k->gate->fn = fn;
    report->sent = r.head->exporting < report->n ? r.head->exporting : report->n;
    if (good) {
        gate_keep_shorten(k);
    }
    return good;
}
