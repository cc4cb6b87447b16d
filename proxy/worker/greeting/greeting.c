/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The VERSION exchange on sockets: reading, writing and waiting. handshake/version.c interprets the
 * bytes.
 */
#include "proxy/worker/greeting/greeting.h"

#include <errno.h>
#include <event2/event_struct.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/fdset.h"
#include "base/sock.h"
#include "proxy/ipc/heap.h"
#include "proxy/worker/greeting/greeting_message.h"
#include "proxy/worker/greeting/greeting_tap.h"
#include "proxy/worker/greeting/greeting_twin.h"

enum phase { REQUEST, FORWARD, REPLY, VERDICT, ANSWER, OVER };

struct greeting {
    enum phase phase;
    int client_fd;
    int backend_fd;
    struct greeting_twin twin;
    struct sender_check *sender_check[SIDES];
    bool strange;   /* something came from another process, and the session must end */
    int refuse_err; /* 0: it is not refused, … */
    enum session_reason refuse_reason;
    const char *refuse_why;
    bool keeps;       /* settings->keep */
    bool again;       /* settings->request: there is no client */
    uint8_t *request; /* owned: kept, of request_size; or NULL */
    bool answerable;  /* the client's header has come, so there is an id to answer to */
    struct event client_event;
    struct event backend_event;
    struct wire_hdr request_hdr;
    char why[GREETING_WHY];
    struct greeting_message in;
    struct greeting_message out;
    struct fdset in_fds;
    struct reciter reciter;
    struct greeting_tap tap;
    struct greeting_result result;
    struct session_page *page; /* borrowed; NULL: the reply is not noted */
    struct sock_post *post;
    greeting_fn *fn;
    void *arg;
};

static void greeting_step(evutil_socket_t fd, short what, void *arg);

static void greeting_wait_for(struct greeting *g, bool client, short what)
{
    struct event *e = client ? &g->client_event : &g->backend_event;
    const int fd = client ? g->client_fd : g->backend_fd;

    event_del(e);
    event_assign(e, event_get_base(e), fd, what, greeting_step, g);
    /* If out of memory, the timeout ends the session. */
    (void)event_add(e, NULL);
}

/* Fds in flight are released as receivers read, of which there is no event. */
static const struct timeval pause_time = {.tv_usec = 10000};

/* The kernel holds too many fds in flight: tries again a little later. */
static void greeting_pause_awhile(struct greeting *g)
{
    evtimer_assign(&g->client_event, event_get_base(&g->client_event), greeting_step, g);
    (void)event_add(&g->client_event, &pause_time);
}

static void greeting_fail(struct greeting *g, bool by_backend, enum session_reason reason, int err,
                          const char *why);

static void greeting_on_client_closed(evutil_socket_t fd, short what, void *arg)
{
    struct greeting *g = arg;

    (void)what;
    /* A client that has only closed its writing side still waits for its reply. */
    if (sock_hung_up(fd)) {
        greeting_fail(g, false, REASON_CLIENT_GONE, 0, "closed before the backend had answered");
    }
}

/*
 * Watches the client while waiting for the backend or the verdict: if it goes, it must not hold its
 * route until the timeout. Its data stays unread, so only closing is watched for.
 */
static void greeting_watch_client(struct greeting *g)
{
    struct event *e = &g->client_event;

    if (g->again) {
        return;
    }
    event_del(e);
    event_assign(e, event_get_base(e), g->client_fd, EV_CLOSED, greeting_on_client_closed, g);
    (void)event_add(e, NULL);
}

static void greeting_over(struct greeting *g)
{
    g->phase = OVER;
    event_del(&g->client_event);
    event_del(&g->backend_event);
    fdset_close(&g->in_fds);
}

/* Sends an error reply. Clears err if the client's header has not come, or if sending fails. */
static void greeting_answer_error(struct greeting *g, int err)
{
    uint8_t data[WIRE_HDR_SIZE];
    const struct wire_hdr hdr = wire_error_hdr(&g->request_hdr, err);

    if (!g->answerable) {
        g->result.err = 0;
        return;
    }
    wire_put_hdr(data, &hdr);
    /* Nothing else has been sent to the client: 16 bytes fit, or it is gone. */
    if (sock_send(g->client_fd, data, sizeof data, NULL, MSG_DONTWAIT) < 0) {
        g->result.err = 0;
        return;
    }
    greeting_tap_out(&g->tap, SIDE_BACKEND, data, sizeof data, NULL, true);
}

/* Records the message that was being read or sent when the greeting failed. */
static void greeting_tap_unfinished(struct greeting *g)
{
    const enum session_reason why = g->result.reason;
    const bool stopped =
        why == REASON_HANDSHAKE_TIMEOUT || why == REASON_BACKEND_GONE || why == REASON_CLIENT_GONE;

    if (g->phase == REQUEST || g->phase == REPLY) {
        greeting_tap_in(&g->tap, g->phase == REQUEST ? SIDE_CLIENT : SIDE_BACKEND, g->in.data,
                        g->in.at, &g->in_fds, stopped);
    } else if (g->phase == FORWARD || g->phase == ANSWER) {
        greeting_tap_out(&g->tap, g->phase == FORWARD ? SIDE_CLIENT : SIDE_BACKEND, g->out.data,
                         g->out.size, NULL, false);
    }
}

static void greeting_fail(struct greeting *g, bool by_backend, enum session_reason reason, int err,
                          const char *why)
{
    g->result.reason = reason;
    g->result.err = err;
    g->result.why = why;
    g->result.by_backend = by_backend;
    greeting_tap_unfinished(g);
    if (err) {
        greeting_answer_error(g, err);
    }
    greeting_tap_flush(&g->tap);
    greeting_over(g);
    g->fn(g, GREETING_FAILED, g->arg);
}

/* ---- reading a message exactly ---- */

enum reading { READ_WHOLE, READ_WAIT, READ_FAILED };

/* A client's fault is answered as libvfio-user does. */
static enum reading greeting_malformed(struct greeting *g, bool by_backend, const char *why)
{
    greeting_fail(g, by_backend, REASON_VERSION_MALFORMED, by_backend ? EPROTO : EINVAL, why);
    return READ_FAILED;
}

/* Judges a header as soon as it has come: a bad one must not make us wait for its body. */
static enum reading greeting_judge_header(struct greeting *g, bool by_backend)
{
    const struct wire_hdr *request = by_backend ? &g->request_hdr : NULL;
    struct wire_hdr hdr;

    const bool good = greeting_message_judge(&g->in, request, &hdr, g->why);

    if (!by_backend) {
        g->request_hdr = hdr;
        g->answerable = true;
        g->result.request_id = hdr.id;
        g->fn(g, GREETING_HEARD, g->arg);
    }
    if (!good) {
        return greeting_malformed(g, by_backend, g->why);
    }
    if (by_backend && (hdr.flags & WIRE_ERROR)) {
        snprintf(g->why, sizeof g->why, "the backend answered VERSION %u.%u with an error",
                 g->result.request.number.major, g->result.request.number.minor);
        greeting_fail(g, true, REASON_BACKEND_REFUSED, (int)(hdr.error ? hdr.error : ECONNREFUSED),
                      g->why);
        return READ_FAILED;
    }
    if (!greeting_message_room(&g->in, hdr.size)) {
        greeting_fail(g, false, REASON_NO_RESOURCES, ENOMEM, "no memory for VERSION");
        return READ_FAILED;
    }
    g->in.size = hdr.size;
    return READ_WAIT;
}

static enum reading greeting_read_failed(struct greeting *g, bool by_backend, ssize_t n)
{
    if (n == -EAGAIN) {
        greeting_wait_for(g, !by_backend, EV_READ);
        return READ_WAIT;
    }
    if (n == -EMSGSIZE) {
        return greeting_malformed(g, by_backend, "fds were cut off from VERSION");
    }
    /* End of stream, or an error of the socket. */
    greeting_fail(g, by_backend, by_backend ? REASON_BACKEND_GONE : REASON_CLIENT_GONE,
                  by_backend ? ECONNREFUSED : 0, "closed before its VERSION was complete");
    return READ_FAILED;
}

static ssize_t greeting_receive(struct greeting *g, bool by_backend, int fd, uint8_t *to,
                                size_t want)
{
    struct sender_check *w = g->sender_check[by_backend ? SIDE_BACKEND : SIDE_CLIENT];
    struct sock_sender from;
    const ssize_t n = sock_recv_from(fd, to, want, &g->in_fds, MSG_DONTWAIT, &from);

    g->strange = w && n > 0 && !sender_check_look(w, &from) ? true : g->strange;
    /* A peer that sends many fds with an incomplete VERSION must not fill the worker's fd table. */
    while (g->in_fds.n > LIMIT_FDS_VERSION) {
        close(fdset_steal(&g->in_fds, g->in_fds.n - 1));
    }
    return n;
}

/* Reads on: the header, then exactly the body. */
static enum reading greeting_read_message(struct greeting *g, bool by_backend)
{
    struct greeting_message *m = &g->in;
    const int fd = by_backend ? g->backend_fd : g->client_fd;

    while (m->at < WIRE_HDR_SIZE || m->at < m->size) {
        const size_t want = (m->at < WIRE_HDR_SIZE ? WIRE_HDR_SIZE : m->size) - m->at;
        const ssize_t n = greeting_receive(g, by_backend, fd, m->data + m->at, want);

        if (n <= 0) {
            return greeting_read_failed(g, by_backend, n);
        }
        greeting_tap_read(&g->tap);
        m->at += (size_t)n;
        if (m->at == WIRE_HDR_SIZE && greeting_judge_header(g, by_backend) == READ_FAILED) {
            return READ_FAILED;
        }
        /* A request can be answered once its header has come. */
        if (g->strange && m->at >= WIRE_HDR_SIZE) {
            greeting_fail(g, by_backend, REASON_HANDED_ON, EACCES,
                          "another process uses the socket");
            return READ_FAILED;
        }
    }
    return READ_WHOLE;
}

/* ---- writing a message ---- */

static void greeting_fail_to_compose(struct greeting *g)
{
    greeting_fail(g, false, REASON_NO_RESOURCES, ENOMEM, "no memory to rewrite VERSION");
}

/* Sends the rest of g->out. Returns 1 when all is sent, 0 to wait, or -errno. */
static int greeting_write_message(struct greeting *g, bool to_client, const struct fdset *fds)
{
    struct session_page *const page = to_client ? g->page : NULL;
    const int fd = to_client ? g->client_fd : g->backend_fd;

    while (g->out.at < g->out.size) {
        const ssize_t n = greeting_message_send(&g->out, fd, fds, page, g->post);

        if (n == -ETOOMANYREFS) {
            /* The socket counts as writable, so waiting for that would be a busy loop. */
            greeting_pause_awhile(g);
            return 0;
        }
        if (n == -EAGAIN) {
            greeting_wait_for(g, to_client, EV_WRITE);
            return 0;
        }
        if (n < 0) {
            return (int)n;
        }
        g->out.at += (size_t)n;
    }
    return 1;
}

/* ---- the phases ---- */

static void greeting_begin_reading(struct greeting *g, enum phase phase)
{
    g->phase = phase;
    g->in.at = 0;
    g->in.size = 0;
}

/* A failed recital ends the session, except for outcomes that the route's rules judge. */
static bool greeting_recital_goes_on(struct greeting *g, bool by_backend, enum recital_outcome o)
{
    if (o == RECITAL_OK) {
        return true;
    }
    greeting_fail(g, by_backend, o == RECITAL_NO_MEMORY ? REASON_NO_RESOURCES : REASON_RECITAL,
                  recital_errno(o), recital_text(o));
    return false;
}

/* Fills g->out with the request for the backend, including our own demand, if any. */
static bool greeting_compose_request(struct greeting *g)
{
    struct version_offer *request = &g->result.request;
    uint8_t challenge[RECITAL_RANDOM_SIZE];

    const enum reciter_wants ask = reciter_asks(&g->reciter);

    if (ask == RECITER_WANTS_RECITAL &&
        getrandom(challenge, sizeof challenge, 0) != sizeof challenge) {
        greeting_fail(g, false, REASON_NO_RESOURCES, EAGAIN, "no randomness for a challenge");
        return false;
    }
    if (ask != RECITER_WANTS_NOTHING &&
        !greeting_recital_goes_on(
            g, false,
            reciter_ask(&g->reciter, ask == RECITER_WANTS_RECITAL ? challenge : NULL, request))) {
        return false;
    }
    if (!greeting_message_compose(&g->out, g->in.size, &g->request_hdr, request)) {
        greeting_fail_to_compose(g);
        return false;
    }
    return greeting_recital_goes_on(g, false, reciter_sent(&g->reciter, g->out.data, g->out.size));
}

/*
 * Keeps the request for another process of the backend. A twin socket cannot be kept: both parties
 * use the main one.
 */
static bool greeting_keep_request(struct greeting *g)
{
    version_drop_twin(&g->result.request);
    if (g->again) {
        return true;
    }
    g->request = malloc(g->in.size);
    if (!g->request) {
        greeting_fail(g, false, REASON_NO_RESOURCES, ENOMEM, "no memory to keep VERSION");
        return false;
    }
    memcpy(g->request, g->in.data, g->in.size);
    return true;
}

/* Returns true if the next phase may begin at once. */
static bool greeting_do_request(struct greeting *g)
{
    enum version_outcome o;
    enum json_outcome json;

    if (greeting_read_message(g, false) != READ_WHOLE) {
        return false;
    }
    g->result.request_size = (uint32_t)g->in.size;
    if (!g->again) {
        greeting_tap_in(&g->tap, SIDE_CLIENT, g->in.data, g->in.size, &g->in_fds, false);
    }
    if (g->backend_fd < 0 || g->refuse_err) {
        greeting_fail(g, false, g->refuse_reason, g->refuse_err, g->refuse_why);
        return false;
    }
    o = version_read(&g->result.request, g->in.data + WIRE_HDR_SIZE, g->in.size - WIRE_HDR_SIZE,
                     &json);
    if (o == VERSION_OK && g->in_fds.n > 0) {
        o = VERSION_STRAY_FDS;
    }
    if (o != VERSION_OK) {
        greeting_malformed(g, false, version_outcome_text(o, json));
        return false;
    }
    if (g->keeps && !greeting_keep_request(g)) {
        return false;
    }
    if (!greeting_recital_goes_on(
            g, false, reciter_request(&g->reciter, g->in.data, g->in.size, &g->result.request)) ||
        !greeting_compose_request(g)) {
        return false;
    }
    g->phase = FORWARD;
    return true;
}

static bool greeting_do_forward(struct greeting *g)
{
    const int r = greeting_write_message(g, false, NULL);

    if (r < 0) {
        greeting_fail(g, true, REASON_BACKEND_GONE, ECONNREFUSED, "closed before it read VERSION");
    }
    if (r > 0) {
        greeting_tap_out(&g->tap, SIDE_CLIENT, g->out.data, g->out.size, NULL, true);
        greeting_begin_reading(g, REPLY);
        greeting_watch_client(g);
    }
    return r > 0;
}

/* Takes the backend's twin socket from its reply, and makes one for the client. */
static int greeting_make_twin(struct greeting *g)
{
    const int err = greeting_twin_make_take(&g->twin, fdset_steal(&g->in_fds, 0),
                                            sender_check_is_strict(g->sender_check[SIDE_CLIENT]),
                                            sender_check_is_strict(g->sender_check[SIDE_BACKEND]));

    return err ? err : version_set_twin_index(&g->result.reply, 0);
}

static bool greeting_do_reply(struct greeting *g)
{
    enum version_outcome o;
    enum json_outcome json;
    int err = 0;

    if (greeting_read_message(g, true) != READ_WHOLE) {
        return false;
    }
    g->result.reply_size = (uint32_t)g->in.size;
    greeting_tap_in(&g->tap, SIDE_BACKEND, g->in.data, g->in.size, &g->in_fds, false);
    o = version_read(&g->result.reply, g->in.data + WIRE_HDR_SIZE, g->in.size - WIRE_HDR_SIZE,
                     &json);
    if (o == VERSION_OK) {
        o = version_agree(&g->result.request, &g->result.reply, g->in_fds.n);
    }
    if (o == VERSION_OK && g->result.reply.twin_supported) {
        err = greeting_make_twin(g);
        o = err == -EPROTO ? VERSION_TWIN_NO_FD : VERSION_OK;
    }
    if (o != VERSION_OK) {
        greeting_malformed(g, true, version_outcome_text(o, json));
        return false;
    }
    if (err) {
        greeting_fail(g, false, REASON_NO_RESOURCES, -err, "cannot create a twin socket");
        return false;
    }
    if (!greeting_recital_goes_on(g, true, reciter_reply(&g->reciter, &g->result.reply))) {
        return false;
    }
    g->result.heard = &g->reciter;
    g->phase = VERDICT;
    g->fn(g, GREETING_EVIDENCE, g->arg);
    return false;
}

static bool greeting_do_answer(struct greeting *g)
{
    struct fdset fds;
    int r;

    fdset_init(&fds);
    if (g->twin.client_peer_fd >= 0) {
        fds.fds[fds.n++] = g->twin.client_peer_fd; /* lent: the kernel makes a copy */
    }
    if (g->page && g->out.at == 0) {
        g->fn(g, GREETING_ANSWERS, g->arg);
    }
    r = greeting_write_message(g, true, &fds);
    if (r < 0) {
        greeting_fail(g, false, REASON_CLIENT_GONE, 0, "closed before it read the VERSION reply");
    }
    if (r > 0) {
        greeting_tap_out(&g->tap, SIDE_BACKEND, g->out.data, g->out.size, &fds, true);
        sock_close(&g->twin.client_peer_fd);
        greeting_over(g);
        g->fn(g, GREETING_DONE, g->arg);
    }
    return false;
}

static void greeting_step(evutil_socket_t fd, short what, void *arg)
{
    struct greeting *g = arg;
    bool on = true;

    (void)fd;
    (void)what;
    while (on) {
        switch (g->phase) {
        case REQUEST:
            on = greeting_do_request(g);
            break;
        case FORWARD:
            on = greeting_do_forward(g);
            break;
        case REPLY:
            on = greeting_do_reply(g);
            break;
        case ANSWER:
            on = greeting_do_answer(g);
            break;
        case VERDICT:
        case OVER:
            return;
        }
    }
}

/*
 * Fills g->out with the reply to the client. Our additions must not make it longer than the
 * request, unless the client announced that it accepts more: a stock QEMU has no more room.
 */
static bool greeting_compose_reply(struct greeting *g, const struct wire_hdr *hdr)
{
    struct version_offer *o = &g->result.reply;
    bool good = greeting_message_compose(&g->out, g->in.size, hdr, o);

    if (good && g->out.size + VERSION_MAX_MSG_FDS_ROOM <= g->result.request_size) {
        good = version_name_max_msg_fds(o) == 0;
    }
    if (good &&
        !greeting_recital_goes_on(
            g, false, reciter_answer(&g->reciter, o, g->result.request_size, &g->result.said))) {
        return false;
    }
    if (!good || !greeting_message_compose(&g->out, g->in.size, hdr, o)) {
        greeting_fail_to_compose(g);
        return false;
    }
    if (g->reciter.asked.speaks && g->out.size > RECITAL_REPLY_SIZE_MAX) {
        return greeting_recital_goes_on(g, true, RECITAL_TOO_LONG);
    }
    return true;
}

void greeting_decide(struct greeting *g, int err, enum session_reason reason)
{
    const struct wire_hdr hdr = wire_reply_hdr(&g->request_hdr, 0);

    if (g->phase != VERDICT) {
        return;
    }
    greeting_tap_flush(&g->tap);
    if (err) {
        greeting_fail(g, true, reason, err,
                      reason == REASON_UNRECORDED ? "the audit log cannot be written"
                                                  : "by the route's rules");
        return;
    }
    if (g->again) {
        greeting_over(g);
        g->fn(g, GREETING_DONE, g->arg);
        return;
    }
    if (!greeting_compose_reply(g, &hdr)) {
        return;
    }
    event_del(&g->client_event);
    g->phase = ANSWER;
    greeting_step(-1, 0, g);
}

void greeting_abort(struct greeting *g, enum session_reason reason, int err, const char *why)
{
    /* A client that has not completed its request waits for no reply. */
    const int told = g->phase == REQUEST ? 0 : err;

    if (g->phase != OVER) {
        greeting_fail(g, g->phase == FORWARD || g->phase == REPLY, reason, told, why);
    }
}

void greeting_refuse(struct greeting *g, enum session_reason reason, int err, const char *why)
{
    if (g->phase == REQUEST && !g->answerable) {
        g->refuse_err = err;
        g->refuse_reason = reason;
        g->refuse_why = why;
    } else if (g->phase != OVER) {
        greeting_fail(g, g->phase == FORWARD || g->phase == REPLY, reason, err, why);
    }
}

void greeting_untap(struct greeting *g)
{
    greeting_tap_deinit(&g->tap);
    g->tap.session = NULL;
}

const struct greeting_result *greeting_result(const struct greeting *g)
{
    return &g->result;
}

/* Begins with a request that has been read before. Returns false if out of memory. */
static bool greeting_begin_again(struct greeting *g, const uint8_t *request, size_t n)
{
    g->again = true;
    if (!greeting_message_room(&g->in, n)) {
        return false;
    }
    memcpy(g->in.data, request, n);
    g->in.at = n;
    g->in.size = n;
    greeting_wait_for(g, false, EV_WRITE);
    return wire_get_hdr(request, n, UINT32_MAX, &g->request_hdr) == WIRE_FRAME_OK;
}

struct greeting *greeting_new_take(struct event_base *base, int client_fd, int backend_fd,
                                   const struct greeting_settings *settings, greeting_fn *fn,
                                   void *arg)
{
    struct greeting *g = heap_pages_new(sizeof *g);

    if (!g || !greeting_message_room(&g->in, GREETING_USUAL)) {
        heap_pages_free(g, sizeof *g);
        sock_close(&client_fd);
        sock_close(&backend_fd);
        return NULL;
    }
    g->client_fd = client_fd;
    g->backend_fd = backend_fd;
    greeting_twin_init(&g->twin);
    g->refuse_err = settings->refuse_err;
    g->refuse_reason = REASON_REFUSED;
    g->refuse_why = "refused";
    memcpy(g->sender_check, settings->sender_check, sizeof g->sender_check);
    g->tap.session = settings->tap;
    reciter_init(&g->reciter, settings->poem, &settings->self, settings->recite, settings->ask);
    g->page = settings->page;
    g->post = settings->post;
    g->fn = fn;
    g->arg = arg;
    fdset_init(&g->in_fds);
    version_init(&g->result.request);
    version_init(&g->result.reply);
    event_assign(&g->client_event, base, client_fd, EV_READ, greeting_step, g);
    event_assign(&g->backend_event, base, backend_fd, EV_READ, greeting_step, g);
    g->keeps = settings->keep;
    greeting_begin_reading(g, REQUEST);
    if (!settings->request) {
        greeting_wait_for(g, true, EV_READ);
    } else if (!greeting_begin_again(g, settings->request, settings->request_size)) {
        greeting_free(g);
        return NULL;
    }
    return g;
}

void greeting_free(struct greeting *g)
{
    if (!g) {
        return;
    }
    greeting_over(g);
    /* It may end without a verdict: record the messages so far. */
    greeting_tap_flush(&g->tap);
    version_deinit(&g->result.request);
    version_deinit(&g->result.reply);
    sock_hang_up(&g->client_fd);
    sock_hang_up(&g->backend_fd);
    greeting_twin_deinit(&g->twin);
    free(g->request);
    greeting_message_deinit(&g->in);
    greeting_message_deinit(&g->out);
    heap_pages_free(g, sizeof *g);
}

int greeting_steal(struct greeting *g, enum greeting_socket which)
{
    int *const fds[] = {[GREETING_CLIENT] = &g->client_fd,
                        [GREETING_BACKEND] = &g->backend_fd,
                        [GREETING_CLIENT_TWIN] = &g->twin.client_fd,
                        [GREETING_BACKEND_TWIN] = &g->twin.backend_fd};
    const int stolen = *fds[which];

    *fds[which] = -1;
    return stolen;
}

uint8_t *greeting_steal_request(struct greeting *g, size_t *n)
{
    uint8_t *const request = g->request;

    *n = g->result.request_size;
    g->request = NULL;
    return request;
}
