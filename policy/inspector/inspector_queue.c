/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Shares, their credit, and the order of jobs. */
#include "policy/inspector/inspector_queue.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"

_Static_assert(INSPECTOR_SLOTS <= 32, "slots are bits of 32");

void inspector_queue_init(struct inspector_queue *q)
{
    *q = (struct inspector_queue){.turns = 0};
    TAILQ_INIT(&q->jobs);
    TAILQ_INIT(&q->shares);
}

static void inspector_queue_drop_share(struct inspector_queue *q, struct inspector_share *s)
{
    TAILQ_REMOVE(&q->shares, s, link);
    q->n_shares--;
    free(s);
}

void inspector_queue_deinit(struct inspector_queue *q)
{
    while (!TAILQ_EMPTY(&q->jobs)) {
        struct inspector_job *j = TAILQ_FIRST(&q->jobs);

        inspector_queue_take(q, j);
        inspector_queue_free(j);
    }
    while (!TAILQ_EMPTY(&q->shares)) {
        inspector_queue_drop_share(q, TAILQ_FIRST(&q->shares));
    }
}

/* ---- shares ---- */

static void inspector_queue_refill(struct inspector_share *s, int64_t now_ms)
{
    const int64_t most = LIMIT_INSPECT_CREDIT;
    const int64_t ms = now_ms - s->filled_ms;

    /* After this many milliseconds any credit is full: no product can overflow. */
    if (ms >= 2 * most / LIMIT_INSPECT_REFILL * 1000) {
        s->credit = most;
    } else if (ms > 0) {
        s->credit += ms * LIMIT_INSPECT_REFILL / 1000;
        s->credit = s->credit < most ? s->credit : most;
    }
    s->filled_ms = now_ms;
}

/* Makes room for a share by removing the least recently used one without jobs and debt. */
static bool inspector_queue_make_room(struct inspector_queue *q, int64_t now_ms)
{
    struct inspector_share *s;

    TAILQ_FOREACH_REVERSE(s, &q->shares, inspector_shares, link)
    {
        inspector_queue_refill(s, now_ms);
        if (s->n_waiting == 0 && s->n_jobs == 0 && s->credit == LIMIT_INSPECT_CREDIT) {
            inspector_queue_drop_share(q, s);
            return true;
        }
    }
    return false;
}

struct inspector_share *inspector_queue_share(struct inspector_queue *q,
                                              const struct inspector_asker *who, int64_t now_ms)
{
    struct inspector_share *s;

    TAILQ_FOREACH(s, &q->shares, link)
    {
        if (s->who.uid == who->uid && s->who.route == who->route) {
            TAILQ_REMOVE(&q->shares, s, link);
            TAILQ_INSERT_HEAD(&q->shares, s, link);
            inspector_queue_refill(s, now_ms);
            return s;
        }
    }
    if (q->n_shares == LIMIT_INSPECT_SHARES && !inspector_queue_make_room(q, now_ms)) {
        return NULL;
    }
    s = calloc(1, sizeof *s);
    if (!s) {
        return NULL;
    }
    s->who = (struct inspector_asker){.uid = who->uid, .route = who->route};
    s->credit = LIMIT_INSPECT_CREDIT;
    s->filled_ms = now_ms;
    TAILQ_INSERT_HEAD(&q->shares, s, link);
    q->n_shares++;
    return s;
}

bool inspector_queue_charge(struct inspector_share *s, uint64_t size)
{
    if (s->credit <= 0) {
        return false;
    }
    s->credit -= (int64_t)size + LIMIT_INSPECT_COST;
    return true;
}

/* ---- jobs ---- */

struct inspector_job *inspector_queue_find(struct inspector_queue *q,
                                           const struct inspector_share *s,
                                           const struct peer_exe *exe)
{
    struct inspector_job *j;

    TAILQ_FOREACH(j, &q->jobs, link)
    {
        if (j->share == s && peer_file_id_same(&j->question.id, &exe->id) &&
            strcmp(j->question.path, exe->path) == 0) {
            return j;
        }
    }
    return NULL;
}

struct inspector_job *inspector_queue_add(struct inspector_queue *q, struct inspector_share *s,
                                          const struct peer_exe *exe, int *error)
{
    struct inspector_job *j = calloc(1, sizeof *j);

    if (!j) {
        *error = ENOMEM;
        return NULL;
    }
    j->exe_fd = fcntl(exe->fd, F_DUPFD_CLOEXEC, 0);
    if (j->exe_fd < 0) {
        *error = errno;
        free(j);
        return NULL;
    }
    j->share = s;
    j->slot = -1;
    j->left = exe->id.size;
    j->question.id = exe->id;
    memcpy(j->question.path, exe->path, sizeof j->question.path);
    s->n_jobs++;
    TAILQ_INSERT_TAIL(&q->jobs, j, link);
    return j;
}

static void inspector_queue_free_slot(struct inspector_queue *q, struct inspector_job *j)
{
    if (j->slot >= 0) {
        q->slots &= ~(1u << j->slot);
        j->slot = -1;
    }
}

void inspector_queue_answered(struct inspector_queue *q, struct inspector_job *j)
{
    inspector_queue_free_slot(q, j);
}

void inspector_queue_take(struct inspector_queue *q, struct inspector_job *j)
{
    inspector_queue_free_slot(q, j);
    TAILQ_REMOVE(&q->jobs, j, link);
    j->share->n_jobs--;
    j->share = NULL;
}

void inspector_queue_free(struct inspector_job *j)
{
    close(j->exe_fd);
    free(j);
}

/* Returns whether a precedes b. Both are ready to continue. */
static bool inspector_queue_before(const struct inspector_job *a, const struct inspector_job *b)
{
    if (a->late != b->late) {
        return b->late;
    }
    if (a->share != b->share) {
        return a->share->turn < b->share->turn;
    }
    return a->left < b->left;
}

/* Returns the job in a slot with the most bytes left. */
static struct inspector_job *inspector_queue_longest(struct inspector_queue *q)
{
    struct inspector_job *longest = NULL;
    struct inspector_job *j;

    TAILQ_FOREACH(j, &q->jobs, link)
    {
        if (j->slot >= 0 && (!longest || j->left > longest->left)) {
            longest = j;
        }
    }
    return longest;
}

struct inspector_job *inspector_queue_next(struct inspector_queue *q)
{
    const bool full = q->slots == (uint32_t)((UINT64_C(1) << INSPECTOR_SLOTS) - 1);
    struct inspector_job *const longest = full ? inspector_queue_longest(q) : NULL;
    struct inspector_job *best = NULL;
    struct inspector_job *j;

    TAILQ_FOREACH(j, &q->jobs, link)
    {
        /*
         * Rather than letting a small file wait, the largest file in a slot gives it up and starts
         * over.
         */
        if ((j->slot >= 0 || !longest || j->left < longest->left) &&
            (!best || inspector_queue_before(j, best))) {
            best = j;
        }
    }
    if (best && best->slot < 0 && longest) {
        inspector_queue_free_slot(q, longest);
    }
    return best;
}

void inspector_queue_turn(struct inspector_queue *q, struct inspector_job *j)
{
    j->share->turn = ++q->turns;
    for (int slot = 0; j->slot < 0 && slot < (int)INSPECTOR_SLOTS; slot++) {
        if (!(q->slots & (1u << slot))) {
            q->slots |= 1u << slot;
            j->slot = slot;
            j->steps = 0;
            j->ms = 0;
            j->left = j->question.id.size;
        }
    }
}

void inspector_queue_restart(struct inspector_queue *q)
{
    struct inspector_job *j;

    TAILQ_FOREACH(j, &q->jobs, link)
    {
        inspector_queue_free_slot(q, j);
    }
}
