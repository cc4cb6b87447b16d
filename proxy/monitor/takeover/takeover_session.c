/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A session's record is what takeover_keep.c has made of it. */
#define _GNU_SOURCE
#include "proxy/monitor/takeover/takeover_session.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sock.h"
#include "base/text/numbers.h"
#include "proxy/config/config_index.h"
#include "proxy/ipc/fdstore.h"
#include "proxy/monitor/keep/state_fds.h"
#include "proxy/monitor/monitor_context.h"
#include "proxy/monitor/monitor_session.h"
#include "proxy/monitor/monitor_session_dial.h"
#include "proxy/monitor/monitor_session_peers.h"
#include "proxy/monitor/relook.h"
#include "proxy/monitor/routes/route.h"
#include "proxy/monitor/takeover/takeover_devices.h"
#include "proxy/monitor/takeover/takeover_generations.h"
#include "proxy/monitor/takeover/takeover_records.h"
#include "proxy/monitor/takeover/takeover_workers.h"
#include "proxy/monitor/workers/worker_pool.h"
#include "proxy/monitor/workers/worker_pool_adopt.h"
#include "proxy/monitor/workers/worker_pool_refuse.h"
#include "proxy/monitor/workers/worker_pool_resume.h"

/* ---- its route ---- */

/* Returns the route of that name, or one that takes no more sessions. NULL: out of memory. */
static struct route *takeover_session_route(const struct takeover *to, struct generation *g,
                                            const struct config_route *config)
{
    struct route *r = route_find(to->subject.routes, config->name);

    if (!r) {
        r = route_new(to->subject.routes, g, config);
        if (r) {
            r->gone = true;
            route_add(to->subject.routes, r);
        }
    }
    return r;
}

/* Makes the session with its route and the words under which it began. NULL: it cannot. */
static struct monitor_session *takeover_session_blank(struct takeover *to,
                                                      const struct state_session *s)
{
    struct generation *g = takeover_generations_find(to, s->digest);
    const struct config_route *config = g ? config_route_find(g->config, s->route) : NULL;
    struct route *r;

    if (!config) {
        /* Its own words are lost: those in force apply. */
        g = to->subject.context->generation;
        config = config_route_find(g->config, s->route);
    }
    r = config ? takeover_session_route(to, g, config) : NULL;
    return r ? monitor_session_blank(to->subject.sessions, r, g, config) : NULL;
}

/* ---- its fields ---- */

static void takeover_session_set_bits(struct monitor_session *t, uint32_t bits)
{
    t->quiet = bits & STATE_QUIET;
    t->held = bits & STATE_HELD;
    t->muted = bits & STATE_MUTED;
    t->fresh = bits & STATE_IS_FRESH;
    t->denied = bits & STATE_DENIED;
    t->unrecorded = bits & STATE_UNRECORDED;
    t->opened = bits & STATE_OPENED;
    t->counted = bits & STATE_COUNTED;
    t->heard = bits & STATE_HEARD;
    t->ending = bits & STATE_ENDING;
    t->resuming = bits & STATE_RESUMING;
    t->resumed_in_hand = bits & STATE_IN_HAND;
}

static void takeover_session_set(struct monitor_session *t, const struct state_session *s)
{
    takeover_session_set_bits(t, s->bits);
    t->id = s->id;
    t->accepted_ms = s->accepted_ms;
    t->record = s->record;
    t->overdue = s->overdue;
    t->to_backend = s->to_backend;
    t->to_client = s->to_client;
    t->state = (enum session_state)s->state;
    t->request_id = (uint16_t)s->request_id;
    t->asked = (enum session_reason)s->asked;
    t->lost_by = (enum session_reason)s->lost_by;
    t->verdict_err = s->verdict_err;
    t->gone = s->gone;
    t->taint = s->taint;
    t->observed = s->observed;
    memcpy(t->taint_of, s->taint_of, sizeof t->taint_of);
    t->resumed = s->resumed;
    t->resumed_from = s->resumed_from;
    t->senders = s->senders;
    t->suspect.set = s->suspect_set;
    t->suspect.way = (enum session_page_way)s->suspect_way;
    t->suspect.taken = s->suspect_taken;
    t->suspect.hdr = s->suspect_hdr;
}

static void takeover_session_take_fds(const struct takeover *to, struct monitor_session *t)
{
    int *const fds[STATE_FDS] = {[STATE_FD_CLIENT] = &t->client_fd,
                                 [STATE_FD_BACKEND] = &t->backend_fd,
                                 [STATE_FD_TWIN_CLIENT] = &t->twin_fds[SIDE_CLIENT],
                                 [STATE_FD_TWIN_BACKEND] = &t->twin_fds[SIDE_BACKEND]};
    char name[STATE_NAME_SIZE];

    for (int i = 0; i < STATE_FDS; i++) {
        const int fd = fdstore_take(to->subject.context->store,
                                    state_fds_session(t->id, (enum state_fd)i, name));

        if (fd >= 0 && sock_is_unix_stream(fd)) {
            *fds[i] = fd;
            t->kept_fds |= 1u << i;
        } else if (fd >= 0) {
            close(fd);
        }
    }
}

/* ---- going on ---- */

/* Returns a pidfd of the party's process if its executable is to be looked at again, or -1. */
static int takeover_session_pidfd(const struct monitor_session *t, enum side party,
                                  const struct state_looked *l)
{
    const int socket_fd = party == SIDE_CLIENT ? t->client_fd : t->backend_fd;
    int fd;

    if (l->pid == 0 || t->config->look_ms == 0) {
        return -1;
    }
    fd = party == SIDE_BACKEND && t->device ? children_pidfd(l->pid)
                                            : monitor_session_peer_pidfd(socket_fd);
    return fd < 0 ? -1 : fd;
}

/* Leaves the session to its worker, if that lives. Returns false if it does not. */
static bool takeover_session_adopt(struct takeover *to, struct monitor_session *t,
                                   const struct state_session *s)
{
    struct worker_process *const w = takeover_workers_living(to, s->worker);

    if (!w || !worker_pages_claim(w->pages, s->slot)) {
        return false;
    }
    t->pages = w->pages;
    t->slot = s->slot;
    worker_pool_adopt_session(w, t);
    monitor_session_changed(t);
    return true;
}

/* Goes on with what the last monitor knew of the parties' executables. */
static void takeover_session_relook(struct monitor_session *t, const struct state_session *s)
{
    if (s->bits & STATE_RELOOKS) {
        const int pidfds[SIDES] = {
            [SIDE_CLIENT] = takeover_session_pidfd(t, SIDE_CLIENT, &s->looked[SIDE_CLIENT]),
            [SIDE_BACKEND] = takeover_session_pidfd(t, SIDE_BACKEND, &s->looked[SIDE_BACKEND])};

        relook_restore_take(t, s->looked, pidfds);
    }
}

/* Relays go on in their worker, or in a new one, from their pages. */
static void takeover_session_resume(struct takeover *to, struct monitor_session *t,
                                    const struct state_session *s)
{
    struct worker_process *const w = takeover_workers_find(to, s->worker);

    takeover_session_relook(t, s);
    monitor_session_watch_peers(t);
    /* A session that is held has no device. */
    if (t->client_fd >= 0 && (t->backend_fd >= 0 || t->config->hold_ms > 0) &&
        takeover_session_adopt(to, t, s)) {
        to->go_on++;
        return;
    }
    if (!w || t->client_fd < 0 || t->backend_fd < 0 || !worker_pages_claim(w->pages, s->slot)) {
        to->lost++;
        worker_pool_lost(t, REASON_MONITOR_GONE);
        return;
    }
    t->pages = w->pages;
    t->slot = s->slot;
    if (worker_pool_resume(w, t, REASON_MONITOR_GONE)) {
        to->go_on++;
        worker_pool_move(t);
    } else {
        to->lost++;
    }
}

/* Goes on with a session as its state demands. */
static void takeover_session_go_on(struct takeover *to, struct monitor_session *t,
                                   const struct state_session *s)
{
    monitor_session_dial_prepare(t);
    switch (t->state) {
    case SESSION_ACCEPTED:
        to->anew++;
        monitor_session_dial_begin(t);
        break;
    case SESSION_RELAYING:
        takeover_session_resume(to, t, s);
        break;
    default:
        to->lost++;
        /* A worker that lives refuses it itself. */
        if (!takeover_session_adopt(to, t, s)) {
            worker_pool_lost(t, REASON_MONITOR_GONE);
        }
        break;
    }
}

/* Restores the session of the record in the block. */
static void takeover_session_one(struct takeover *to, uint32_t block, const struct state_session *s)
{
    const struct spawn_kept device = {
        .device = s->device, .guard = s->guard, .since_ms = s->device_ms};
    struct monitor_session *const t = takeover_session_blank(to, s);

    if (!t) {
        log_error("session %" PRIu64 " of route \"%s\" cannot go on: its route is not known", s->id,
                  s->route);
        to->lost++;
        takeover_records_lost_take(to, block, s);
        return;
    }
    takeover_session_set(t, s);
    t->kept_block = block;
    takeover_session_take_fds(to, t);
    if (t->state == SESSION_DIALING) {
        /* Nothing of the client has been read, and no backend has been reached. */
        t->state = SESSION_ACCEPTED;
    }
    if (s->device && !takeover_devices_adopt(to, t, &device)) {
        log_line(LOG_WARNING, &(struct log_subject){.session = t->id, .route = t->config->name},
                 "its device pid=%ld is gone", (long)s->device);
    }
    monitor_session_enlist(t);
    takeover_session_go_on(to, t, s);
}

void takeover_session_all(struct takeover *to)
{
    struct state_file *const state = to->subject.context->state;
    struct state_session s;
    uint32_t block = STATE_NO_BLOCK;

    while ((block = state_file_next(state, block, STATE_SESSION, &s))) {
        takeover_session_one(to, block, &s);
    }
}

/*
 * Clients that were accepted when the monitor died are refused, since a request of theirs must not
 * lie unread in a socket that closes; those of sessions that have ended are hung up on.
 */
void takeover_session_rest(struct takeover *to)
{
    static const struct worker_pool_answer how = {.err = ECONNABORTED, .ms = LIMIT_HANDSHAKE_MS};
    struct fdstore *const store = to->subject.context->store;
    const char *kept = NULL;

    while ((kept = fdstore_next(store, "s", kept))) {
        const char *const dot = strchr(kept, '.');
        char name[STATE_NAME_SIZE];
        char digits[24] = "";
        uint64_t id;
        int fd;

        if (dot && (size_t)(dot - kept) < sizeof digits) {
            memcpy(digits, kept + 1, (size_t)(dot - kept - 1));
        }
        if (!dot || !numbers_decimal(digits, UINT64_MAX, &id)) {
            continue;
        }
        snprintf(name, sizeof name, "%s", kept);
        fd = fdstore_take(store, name);
        if (fd >= 0 && id > to->last_session && strcmp(dot, ".c") == 0) {
            worker_pool_refuse_take(to->subject.workers, fd, &how);
        } else {
            sock_hang_up(&fd);
        }
        fdstore_drop(store, name);
        kept = NULL;
    }
}
