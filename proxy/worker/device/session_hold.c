/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A held session: its states, and its reports to the monitor. */
#include "proxy/worker/device/session_hold.h"

#include <bsd/sys/queue.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/sock.h"
#include "proxy/relay/setup/setup.h"
#include "proxy/worker/session_attach.h"
#include "proxy/worker/device/session_hold_answer.h"
#include "proxy/worker/greeting/session_evidence.h"
#include "proxy/worker/greeting/session_promise.h"
#include "proxy/worker/session_senders.h"
#include "proxy/worker/session_watch.h"

#define SUBJECT(h) \
    &(struct log_subject) \
    { \
        .session = (h)->session->id, .route = (h)->session->route, .leg = "backend", \
        .quiet = (h)->session->quiet != IPC_LOGGED \
    }

/* The pause before another look whether the client has finished its message, or taken answers. */
#define WHOLE_MS 20u

static void session_hold_tell(struct session_hold *h, enum ipc_type type)
{
    h->unsent |= 1u << type;
    session_report_later(h->session);
}

/* ---- answers ---- */

void session_hold_answer(struct session_hold *h)
{
    session_hold_answer_now(h);
}

static void session_hold_on_answer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    session_hold_answer(arg);
}

/* ---- the loss ---- */

bool session_hold_holds(const struct session_hold *h)
{
    return h && h->state != HOLD_RELAYS;
}

bool session_hold_lose(struct session_hold *h, enum session_reason reason)
{
    struct session *s;

    if (!h || !h->may || h->state != HOLD_RELAYS || h->session->state != SESSION_RELAYING) {
        return false;
    }
    s = h->session;
    if (h->setup->lack != SETUP_KEPT) {
        log_line(LOG_WARNING, SUBJECT(h), "%s: the session cannot be held: %s",
                 session_reason_word(reason), setup_lack_text(h->setup->lack));
        return false;
    }
    /* From here on the worker has what no other has. */
    *(volatile uint32_t *)&s->guard->page->outside = 1;
    if (!channel_pair_detach(s->channels)) {
        log_line(LOG_WARNING, SUBJECT(h),
                 "%s: the session cannot be held: part of a message has "
                 "gone to the client",
                 session_reason_word(reason));
        return false;
    }
    setup_lose_device(h->setup);
    session_watch_lose_backend(s);
    overdue_forget_owed(&s->guard->page->overdue);
    h->state = HOLD_WAITS;
    h->expired = false;
    h->failed = 0;
    h->lost_ms = clock_coarse_ms();
    h->lost = (struct ipc_lost){
        .reason = reason, .requests = h->setup->n_requests, .memory = h->setup->memory_fd};
    session_hold_tell(h, IPC_LOST);
    session_hold_answer(h);
    return true;
}

bool session_hold_missed(struct session_hold *h, uint16_t id)
{
    const uint64_t sent = h->session->channels->to_client.mark->total.taken;

    setup_note_error(h->setup, id);
    h->missed = h->missed_at == sent ? h->missed + 1 : 1;
    h->missed_at = sent;
    return h->missed >= LIMIT_HOLD_MISSED;
}

void session_hold_detach(struct session_host *host, uint64_t id)
{
    struct session *const s = session_of(host, id);

    if (s && s->guard && s->state == SESSION_RELAYING) {
        if (s->guard->replace || !session_hold_lose(s->guard->hold, REASON_OPERATOR)) {
            log_line(LOG_WARNING, &(struct log_subject){.session = id, .route = s->route},
                     "its device cannot be detached");
        }
    }
}

/* ---- another process ---- */

static void session_hold_on_limit(evutil_socket_t fd, short what, void *arg);

/* The new process is not taken: waits for the next one. */
static void session_hold_fall_back(struct session_hold *h, enum session_reason reason,
                                   const struct ipc_difference *d)
{
    evtimer_del(&h->limit);
    h->detached = (struct ipc_detached){.reason = reason};
    if (d) {
        /* It may be the attachment's. */
        h->detached.difference = *d;
    }
    session_attach_free(h->attach);
    h->attach = NULL;
    h->ready = false;
    sock_hang_up(&h->backend_fd);
    session_watch_lose_backend(h->session);
    h->state = HOLD_WAITS;
    session_hold_tell(h, IPC_DETACHED);
    session_hold_answer(h);
}

bool session_hold_agrees(const struct session_hold *h, const struct version_offer *now,
                         struct ipc_difference *d)
{
    return session_promise_kept(&h->promised, now, d);
}

/* It has been set up: goes on with it. */
static void session_hold_go_on(struct session_hold *h)
{
    struct session *const s = h->session;
    const uint32_t now = clock_coarse_ms();
    const int fd = h->backend_fd;

    h->ready = h->answers != NULL;
    if (h->ready) {
        /* The device's replies must not come in between. */
        session_hold_set(&h->limit, WHOLE_MS);
        return;
    }
    evtimer_del(&h->limit);
    evtimer_del(&h->due);
    h->attached = session_attach_result(h->attach);
    h->attached.held_ms = now - h->lost_ms;
    h->attached.setup_ms = now - h->allowed_ms;
    h->attached.failed = h->failed;
    session_attach_free(h->attach);
    h->attach = NULL;
    h->backend_fd = -1;
    h->state = HOLD_RELAYS;
    h->missed = 0;
    session_hold_tell(h, IPC_ATTACHED);
    if (channel_pair_attach_take(s->channels, fd) < 0) {
        session_end(s, REASON_NO_RESOURCES);
        return;
    }
    session_watch_attach_backend(s);
}

static void session_hold_on_attach(void *arg, const struct ipc_difference *refused)
{
    struct session_hold *const h = arg;

    if (refused) {
        session_hold_fall_back(
            h, refused->what == IPC_DIFFERS_NOT ? REASON_BACKEND_CLOSED : REASON_BACKEND_REFUSED,
            refused);
    } else {
        session_hold_go_on(h);
    }
}

/* Begins to set up the allowed process, once the client is not inside a message. */
static void session_hold_set_up(struct session_hold *h)
{
    struct sender_check *const check = h->session->guard->watching[SIDE_BACKEND];

    session_hold_answer(h);
    if (h->session->state != SESSION_RELAYING) {
        return;
    }
    if (!channel_pair_may_attach(h->session->channels) || h->answers) {
        session_hold_set(&h->limit, WHOLE_MS);
        return;
    }
    session_hold_set(&h->limit, LIMIT_REATTACH_MS);
    h->attach = session_attach_new(h->session->host->base, h->backend_fd, h->setup,
                                   h->promised.max_msg_fds, session_hold_on_attach, h);
    if (!h->attach) {
        session_end(h->session, REASON_NO_RESOURCES);
        return;
    }
    if (sender_check_is_strict(check)) {
        session_attach_check_senders(h->attach, check);
    }
}

static void session_hold_on_greeting(struct greeting *g, enum greeting_news news, void *arg)
{
    struct session_hold *const h = arg;
    const struct greeting_result *const r = greeting_result(g);

    switch (news) {
    case GREETING_HEARD:
    case GREETING_ANSWERS:
        break;
    case GREETING_EVIDENCE:
        if (session_hold_agrees(h, &r->reply, &h->detached.difference)) {
            memset(&h->detached.difference, 0, sizeof h->detached.difference);
            session_hold_tell(h, IPC_EVIDENCE);
        } else {
            greeting_abort(g, REASON_BACKEND_REFUSED, 0, "it promises less than its predecessor");
        }
        break;
    case GREETING_DONE:
        h->backend_fd = greeting_steal(g, GREETING_BACKEND);
        h->state = HOLD_SETS_UP;
        h->allowed_ms = clock_coarse_ms();
        /* The client's requests wait from now on, so that the record does not change. */
        channel_pair_rest(h->session->channels, true);
        session_hold_set_up(h);
        break;
    case GREETING_FAILED: {
        const struct ipc_difference d = h->detached.difference;

        h->unsent &= ~(1u << IPC_EVIDENCE);
        session_hold_fall_back(h, r->reason, &d);
        break;
    }
    }
}

static void session_hold_on_limit(evutil_socket_t fd, short what, void *arg)
{
    struct session_hold *const h = arg;
    const struct ipc_difference silent = {.what = IPC_DIFFERS_SILENT};

    (void)fd;
    (void)what;
    if (h->state == HOLD_GREETS) {
        greeting_abort(h->greeting, REASON_HANDSHAKE_TIMEOUT, 0, "the handshake took too long");
    } else if (h->ready) {
        session_hold_go_on(h);
    } else if (h->attach) {
        session_hold_fall_back(h, REASON_BACKEND_REFUSED, &silent);
    } else if (h->state == HOLD_SETS_UP) {
        session_hold_set_up(h);
    }
}

void session_hold_attach_take(struct session_host *host, uint64_t id,
                              const struct ipc_session *settings, int backend_fd)
{
    struct session *const s = session_of(host, id);
    struct session_hold *const h = s && s->guard ? s->guard->hold : NULL;
    struct greeting_settings how = {.poem = &host->poem,
                                    .self = settings->self,
                                    .recite = (enum config_recite)settings->recite,
                                    .ask = (enum reciter_wants)settings->ask_backend,
                                    .keep = true};

    if (!h || h->state != HOLD_WAITS || s->state != SESSION_RELAYING) {
        sock_hang_up(&backend_fd);
        return;
    }
    session_watch_expect_backend(s);
    session_senders_recheck(s, &settings->same);
    how.sender_check[SIDE_BACKEND] = s->guard->watching[SIDE_BACKEND];
    how.request = h->request;
    how.request_size = h->request_size;
    greeting_free(h->greeting);
    h->greeting = greeting_new_take(host->base, -1, backend_fd, &how, session_hold_on_greeting, h);
    if (!h->greeting) {
        session_end(s, REASON_NO_RESOURCES);
        return;
    }
    memset(&h->detached, 0, sizeof h->detached);
    h->state = HOLD_GREETS;
    session_hold_set(&h->limit, settings->handshake_ms);
}

bool session_hold_decide(struct session_hold *h, int err, enum session_reason reason)
{
    if (!h || h->state != HOLD_GREETS) {
        return false;
    }
    greeting_decide(h->greeting, err, reason);
    return true;
}

/* ---- reports ---- */

static struct ipc_msg session_hold_message(const struct session_hold *h, enum ipc_type type)
{
    struct ipc_msg m = {.type = type, .session = h->session->id};

    if (type == IPC_LOST) {
        m.u.lost = h->lost;
    } else if (type == IPC_ATTACHED) {
        m.u.attached = h->attached;
    } else if (type == IPC_DETACHED) {
        m.u.detached = h->detached;
    } else {
        session_evidence_of(greeting_result(h->greeting), &m.u.evidence);
    }
    return m;
}

bool session_hold_report(struct session_hold *h)
{
    /* A loss can follow an attachment before that is sent, not the other way round. */
    static const enum ipc_type types[] = {IPC_EVIDENCE, IPC_DETACHED, IPC_ATTACHED, IPC_LOST};

    for (size_t i = 0; h->unsent && i < sizeof types / sizeof *types; i++) {
        if (h->unsent & (1u << types[i])) {
            const struct ipc_msg m = session_hold_message(h, types[i]);

            if (!h->session->host->send(h->session->host, &m)) {
                return false;
            }
            h->unsent &= ~(1u << types[i]);
        }
    }
    return true;
}

void session_hold_repeat(struct session_hold *h)
{
    h->unsent = 0;
    if (h->state == HOLD_GREETS) {
        greeting_abort(h->greeting, REASON_MONITOR_GONE, 0, "the monitor has gone");
    } else if (h->state == HOLD_SETS_UP) {
        session_hold_fall_back(h, REASON_MONITOR_GONE, NULL);
    }
    h->unsent = session_hold_holds(h) ? 1u << IPC_LOST : 0;
}

bool session_hold_may(const struct session_hold *h)
{
    return h->may;
}

const uint8_t *session_hold_request(const struct session_hold *h, size_t *n)
{
    *n = h->request_size;
    return h->request;
}

uint32_t session_hold_lack(const struct session_hold *h)
{
    return h ? h->setup->lack : SETUP_KEPT;
}

/* ---- beginning and end ---- */

struct session_hold *session_hold_new(struct session *s, const struct ipc_session *settings,
                                      bool resumed)
{
    struct session_hold *const h = calloc(1, sizeof *h);

    if (!h) {
        return NULL;
    }
    h->session = s;
    h->backend_fd = -1;
    h->answer_ms = settings->answer_ms;
    version_init(&h->promised);
    evtimer_assign(&h->due, s->host->base, session_hold_on_answer, h);
    evtimer_assign(&h->limit, s->host->base, session_hold_on_limit, h);
    h->setup = setup_new((enum setup_shares)settings->shares, settings->assist != 0);
    if (!h->setup) {
        free(h);
        return NULL;
    }
    h->may = settings->hold != 0;
    if (resumed) {
        setup_give_up(h->setup, SETUP_LACKS_WORKER);
    }
    return h;
}

void session_hold_promised(struct session_hold *h, const struct version_offer *reply)
{
    h->promised = *reply;
    h->promised.json = json_deep_copy(json_object_get(reply->json, "capabilities"));
}

void session_hold_greeted(struct session_hold *h, struct greeting *g)
{
    h->request = greeting_steal_request(g, &h->request_size);
    if (!h->request) {
        setup_give_up(h->setup, SETUP_LACKS_MEMORY);
    }
}

void session_hold_watch(struct session_hold *h)
{
    event_assign(&h->client_writable, h->session->host->base, h->session->channels->client.fd,
                 EV_WRITE, session_hold_on_answer, h);
    channel_pair_keep(h->session->channels, h->setup, h->may);
}

void session_hold_stop(struct session_hold *h)
{
    if (session_hold_holds(h) && h->setup->lack == SETUP_KEPT) {
        session_hold_fail_all(h);
    }
    evtimer_del(&h->due);
    evtimer_del(&h->limit);
    if (h->session->channels) {
        event_del(&h->client_writable);
    }
    session_attach_free(h->attach);
    h->attach = NULL;
}

void session_hold_free(struct session_hold *h)
{
    if (h) {
        greeting_free(h->greeting);
        sock_hang_up(&h->backend_fd);
        setup_free(h->setup);
        version_deinit(&h->promised);
        free(h->request);
        free(h->answers);
        free(h);
    }
}
