/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Judges messages by a route's "dma" statements. Allocates; no I/O. */
#define _GNU_SOURCE
#include "proxy/relay/dma_gate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Size of the replies to one side. */
#define REPLY_BYTES ((size_t)DMA_REPLIES * WIRE_HDR_SIZE)

void dma_gate_init(struct dma_gate *g, const struct dma_settings *set, uint32_t max_maps,
                   struct report *report, dma_gate_fn *fn, void *arg)
{
    *g = (struct dma_gate){.set = set, .report = report, .fn = fn, .arg = arg, .fdinfo_fd = -1};
    g->checks = session_settings_check_dma(set);
    g->withholds = session_settings_withhold_dma(set);
    g->watches = g->checks || report->keeps_exports;
    g->max_maps = max_maps < LIMIT_DMA_MAPS ? max_maps : LIMIT_DMA_MAPS;
    if (set->max_maps && set->max_maps < g->max_maps) {
        g->max_maps = set->max_maps;
    }
    dma_maps_init(&g->maps);
}

void dma_gate_deinit(struct dma_gate *g)
{
    dma_maps_deinit(&g->maps);
}

void dma_gate_side_init(struct dma_gate_side *l, struct dma_gate *g)
{
    *l = (struct dma_gate_side){.gate = g, .answers = g && g->watches};
}

static void dma_gate_way_deinit(struct dma_way *w)
{
    dma_requests_clear(&w->requests);
    free(w->replies);
    *w = (struct dma_way){.closed = true};
}

void dma_gate_side_deinit(struct dma_gate_side *l)
{
    dma_gate_way_deinit(&l->client);
    dma_gate_way_deinit(&l->backend);
}

/* ---- reports ---- */

static void dma_gate_taint(struct dma_gate *g, enum side by, uint32_t bits)
{
    if (report_taint(g->report, by, bits)) {
        g->fn(g->arg, NULL);
    }
}

bool dma_gate_is_empty(const struct dma_gate_side *l)
{
    return !l->gate->checks && report_unsent(l->gate->report) == 0 && l->client.requests.n == 0 &&
           l->backend.requests.n == 0 && !l->client.replies && !l->backend.replies;
}

/* Returns 0 or -ENOMEM. */
static int dma_gate_export(struct dma_gate *g, const struct ipc_range *range)
{
    const int err = report_export(g->report, range);

    if (g->report->n > 0) {
        g->fn(g->arg, NULL);
    }
    return err;
}

static int dma_gate_export_unmapped(struct dma_gate *g, const struct dma_request *r)
{
    /*
     * The size of everything exceeds a 64-bit number by one; FORMAT.audit defines this value for
     * it.
     */
    const struct ipc_range range = {.address = r->all ? 0 : r->map.span.first,
                                    .size = r->all ? UINT64_MAX
                                                   : r->map.span.last - r->map.span.first + 1,
                                    .how = IPC_UNMAPPED};

    return dma_gate_export(g, &range);
}

/* ---- requests and their replies ---- */

static struct dma_way *dma_gate_way_of(struct dma_gate_side *l, bool client)
{
    return client ? &l->client : &l->backend;
}

/* Queues an error reply. Returns false if out of memory or room. */
static bool dma_gate_reply(struct dma_way *w, uint16_t id, uint16_t command, int err)
{
    const struct wire_hdr request = {.id = id, .command = command, .size = WIRE_HDR_SIZE};
    const struct wire_hdr hdr = wire_error_hdr(&request, err);
    /* A header of which a part has been sent stays whole. */
    const size_t gone = w->reply_start - w->reply_start % WIRE_HDR_SIZE;

    if (!w->replies) {
        w->replies = malloc(REPLY_BYTES);
        if (!w->replies) {
            return false;
        }
    }
    /* Cannot happen as long as dma_gate_blocked is respected. */
    if (w->reply_end - gone > REPLY_BYTES - WIRE_HDR_SIZE) {
        return false;
    }
    if (gone > 0 && w->reply_end + WIRE_HDR_SIZE > REPLY_BYTES) {
        w->reply_end -= gone;
        memmove(w->replies, w->replies + gone, w->reply_end);
        w->reply_start -= gone;
    }
    wire_put_hdr(w->replies + w->reply_end, &hdr);
    w->reply_end += WIRE_HDR_SIZE;
    return true;
}

/* Refuses a request of this side's. */
static enum dma_verdict dma_gate_refuse(struct dma_way *w, const struct wire_hdr *hdr, int err)
{
    const struct dma_request r = {.id = hdr->id, .command = hdr->command, .refused = err};

    if ((hdr->flags & WIRE_NO_REPLY) || w->closed) {
        return DMA_DROP;
    }
    if (dma_requests_oldest(&w->requests, hdr->id) && dma_requests_add(&w->requests, &r)) {
        return DMA_DROP;
    }
    return dma_gate_reply(w, hdr->id, hdr->command, err) ? DMA_DROP : DMA_NO_MEMORY;
}

/* A request with this id has been answered: answers the refused ones right behind it. */
static bool dma_gate_release(struct dma_way *w, uint16_t id)
{
    const struct dma_request *r;

    while (w->requests.refused > 0 && (r = dma_requests_oldest(&w->requests, id)) && r->refused) {
        if (!w->closed && !dma_gate_reply(w, id, r->command, r->refused)) {
            return false;
        }
        dma_requests_drop(&w->requests, id);
    }
    return true;
}

/* Remembers a request that goes on, if its reply matters. */
static bool dma_gate_goes_on(struct dma_way *w, const struct wire_hdr *hdr,
                             const struct dma_request *what)
{
    struct dma_request r = *what;

    r.id = hdr->id;
    r.command = hdr->command;
    return (hdr->flags & WIRE_NO_REPLY) || w->closed || dma_requests_add(&w->requests, &r);
}

/* ---- mapping ---- */

/*
 * Returns true if the fd of a map may go on. Only a single one may, since no rule defines a second.
 * FILE_IO means that the device uses pread and pwrite, as with /proc/PID/mem.
 */
static bool dma_gate_may_pass(const struct dma_gate *g, struct dma_span s, uint32_t flags,
                              unsigned n_fds)
{
    const struct dma_settings *set = g->set;
    const uint64_t passed = dma_maps_passed(&g->maps);
    const uint64_t size = s.last - s.first; /* minus one */
    bool inside = set->n_ranges == 0;

    for (uint32_t i = 0; i < set->n_ranges; i++) {
        inside = inside || (s.first >= set->ranges[i].first && s.last <= set->ranges[i].last);
    }
    if ((g->withholds && n_fds > 1) || (set->withhold_file_io && (flags & WIRE_DMA_FILE_IO))) {
        return false;
    }
    return inside && !set->withhold &&
           (set->max_bytes == 0 || (passed < set->max_bytes && size < set->max_bytes - passed));
}

static int dma_gate_export_map(struct dma_gate *g, const struct wire_dma_map *m, enum ipc_how how)
{
    const struct ipc_range range = {
        .address = m->address, .size = m->size, .flags = m->flags & WIRE_DMA_KNOWN, .how = how};

    return dma_gate_export(g, &range);
}

/* Adds a live map. Returns false if it is one too many. */
static bool dma_gate_make_alive(struct dma_gate_side *l, const struct wire_hdr *hdr,
                                const struct dma_map *map)
{
    struct dma_gate *g = l->gate;
    const struct dma_request r = {.map = *map};

    if (g->maps.n >= g->max_maps || dma_maps_add(&g->maps, map) < 0) {
        return false;
    }
    if (!dma_gate_goes_on(&l->client, hdr, &r)) {
        (void)dma_maps_remove(&g->maps, map);
        return false;
    }
    return true;
}

static enum ipc_how dma_gate_how(unsigned n_fds, bool strip)
{
    if (n_fds == 0) {
        return IPC_WITHOUT;
    }
    return strip ? IPC_WITHHELD : IPC_PASSED;
}

static enum dma_verdict dma_gate_judge_map(struct dma_gate_side *l, const struct wire_hdr *hdr,
                                           const uint8_t *p, size_t n, unsigned n_fds)
{
    struct dma_gate *g = l->gate;
    const struct dma_request other = {.refused = 0};
    struct dma_map map = {.flags = 0};
    struct wire_dma_map m;
    bool strip;

    if (!wire_get(p, n, &m, sizeof m)) {
        /* Only its fd could identify the memory. */
        (void)(g->checks && dma_gate_goes_on(&l->client, hdr, &other));
        return g->checks && n_fds > 0 ? DMA_STRIP : DMA_PASS;
    }
    map.flags = m.flags;
    if (!g->checks) {
        return dma_gate_export_map(g, &m, n_fds > 0 ? IPC_PASSED : IPC_WITHOUT) < 0 ? DMA_NO_MEMORY
                                                                                    : DMA_PASS;
    }
    if (dma_span_of(m.address, m.size, &map.span)) {
        strip = n_fds > 0 && !dma_gate_may_pass(g, map.span, m.flags, n_fds);
        map.passed = n_fds > 0 && !strip;
        map.number = ++g->last_map;
        if (!dma_gate_make_alive(l, hdr, &map)) {
            return dma_gate_export_map(g, &m, IPC_REFUSED) < 0
                       ? DMA_NO_MEMORY
                       : dma_gate_refuse(&l->client, hdr, ENOSPC);
        }
    } else {
        /* Memory that could never be accessed. */
        strip = n_fds > 0;
        (void)dma_gate_goes_on(&l->client, hdr, &other);
    }
    g->stripped = g->stripped || strip;
    if (dma_gate_export_map(g, &m, dma_gate_how(n_fds, strip)) < 0) {
        return DMA_NO_MEMORY;
    }
    return strip ? DMA_STRIP : DMA_PASS;
}

/* The backend has agreed to an unmapping, or its reply will not come. */
static int dma_gate_unmapped(struct dma_gate *g, const struct dma_request *r)
{
    dma_maps_unmap(&g->maps, r->map.span, r->map.number + 1);
    return dma_gate_export_unmapped(g, r);
}

static enum dma_verdict dma_gate_judge_unmap(struct dma_gate_side *l, const struct wire_hdr *hdr,
                                             const uint8_t *p, size_t n)
{
    struct dma_request r = {.refused = 0};
    struct wire_dma_unmap u;

    if (!wire_get(p, n, &u, sizeof u)) {
        (void)(l->gate->checks && dma_gate_goes_on(&l->client, hdr, &r));
        return DMA_PASS;
    }
    r.map = (struct dma_map){.span = {0, UINT64_MAX}, .number = l->gate->last_map};
    r.all = (u.flags & WIRE_UNMAP_ALL) != 0;
    r.unmaps = r.all || dma_span_of(u.address, u.size, &r.map.span);
    if (!r.unmaps) {
        (void)(l->gate->checks && dma_gate_goes_on(&l->client, hdr, &r));
        return DMA_PASS;
    }
    if (!(hdr->flags & WIRE_NO_REPLY) && dma_gate_goes_on(&l->client, hdr, &r)) {
        return DMA_PASS;
    }
    return dma_gate_unmapped(l->gate, &r) < 0 ? DMA_NO_MEMORY : DMA_PASS;
}

/* ---- accesses ---- */

/* Returns true if the access is allowed; otherwise fills in d. */
static bool dma_gate_allowed(struct dma_gate *g, const struct wire_hdr *hdr, const uint8_t *p,
                             size_t n, struct dma_denial *d)
{
    const uint32_t flag = hdr->command == WIRE_DMA_READ ? WIRE_DMA_READABLE : WIRE_DMA_WRITEABLE;
    struct wire_dma_access a;
    struct dma_span span;

    *d = (struct dma_denial){.what = DMA_ACCESS_DENIED, .command = hdr->command};
    if (!wire_get(p, n, &a, sizeof a)) {
        d->malformed = true;
        return false;
    }
    d->address = a.address;
    d->count = a.count;
    if (hdr->command == WIRE_DMA_WRITE) {
        const uint64_t carried = hdr->size - WIRE_HDR_SIZE - sizeof a;

        /* The larger of the two, whichever the reader uses. */
        d->count = carried > d->count ? carried : d->count;
    }
    if (d->count == 0) {
        return true;
    }
    if (dma_span_of(d->address, d->count, &span) && dma_maps_allow(&g->maps, span, flag)) {
        return true;
    }
    d->some = dma_maps_near(&g->maps, a.address, flag, &d->allowed);
    return false;
}

static enum dma_verdict dma_gate_judge_access(struct dma_gate_side *l, const struct wire_hdr *hdr,
                                              const uint8_t *p, size_t n)
{
    const struct dma_request other = {.refused = 0};
    struct dma_denial d = {.what = DMA_ACCESS_DENIED};

    if (dma_gate_allowed(l->gate, hdr, p, n, &d)) {
        (void)dma_gate_goes_on(&l->backend, hdr, &other);
        return DMA_PASS;
    }
    dma_gate_taint(l->gate, SIDE_BACKEND, TAINT_DMA);
    l->gate->fn(l->gate->arg, &d);
    return dma_gate_refuse(&l->backend, hdr, d.malformed ? EINVAL : EFAULT);
}

/* ---- all messages ---- */

/* Returns true if a device that must map its client's memory is likely to fail this command. */
static bool dma_gate_needs_memory(uint16_t command)
{
    switch (command) {
    case WIRE_DMA_MAP:
    case WIRE_DMA_UNMAP:
    case WIRE_REGION_WRITE:
    case WIRE_DEVICE_FEATURE:
        return true;
    default:
        return false;
    }
}

/* The backend fails a request, and has maps without fds. Reports that once per session. */
static void dma_gate_hint(struct dma_gate *g, const struct wire_hdr *hdr)
{
    const struct dma_denial d = {
        .what = DMA_MEMORY_MISSING, .command = hdr->command, .error = hdr->error};

    if (!g->hinted && dma_gate_needs_memory(hdr->command)) {
        g->hinted = true;
        g->fn(g->arg, &d);
    }
}

static enum dma_verdict dma_gate_judge_reply(struct dma_gate_side *l, bool from_client,
                                             const struct wire_hdr *hdr)
{
    struct dma_gate *g = l->gate;
    struct dma_way *w = dma_gate_way_of(l, !from_client);
    const struct dma_request *const found = dma_requests_oldest(&w->requests, hdr->id);
    const bool failed = (hdr->flags & WIRE_ERROR) != 0;
    struct dma_request r;

    if (!from_client && failed && g->stripped) {
        dma_gate_hint(g, hdr);
    }
    /* If only unmappings are kept, the command distinguishes them from other requests. */
    if (!found || found->refused || (!g->checks && found->command != hdr->command)) {
        return DMA_PASS;
    }
    r = *found;
    dma_requests_drop(&w->requests, hdr->id);
    if (r.command == WIRE_DMA_MAP && failed) {
        (void)dma_maps_remove(&g->maps, &r.map);
    } else if (r.unmaps && !failed && dma_gate_unmapped(g, &r) < 0) {
        return DMA_NO_MEMORY;
    }
    return dma_gate_release(w, hdr->id) ? DMA_PASS : DMA_NO_MEMORY;
}

void dma_gate_fds(struct dma_gate_side *l, bool from_client)
{
    /*
     * A backend's fds are a BAR's memory or a doorbell: accesses through them bypass the proxy. A
     * client's are memory, which the route's statements cover, or interrupts.
     */
    if (!from_client) {
        dma_gate_taint(l->gate, SIDE_BACKEND, TAINT_UNOBSERVED);
    }
}

static void dma_gate_judge_fds(struct dma_gate_side *l, bool from_client,
                               const struct wire_hdr *hdr)
{
    const bool usual = hdr->command == WIRE_DMA_MAP || hdr->command == WIRE_DEVICE_SET_IRQS;

    dma_gate_fds(l, from_client);
    if (from_client && l->gate->checks && !l->gate->withholds && !usual) {
        /* It may be memory, handed out by a command that is not checked for it. */
        dma_gate_taint(l->gate, SIDE_CLIENT, TAINT_UNOBSERVED);
    }
}

/* Judges a message other than the client's DMA_MAP. */
static enum dma_verdict dma_gate_judge_other(struct dma_gate_side *l, bool from_client,
                                             const struct wire_hdr *hdr, const uint8_t *p, size_t n)
{
    const struct dma_request other = {.refused = 0};

    if (wire_is_reply(hdr)) {
        return dma_gate_judge_reply(l, from_client, hdr);
    }
    if (from_client && hdr->command == WIRE_DMA_UNMAP) {
        return dma_gate_judge_unmap(l, hdr, p, n);
    }
    if (!l->gate->checks) {
        return DMA_PASS;
    }
    if (!from_client && (hdr->command == WIRE_DMA_READ || hdr->command == WIRE_DMA_WRITE)) {
        return dma_gate_judge_access(l, hdr, p, n);
    }
    (void)dma_gate_goes_on(dma_gate_way_of(l, from_client), hdr, &other);
    return DMA_PASS;
}

enum dma_verdict dma_gate_judge(struct dma_gate_side *l, bool from_client,
                                const struct wire_hdr *hdr, const uint8_t *p, size_t n,
                                struct dma_fds fds)
{
    enum dma_verdict v;

    if (fds.n > 0) {
        dma_gate_judge_fds(l, from_client, hdr);
    }
    if (from_client && hdr->command == WIRE_DMA_MAP && !wire_is_reply(hdr)) {
        return dma_gate_judge_map(l, hdr, p, n, fds.n);
    }
    v = dma_gate_judge_other(l, from_client, hdr, p, n);
    if (v == DMA_PASS && fds.n > 0 && from_client && l->gate->withholds && !fds.eventfds) {
        const struct dma_denial d = {.what = DMA_FDS_WITHHELD, .command = hdr->command};

        l->gate->fn(l->gate->arg, &d);
        return DMA_STRIP;
    }
    return v;
}

bool dma_gate_invalid(struct dma_gate_side *l, bool from_client, const struct wire_hdr *hdr)
{
    l->answers = true;
    return dma_gate_refuse(dma_gate_way_of(l, from_client), hdr, EINVAL) != DMA_NO_MEMORY;
}

bool dma_gate_answer(struct dma_gate_side *l, bool from_client, uint16_t id, uint16_t command,
                     int err)
{
    struct dma_way *w = dma_gate_way_of(l, from_client);

    l->answers = true;
    return !w->closed && dma_gate_reply(w, id, command, err);
}

/* ---- replies on their way ---- */

bool dma_gate_blocked(const struct dma_gate_side *l, bool from_client)
{
    const struct dma_way *w = from_client ? &l->client : &l->backend;
    const size_t waiting = (w->reply_end - w->reply_start) / WIRE_HDR_SIZE + w->requests.refused;

    return waiting > DMA_REPLIES_FULL || report_full(l->gate->report);
}

size_t dma_gate_replies(const struct dma_gate_side *l, bool to_client, const uint8_t **out)
{
    const struct dma_way *w = to_client ? &l->client : &l->backend;

    /* There is no buffer before the first refusal. */
    *out = w->replies ? w->replies + w->reply_start : NULL;
    return w->reply_end - w->reply_start;
}

void dma_gate_replied(struct dma_gate_side *l, bool to_client, size_t n)
{
    struct dma_way *w = dma_gate_way_of(l, to_client);

    w->reply_start += n;
    if (w->reply_start == w->reply_end) {
        free(w->replies);
        w->replies = NULL;
        w->reply_start = 0;
        w->reply_end = 0;
    }
}

void dma_gate_replace_backend(struct dma_gate_side *l)
{
    dma_gate_way_deinit(&l->backend);
    l->backend.closed = false;
    l->backend.reply_start = 0;
    l->backend.reply_end = 0;
}

void dma_gate_close(struct dma_gate_side *l, bool to_client)
{
    struct dma_way *w = dma_gate_way_of(l, to_client);

    dma_gate_replied(l, to_client, w->reply_end - w->reply_start);
    /* Nor will the other side's replies come, for which refusals wait. */
    dma_requests_clear(&w->requests);
    w->closed = true;
}
