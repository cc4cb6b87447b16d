/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The monitor's sessions: their numbers, states and observers. The work in each state is done
 * elsewhere: in monitor_session_dial.c until a worker has the session, in decision.c for its
 * verdict.
 */
#define _GNU_SOURCE
#include "proxy/monitor/monitor_session.h"

#include <bsd/sys/queue.h>
#include <errno.h>
#include <stdlib.h>

#include "proxy/ipc/log_ids.h"
#include "base/clock.h"
#include "base/sock.h"
#include "base/unconst.h"
#include "proxy/ipc/turn.h"
#include "proxy/monitor/facts/facts_pack.h"
#include "proxy/monitor/facts/kept_facts.h"
#include "proxy/monitor/keep/state_fds.h"
#include "proxy/monitor/keep/state_file.h"
#include "proxy/monitor/monitor_context.h"
#include "proxy/monitor/routes/route.h"

void monitor_session_observe(struct monitor_session_table *table,
                             const struct monitor_session_events *events, void *arg)
{
    OBSERVERS_ADD(&table->observers, events, arg);
}

struct log_subject monitor_session_subject(const struct monitor_session *t, const char *leg)
{
    return (struct log_subject){
        .session = t->id, .route = t->config->name, .leg = leg, .quiet = t->quiet};
}

void monitor_session_changed(struct monitor_session *t)
{
    OBSERVERS_NOTIFY(&t->table->observers, changed, t);
}

/* The only writer of the session's state. */
static void monitor_session_enter(struct monitor_session *t, enum session_state to)
{
    TAILQ_REMOVE(&t->table->states[t->state], t, link);
    t->state = to;
    TAILQ_INSERT_TAIL(&t->table->states[to], t, link);
    if (to != SESSION_DEAD) {
        monitor_session_changed(t);
    }
}

bool monitor_session_advance(struct monitor_session *t, enum session_state to)
{
    const struct log_subject about = monitor_session_subject(t, NULL);

    if (session_state_follows(t->state, to)) {
        monitor_session_enter(t, to);
        return true;
    }
    log_line(LOG_ERROR, &about,
             "internal error: state \"%s\" cannot follow \"%s\"; the session ends",
             session_state_name(to), session_state_name(t->state));
    return false;
}

static int monitor_session_compare(const struct monitor_session *a, const struct monitor_session *b)
{
    return a->id < b->id ? -1 : a->id > b->id;
}

TREE_GENERATE(monitor_session_tree, monitor_session, id_link, monitor_session_compare)

struct monitor_session *monitor_session_find(const struct monitor_session_table *table, uint64_t id)
{
    struct monitor_session key = {.id = id};

    return monitor_session_tree_RB_FIND(unconst_pointer(&table->by_id), &key);
}

struct monitor_session *monitor_session_behind(const struct monitor_session_table *table,
                                               uint64_t id)
{
    struct monitor_session key = {.id = id + 1};

    return monitor_session_tree_RB_NFIND(unconst_pointer(&table->by_id), &key);
}

void monitor_session_set_timer(struct monitor_session *t, unsigned ms)
{
    const struct timeval tv = clock_timeval(ms);

    event_add(&t->timer, &tv);
}

unsigned monitor_session_handshake_left_ms(const struct monitor_session *t)
{
    const uint64_t end = t->accepted_ms + t->config->handshake_ms;
    const uint64_t now = clock_ms();

    return now < end ? (unsigned)(end - now) : 1;
}

struct tap_settings monitor_session_tap(const struct monitor_session *t)
{
    struct tap_settings tap = t->route->tap;

    session_settings_add_tap(&tap, &t->tap);
    return tap;
}

/* ---- the end ---- */

void monitor_session_end(struct monitor_session *t, enum session_reason reason,
                         const struct ipc_ended *what)
{
    struct monitor_session_table *const table = t->table;

    if (t->state == SESSION_DEAD) {
        return;
    }
    if (reason == REASON_OPERATOR && t->asked != REASON_NONE) {
        reason = t->asked;
    }
    OBSERVERS_NOTIFY(&table->observers, ended, t, reason, what);
    monitor_session_enter(t, SESSION_DEAD);
    event_del(&t->client_event);
    event_del(&t->timer);
    TAILQ_REMOVE(&t->route->monitor_sessions, t, route_link);
    (void)monitor_session_tree_RB_REMOVE(&table->by_id, t);
    t->route->sessions--;
    table->alive--;
    event_active(table->reap, 0, 0);
}

/* Frees the sessions in DEAD, as many as fit a turn. */
static void monitor_session_on_reap(evutil_socket_t fd, short what, void *arg)
{
    struct monitor_session_table *const table = arg;
    struct monitor_session *t;

    (void)fd;
    (void)what;
    while ((t = TAILQ_FIRST(&table->states[SESSION_DEAD]))) {
        TAILQ_REMOVE(&table->states[SESSION_DEAD], t, link);
        sock_hang_up(&t->client_fd);
        sock_hang_up(&t->backend_fd);
        sock_hang_up(&t->twin_fds[SIDE_CLIENT]);
        sock_hang_up(&t->twin_fds[SIDE_BACKEND]);
        state_fds_drop(table->context->store, t->id, t->kept_fds);
        free(t->relook);
        free(t->facts);
        free(t->inject);
        kept_facts_free(t->kept);
        t->route->users--;
        generation_release(t->generation);
        free(t);
        heap_changed(&table->heap);
        if (turn_is_long() && !TAILQ_EMPTY(&table->states[SESSION_DEAD])) {
            event_active(table->reap, 0, 0);
            return;
        }
    }
}

int monitor_session_table_init(struct monitor_session_table *table, struct monitor_context *context,
                               struct worker_pool *workers)
{
    *table = (struct monitor_session_table){.context = context, .workers = workers};
    for (int state = 0; state < SESSION_STATES; state++) {
        TAILQ_INIT(&table->states[state]);
    }
    RB_INIT(&table->by_id);
    TAILQ_INIT(&table->ended);
    table->reap = event_new(context->base, -1, 0, monitor_session_on_reap, table);
    return table->reap ? heap_watch(&table->heap, context->base) : -ENOMEM;
}

void monitor_session_table_deinit(struct monitor_session_table *table)
{
    if (table->reap) {
        while (!TAILQ_EMPTY(&table->states[SESSION_DEAD])) {
            monitor_session_on_reap(-1, 0, table);
        }
        event_free(table->reap);
        table->reap = NULL;
    }
    ended_record_free_all(&table->ended);
    heap_unwatch(&table->heap);
}

void monitor_session_heard(struct monitor_session *t, uint16_t id)
{
    t->heard = true;
    t->request_id = id;
    monitor_session_changed(t);
}

/* ---- starting ---- */

struct monitor_session *monitor_session_blank(struct monitor_session_table *table, struct route *r,
                                              struct generation *g,
                                              const struct config_route *config)
{
    struct monitor_session *t = calloc(1, sizeof *t);

    if (!t) {
        return NULL;
    }
    t->table = table;
    t->route = r;
    t->generation = generation_hold(g);
    t->config = config;
    r->users++;
    t->client_fd = -1;
    t->backend_fd = -1;
    t->twin_fds[SIDE_CLIENT] = -1;
    t->twin_fds[SIDE_BACKEND] = -1;
    t->slot = SESSION_PAGE_NO_SLOT;
    t->peers[SIDE_CLIENT].pid_fd = -1;
    t->peers[SIDE_BACKEND].pid_fd = -1;
    t->accepted_ms = clock_ms();
    t->state = SESSION_ACCEPTED;
    return t;
}

void monitor_session_enlist(struct monitor_session *t)
{
    struct monitor_session_table *const table = t->table;

    OBSERVERS_NOTIFY(&table->observers, begun, t);
    TAILQ_INSERT_TAIL(&table->states[t->state], t, link);
    TAILQ_INSERT_TAIL(&t->route->monitor_sessions, t, route_link);
    (void)monitor_session_tree_RB_INSERT(&table->by_id, t);
    t->route->sessions++;
    table->alive++;
}

struct monitor_session *monitor_session_new(struct monitor_session_table *table, struct route *r,
                                            int client_fd)
{
    struct monitor_session *const t = monitor_session_blank(table, r, r->generation, r->config);

    if (t) {
        t->id = ++table->last;
        t->client_fd = client_fd;
        r->begun++;
        monitor_session_enlist(t);
    }
    return t;
}

json_t *monitor_session_facts(const struct monitor_session *t)
{
    const struct state_file *const state = t->table->context->state;
    char *text = NULL;
    json_t *facts;

    if (!t->facts && state && t->kept_block != STATE_NO_BLOCK) {
        text = state_file_text(state, t->kept_block);
    }
    facts = facts_unpack(t->facts ? t->facts : text);
    free(text);
    return facts;
}

/* ---- events ---- */

/* A replacement is over. */
static bool monitor_session_replaced(struct monitor_session *t, const struct ipc_replaced *r)
{
    if (!ipc_replaced_sound(r)) {
        return false;
    }
    if (t->successor && r->outcome == REPLACE_DONE && (!t->allowed_again || t->successor->dry)) {
        return false;
    }
    OBSERVERS_NOTIFY(&t->table->observers, replaced, t, r);
    return true;
}

bool monitor_session_device(struct monitor_session *t, const struct ipc_msg *m)
{
    const bool lost = m->type == IPC_LOST;

    if (m->type == IPC_REPLACED) {
        return monitor_session_replaced(t, &m->u.replaced);
    }
    /* It is lost while it is not held, and attached or detached while it is. */
    if (lost != (t->hold == NULL)) {
        return false;
    }
    if (lost) {
        if (t->config->hold_ms == 0 || m->u.lost.reason >= REASON_COUNT) {
            return false;
        }
        OBSERVERS_NOTIFY(&t->table->observers, lost, t, &m->u.lost);
    } else if (m->type == IPC_ATTACHED) {
        if (!t->allowed_again) {
            return false;
        }
        OBSERVERS_NOTIFY(&t->table->observers, attached, t, &m->u.attached);
    } else {
        /* Of a process that it has been sent. */
        if (t->backend_fd < 0 || !ipc_detached_sound(&m->u.detached)) {
            return false;
        }
        OBSERVERS_NOTIFY(&t->table->observers, detached, t, &m->u.detached);
    }
    return true;
}

bool monitor_session_evidence(struct monitor_session *t, const struct ipc_evidence *e)
{
    if (t->state == SESSION_RELAYING && (t->hold || t->successor)) {
        OBSERVERS_NOTIFY(&t->table->observers, evidence_again, t, e);
        return true;
    }
    if (!monitor_session_advance(t, SESSION_DECIDING)) {
        return false;
    }
    OBSERVERS_NOTIFY(&t->table->observers, evidence, t, e);
    return true;
}

bool monitor_session_relays(struct monitor_session *t)
{
    if (!monitor_session_advance(t, SESSION_RELAYING)) {
        return false;
    }
    heap_changed(&t->table->heap);
    if (!t->ending) {
        event_del(&t->timer);
    }
    return true;
}

void monitor_session_assigned(struct monitor_session *t)
{
    OBSERVERS_NOTIFY(&t->table->observers, assigned, t);
}

void monitor_session_decided(struct monitor_session *t, const struct verdict_facts *facts)
{
    OBSERVERS_NOTIFY(&t->table->observers, decided, t, facts);
}

void monitor_session_recorded(struct monitor_session *t)
{
    OBSERVERS_NOTIFY(&t->table->observers, recorded, t);
}

void monitor_session_exported(struct monitor_session *t, const struct ipc_export *e)
{
    OBSERVERS_NOTIFY(&t->table->observers, exported, t, e);
}

void monitor_session_resumed(struct monitor_session *t, const struct ipc_resumed *r)
{
    OBSERVERS_NOTIFY(&t->table->observers, resumed, t, r);
}

void monitor_session_count_overdue(struct monitor_session *t, uint64_t overdue)
{
    if (overdue > t->overdue) {
        t->route->overdue += overdue - t->overdue;
        t->overdue = overdue;
    }
}

void monitor_session_taint(struct monitor_session *t, uint32_t bits)
{
    struct log_subject about = monitor_session_subject(t, NULL);
    char letters[TAINT_COUNT + 1];
    const uint32_t seen = bits & TAINT_OBSERVATIONS & ~t->observed;
    const uint32_t taint = bits & ~TAINT_OBSERVATIONS & ~t->taint;

    t->observed |= seen;
    t->route->observed |= seen;
    t->table->observed |= seen;
    t->taint |= taint;
    t->route->taint |= taint;
    t->table->taint |= taint;
    monitor_session_changed(t);
    about.taint = taint_text(t->taint, letters);
    about.message_id = taint ? LOG_ID_TAINTED : NULL;
    for (unsigned i = 0; i < TAINT_COUNT; i++) {
        if (taint & (1u << i)) {
            log_line(LOG_WARNING, &about, "tainted: %c (%s)", taint_letter(i), taint_meaning(i));
        } else if (seen & (1u << i)) {
            log_line(LOG_INFO, &about, "observed: %c (%s)", taint_letter(i), taint_meaning(i));
        }
    }
}
