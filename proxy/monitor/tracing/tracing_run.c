/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Captures at work: the messages to and from the tracer, and the messages to the workers. */
#define _GNU_SOURCE
#include "proxy/monitor/tracing/tracing_run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/sock.h"
#include "proxy/ipc/turn.h"
#include "proxy/monitor/monitor_context.h"
#include "proxy/monitor/routes/route.h"
#include "proxy/monitor/tracing/tracing_facts.h"
#include "proxy/monitor/tracing/tracing_group.h"
#include "proxy/monitor/tracing/tracing_keep.h"
#include "proxy/monitor/tracing/tracing_list.h"
#include "proxy/monitor/tracing/tracing_open.h"
#include "proxy/monitor/facts/verdict_facts.h"
#include "proxy/monitor/workers/worker_pool.h"
#include "proxy/monitor/workers/worker_pool_outbox.h"
#include "trace/capture/ring.h"

/* Between two lines of the log about a capture's full disk. */
#define TRACING_RUN_FULL_MS 500u

static struct log_subject tracing_run_subject(const struct capture *c)
{
    return (struct log_subject){.session = c->session, .route = c->route->config->name};
}

/* ---- sending ---- */

static struct tracer_msg *tracing_run_begin_message(struct tracing *t, enum tracer_type type)
{
    tracer_msg_init(&t->msg, type);
    return &t->msg;
}

static void tracing_run_write_take(struct tracing *t, int fd)
{
    tracing_link_say_take(&t->link, &t->msg, fd, -1);
}

void tracing_say_of(struct capture *c, enum tracer_type type)
{
    tracing_run_begin_message(c->tracing, type)->capture = c->id;
    tracing_run_write_take(c->tracing, -1);
}

/* Sends the tracer a session with all known facts. */
static void tracing_run_write_session(struct tracing *t, const struct monitor_session *session)
{
    struct tracer_msg *const m = tracing_run_begin_message(t, TRACER_SESSION);
    char name[LIMIT_NAME + 32];

    m->session = session->id;
    m->worker = session->member ? session->member->number : 0;
    snprintf(name, sizeof name, "%s/%llu", session->config->name, (unsigned long long)session->id);
    if (tracer_msg_add(m, name) && tracing_facts_add(m, session->traced)) {
        tracing_run_write_take(t, -1);
    }
}

static void tracing_run_write_attach(const struct capture *c, const struct monitor_session *session,
                                     bool late)
{
    struct tracer_msg *const m = tracing_run_begin_message(c->tracing, TRACER_ATTACH);

    m->session = session->id;
    m->capture = c->id;
    m->late = late;
    tracing_run_write_take(c->tracing, -1);
}

/* Per session: its announcement, two updates, its end, and one message for each capture. */
static void tracing_run_allow_words(struct tracing *t)
{
    t->link.per_session = 4 + t->n_alive;
}

static void tracing_run_write_capture_take(struct capture *c, int fd)
{
    struct tracer_msg *const m = tracing_run_begin_message(c->tracing, TRACER_CAPTURE);
    const struct config_trace *const how = &c->how;

    m->capture = c->id;
    m->u.settings = (struct tracer_settings){
        .payload = how->payload >= CONFIG_PAYLOAD_ALL ? UINT32_MAX : how->payload,
        .guest = how->payload == CONFIG_PAYLOAD_GUEST,
        .rotate = (uint64_t)how->rotate_mib << 20,
        .every_ms = how->every_ms,
        .memory = (uint64_t)how->memory_mib << 20,
        .given = c->given,
        .once = c->session != 0,
        .pack = how->pack == CONFIG_PACK_ZSTD};
    /* Always fits: a filter is at most as long as a line of the configuration. */
    (void)!tracer_msg_add(m, how->filter);
    tracing_run_write_take(c->tracing, fd);
}

/* ---- sessions ---- */

/* Announces those captures of the group which the tracer does not know the session to have. */
static void tracing_attach(const struct tracing_group *g, const struct monitor_session *t,
                           bool late)
{
    const struct capture *c;

    /* In the order of announcement, so the search ends at the first known one. */
    TAILQ_FOREACH_REVERSE(c, &g->captures, tracing_captures, group_link)
    {
        if (c->run <= t->attached) {
            return;
        }
        tracing_run_write_attach(c, t, late);
    }
}

static void tracing_attach_all(struct tracing *t, struct monitor_session *session, bool late)
{
    tracing_attach(session->route->traced_by, session, late);
    if (session->traced_by) {
        tracing_attach(session->traced_by, session, late);
    }
    session->attached = t->last_run;
}

static void tracing_set_stale(struct tracing *t, struct monitor_session *session)
{
    if (!session->stale) {
        session->stale = true;
        TAILQ_INSERT_TAIL(&t->stale, session, stale_link);
    }
    event_active(t->later, 0, 0);
}

static void tracing_unset_stale(struct tracing *t, struct monitor_session *session)
{
    if (session->stale) {
        session->stale = false;
        TAILQ_REMOVE(&t->stale, session, stale_link);
    }
}

/* Marks all sessions of a capture that has begun or ended. */
static void tracing_set_all_stale(const struct capture *c)
{
    struct monitor_session *t;

    for (t = tracing_group_next_session(c, NULL); t; t = tracing_group_next_session(c, t)) {
        tracing_set_stale(c->tracing, t);
    }
}

void tracing_refresh_all(struct tracing *t)
{
    struct monitor_session *session;

    for (session = monitor_session_behind(t->sessions, 0); session;
         session = monitor_session_behind(t->sessions, session->id)) {
        if (session->member) {
            tracing_set_stale(t, session);
        }
    }
}

/* Sends tracer and worker the current captures of a session. */
static void tracing_refresh(struct tracing *t, struct monitor_session *session)
{
    const bool known = session->traced != NULL;

    tracing_unset_stale(t, session);
    if (!known && monitor_session_tap(session).on) {
        session->traced = tracing_facts_known(session);
    }
    if (session->traced && (!known || session->attached == 0)) {
        tracing_run_write_session(t, session);
    }
    if (session->traced) {
        tracing_attach_all(t, session, true);
    }
    worker_pool_tap(session);
}

static void tracing_run_on_assigned(void *arg, struct monitor_session *t)
{
    struct tracing *const tracing = arg;

    if (t->traced) {
        /* It goes on in another worker. */
        tracing_run_write_session(tracing, t);
        tracing_set_stale(tracing, t);
        return;
    }
    if (!monitor_session_tap(t).on) {
        return;
    }
    t->traced = tracing_facts_known(t);
    if (!t->traced) {
        return;
    }
    tracing_run_write_session(tracing, t);
    /* It relays already if an earlier monitor had it, and its worker has died. */
    tracing_attach_all(tracing, t, t->state >= SESSION_RELAYING);
}

static void tracing_run_on_decided(void *arg, struct monitor_session *t,
                                   const struct verdict_facts *verdict)
{
    char *facts;

    if (!t->traced) {
        return;
    }
    facts = tracing_facts_decided(t, verdict);
    if (facts) {
        free(t->traced);
        t->traced = facts;
        tracing_run_write_session(arg, t);
    }
}

static void tracing_run_on_recorded(void *arg, struct monitor_session *t)
{
    char *facts;

    if (!t->traced) {
        return;
    }
    facts = tracing_facts_recorded(t->traced, t);
    if (facts) {
        free(t->traced);
        t->traced = facts;
        tracing_run_write_session(arg, t);
    }
}

/* Returns true if flight recorders are meant for such an end of a session. */
static bool tracing_run_is_bad(enum session_reason reason)
{
    return reason != REASON_CLIENT_CLOSED && reason != REASON_BACKEND_CLOSED &&
           reason != REASON_SHUTDOWN && reason != REASON_OPERATOR;
}

static void tracing_run_on_ended(void *arg, struct monitor_session *t, enum session_reason reason,
                                 const struct ipc_ended *what)
{
    struct tracing *const tracing = arg;
    struct tracer_msg *msg;

    tracing_group_session_ended(t);
    tracing_unset_stale(tracing, t);
    /* The tracer of an earlier monitor may have a session that this one has not sent it. */
    if (!t->traced && !tracing->adopted) {
        return;
    }
    msg = tracing_run_begin_message(tracing, TRACER_ENDED);
    msg->session = t->id;
    msg->u.ended =
        (struct tracer_ended){.seen = what ? what->captured : 0, .bad = tracing_run_is_bad(reason)};
    (void)!tracer_msg_add(msg, session_reason_word(reason));
    tracing_run_write_take(tracing, -1);
    free(t->traced);
    t->traced = NULL;
}

/* ---- captures ---- */

void tracing_announced(struct capture *c)
{
    tracing_run_allow_words(c->tracing);
    c->run = ++c->tracing->last_run;
    tracing_group_notified(c);
    tracing_set_all_stale(c);
}

/* Announces a running capture to the tracer, with the existing sessions. Takes fd. */
static void tracing_run_announce_take(struct capture *c, int fd)
{
    tracing_run_write_capture_take(c, fd);
    tracing_keep(c);
    tracing_announced(c);
}

static void tracing_run_opened_take(struct capture *c, bool first, int fd);

static void tracing_run_cannot_begin(struct capture *c, uint32_t word, const char *why)
{
    const struct log_subject about = tracing_run_subject(c);

    log_line(LOG_ERROR, &about, "capture %llu ends: %s", (unsigned long long)c->id, why);
    tracing_set_ended(c->tracing, c, word);
}

/* Announces a capture with its first file. */
static void tracing_run_announce(struct capture *c)
{
    const int fd = c->fd;

    c->fd = -1;
    if (fd >= 0 || (c->how.memory_mib > 0 && !c->given)) {
        tracing_run_announce_take(c, fd);
    } else if (c->given) {
        tracing_run_cannot_begin(c, TRACER_GONE, "its file was lost with a tracer that died");
    } else {
        tracing_open(c, true, tracing_run_opened_take);
    }
}

void tracing_begin(struct capture *c)
{
    struct tracing *const t = c->tracing;
    const struct log_subject about = tracing_run_subject(c);
    char shown[256];

    c->state = TRACING_RUNNING;
    tracing_group_join(c);
    if (c->given) {
        log_line(LOG_INFO, &about, "capture %llu to the client's file", (unsigned long long)c->id);
    } else {
        log_line(LOG_INFO, &about, "capture %llu to \"%s\"", (unsigned long long)c->id,
                 log_escape(shown, sizeof shown, c->path, strlen(c->path)));
    }
    if (tracing_link_up(&t->link)) {
        tracing_run_announce(c);
    } else {
        /* Once the tracer is up, all captures are announced. */
        tracing_link_start(&t->link);
    }
}

/* Its sessions are captured less, or not at all. */
static void tracing_run_retap(struct capture *c)
{
    tracing_group_leave(c);
    tracing_set_all_stale(c);
}

void tracing_end(struct capture *c, uint32_t why)
{
    struct tracer_msg *m;

    c->state = TRACING_ENDING;
    tracing_run_retap(c);
    if (c->run == 0) {
        tracing_set_ended(c->tracing, c, why);
        return;
    }
    m = tracing_run_begin_message(c->tracing, TRACER_STOP);
    m->capture = c->id;
    m->error = why;
    tracing_run_write_take(c->tracing, -1);
}

/* ---- workers ---- */

static int tracing_run_copy_of(int fd)
{
    const int copy = fd < 0 ? fd : fcntl(fd, F_DUPFD_CLOEXEC, 0);

    return fd >= 0 && copy < 0 ? -errno : copy;
}

/* Creates a ring and its bell, and a copy of each for the tracer: all four, or -errno. */
static int tracing_run_make_ring(uint64_t size, int fds[4])
{
    int err = 0;

    fds[0] = ring_create(size);
    fds[1] = ring_bell_create();
    fds[2] = tracing_run_copy_of(fds[0]);
    fds[3] = tracing_run_copy_of(fds[1]);
    for (int i = 0; i < 4; i++) {
        err = err ? err : fds[i] < 0 ? fds[i] : 0;
    }
    for (int i = 0; err && i < 4; i++) {
        if (fds[i] >= 0) {
            sock_close(&fds[i]);
        }
    }
    return err;
}

static void tracing_run_on_started(void *arg, struct worker_process *w)
{
    struct tracing *const t = arg;
    int fds[4];
    int err;

    if (!tracing_link_up(&t->link) || t->renewing) {
        return;
    }
    err = tracing_run_make_ring((uint64_t)t->context->config->trace_buffer_mib * 1048576, fds);
    if (err) {
        log_error("cannot create a ring for a worker's captures: %s", strerror(-err));
        return;
    }
    tracing_run_begin_message(t, TRACER_RING)->worker = w->number;
    tracing_link_say_take(&t->link, &t->msg, fds[2], fds[3]);
    worker_pool_ring_take(w, fds[0], fds[1]);
}

/* ---- the tracer ---- */

/* A new tracer must be sent everything again. */
static void tracing_run_up(struct tracing *t)
{
    struct monitor_session *session;

    tracing_run_allow_words(t);
    t->renewing = true;
    t->renewed = 0;
    for (session = monitor_session_behind(t->sessions, 0); session;
         session = monitor_session_behind(t->sessions, session->id)) {
        session->attached = 0;
        if (session->traced && session->member) {
            tracing_set_stale(t, session);
        }
    }
    event_active(t->later, 0, 0);
}

/* Announces the next capture that the new tracer does not know. Returns false if there is none. */
static bool tracing_renew_capture(struct tracing *t)
{
    struct capture *const c = tracing_behind(t, t->renewed);

    if (!c) {
        return false;
    }
    t->renewed = c->id;
    if (c->state == TRACING_RUNNING && c->run == 0) {
        tracing_run_announce(c);
    }
    return true;
}

/* Comes last: sessions must be announced before they appear in their worker's new ring. */
static void tracing_renewed(struct tracing *t)
{
    struct worker_pool *const worker_pool = t->sessions->workers;

    t->renewing = false;
    for (unsigned i = 0; i < worker_pool->n; i++) {
        if (worker_pool->members[i].channel_fd >= 0) {
            tracing_run_on_started(t, &worker_pool->members[i]);
        }
    }
}

void tracing_on_later(evutil_socket_t fd, short what, void *arg)
{
    struct tracing *const t = arg;
    struct monitor_session *session;

    (void)fd;
    (void)what;
    while (t->renewing && tracing_renew_capture(t)) {
        if (turn_is_long()) {
            event_active(t->later, 0, 0);
            return;
        }
    }
    while ((session = TAILQ_FIRST(&t->stale))) {
        tracing_refresh(t, session);
        if (turn_is_long()) {
            event_active(t->later, 0, 0);
            return;
        }
    }
    if (t->renewing) {
        tracing_renewed(t);
    }
    tracing_keep_replace(t);
}

static void tracing_run_add(struct tracer_counts *to, const struct tracer_counts *n)
{
    to->messages += n->messages;
    to->lost += n->lost;
    to->bytes += n->bytes;
    to->files += n->files;
}

static void tracing_run_down(struct tracing *t)
{
    struct capture *c;
    uint64_t id;

    t->renewing = false;
    t->adopted = false;
    for (c = tracing_behind(t, 0); c; c = tracing_behind(t, id)) {
        id = c->id;
        tracing_run_add(&c->before, &c->counts);
        c->counts = (struct tracer_counts){.messages = 0};
        tracing_open_cancel(c);
        c->run = 0;
        c->why = NULL;
        if (c->state == TRACING_ENDING) {
            tracing_set_ended(t, c, TRACER_ASKED);
        }
    }
}

/* The capture's disk is full, or has room again. The tracer may be wrong, but not noisy. */
static void tracing_run_full(struct capture *c, bool full)
{
    const struct log_subject about = tracing_run_subject(c);
    const uint64_t now = clock_ms();

    if (c->state != TRACING_RUNNING) {
        return;
    }
    c->why = full ? tracer_why_word(TRACER_DISK_FULL) : NULL;
    if (c->full_ms > 0 && now - c->full_ms < TRACING_RUN_FULL_MS) {
        return;
    }
    c->full_ms = now;
    if (full) {
        log_line(LOG_WARNING, &about,
                 "capture %llu: disk full: messages are lost until there is room",
                 (unsigned long long)c->id);
    } else {
        log_line(LOG_INFO, &about, "capture %llu: there is room again: lost=%llu",
                 (unsigned long long)c->id, (unsigned long long)c->counts.lost);
    }
}

void tracing_stopped(struct capture *c, uint32_t why)
{
    const struct log_subject about = tracing_run_subject(c);
    struct tracer_counts all = c->before;
    const bool asked = why == TRACER_ASKED || why == TRACER_SHUTDOWN || why == TRACER_SESSION_ENDED;

    tracing_run_add(&all, &c->counts);
    log_line(asked ? LOG_INFO : LOG_WARNING, &about,
             "capture %llu ended: %s; messages=%llu lost=%llu bytes=%llu",
             (unsigned long long)c->id, tracer_why_word(why), (unsigned long long)all.messages,
             (unsigned long long)all.lost, (unsigned long long)all.bytes);
    if (c->state == TRACING_RUNNING) {
        c->state = TRACING_ENDING;
        tracing_run_retap(c);
    }
    audit_writer_note(&c->tracing->context->audit_writer, "trace-ended",
                      tracing_ended_record(c, tracer_why_word(why)));
    tracing_set_ended(c->tracing, c, why);
}

/* Returns true if the capture can need another file. A request without a reason gets none. */
static bool tracing_run_has_next_file(const struct capture *c)
{
    return !c->given && (c->how.rotate_mib > 0 || c->how.every_ms > 0 || c->how.memory_mib > 0);
}

/* Sends the next file, or the error. Takes fd. */
static void tracing_run_give_file_take(struct capture *c, int fd)
{
    const struct log_subject about = tracing_run_subject(c);

    if (fd < 0) {
        log_line(LOG_ERROR, &about, "capture %llu: cannot open its next file: %s",
                 (unsigned long long)c->id, strerror(-fd));
    }
    tracing_run_begin_message(c->tracing, TRACER_FILE)->capture = c->id;
    c->tracing->msg.error = fd < 0 ? (uint32_t)-fd : 0;
    tracing_run_write_take(c->tracing, fd < 0 ? -1 : fd);
}

static void tracing_run_opened_take(struct capture *c, bool first, int fd)
{
    if (c->state != TRACING_RUNNING) {
        if (fd >= 0) {
            sock_close(&fd);
        }
    } else if (!first) {
        tracing_run_give_file_take(c, fd);
    } else if (fd >= 0) {
        tracing_run_announce_take(c, fd);
    } else {
        tracing_run_cannot_begin(c, TRACER_IO_ERROR, strerror(-fd));
    }
}

void tracing_on_link(void *arg, enum tracing_link_news news, const struct tracer_msg *m)
{
    struct tracing *const t = arg;
    struct capture *c;

    if (news == TRACING_LINK_UP) {
        tracing_run_up(t);
        return;
    }
    if (news == TRACING_LINK_DOWN) {
        tracing_run_down(t);
        return;
    }
    c = tracing_find(t, m->capture);
    if (!c || (c->state != TRACING_RUNNING && c->state != TRACING_ENDING)) {
        return;
    }
    switch ((enum tracer_type)m->type) {
    case TRACER_WANT_FILE:
        if (c->state == TRACING_RUNNING && tracing_run_has_next_file(c)) {
            tracing_open(c, false, tracing_run_opened_take);
        }
        break;
    case TRACER_COUNTS:
        c->counts = m->u.counts;
        break;
    case TRACER_FULL:
        c->counts = m->u.counts;
        tracing_run_full(c, m->error != 0);
        break;
    case TRACER_STOPPED:
        c->counts = m->u.counts;
        tracing_stopped(c, m->error);
        break;
    default:
        break;
    }
}

void tracing_run_observe(struct tracing *t)
{
    static const struct monitor_session_events of_sessions = {.assigned = tracing_run_on_assigned,
                                                              .decided = tracing_run_on_decided,
                                                              .recorded = tracing_run_on_recorded,
                                                              .ended = tracing_run_on_ended};
    static const struct worker_pool_events of_workers = {.started = tracing_run_on_started};

    monitor_session_observe(t->sessions, &of_sessions, t);
    worker_pool_observe(t->sessions->workers, &of_workers, t);
}
