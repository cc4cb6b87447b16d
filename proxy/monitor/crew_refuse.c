/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Clients that are refused: to answer them their VERSION request must be read, which is a worker's.
 *
 * The monitor keeps a copy of the socket until the worker reports that it has closed its own. A
 * worker that hangs or dies is followed by another, and the last holder of a client's socket never
 * closes it with a request unread, at which QEMU aborts (sock_hang_up).
 */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/sock.h"
#include "proxy/monitor/crew_parts.h"
#include "proxy/monitor/monitor.h"

struct crew_refusal {
    TAILQ_ENTRY(crew_refusal) link;
    struct crew_member *member; /* who has it; NULL: waits for a worker */
    int client_fd;
    uint64_t number;
    uint64_t until_ms;
    struct crew_answer how;
};

static void crew_refusal_free(struct crew *c, struct crew_refusal *r)
{
    TAILQ_REMOVE(&c->refusals, r, link);
    c->n_refusals--;
    sock_hang_up(&r->client_fd);
    free(r);
}

/* Hands it to a worker, if one answers. */
static void crew_refusal_send(struct crew *c, struct crew_refusal *r)
{
    const uint64_t now = clock_ms();
    struct crew_member *w = crew_least_busy(c);
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
        crew_refusal_free(c, r);
    }
}

void crew_refuse_take(struct crew *c, int client_fd, const struct crew_answer *how)
{
    struct crew_refusal *r = calloc(1, sizeof *r);

    if (!r) {
        sock_hang_up(&client_fd);
        return;
    }
    if (c->n_refusals >= LIMIT_REFUSALS_KEPT * c->n && !TAILQ_EMPTY(&c->refusals)) {
        crew_refusal_free(c, TAILQ_FIRST(&c->refusals));
    }
    r->client_fd = client_fd;
    r->number = ++c->last_refusal;
    r->until_ms = clock_ms() + how->ms;
    r->how = *how;
    TAILQ_INSERT_TAIL(&c->refusals, r, link);
    c->n_refusals++;
    crew_refusal_send(c, r);
}

bool crew_refused(struct crew_member *w, uint64_t number)
{
    struct crew_refusal *r;

    TAILQ_FOREACH(r, &w->crew->refusals, link)
    {
        if (r->number == number) {
            break;
        }
    }
    if (r && r->member == w) {
        crew_refusal_free(w->crew, r);
    }
    /* One that gave way is not there any more. */
    return number > 0 && number <= w->crew->last_refusal;
}

void crew_refusals_lost(struct crew_member *w)
{
    struct crew_refusal *r;
    struct crew_refusal *next;

    TAILQ_FOREACH_SAFE(r, &w->crew->refusals, link, next)
    {
        if (r->member == w) {
            crew_refusal_send(w->crew, r);
        }
    }
}

void crew_refusals_resume(struct crew *c)
{
    struct crew_refusal *r;
    struct crew_refusal *next;

    TAILQ_FOREACH_SAFE(r, &c->refusals, link, next)
    {
        if (!r->member) {
            crew_refusal_send(c, r);
        }
    }
}

void crew_refusals_beat(struct crew *c)
{
    const uint64_t now = clock_ms();
    struct crew_refusal *r;
    struct crew_refusal *next;

    TAILQ_FOREACH_SAFE(r, &c->refusals, link, next)
    {
        /* Its worker is given a moment to report it. */
        if (now >= r->until_ms + LIMIT_HANDSHAKE_GRACE_MS) {
            crew_refusal_free(c, r);
        }
    }
}

void crew_refusals_free(struct crew *c)
{
    while (!TAILQ_EMPTY(&c->refusals)) {
        crew_refusal_free(c, TAILQ_FIRST(&c->refusals));
    }
}
