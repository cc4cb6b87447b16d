/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Clients that are refused: to answer them, their VERSION request must be read, which only workers
 * do.
 *
 * The monitor keeps a copy of the socket until the worker reports that it has closed its own. If a
 * worker hangs or dies, another takes over, and the last holder of a client's socket never closes
 * it with a request unread, at which QEMU aborts (sock_hang_up).
 */
#include "proxy/monitor/workers/worker_pool_refuse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/sock.h"
#include "proxy/ipc/fdstore.h"
#include "proxy/monitor/keep/state_fds.h"
#include "proxy/monitor/keep/state_file.h"
#include "proxy/monitor/monitor_context.h"
#include "proxy/monitor/routes/route.h"
#include "proxy/monitor/workers/worker_pool_outbox.h"

struct worker_pool_refusal {
    TAILQ_ENTRY(worker_pool_refusal) link;
    struct worker_process *member; /* the worker that has it; NULL: waits for one */
    int client_fd;
    uint64_t number;
    uint64_t until_ms;
    uint32_t kept_block; /* its record in the state file, or STATE_NO_BLOCK */
    struct worker_pool_answer how;
};

/* Keeps the client's socket for the next monitor, which must not close it with a request unread. */
static void worker_pool_refusal_keep(const struct worker_pool *c, struct worker_pool_refusal *r)
{
    struct state_file *const state = c->context->state;
    const struct state_refusal record = {.number = r->number,
                                         .until_ms = r->until_ms,
                                         .err = (uint32_t)r->how.err,
                                         .heard = r->how.heard,
                                         .id = r->how.id};
    char name[STATE_NAME_SIZE];

    if (!state) {
        return;
    }
    if (fdstore_keep(c->context->store, state_fds_refusal(r->number, name), r->client_fd) < 0) {
        log_debug("the socket of a client that is refused cannot be kept");
    }
    state_file_head(state)->last_refusal = r->number;
    state_file_write_head(state);
    r->kept_block = state_file_add(state, STATE_REFUSAL, &record);
}

static void worker_pool_refusal_drop(const struct worker_pool *c, struct worker_pool_refusal *r)
{
    char name[STATE_NAME_SIZE];

    if (c->context->state) {
        state_file_drop(c->context->state, r->kept_block);
        fdstore_drop(c->context->store, state_fds_refusal(r->number, name));
    }
}

static void worker_pool_refusal_free(struct worker_pool *c, struct worker_pool_refusal *r)
{
    TAILQ_REMOVE(&c->refusals, r, link);
    c->n_refusals--;
    sock_hang_up(&r->client_fd);
    worker_pool_refusal_drop(c, r);
    free(r);
}

/* Hands the refusal to a worker, if one answers. */
static void worker_pool_refusal_send(struct worker_pool *c, struct worker_pool_refusal *r)
{
    const uint64_t now = clock_ms();
    struct worker_process *w = worker_process_least_busy(c);
    const struct ipc_msg m = {
        .type = IPC_REFUSE,
        .u.refuse = {.number = r->number,
                     .err = (uint32_t)r->how.err,
                     .handshake_ms = r->until_ms > now ? (uint32_t)(r->until_ms - now) : 1,
                     .heard = r->how.heard,
                     .id = r->how.id}};

    r->member = w;
    if (w && ipc_send(w->channel_fd, &m, &r->client_fd, 1) < 0) {
        log_debug("a client was closed unanswered: the worker is busy");
        worker_pool_refusal_free(c, r);
    }
}

void worker_pool_refuse_take(struct worker_pool *c, int client_fd,
                             const struct worker_pool_answer *how)
{
    struct worker_pool_refusal *r = calloc(1, sizeof *r);

    if (!r) {
        sock_hang_up(&client_fd);
        return;
    }
    if (c->n_refusals >= LIMIT_REFUSALS_KEPT * c->n && !TAILQ_EMPTY(&c->refusals)) {
        worker_pool_refusal_free(c, TAILQ_FIRST(&c->refusals));
    }
    r->client_fd = client_fd;
    r->number = ++c->last_refusal;
    r->until_ms = clock_ms() + how->ms;
    r->how = *how;
    TAILQ_INSERT_TAIL(&c->refusals, r, link);
    c->n_refusals++;
    worker_pool_refusal_keep(c, r);
    worker_pool_refusal_send(c, r);
}

bool worker_pool_refused(struct worker_process *w, uint64_t number)
{
    struct worker_pool_refusal *r;

    TAILQ_FOREACH(r, &w->worker_pool->refusals, link)
    {
        if (r->number == number) {
            break;
        }
    }
    if (r && r->member == w) {
        worker_pool_refusal_free(w->worker_pool, r);
    }
    /* A refusal that was dropped for a newer one is not in the list. */
    return number > 0 && number <= w->worker_pool->last_refusal;
}

void worker_pool_refusals_lost(struct worker_process *w)
{
    struct worker_pool_refusal *r;
    struct worker_pool_refusal *next;

    TAILQ_FOREACH_SAFE(r, &w->worker_pool->refusals, link, next)
    {
        if (r->member == w) {
            worker_pool_refusal_send(w->worker_pool, r);
        }
    }
}

void worker_pool_refusals_resume(struct worker_pool *c)
{
    struct worker_pool_refusal *r;
    struct worker_pool_refusal *next;

    TAILQ_FOREACH_SAFE(r, &c->refusals, link, next)
    {
        if (!r->member) {
            worker_pool_refusal_send(c, r);
        }
    }
}

void worker_pool_refusals_beat(struct worker_pool *c)
{
    const uint64_t now = clock_ms();
    struct worker_pool_refusal *r;
    struct worker_pool_refusal *next;

    TAILQ_FOREACH_SAFE(r, &c->refusals, link, next)
    {
        /* Its worker gets a moment to report it. */
        if (now >= r->until_ms + LIMIT_HANDSHAKE_GRACE_MS) {
            worker_pool_refusal_free(c, r);
        }
    }
}

void worker_pool_refusals_free(struct worker_pool *c)
{
    while (!TAILQ_EMPTY(&c->refusals)) {
        worker_pool_refusal_free(c, TAILQ_FIRST(&c->refusals));
    }
}

/* ---- sessions ---- */

/* Has a worker send err to the client, after reading its request unless that was read before. */
static void worker_pool_refuse_session_take(struct monitor_session *t, int err)
{
    const struct worker_pool_answer how = {
        .err = err, .ms = route_refusal_ms(t->route), .heard = t->heard, .id = t->request_id};

    route_count_refusal(t->route, err);
    worker_pool_refuse_take(t->table->workers, t->client_fd, &how);
    t->client_fd = -1;
}

void worker_pool_refuse_session(struct monitor_session *t, enum session_reason reason, int err)
{
    const struct log_subject about = monitor_session_subject(t, "backend");

    log_line(LOG_WARNING, &about, "%s; error sent to the client: %s", session_reason_word(reason),
             strerror(err));
    worker_pool_refuse_session_take(t, err);
    monitor_session_end(t, reason, NULL);
}

/* Returns true if the client waits for its reply to VERSION, which no worker may have sent yet. */
static bool worker_pool_is_owed_reply(const struct monitor_session *t)
{
    return t->state == SESSION_RECITING ||
           (t->state == SESSION_DECIDING &&
            (t->verdict_err == 0 || worker_pool_unsent(t, IPC_VERDICT)));
}

void worker_pool_lost(struct monitor_session *t, enum session_reason reason)
{
    if (reason != REASON_SHUTDOWN && worker_pool_is_owed_reply(t)) {
        worker_pool_refuse_session(t, reason,
                                   reason == REASON_HANDSHAKE_TIMEOUT ? ETIMEDOUT : ECONNABORTED);
    } else {
        monitor_session_end(t, reason, NULL);
    }
}
