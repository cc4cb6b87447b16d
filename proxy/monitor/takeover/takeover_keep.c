/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* From a session to its record. proxy/monitor/takeover/ has the way back. */
#include "proxy/monitor/takeover/takeover_keep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/ipc/fdstore.h"
#include "proxy/monitor/devices/spawn.h"
#include "proxy/monitor/keep/state_fds.h"
#include "proxy/monitor/keep/state_file.h"
#include "proxy/monitor/monitor_context.h"
#include "proxy/monitor/monitor_session.h"
#include "proxy/monitor/relook.h"
#include "proxy/monitor/routes/route.h"
#include "proxy/monitor/workers/worker_pages.h"

void takeover_keep_generation(struct monitor_context *context)
{
    struct generation *const g = context->generation;
    struct state_head *head;
    int err;

    if (!context->state) {
        return;
    }
    head = state_file_head(context->state);
    err = g->store ? 0 : generation_keep(g, context->store, ++head->last_text);
    if (err) {
        log_error(
            "the configuration cannot be kept: %s; if the monitor dies, the file is read again",
            strerror(-err));
    }
    memset(head->digest, 0, sizeof head->digest);
    if (g->config->from_file) {
        memcpy(head->digest, g->config->digest, sizeof head->digest);
    }
    state_file_write_head(context->state);
}

static uint32_t takeover_keep_bits(const struct monitor_session *t)
{
    const struct {
        bool is;
        enum state_bit bit;
    } bits[] = {{t->quiet, STATE_QUIET},
                {t->held, STATE_HELD},
                {t->muted, STATE_MUTED},
                {t->fresh, STATE_IS_FRESH},
                {t->denied, STATE_DENIED},
                {t->unrecorded, STATE_UNRECORDED},
                {t->opened, STATE_OPENED},
                {t->counted, STATE_COUNTED},
                {t->heard, STATE_HEARD},
                {t->ending, STATE_ENDING},
                {t->resuming, STATE_RESUMING},
                {t->resumed_in_hand, STATE_IN_HAND},
                {t->recorded.number != 0, STATE_EXPORTING}};
    uint32_t all = 0;

    for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) {
        all |= bits[i].is ? (uint32_t)bits[i].bit : 0;
    }
    return all;
}

static void takeover_keep_suspect(const struct monitor_session_suspect *from,
                                  struct state_session *to)
{
    to->suspect_set = from->set;
    to->suspect_way = from->set ? (uint32_t)from->way : 0;
    to->suspect_taken = from->taken;
    to->suspect_hdr = from->hdr;
}

static struct state_session takeover_keep_record(const struct monitor_session *t)
{
    struct state_session s = {.id = t->id,
                              .accepted_ms = t->accepted_ms,
                              .record = t->record,
                              .overdue = t->overdue,
                              .worker = t->pages ? t->pages->serial : 0,
                              .to_backend = t->to_backend,
                              .to_client = t->to_client,
                              .slot = t->slot,
                              .state = t->state,
                              .bits = takeover_keep_bits(t),
                              .request_id = t->request_id,
                              .asked = t->asked,
                              .lost_by = t->lost_by,
                              .verdict_err = t->verdict_err,
                              .gone = t->gone,
                              .taint = t->taint,
                              .observed = t->observed,
                              .resumed = t->resumed,
                              .resumed_from = t->resumed_from,
                              .senders = t->senders};

    struct spawn_kept device;

    memcpy(s.taint_of, t->taint_of, sizeof s.taint_of);
    takeover_keep_suspect(&t->suspect, &s);
    if (t->device) {
        spawn_keep(t->device, &device);
        s.device = device.device;
        s.guard = device.guard;
        s.device_ms = device.since_ms;
    }
    s.bits |= relook_keep(t, s.looked) ? (uint32_t)STATE_RELOOKS : 0;
    if (t->generation->config->from_file) {
        memcpy(s.digest, t->generation->config->digest, sizeof s.digest);
    }
    snprintf(s.route, sizeof s.route, "%s", t->config->name);
    return s;
}

/* Keeps those of its fds that the keeper has not yet. */
static void takeover_keep_fds(struct monitor_session *t)
{
    const int fds[STATE_FDS] = {[STATE_FD_CLIENT] = t->client_fd,
                                [STATE_FD_BACKEND] = t->backend_fd,
                                [STATE_FD_TWIN_CLIENT] = t->twin_fds[SIDE_CLIENT],
                                [STATE_FD_TWIN_BACKEND] = t->twin_fds[SIDE_BACKEND]};
    char name[STATE_NAME_SIZE];

    for (int i = 0; i < STATE_FDS; i++) {
        const struct log_subject about = monitor_session_subject(t, NULL);
        int err;

        if (fds[i] < 0 || (t->kept_fds & (1u << i))) {
            continue;
        }
        t->kept_fds |= 1u << i;
        err = fdstore_keep(t->table->context->store,
                           state_fds_session(t->id, (enum state_fd)i, name), fds[i]);
        if (err) {
            log_line(LOG_WARNING, &about,
                     "its sockets cannot be kept, so it ends if the monitor does: %s",
                     strerror(-err));
        }
    }
}

/* Keeps the counts of all sessions. */
static void takeover_keep_head(const struct monitor_session_table *table)
{
    struct state_head *const head = state_file_head(table->context->state);

    head->last_session = table->last;
    head->resumed = table->resumed;
    head->taint = table->taint;
    head->observed = table->observed;
    state_file_write_head(table->context->state);
}

/* Keeps a route's counts and identity. */
static void takeover_keep_route(struct monitor_session_table *sessions, struct route *r)
{
    struct state_file *const state = sessions->context->state;
    struct state_route s = {.self = r->self,
                            .taint = r->taint,
                            .observed = r->observed,
                            .begun = r->begun,
                            .resumed = r->resumed,
                            .overdue = r->overdue};

    if (!state) {
        return;
    }
    snprintf(s.name, sizeof s.name, "%s", r->config->name);
    if (r->kept_block == STATE_NO_BLOCK) {
        r->kept_block = state_file_add(state, STATE_ROUTE, &s);
    } else {
        state_file_put(state, r->kept_block, &s);
    }
}

static void takeover_keep_on_changed(void *arg, struct monitor_session *t)
{
    struct state_file *const state = t->table->context->state;
    const struct state_session s = takeover_keep_record(t);

    (void)arg;
    if (t->state == SESSION_DEAD) {
        return;
    }
    takeover_keep_fds(t);
    if (t->kept_block == STATE_NO_BLOCK) {
        t->kept_block = state_file_add(state, STATE_SESSION, &s);
    } else {
        state_file_put(state, t->kept_block, &s);
    }
    takeover_keep_head(t->table);
    takeover_keep_route(t->table, t->route);
}

/* Moves the facts of the verdict from the heap to the file. */
static void takeover_keep_on_decided(void *arg, struct monitor_session *t,
                                     const struct verdict_facts *facts)
{
    (void)arg;
    (void)facts;
    if (t->facts && t->kept_block != STATE_NO_BLOCK &&
        state_file_put_text(t->table->context->state, t->kept_block, t->facts)) {
        free(t->facts);
        t->facts = NULL;
    }
}

static void takeover_keep_on_resumed(void *arg, struct monitor_session *t,
                                     const struct ipc_resumed *r)
{
    (void)r;
    takeover_keep_on_changed(arg, t);
}

/* The record of its end, if there is one, has taken the block. */
static void takeover_keep_on_ended(void *arg, struct monitor_session *t, enum session_reason reason,
                                   const struct ipc_ended *what)
{
    (void)arg;
    (void)reason;
    (void)what;
    state_file_drop(t->table->context->state, t->kept_block);
    t->kept_block = STATE_NO_BLOCK;
    takeover_keep_route(t->table, t->route);
}

void takeover_keep_init(struct monitor_session_table *sessions)
{
    static const struct monitor_session_events events = {.begun = takeover_keep_on_changed,
                                                         .assigned = takeover_keep_on_changed,
                                                         .decided = takeover_keep_on_decided,
                                                         .recorded = takeover_keep_on_changed,
                                                         .resumed = takeover_keep_on_resumed,
                                                         .changed = takeover_keep_on_changed,
                                                         .ended = takeover_keep_on_ended};

    if (sessions->context->state) {
        monitor_session_observe(sessions, &events, NULL);
    }
}
