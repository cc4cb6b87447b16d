/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Opens a session's channel pairs from its page, and follows what happens on them. */
#include "proxy/worker/session_relay.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "base/log.h"
#include "base/sock.h"
#include "proxy/relay/gate_keep.h"
#include "proxy/worker/device/session_replace.h"
#include "proxy/worker/session_count.h"
#include "proxy/worker/session_fault.h"
#include "proxy/worker/device/session_hold.h"
#include "proxy/worker/session_meter.h"
#include "proxy/worker/session_inject.h"
#include "proxy/worker/session_reap.h"
#include "proxy/worker/session_senders.h"
#include "proxy/worker/session_watch.h"

#define SUBJECT(s, leg_name) \
    &(struct log_subject) \
    { \
        .session = (s)->id, .route = (s)->route, .leg = (leg_name), \
        .quiet = (s)->quiet != IPC_LOGGED \
    }

/* ---- events ---- */

static void session_begin_draining(struct session *s)
{
    if (s->state == SESSION_RELAYING && session_advance(s, SESSION_DRAINING)) {
        s->drained = session_count_taken(s);
        session_set_timer(s, s->drain_ms);
    }
}

static void session_on_lost(struct session *s, enum session_reason reason)
{
    if (!session_replace_lose(s, reason)) {
        dma_denial_log_missing(&s->guard->gate, SUBJECT(s, "backend"), reason);
        session_end(s, reason);
    }
}

/* A request was answered in the device's stead: a device that hangs is like one that is gone. */
static void session_on_missed(struct session *s, const struct wire_hdr *request)
{
    if (s->guard->hold && !s->guard->replace && session_hold_missed(s->guard->hold, request->id)) {
        (void)session_hold_lose(s->guard->hold, REASON_BACKEND_SILENT);
    }
}

static void session_on_channels(struct channel_pair *l, const struct channel_pair_event *e,
                                void *arg)
{
    struct session *s = arg;

    if (e->news == CHANNEL_PAIR_WAITS) {
        session_watch_soon(s);
    } else if (e->news == CHANNEL_PAIR_OVERDUE) {
        session_fault_log_overdue(s, &e->detail->hdr);
        session_on_missed(s, &e->detail->hdr);
    } else if (e->news == CHANNEL_PAIR_LOST) {
        session_on_lost(s, e->reason);
    } else if (e->news == CHANNEL_PAIR_STOPPED || e->news == CHANNEL_PAIR_QUIET) {
        session_replace_on_channels(s, e->news);
    } else if (e->news == CHANNEL_PAIR_TAKEN) {
        session_hold_answer(s->guard->hold);
    } else if (e->news == CHANNEL_PAIR_REFUSED) {
        session_fault_log(s, e);
    } else if (e->news == CHANNEL_PAIR_FAILED) {
        session_fault_log(s, e);
        if (e->reason != REASON_INJECTED) {
            s->by = e->from_client ? IPC_BY_CLIENT : IPC_BY_BACKEND;
        }
        session_end(s, e->reason);
    } else if (l == s->twin) {
        /* The main socket decides when a session is over; a closed twin only falls silent. */
        return;
    } else if (e->news == CHANNEL_PAIR_CLOSED) {
        dma_denial_log_missing(&s->guard->gate, SUBJECT(s, "backend"), e->reason);
        session_end(s, e->reason);
    } else {
        session_begin_draining(s);
    }
}

static void session_on_gate(void *arg, const struct dma_denial *d)
{
    struct session *s = arg;

    if (d) {
        dma_denial_log_add(&s->guard->denials,
                           SUBJECT(s, d->what == DMA_FDS_WITHHELD ? "client" : "backend"), d);
    } else {
        session_report_later(s);
    }
}

/* ---- beginning ---- */

void session_relay_prepare(struct session_guard *guard, struct session_host *h,
                           const struct ipc_session *settings)
{
    session_senders_check(guard, &settings->same);
    guard->fds.room = &h->fds;
    guard->busy_poll_us = settings->busy_poll_us;
    guard->watch.stall_ms = settings->stall_ms ? settings->stall_ms : LIMIT_STALL_MS;
    report_init(&guard->report, settings->recorded != 0);
}

void session_relay_adopt(struct session *s, struct session_guard *guard,
                         const struct ipc_session *settings)
{
    s->guard = guard;
    guard->witnesses[SIDE_CLIENT].arg = s;
    guard->witnesses[SIDE_BACKEND].arg = s;
    s->quiet = (uint8_t)settings->quiet;
    s->drain_ms = settings->drain_ms;
    session_meter_adopt(s, settings);
}

static struct channel_pair_limits session_relay_limits(const struct session_page_limits *l)
{
    return (struct channel_pair_limits){
        .max_fds = l->max_fds, .takes = {.max_data = l->max_data, .max_bitmap = l->max_bitmap}};
}

/* Opens a channel pair for two sockets (taken). Returns 0 or -errno; *out can be closed anyway. */
static int session_relay_open_pair(struct session *s, struct channel_pair **out, int client_fd,
                                   int backend_fd)
{
    struct session_page *const p = s->guard->page;
    const bool twin = out == &s->twin;
    const unsigned up = twin ? SESSION_PAGE_TWIN_TO_BACKEND : SESSION_PAGE_TO_BACKEND;
    const unsigned down = twin ? SESSION_PAGE_TWIN_TO_CLIENT : SESSION_PAGE_TO_CLIENT;
    const struct channel_pair_page page = {
        .to_backend = &p->marks[up],
        .to_client = &p->marks[down],
        .client_asked = &p->asked[up],
        .backend_asked = &p->asked[down],
        .hand = s->host->pages ? &((struct session_page_head *)s->host->pages)->hand : NULL,
        .in_hand = {[SIDE_CLIENT] = SESSION_PAGE_HAND(s->id, up),
                    [SIDE_BACKEND] = SESSION_PAGE_HAND(s->id, down)}};
    const struct channel_pair_limits limits[SIDES] = {
        [SIDE_CLIENT] = session_relay_limits(&p->limits[SIDE_CLIENT]),
        [SIDE_BACKEND] = session_relay_limits(&p->limits[SIDE_BACKEND])};
    int err;

    *out = twin ? calloc(1, sizeof **out) : s->guard->channels;
    if (!*out) {
        sock_close(&client_fd);
        sock_close(&backend_fd);
        return -ENOMEM;
    }
    err = channel_pair_init_take(*out, s->host->base, client_fd, backend_fd, limits, &page,
                                 &s->host->pool, &s->guard->gate, session_on_channels, s);
    channel_pair_count_fds(*out, &s->guard->fds);
    channel_pair_busy_poll(*out, s->guard->busy_poll_us);
    if (s->guard->meter.tally) {
        channel_pair_measure(*out, &s->guard->meter, twin);
    }
    return err;
}

/* Keeps its gate for another worker, as long as there is room. */
static void session_relay_keep(struct session *s)
{
    struct session_guard *const g = s->guard;

    if (s->host->chunks.at && !g->page_owned && s->channels) {
        g->gate.keep = heap_pool_new(&s->host->keep_memory);
    }
    if (g->gate.keep) {
        gate_keep_init(g->gate.keep, &g->gate, &s->channels->dma, s->twin ? &s->twin->dma : NULL,
                       g->page, &s->host->chunks);
    } else {
        *(volatile uint32_t *)&g->page->outside = 1;
    }
}

int session_relay_open_take(struct session *s, const int fds[LIMIT_FDS_PER_SESSION])
{
    static const struct dma_settings pass;
    struct session_guard *const g = s->guard;
    int err;
    int err_twin = 0;

    dma_gate_init(&g->gate, g->dma ? g->dma : &pass, g->page->max_dma_maps, &g->report,
                  session_on_gate, s);
    g->gate.fdinfo_fd = s->host->tap_host.fdinfo_fd;
    err = session_relay_open_pair(s, &s->channels, fds[0], fds[1]);
    if (g->page->twin) {
        err_twin = session_relay_open_pair(s, &s->twin, fds[2], fds[3]);
    }
    if (g->gate.watches) {
        session_relay_keep(s);
    }
    if (g->page->overdue.after_ms > 0) {
        channel_pair_watch(s->channels, &g->page->overdue);
    }
    if (g->hold && s->channels) {
        session_hold_watch(g->hold);
    }
    session_inject_channels(s);
    session_watch_senders(s);
    session_tap_channels(s);
    return err ? err : err_twin;
}

void session_relay_complete(struct session *s)
{
    struct session_page *const p = s->guard->page;

    if (s->tap) {
        tap_session_keep(s->tap, &p->captured);
    }
    p->session = s->id;
    atomic_signal_fence(memory_order_seq_cst);
    *(volatile uint32_t *)&p->version = SESSION_PAGE_VERSION;
}
