/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The monitor's record of a session. ACCEPTED and DIALING happen in the monitor; later states
 * follow the worker's reports.
 *
 * A backend is dialled only when the client has sent something: some servers exit when a client
 * connects and goes away again, and a port scan must not bring devices down.
 */
#include "proxy/monitor/monitor_session.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/clock.h"
#include "base/sock.h"
#include "proxy/monitor/decision.h"
#include "proxy/monitor/peer_facts.h"
#include "proxy/monitor/monitor.h"
#include "proxy/monitor/relook.h"
#include "proxy/monitor/tracing/tracing.h"
#include "proxy/ipc/turn.h"

static struct log_subject monitor_session_subject(const struct monitor_session *t, const char *leg)
{
    return (struct log_subject){
        .session = t->id, .route = t->route->config->name, .leg = leg, .quiet = t->quiet};
}

/* The only writer of the session's state. */
static void monitor_session_enter(struct monitor_session *t, enum session_state to)
{
    TAILQ_REMOVE(&t->monitor->monitor_sessions[t->state], t, link);
    t->state = to;
    TAILQ_INSERT_TAIL(&t->monitor->monitor_sessions[to], t, link);
}

/*
 * Enters a state. Returns false if the table of states forbids it: the state stays, and the caller
 * ends the session in its own way, which depends on whether a worker has it.
 */
static bool monitor_session_advance(struct monitor_session *t, enum session_state to)
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

struct monitor_session *monitor_session_find(const struct monitor *m, uint64_t id)
{
    struct monitor_session key = {.id = id};

    return monitor_session_tree_RB_FIND(&((struct monitor *)m)->by_id, &key);
}

struct monitor_session *monitor_session_behind(const struct monitor *m, uint64_t id)
{
    struct monitor_session key = {.id = id + 1};

    return monitor_session_tree_RB_NFIND(&((struct monitor *)m)->by_id, &key);
}

static void monitor_session_set_timer(struct monitor_session *t, unsigned ms)
{
    const struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000L};

    event_add(&t->timer, &tv);
}

unsigned monitor_session_handshake_left_ms(const struct monitor_session *t)
{
    const uint64_t end = t->accepted_ms + t->route->config->handshake_ms;
    const uint64_t now = clock_ms();

    return now < end ? (unsigned)(end - now) : 1;
}

void monitor_session_handed_over(struct monitor_session *t)
{
    sock_close(&t->backend_fd);
}

/* Logs the counts as far as they are known. */
static void monitor_session_log_end(const struct monitor_session *t, enum session_reason reason,
                                    const struct ipc_ended *what)
{
    const struct ipc_count *const b = what ? &what->to_backend : &t->to_backend;
    const struct ipc_count *const c = what ? &what->to_client : &t->to_client;
    const struct log_subject about = monitor_session_subject(t, NULL);
    const char *const known = t->counted ? "at least " : "";

    if (!what && !t->counted && t->state >= SESSION_RELAYING) {
        log_line(LOG_INFO, &about,
                 "ended: reason=%s state=%s ms=%" PRIu64 "; what has passed is not known",
                 session_reason_word(reason), session_state_name(t->state),
                 clock_ms() - t->accepted_ms);
        return;
    }
    log_line(LOG_INFO, &about,
             "ended: reason=%s%s%s state=%s ms=%" PRIu64 " to-backend=%" PRIu64 "/%" PRIu64
             "/%" PRIu64 " to-client=%" PRIu64 "/%" PRIu64 "/%" PRIu64 " (%smessages/bytes/fds)",
             session_reason_word(reason), what && what->by ? " by=" : "",
             ipc_by_word(what ? what->by : IPC_BY_NOBODY), session_state_name(t->state),
             clock_ms() - t->accepted_ms, b->messages, b->bytes, b->fds, c->messages, c->bytes,
             c->fds, what ? "" : known);
}

void monitor_session_end(struct monitor_session *t, enum session_reason reason,
                         const struct ipc_ended *what)
{
    if (t->state == SESSION_DEAD) {
        return;
    }
    reason = relook_reason(t, reason);
    repeats_end(&t->monitor->repeats, t, reason);
    monitor_session_log_end(t, reason, what);
    decision_end(t, reason, what);
    relook_end(t);
    tracing_session_ended(t->monitor, t, reason, what);
    monitor_session_enter(t, SESSION_DEAD);
    worker_pool_forget(&t->monitor->worker_pool, t);
    event_del(&t->client_event);
    event_del(&t->timer);
    monitor_session_forget_peers(t);
    t->route->sessions--;
    if (t->device) {
        spawn_release(t->device, reason);
        t->device = NULL;
    }
    TAILQ_REMOVE(&t->route->monitor_sessions, t, route_link);
    (void)monitor_session_tree_RB_REMOVE(&t->monitor->by_id, t);
    t->monitor->sessions--;
    event_active(t->monitor->reap_event, 0, 0);
}

void monitor_session_reap(struct monitor *m)
{
    struct monitor_session *t;

    while ((t = TAILQ_FIRST(&m->monitor_sessions[SESSION_DEAD]))) {
        TAILQ_REMOVE(&m->monitor_sessions[SESSION_DEAD], t, link);
        sock_hang_up(&t->client_fd);
        sock_hang_up(&t->backend_fd);
        relook_free(t);
        free(t->facts);
        free(t);
        heap_changed(&m->heap);
        if (turn_is_long() && !TAILQ_EMPTY(&m->monitor_sessions[SESSION_DEAD])) {
            event_active(m->reap_event, 0, 0);
            return;
        }
    }
}

/* ---- dialling ---- */

/*
 * How long a client of the route has for its refusal, in ms: as long as any client waits, or longer
 * where those of this route are known to.
 */
static unsigned monitor_session_refusal_ms(const struct route *r)
{
    const unsigned ms = r->config->handshake_ms;

    return ms > LIMIT_HANDSHAKE_MS ? ms : LIMIT_HANDSHAKE_MS;
}

/* Has a worker send err to the client, after reading its request unless that was read before. */
static void monitor_session_refuse_take(struct monitor_session *t, int err)
{
    const struct worker_pool_answer how = {.err = err,
                                           .ms = monitor_session_refusal_ms(t->route),
                                           .heard = t->heard,
                                           .id = t->request_id};

    worker_pool_refuse_take(&t->monitor->worker_pool, t->client_fd, &how);
    t->client_fd = -1;
}

/* Has a worker send the client the reason why there is no session. */
static void monitor_session_refuse(struct monitor_session *t, enum session_reason reason, int err)
{
    const struct log_subject about = monitor_session_subject(t, "backend");

    log_line(LOG_WARNING, &about, "%s; client told: %s", session_reason_word(reason),
             strerror(err));
    monitor_session_refuse_take(t, err);
    monitor_session_end(t, reason, NULL);
}

void monitor_session_heard(struct monitor_session *t, uint16_t id)
{
    t->heard = true;
    t->request_id = id;
}

/* Returns true if the client waits for its reply to VERSION, which no worker may have sent yet. */
static bool monitor_session_is_owed_reply(const struct monitor_session *t)
{
    return t->state == SESSION_RECITING ||
           (t->state == SESSION_DECIDING &&
            (t->verdict_err == 0 || worker_pool_unsent(t, IPC_VERDICT)));
}

void monitor_session_lost(struct monitor_session *t, enum session_reason reason)
{
    if (reason != REASON_SHUTDOWN && monitor_session_is_owed_reply(t)) {
        monitor_session_refuse(t, reason,
                               reason == REASON_HANDSHAKE_TIMEOUT ? ETIMEDOUT : ECONNABORTED);
    } else {
        monitor_session_end(t, reason, NULL);
    }
}

/* Returns true if err is worth another try: not listening yet, or a full accept queue. */
static bool monitor_session_may_redial(const struct monitor_session *t, int err)
{
    const uint64_t waited = clock_ms() - t->accepted_ms;

    if (err == -EAGAIN) {
        return waited + LIMIT_REDIAL_MS < t->route->config->handshake_ms;
    }
    return (err == -ENOENT || err == -ECONNREFUSED) && waited < t->route->config->wait_backend_ms;
}

/*
 * Fills in the process at the socket: its senders are checked by pid, user and group. Sets pid 0,
 * which matches no sender, if one of these is not reliable.
 */
static void monitor_session_witness_party(const struct monitor_session *t, enum rules_party party,
                                          struct sock_sender *out)
{
    static const enum peer_fact needed[] = {PEER_PID, PEER_PIDNS, PEER_UID, PEER_GID};
    const struct peer *p = peer_facts_peer(t->peer_facts, party);
    const struct log_subject about = monitor_session_subject(t, rules_party_name(party));
    char why[256];

    *out = (struct sock_sender){.pid = p->pid, .uid = p->uid, .gid = p->gid};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        if (!peer_knows(p, needed[i])) {
            log_line(LOG_WARNING, &about,
                     "same-process: its process counts as another one, for its %s is %s",
                     peer_fact_name(needed[i]), peer_why(p, needed[i], why, sizeof why));
            *out = (struct sock_sender){.pid = 0};
            return;
        }
    }
}

void monitor_session_witness(const struct monitor_session *t, struct sender_check_settings *out)
{
    const struct config_route *r = t->route->config;

    *out = (struct sender_check_settings){.act = SENDER_CHECK_NOTE};
    if (r->same_process != CONFIG_SAME_UNASKED) {
        out->act = r->same_process == CONFIG_SAME_END ? SENDER_CHECK_END : SENDER_CHECK_TAINT;
    }
    for (int i = 0; i < RULES_PARTIES; i++) {
        const enum rules_party party = (enum rules_party)i;

        if (!config_route_watches(r, party)) {
            /* Only a note depends on this party. */
            sock_peer(party == RULES_CLIENT ? t->client_fd : t->backend_fd, &out->who[i]);
            if (party == RULES_BACKEND && t->device) {
                spawn_who(t->device, &out->who[i]);
            }
            continue;
        }
        out->parties |= 1u << i;
        if (party == RULES_BACKEND && t->device) {
            /* Our own child, in a pid namespace of ours. */
            spawn_who(t->device, &out->who[i]);
        } else {
            monitor_session_witness_party(t, party, &out->who[i]);
        }
    }
}

/* Returns a socket to the backend, or -errno. */
static int monitor_session_reach(struct monitor_session *t)
{
    int fd = t->route->spawn ? spawn_take(t->route->spawn, &t->device)
                             : sock_connect(t->route->config->backend, true);
    int err;

    if (fd < 0) {
        return fd;
    }
    /* Set before the first request, so that every reply comes with its sender. */
    err = sock_pass_sender(fd, true);
    if (err) {
        sock_close(&fd);
    }
    return err ? err : fd;
}

static void monitor_session_log_unreachable(const struct monitor_session *t, int err)
{
    const struct log_subject about = monitor_session_subject(t, "backend");
    char path[256];

    if (t->route->spawn) {
        log_line(LOG_WARNING, &about, "%s",
                 err == -EAGAIN ? "no device is ready: one is being started, or still ending"
                                : "no device is ready: the last one failed");
        return;
    }
    log_escape(path, sizeof path, t->route->config->backend, strlen(t->route->config->backend));
    log_line(LOG_WARNING, &about, "cannot connect to \"%s\": %s", path,
             err == -EAGAIN ? "its accept queue is full" : strerror(-err));
}

/* Too many sessions of this user have just begun and ended, so it waits for its turn. */
static void monitor_session_hold(struct monitor_session *t, unsigned wait_ms)
{
    if (wait_ms < monitor_session_handshake_left_ms(t)) {
        monitor_session_set_timer(t, wait_ms);
        return;
    }
    t->quiet = true;
    monitor_session_refuse(t, REASON_REFUSED, EBUSY);
}

static void monitor_session_dial(struct monitor_session *t)
{
    const unsigned wait_ms = repeats_wait_ms(t);
    int fd;

    if (wait_ms > 0) {
        monitor_session_hold(t, wait_ms);
        return;
    }
    fd = monitor_session_reach(t);
    if (fd >= 0) {
        t->backend_fd = fd;
        /* From now on the worker keeps the time limit, and has a moment more for its answer. */
        monitor_session_set_timer(t,
                                  monitor_session_handshake_left_ms(t) + LIMIT_HANDSHAKE_GRACE_MS);
        if (!decision_begin(t)) {
            monitor_session_end(t, REASON_NO_RESOURCES, NULL);
            return;
        }
        if (!monitor_session_advance(t, SESSION_RECITING)) {
            monitor_session_end(t, REASON_INTERNAL, NULL);
            return;
        }
        monitor_session_watch_peers(t);
        worker_pool_give(&t->monitor->worker_pool, t);
        return;
    }
    if (monitor_session_may_redial(t, fd)) {
        monitor_session_set_timer(t, LIMIT_REDIAL_MS);
        return;
    }
    monitor_session_log_unreachable(t, fd);
    if (fd == -EAGAIN) {
        monitor_session_refuse(t, REASON_HANDSHAKE_TIMEOUT, ETIMEDOUT);
    } else {
        monitor_session_refuse(t, REASON_BACKEND_ABSENT, ECONNREFUSED);
    }
}

/* Ends a session that its worker has not ended in time. */
static void monitor_session_take_back(struct monitor_session *t, enum session_reason reason)
{
    const struct log_subject about = monitor_session_subject(t, NULL);

    log_line(LOG_WARNING, &about, "its worker does not end it: %s", session_reason_word(reason));
    worker_pool_disown(t);
    monitor_session_lost(t, reason);
}

/* Neither the worker nor the verdict is done within the handshake's time. */
static void monitor_session_overdue(struct monitor_session *t)
{
    if (!t->member) {
        monitor_session_refuse(t, REASON_HANDSHAKE_TIMEOUT, ETIMEDOUT);
    } else if (worker_pool_has_other(&t->monitor->worker_pool, t)) {
        monitor_session_take_back(t, REASON_HANDSHAKE_TIMEOUT);
    } else {
        /* The only worker is busy or hangs. If it hangs it is killed, and its successor answers. */
        monitor_session_set_timer(t, LIMIT_BEAT_MS);
    }
}

static void monitor_session_on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct monitor_session *t = arg;

    (void)fd;
    (void)what;
    if (t->ending) {
        monitor_session_take_back(t, REASON_OPERATOR);
    } else if (t->state == SESSION_RECITING || t->state == SESSION_DECIDING) {
        monitor_session_overdue(t);
    } else if (t->state == SESSION_ACCEPTED) {
        monitor_session_end(t, REASON_HANDSHAKE_TIMEOUT, NULL);
    } else if (sock_hung_up(t->client_fd)) {
        monitor_session_end(t, REASON_CLIENT_GONE, NULL);
    } else {
        monitor_session_dial(t);
    }
}

bool monitor_session_end_asked(struct monitor_session *t)
{
    if (!t->member || worker_pool_unsent(t, IPC_SESSION)) {
        monitor_session_refuse(t, REASON_OPERATOR, ECONNABORTED);
        return true;
    }
    if (!worker_pool_answers(t)) {
        monitor_session_take_back(t, REASON_OPERATOR);
        return true;
    }
    if (!t->ending) {
        t->ending = true;
        worker_pool_end(&t->monitor->worker_pool, t);
        monitor_session_set_timer(t, LIMIT_END_MS);
    }
    return false;
}

/* The client has sent something, or has gone. Counts the bytes, but does not read them. */
static void monitor_session_on_client(evutil_socket_t fd, short what, void *arg)
{
    struct monitor_session *t = arg;
    int n = 0;

    (void)what;
    if (ioctl(fd, FIONREAD, &n) < 0 || n == 0) {
        monitor_session_end(t, REASON_CLIENT_GONE, NULL);
        return;
    }
    if (!monitor_session_advance(t, SESSION_DIALING)) {
        monitor_session_end(t, REASON_INTERNAL, NULL);
        return;
    }
    monitor_session_dial(t);
}

/* ---- beginning ---- */

static struct monitor_session *monitor_session_new(struct monitor *m, struct route *r,
                                                   int client_fd)
{
    struct monitor_session *t = calloc(1, sizeof *t);

    if (!t) {
        return NULL;
    }
    t->monitor = m;
    t->route = r;
    t->id = ++m->last_session;
    t->client_fd = client_fd;
    t->backend_fd = -1;
    t->peers[RULES_CLIENT].pid_fd = -1;
    t->peers[RULES_BACKEND].pid_fd = -1;
    t->accepted_ms = clock_ms();
    t->state = SESSION_ACCEPTED;
    repeats_begin(&m->repeats, t);
    event_assign(&t->client_event, m->base, client_fd, EV_READ, monitor_session_on_client, t);
    evtimer_assign(&t->timer, m->base, monitor_session_on_timer, t);
    TAILQ_INSERT_TAIL(&m->monitor_sessions[t->state], t, link);
    TAILQ_INSERT_TAIL(&r->monitor_sessions, t, route_link);
    (void)monitor_session_tree_RB_INSERT(&m->by_id, t);
    r->sessions++;
    r->begun++;
    m->sessions++;
    return t;
}

/*
 * Returns the number of ending sessions, among the oldest LIMIT_ENDING of the route: those with a
 * client that has closed its socket. If a device is unplugged and plugged in again, QEMU connects
 * before the end of the old session has been reported, and must not be refused as busy.
 */
static unsigned monitor_session_ending(const struct route *r)
{
    struct pollfd polled[LIMIT_ENDING];
    const struct monitor_session *t;
    unsigned n = 0;
    unsigned gone = 0;

    TAILQ_FOREACH(t, &r->monitor_sessions, route_link)
    {
        if (n == LIMIT_ENDING) {
            break;
        }
        polled[n++] = (struct pollfd){.fd = t->client_fd};
    }
    if (poll(polled, n, 0) <= 0) {
        return 0;
    }
    for (unsigned i = 0; i < n; i++) {
        gone += (polled[i].revents & POLLHUP) != 0;
    }
    return gone;
}

/* Returns true if a slot is free, or about to be. */
static bool monitor_session_has_room(const struct monitor *m, const struct route *r)
{
    /*
     * Sessions that are ending or have left fds unread count, too: at most twice the limit in all.
     */
    if (m->sessions + m->lingering >= m->config->max_sessions ||
        r->sessions + r->lingering >= 2 * r->config->sessions) {
        return false;
    }
    return r->sessions < r->config->sessions ||
           r->sessions - monitor_session_ending(r) < r->config->sessions;
}

void monitor_session_accept_take(struct monitor *m, struct route *r, int client_fd)
{
    struct log_subject about;
    struct monitor_session *t = NULL;

    if (monitor_session_has_room(m, r)) {
        t = monitor_session_new(m, r, client_fd);
    }
    if (!t) {
        route_log_refusal(r, EBUSY);
        worker_pool_refuse_take(
            &m->worker_pool, client_fd,
            &(struct worker_pool_answer){.err = EBUSY, .ms = monitor_session_refusal_ms(r)});
        return;
    }
    about = monitor_session_subject(t, "client");
    log_line(LOG_DEBUG, &about, "connected");
    if (event_add(&t->client_event, NULL) < 0) {
        monitor_session_end(t, REASON_NO_RESOURCES, NULL);
        return;
    }
    monitor_session_set_timer(t, r->config->handshake_ms);
}

/* ---- with a worker ---- */

bool monitor_session_evidence(struct monitor_session *t, const struct ipc_evidence *e)
{
    if (!monitor_session_advance(t, SESSION_DECIDING)) {
        return false;
    }
    decision_heard(t, e);
    return true;
}

bool monitor_session_relays(struct monitor_session *t)
{
    if (!monitor_session_advance(t, SESSION_RELAYING)) {
        return false;
    }
    heap_changed(&t->monitor->heap);
    if (!t->ending) {
        event_del(&t->timer);
    }
    return true;
}
