/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The rig of the session's suites. Waits in the loop alone.
 */
#define _GNU_SOURCE
#include "tests/unit/worker/session_rig.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/sock.h"
#include "tests/support/peer.h"
#include "tests/support/unit.h"

/* More turns of the loop than anything here takes. */
#define TURNS 16

/* Longer than any test. */
#define NEVER_MS 3600000

#define JSON "{\"capabilities\":{\"max_msg_fds\":4,\"max_data_xfer_size\":4096}}"
#define TWIN_JSON \
    "{\"capabilities\":{\"max_msg_fds\":4,\"max_data_xfer_size\":4096," \
    "\"twin_socket\":{\"supported\":true,\"fd_index\":0}}}"

static bool is_closed(int fd)
{
    struct pollfd p = {.fd = fd};

    return fd < 0 || (poll(&p, 1, 0) == 1 && (p.revents & POLLHUP));
}

/* The channel to the monitor. */
static bool send_to_test(struct session_host *h, const struct ipc_msg *m)
{
    struct session_rig *const r = (struct session_rig *)h;

    if (r->room == 0) {
        return false;
    }
    if (m->type == IPC_TAINT) {
        /* Of a session that has ended the monitor knows nothing. */
        for (unsigned i = 0; i < r->n_sent; i++) {
            ck_assert(r->sent[i].type != IPC_ENDED || r->sent[i].session != m->session);
        }
        r->taint |= m->u.taint.bits;
        return true;
    }
    if (m->type == IPC_HEARD) {
        r->heard = (int)m->u.heard.id;
        return true;
    }
    if (m->type == IPC_TURNED_AWAY) {
        r->turned_away++;
        return true;
    }
    ck_assert_uint_lt(r->n_sent, RIG_SENT);
    r->room--;
    r->sent[r->n_sent++] = *m;
    if (m->type == IPC_ENDED && r->watched && r->watched->id == m->session) {
        /* The route may serve the next client from now on: nothing may be left of this one. */
        ck_assert(is_closed(r->watched->client) && is_closed(r->watched->backend));
        ck_assert(is_closed(r->watched->client_twin) && is_closed(r->watched->backend_twin));
    }
    return true;
}

/* Of the twin sockets the test has the other ends. */
static bool send_twin_to_test(struct session_host *h, const struct ipc_msg *m, const int *fds,
                              unsigned n)
{
    struct session_rig *const r = (struct session_rig *)h;

    (void)fds;
    ck_assert_uint_eq(m->type, IPC_TWIN);
    ck_assert_uint_eq(n, 2);
    if (r->room == 0) {
        return false;
    }
    r->twins++;
    return true;
}

void rig_init(struct session_rig *r)
{
    log_init("test", LOG_ERROR);
    *r = (struct session_rig){.room = RIG_SENT, .heard = -1};
    r->host.base = event_base_new();
    ck_assert_ptr_nonnull(r->host.base);
    r->host.send = send_to_test;
    r->host.send_fds = send_twin_to_test;
    r->host.poem = poem_builtin;
    ck_assert_int_eq(session_host_init(&r->host), 0);
}

void rig_deinit(struct session_rig *r)
{
    session_host_deinit(&r->host);
    event_base_free(r->host.base);
}

void rig_settle(struct session_rig *r)
{
    for (int i = 0; i < TURNS; i++) {
        ck_assert_int_ge(event_base_loop(r->host.base, EVLOOP_NONBLOCK), 0);
    }
}

void rig_await_sent(struct session_rig *r, unsigned n)
{
    while (r->n_sent < n) {
        ck_assert_int_eq(event_base_loop(r->host.base, EVLOOP_ONCE), 0);
    }
}

void rig_await_readable(struct session_rig *r, int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    while (poll(&p, 1, 0) == 0) {
        ck_assert_int_eq(event_base_loop(r->host.base, EVLOOP_ONCE), 0);
    }
}

static int open_end(int *ours)
{
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    *ours = pair[0];
    return pair[1];
}

void rig_session(struct session_rig *r, struct rig_peers *p, uint64_t id, unsigned handshake_ms,
                 unsigned drain_ms)
{
    const struct ipc_session settings = {.handshake_ms = handshake_ms ? handshake_ms : NEVER_MS,
                                         .drain_ms = drain_ms ? drain_ms : NEVER_MS,
                                         .recite = CONFIG_RECITE_NEVER,
                                         .recorded = r->recorded,
                                         .dma = r->dma,
                                         .route = "test"};
    int client;
    int backend;

    *p = (struct rig_peers){.id = id, .client_twin = -1, .backend_twin = -1};
    client = open_end(&p->client);
    backend = open_end(&p->backend);
    ck_assert_int_eq(session_begin(&r->host, id, &settings, client, backend), 0);
    ck_assert_int_eq(rig_state(r, id), SESSION_RECITING);
    r->watched = p;
}

static void expect_evidence(struct session_rig *r, uint64_t id, bool twin)
{
    const struct ipc_msg *const m = &r->sent[0];
    const uint32_t size = 20 + (uint32_t)(twin ? sizeof TWIN_JSON : sizeof JSON);

    ck_assert_uint_eq(r->n_sent, 1);
    ck_assert_uint_eq(m->type, IPC_EVIDENCE);
    ck_assert_uint_eq(m->zero, 0);
    ck_assert_uint_eq(m->session, id);
    ck_assert_uint_eq(m->u.evidence.request_size, size);
    ck_assert_uint_eq(m->u.evidence.reply_size, size);
    ck_assert_uint_eq(m->u.evidence.twin, twin);
    r->n_sent = 0;
}

static void expect_state(const struct session_rig *r, const struct rig_peers *p,
                         enum session_state state)
{
    ck_assert_str_eq(session_state_name(rig_state(r, p->id)), session_state_name(state));
}

void rig_lead(struct session_rig *r, struct rig_peers *p, enum session_state state)
{
    peer_send_version(p->client, 1, WIRE_TYPE_COMMAND, JSON, NULL);
    rig_settle(r);
    peer_recv_version(p->backend, 1, WIRE_TYPE_COMMAND, JSON);
    expect_state(r, p, SESSION_RECITING);
    if (state == SESSION_RECITING) {
        return;
    }
    peer_send_version(p->backend, 1, WIRE_TYPE_REPLY, JSON, NULL);
    rig_settle(r);
    expect_evidence(r, p->id, false);
    expect_state(r, p, SESSION_DECIDING);
    if (state == SESSION_DECIDING) {
        return;
    }
    ck_assert(session_decide(&r->host, p->id, 0, REASON_DENIED));
    rig_settle(r);
    peer_recv_version(p->client, 1, WIRE_TYPE_REPLY, JSON);
    expect_state(r, p, SESSION_RELAYING);
}

void rig_lead_with_twin(struct session_rig *r, struct rig_peers *p)
{
    struct message m;
    struct fdset fd;

    peer_send_version(p->client, 1, WIRE_TYPE_COMMAND, TWIN_JSON, NULL);
    rig_settle(r);
    peer_recv_version(p->backend, 1, WIRE_TYPE_COMMAND, TWIN_JSON);
    fdset_init(&fd);
    ck_assert_int_eq(fdset_add_take(&fd, open_end(&p->backend_twin)), 0);
    peer_send_version(p->backend, 1, WIRE_TYPE_REPLY, TWIN_JSON, &fd);
    fdset_close(&fd);
    rig_settle(r);
    expect_evidence(r, p->id, true);
    ck_assert(session_decide(&r->host, p->id, 0, REASON_DENIED));
    rig_settle(r);
    peer_recv(p->client, &m);
    ck_assert_str_eq((const char *)m.payload + 4, TWIN_JSON);
    ck_assert_uint_eq(m.fds.n, 1);
    p->client_twin = fdset_steal(&m.fds, 0);
    ck_assert_int_eq(sock_nonblock(p->client_twin), 0);
    message_deinit(&m);
    expect_state(r, p, SESSION_RELAYING);
}

void rig_close_peers(struct rig_peers *p)
{
    sock_close(&p->client);
    sock_close(&p->backend);
    sock_close(&p->client_twin);
    sock_close(&p->backend_twin);
}

enum session_state rig_state(const struct session_rig *r, uint64_t id)
{
    const struct session *s;

    TAILQ_FOREACH(s, &r->host.closed, link)
    {
        if (s->id == id) {
            return s->state;
        }
    }
    for (int state = 0; state < SESSION_STATES; state++) {
        TAILQ_FOREACH(s, &r->host.lists[state], link)
        {
            if (s->id == id) {
                ck_assert_int_eq(s->state, state);
                return s->state;
            }
        }
    }
    return SESSION_STATES;
}

const struct ipc_ended *rig_expect_end(struct session_rig *r, uint64_t id,
                                       enum session_reason reason, int err)
{
    const struct ipc_msg *const m = &r->sent[0];

    ck_assert_uint_eq(r->n_sent, 1);
    ck_assert_uint_eq(m->type, IPC_ENDED);
    ck_assert_uint_eq(m->zero, 0);
    ck_assert_uint_eq(m->session, id);
    ck_assert_uint_lt(m->u.ended.reason, REASON_COUNT);
    ck_assert_str_eq(session_reason_word((enum session_reason)m->u.ended.reason),
                     session_reason_word(reason));
    ck_assert_uint_eq(m->u.ended.err, (uint32_t)err);
    ck_assert_int_eq(rig_state(r, id), SESSION_STATES);
    r->n_sent = 0;
    return &m->u.ended;
}

void rig_expect_closed(const struct rig_peers *p)
{
    peer_expect_eof(p->client);
    peer_expect_eof(p->backend);
}
