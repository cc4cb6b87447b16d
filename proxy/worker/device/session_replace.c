/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Carries out the steps of a replacement, with their limits of time, and reports them. */
#include "proxy/worker/device/session_replace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/sock.h"
#include "proxy/worker/device/replace.h"
#include "proxy/worker/device/device_io.h"
#include "proxy/worker/greeting/session_evidence.h"
#include "proxy/worker/session_attach.h"
#include "proxy/worker/device/session_hold.h"
#include "proxy/worker/session_senders.h"
#include "proxy/worker/session_watch.h"

#define SUBJECT(s) \
    &(struct log_subject) \
    { \
        .session = (s)->id, .route = (s)->route, .leg = "backend", \
        .quiet = (s)->quiet != IPC_LOGGED \
    }

/* Both processes: the old one and the new one. */
enum session_replace_which { REPLACE_OLD, REPLACE_NEW, REPLACE_BOTH };

struct session_replace {
    struct session *session;
    struct setup *setup; /* pinned while it is read */
    bool dry;
    uint32_t limit_ms;
    bool ended;           /* only its report is left */
    bool forgotten;       /* … which nothing waits for: there is another monitor */
    bool held;            /* the client's requests are held */
    bool old_gone;        /* the old process has closed its socket */
    bool evidence_unsent; /* of the new process */
    bool report_unsent;
    struct sender_check_settings same;
    struct session_page_sender greeted_by;
    struct sender_check greeting_check; /* of the new process, until it has been swapped in */
    struct sender_check *new_check;     /* … or NULL */
    struct greeting *greeting;          /* owned */
    int fd; /* owned: of the new process, or of the old one once that is swapped out */
    struct device_io *io[REPLACE_BOTH]; /* owned; NULL: none yet */
    struct replace machine;
    struct reattach_message message;
    struct ipc_difference greeting_difference;
    struct sender_check old_check; /* of the old process, while it is swapped out */
    struct session_page_sender old_sender;
    struct sender_check *old_watching;
    struct event act; /* goes on outside of the channel pair's callbacks */
    struct event limit;
    struct event look;
    enum replace_step step; /* that is being timed, … */
    uint64_t step_ns;       /* … since then */
    uint64_t held_ns;
    struct ipc_replaced report;
};

static struct session_replace *session_replace_of(const struct session *s)
{
    return s->guard && s->guard->replace && !s->guard->replace->ended ? s->guard->replace : NULL;
}

static void session_replace_set(struct event *e, unsigned ms)
{
    const struct timeval tv = clock_timeval(ms);

    (void)event_add(e, &tv);
}

/* Adds the time since the last call to the step that was under way. */
static void session_replace_note_step(struct session_replace *r, enum replace_step step)
{
    const uint64_t now = clock_ns();

    if (step != r->step) {
        r->report.steps_us[r->step] += (uint32_t)((now - r->step_ns) / 1000);
        r->step = step;
        r->step_ns = now;
    }
}

/* ---- the end ---- */

static void session_replace_hold_requests(struct session_replace *r, bool on)
{
    if (r->held != on) {
        r->held = on;
        r->held_ns = on ? clock_ns() : r->held_ns;
        channel_pair_hold_requests(r->session->channels, on);
    }
}

/* Frees and closes all but the report. */
static void session_replace_clear(struct session_replace *r)
{
    evtimer_del(&r->limit);
    evtimer_del(&r->look);
    event_del(&r->act);
    for (int i = 0; i < REPLACE_BOTH; i++) {
        device_io_free(r->io[i]);
        r->io[i] = NULL;
    }
    if (r->setup) {
        setup_pin(r->setup, false);
    }
    sock_hang_up(&r->fd);
    r->ended = true;
}

/* It is over: the client's requests go on, to the process that the channel pair has now. */
static void session_replace_finish(struct session_replace *r, enum replace_outcome outcome)
{
    struct session *const s = r->session;

    session_replace_note_step(r, REPLACE_ENDS);
    r->report.outcome = outcome;
    r->report.failed = r->machine.failed;
    r->report.difference = r->machine.difference;
    r->report.bytes = r->machine.bytes;
    if (outcome == REPLACE_DONE) {
        /* The monitor has a copy, and hangs up once it does not watch the old process any more. */
        sock_close(&r->fd);
    }
    session_replace_clear(r);
    if (s->state == SESSION_RELAYING && s->channels) {
        channel_pair_observe(s->channels, false);
        channel_pair_await_end(s->channels);
        if (r->held) {
            r->report.pause_us = (uint32_t)((clock_ns() - r->held_ns) / 1000);
        }
        session_replace_hold_requests(r, false);
        channel_pair_keep(s->channels, s->channels->to_client.setup,
                          session_hold_may(s->guard->hold));
    }
    r->report_unsent = true;
    session_report_later(s);
}

/* Fails before there were messages of a replacement. */
static void session_replace_refuse(struct session_replace *r, enum replace_step step,
                                   enum session_reason reason, const struct ipc_difference *d)
{
    r->machine.failed = step;
    r->report.reason = reason;
    if (d) {
        r->machine.difference = *d;
    }
    session_replace_finish(r, REPLACE_REFUSED);
}

/* The old process does not go on. */
static void session_replace_give_up(struct session_replace *r)
{
    struct session *const s = r->session;
    const enum session_reason why = r->old_gone ? REASON_BACKEND_CLOSED : REASON_BACKEND_SILENT;

    session_replace_finish(r, REPLACE_LOST);
    if (s->state == SESSION_RELAYING && !session_hold_lose(s->guard->hold, why)) {
        session_end(s, why);
    }
}

/* ---- steps ---- */

/* Checks the senders of the process that the channel pair has now. */
static void session_replace_exchange_checks(struct session_replace *r, bool to_new)
{
    struct session_guard *const g = r->session->guard;

    if (to_new) {
        r->old_check = g->witnesses[SIDE_BACKEND];
        r->old_sender = g->page->senders[SIDE_BACKEND];
        r->old_watching = g->watching[SIDE_BACKEND];
    }
    session_watch_lose_backend(r->session);
    if (to_new) {
        session_senders_recheck(r->session, &r->same);
    } else {
        g->witnesses[SIDE_BACKEND] = r->old_check;
        g->page->senders[SIDE_BACKEND] = r->old_sender;
        g->watching[SIDE_BACKEND] = r->old_watching;
    }
    session_watch_attach_backend(r->session);
}

/* Exchanges the sockets of the two processes. Returns false if the session has ended. */
static bool session_replace_exchange(struct session_replace *r)
{
    struct session *const s = r->session;
    const int before_fd = channel_pair_exchange_take(s->channels, r->fd);
    const bool to_new = !r->machine.swapped;

    if (before_fd < 0) {
        session_end(s, REASON_NO_RESOURCES);
        return false;
    }
    r->fd = before_fd;
    /* What the other one still awaits is void. */
    setup_replace_device(s->channels->to_client.setup);
    overdue_forget_owed(&s->guard->page->overdue);
    session_replace_exchange_checks(r, to_new);
    for (int i = 0; i < REPLACE_BOTH; i++) {
        if (r->io[i]) {
            device_io_set_beside(r->io[i], to_new == (i == REPLACE_NEW));
        }
    }
    replace_swapped(&r->machine);
    return true;
}

static void session_replace_on_old(void *arg, const struct device_io_event *e);
static void session_replace_on_new(void *arg, const struct device_io_event *e);

/* Sends the message to one of the processes. Returns false if out of memory. */
static bool session_replace_send(struct session_replace *r, enum session_replace_which which)
{
    struct channel_pair *const l = r->session->channels;
    const bool beside = r->machine.swapped == (which == REPLACE_NEW);
    struct wire_hdr hdr;

    if (!r->io[which]) {
        r->io[which] = device_io_new(
            r->session->host->base, beside ? l->backend.fd : r->fd, REPLACE_MESSAGE_MAX,
            which == REPLACE_OLD ? session_replace_on_old : session_replace_on_new, r);
    }
    if (!r->io[which]) {
        return false;
    }
    device_io_set_beside(r->io[which], beside);
    if (which == REPLACE_NEW && sender_check_is_strict(r->new_check)) {
        device_io_check_senders(r->io[which], r->new_check);
    }
    if (beside && wire_get_hdr(r->message.bytes, r->message.n, UINT32_MAX, &hdr) == WIRE_FRAME_OK) {
        channel_pair_await(l, hdr.id);
    }
    r->report.maps += which == REPLACE_NEW && r->machine.step == REPLACE_SETS_UP &&
                      r->machine.reattach.step == REATTACH_MAPS;
    r->report.fds += r->message.n_fds;
    session_tap_own(r->session, SIDE_CLIENT, r->message.bytes, r->message.n, r->message.fds,
                    r->message.n_fds);
    device_io_send(r->io[which], &r->message, true);
    return true;
}

/* Returns true if no request is under way; if not, waits for that. */
static bool session_replace_is_quiet(struct session_replace *r)
{
    struct channel_pair *const l = r->session->channels;

    if (!evtimer_pending(&r->look, NULL)) {
        session_replace_hold_requests(r, true);
        channel_pair_observe(l, true);
        session_replace_set(&r->look, LIMIT_REPLACE_LOOK_MS);
    }
    if (!channel_pair_is_quiet(l)) {
        return false;
    }
    session_replace_hold_requests(r, true);
    channel_pair_observe(l, false);
    evtimer_del(&r->look);
    replace_quiet(&r->machine);
    return true;
}

/* After a failure the old process has time of its own. */
static void session_replace_limit_restoring(struct session_replace *r)
{
    if (r->machine.step == REPLACE_RESTORES && r->step != REPLACE_RESTORES) {
        session_replace_set(&r->limit, LIMIT_REPLACE_BACK_MS);
    }
}

/*
 * Fails if the record has been given up before the new process had all of it: as when the old one
 * sends more requests than are kept.
 */
static void session_replace_check_record(struct session_replace *r)
{
    if (r->setup->lack != SETUP_KEPT && !r->machine.stopped && r->machine.step != REPLACE_ENDS) {
        r->report.lack = r->setup->lack;
        replace_fail(&r->machine, &(struct ipc_difference){.what = IPC_DIFFERS_NOT});
    }
}

static void session_replace_go_on(struct session_replace *r)
{
    bool on = true;

    session_replace_check_record(r);
    while (on) {
        const enum replace_next next = replace_next(&r->machine, &r->message);

        session_replace_limit_restoring(r);
        session_replace_note_step(r, r->machine.step);
        switch (next) {
        case REPLACE_NEXT_REPLY:
            return;
        case REPLACE_NEXT_OLD:
        case REPLACE_NEXT_NEW:
            if (!session_replace_send(r, next == REPLACE_NEXT_OLD ? REPLACE_OLD : REPLACE_NEW)) {
                session_end(r->session, REASON_NO_RESOURCES);
            }
            return;
        case REPLACE_NEXT_QUIET:
            on = session_replace_is_quiet(r);
            break;
        case REPLACE_NEXT_SWAP:
        case REPLACE_NEXT_BACK:
            on = session_replace_exchange(r);
            break;
        case REPLACE_NEXT_END:
            on = false;
            if (r->machine.outcome == REPLACE_LOST) {
                session_replace_give_up(r);
            } else {
                session_replace_finish(r, r->machine.outcome);
            }
            break;
        }
    }
}

static void session_replace_on_act(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    session_replace_go_on(arg);
}

static void session_replace_fail(struct session_replace *r, enum ipc_differs what, uint32_t command)
{
    replace_fail(&r->machine, &(struct ipc_difference){.what = what, .command = command});
    event_active(&r->act, 0, 0);
}

/* ---- what the processes send ---- */

static void session_replace_on_io(struct session_replace *r, enum session_replace_which which,
                                  const struct device_io_event *e)
{
    if (r->machine.swapped == (which == REPLACE_NEW)) {
        channel_pair_await_end(r->session->channels);
    }
    if (e->news == DEVICE_IO_REPLY) {
        session_tap_own(r->session, SIDE_BACKEND, e->bytes, WIRE_HDR_SIZE + e->n, e->fds->fds,
                        e->fds->n);
        if (which == REPLACE_NEW && r->machine.step == REPLACE_SETS_UP &&
            !session_attach_same_memory(&r->machine.reattach, &e->hdr, e->fds)) {
            replace_fail(&r->machine, &r->machine.reattach.difference);
        } else {
            replace_reply(&r->machine, &e->hdr, e->payload, e->n);
        }
        session_replace_go_on(r);
    } else if (e->news == DEVICE_IO_GONE && which == REPLACE_OLD) {
        r->old_gone = true;
        replace_lose(&r->machine);
        event_active(&r->act, 0, 0);
    } else if (e->news != DEVICE_IO_SENT) {
        /* The old one cannot go on: not to be restored is the end. */
        if (which == REPLACE_OLD && r->machine.step != REPLACE_RESTORES) {
            session_replace_fail(r, IPC_DIFFERS_NOT, e->hdr.command);
        }
        session_replace_fail(r, e->news == DEVICE_IO_STRAY ? IPC_DIFFERS_STRAY : IPC_DIFFERS_NOT,
                             e->hdr.command);
    }
}

static void session_replace_on_old(void *arg, const struct device_io_event *e)
{
    session_replace_on_io(arg, REPLACE_OLD, e);
}

static void session_replace_on_new(void *arg, const struct device_io_event *e)
{
    session_replace_on_io(arg, REPLACE_NEW, e);
}

void session_replace_on_channels(struct session *s, enum channel_pair_news news)
{
    struct session_replace *const r = session_replace_of(s);

    if (r && news == CHANNEL_PAIR_QUIET) {
        event_active(&r->act, 0, 0);
    } else if (r && r->io[r->machine.swapped ? REPLACE_NEW : REPLACE_OLD]) {
        device_io_go_on(r->io[r->machine.swapped ? REPLACE_NEW : REPLACE_OLD]);
    }
}

bool session_replace_lose(struct session *s, enum session_reason reason)
{
    struct session_replace *const r = session_replace_of(s);

    if (r && r->machine.swapped) {
        session_replace_fail(r, IPC_DIFFERS_NOT, 0);
        return true;
    }
    if (r) {
        r->machine.failed = r->step;
        session_replace_finish(r, REPLACE_LOST);
    }
    return session_hold_lose(s->guard->hold, reason);
}

/* ---- limits ---- */

static void session_replace_on_limit(evutil_socket_t fd, short what, void *arg)
{
    struct session_replace *const r = arg;

    (void)fd;
    (void)what;
    if (r->step == REPLACE_GREETS) {
        greeting_abort(r->greeting, REASON_HANDSHAKE_TIMEOUT, 0, "the handshake took too long");
    } else {
        session_replace_fail(r, IPC_DIFFERS_SILENT, r->machine.sent.command);
    }
}

/*
 * The client may answer the old process only when its own request has been answered, which is held:
 * lets it pass for a while. Before the old process is asked to stop, that costs nothing.
 */
static void session_replace_on_look(evutil_socket_t fd, short what, void *arg)
{
    struct session_replace *const r = arg;

    (void)fd;
    (void)what;
    session_replace_set(&r->look, LIMIT_REPLACE_LOOK_MS);
    session_replace_hold_requests(r, !r->held);
    event_active(&r->act, 0, 0);
}

/* ---- the beginning ---- */

enum setup_lack session_replace_lack(const struct session *s)
{
    const struct session_hold *const h = s->guard->hold;

    if (!h) {
        return SETUP_LACKS_WORD;
    }
    if (session_hold_holds(h)) {
        return SETUP_LACKS_DEVICE;
    }
    if (session_hold_lack(h) != SETUP_KEPT) {
        return (enum setup_lack)session_hold_lack(h);
    }
    return s->twin ? SETUP_LACKS_TWIN : SETUP_KEPT;
}

static void session_replace_start(struct session_replace *r)
{
    struct session *const s = r->session;
    const struct session_page *const page = s->guard->page;
    const struct version_offer *const offer = &greeting_result(r->greeting)->reply;
    uint32_t max_data = offer->max_data_xfer_size;

    for (int i = 0; i < SIDES; i++) {
        max_data = page->limits[i].max_data < max_data ? page->limits[i].max_data : max_data;
    }
    /* From here on the worker has what no other has. */
    *(volatile uint32_t *)&s->guard->page->outside = 1;
    channel_pair_keep(s->channels, s->channels->to_client.setup, true);
    setup_pin(r->setup, true);
    replace_init(&r->machine, r->setup, page->limits[SIDE_BACKEND].max_fds, max_data, r->dry);
    session_replace_set(&r->limit, r->limit_ms);
    session_replace_go_on(r);
}

static void session_replace_on_greeting(struct greeting *g, enum greeting_news news, void *arg)
{
    struct session_replace *const r = arg;
    const struct greeting_result *const result = greeting_result(g);
    struct session *const s = r->session;

    if (r->ended) {
        return;
    }
    switch (news) {
    case GREETING_HEARD:
    case GREETING_ANSWERS:
        break;
    case GREETING_EVIDENCE:
        if (session_hold_agrees(s->guard->hold, &result->reply, &r->greeting_difference)) {
            memset(&r->greeting_difference, 0, sizeof r->greeting_difference);
            r->evidence_unsent = true;
            session_report_later(s);
        } else {
            greeting_abort(g, REASON_BACKEND_REFUSED, 0, "it promises less than its predecessor");
        }
        break;
    case GREETING_DONE:
        r->fd = greeting_steal(g, GREETING_BACKEND);
        session_replace_start(r);
        break;
    case GREETING_FAILED:
        r->evidence_unsent = false;
        session_replace_refuse(r, REPLACE_GREETS, result->reason, &r->greeting_difference);
        break;
    }
}

/* Another process than the judged one answers VERSION. If the session may go on, that is judged
 * again when it is swapped in. */
static void session_replace_on_stranger(void *arg, enum side party, const struct sock_sender *from)
{
    const struct session_replace *const r = arg;

    (void)party;
    log_line(LOG_WARNING, SUBJECT(r->session),
             "handed on: VERSION of the new process comes from process %ld", (long)from->pid);
}

/* Greets the new process, whose socket is taken. Returns false if out of memory. */
static bool session_replace_greet_take(struct session_replace *r,
                                       const struct ipc_session *settings, int device_fd)
{
    struct session *const s = r->session;
    struct greeting_settings how = {.poem = &s->host->poem,
                                    .self = settings->self,
                                    .recite = (enum config_recite)settings->recite,
                                    .ask = (enum reciter_wants)settings->ask_backend,
                                    .keep = true};

    how.request = session_hold_request(s->guard->hold, &how.request_size);
    if (sender_check_init(&r->greeting_check, &settings->same, SIDE_BACKEND, &r->greeted_by,
                          session_replace_on_stranger, r)) {
        r->new_check = &r->greeting_check;
        how.sender_check[SIDE_BACKEND] = r->new_check;
    }
    r->greeting =
        greeting_new_take(s->host->base, -1, device_fd, &how, session_replace_on_greeting, r);
    return r->greeting != NULL;
}

/*
 * Returns the time for all of it. Below the age at which a request that is held would be answered
 * with an error (0: never).
 */
static uint32_t session_replace_limit(uint32_t answer_ms)
{
    const uint32_t most = answer_ms / 4 * 3;

    return answer_ms > 0 && most < LIMIT_REPLACE_MS ? most : LIMIT_REPLACE_MS;
}

void session_replace_begin_take(struct session_host *host, uint64_t id,
                                const struct ipc_session *settings, int device_fd)
{
    struct session *const s = session_of(host, id);
    struct session_replace *r;

    if (!s || !s->guard || s->state != SESSION_RELAYING || s->leaving || s->guard->replace) {
        /* Its end has been reported, or is; the monitor does not ask for two at once. */
        sock_hang_up(&device_fd);
        return;
    }
    r = calloc(1, sizeof *r);
    if (!r) {
        sock_hang_up(&device_fd);
        session_end(s, REASON_NO_RESOURCES);
        return;
    }
    s->guard->replace = r;
    r->session = s;
    r->fd = -1;
    r->dry = settings->dry_run != 0;
    r->same = settings->same;
    r->limit_ms = session_replace_limit(settings->answer_ms);
    r->step_ns = clock_ns();
    evtimer_assign(&r->act, host->base, session_replace_on_act, r);
    evtimer_assign(&r->limit, host->base, session_replace_on_limit, r);
    evtimer_assign(&r->look, host->base, session_replace_on_look, r);
    r->report.lack = session_replace_lack(s);
    if (r->report.lack != SETUP_KEPT) {
        sock_hang_up(&device_fd);
        session_replace_refuse(r, REPLACE_BEGINS, REASON_NONE, NULL);
        return;
    }
    r->setup = s->channels->to_client.setup;
    session_replace_note_step(r, REPLACE_GREETS);
    if (!session_replace_greet_take(r, settings, device_fd)) {
        session_replace_refuse(r, REPLACE_GREETS, REASON_NO_RESOURCES, NULL);
        return;
    }
    session_replace_set(&r->limit, settings->handshake_ms);
}

bool session_replace_decide(struct session *s, int err, enum session_reason reason)
{
    struct session_replace *const r = session_replace_of(s);

    if (!r || r->step != REPLACE_GREETS) {
        return false;
    }
    greeting_decide(r->greeting, err, reason);
    return true;
}

/* ---- reports ---- */

bool session_replace_report(struct session *s)
{
    struct session_replace *const r = s->guard ? s->guard->replace : NULL;
    struct ipc_msg m = {.type = IPC_EVIDENCE, .session = s->id};

    if (r && r->evidence_unsent) {
        session_evidence_of(greeting_result(r->greeting), &m.u.evidence);
        if (!s->host->send(s->host, &m)) {
            return false;
        }
        r->evidence_unsent = false;
    }
    if (r && r->report_unsent) {
        m = (struct ipc_msg){.type = IPC_REPLACED, .session = s->id, .u.replaced = r->report};
        if (!r->forgotten && !s->host->send(s->host, &m)) {
            return false;
        }
        session_replace_free(s);
    }
    return true;
}

bool session_replace_repeat(struct session *s)
{
    struct session_replace *const r = s->guard->replace;

    if (!r) {
        return true;
    }
    if (r->report_unsent && r->report.outcome == REPLACE_DONE) {
        /* The next monitor has the socket of the old process. */
        return false;
    }
    r->evidence_unsent = false;
    r->forgotten = true;
    if (r->ended) {
        session_replace_free(s);
    } else if (r->step == REPLACE_GREETS) {
        greeting_abort(r->greeting, REASON_MONITOR_GONE, 0, "the monitor has gone");
    } else {
        session_replace_fail(r, IPC_DIFFERS_NOT, 0);
    }
    return true;
}

void session_replace_stop(struct session *s)
{
    if (s->guard && s->guard->replace) {
        session_replace_clear(s->guard->replace);
    }
}

void session_replace_free(struct session *s)
{
    struct session_replace *const r = s->guard->replace;

    if (r) {
        session_replace_clear(r);
        greeting_free(r->greeting);
        free(r);
        s->guard->replace = NULL;
    }
}
