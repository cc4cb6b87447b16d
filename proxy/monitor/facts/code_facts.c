/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Lists the code of a party in a thread, and asks the inspector about its files from the loop. */
#include "proxy/monitor/facts/code_facts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/sock.h"
#include "policy/peer/peer_code.h"

/* Milliseconds until a file is tried again that the inspector had no room or credit for. */
#define CODE_FACTS_AGAIN_MS 50u

/* A list, or some of its files, on their way through a thread. n is 0 for a list. */
struct code_job {
    struct offload_job job;
    struct code_facts *owner; /* valid unless the job is forgotten */
    pid_t pid;
    int pidfd; /* owned */
    struct peer_code list;
    size_t n;
    size_t index[LIMIT_CODE_AHEAD];
    struct peer_code_item items[LIMIT_CODE_AHEAD]; /* copies without paths */
    struct peer_exe files[LIMIT_CODE_AHEAD];       /* fd -1 if it could not be opened. Owned */
};

/* A file that the inspector was asked about. */
struct code_ask {
    struct code_facts *owner;
    uint64_t request; /* 0 if free */
    size_t index;
};

/* Of each item of a list. */
enum code_state { CODE_UNSEEN, CODE_ASKED, CODE_SETTLED };

struct code_facts {
    struct code_facts_settings settings;
    struct peer_code list;
    const struct inspection **found; /* by item; held, or NULL */
    enum code_state *states;         /* by item */
    struct rules_mapped mapped;      /* of both */
    struct code_job *job;            /* under way, or NULL */
    struct code_ask asks[LIMIT_CODE_AHEAD];
    struct event *deadline;
    struct event *again;
    unsigned looks; /* lists for the verdict */
    bool wanted;    /* code_facts_finish was called ... */
    bool fresh;     /* ... before the list was begun */
    bool clean;     /* the list had no file that was new */
    bool over;      /* fn was called */
    code_facts_fn *fn;
    void *arg;
};

static void code_facts_step(struct code_facts *c);

/* ---- jobs ---- */

static void code_facts_job_free(struct code_job *j)
{
    for (size_t i = 0; i < j->n; i++) {
        sock_close(&j->files[i].fd);
    }
    peer_code_deinit(&j->list);
    sock_close(&j->pidfd);
    free(j);
}

static void code_facts_job_drop(struct offload_job *job)
{
    code_facts_job_free((struct code_job *)job);
}

/* In a thread. */
static void code_facts_job_run(struct offload_job *job)
{
    struct code_job *const j = (struct code_job *)job;

    if (j->n == 0) {
        peer_code_list(&j->list, j->pid, j->pidfd);
    }
    for (size_t i = 0; i < j->n; i++) {
        (void)!peer_code_open(&j->items[i], j->pid, j->pidfd, &j->files[i]);
    }
}

static void code_facts_on_job(struct offload_job *job);

static struct code_job *code_facts_job_new(struct code_facts *c)
{
    struct code_job *const j = calloc(1, sizeof *j);

    if (!j) {
        return NULL;
    }
    j->job = (struct offload_job){.owner = c->settings.who.uid,
                                  .run = code_facts_job_run,
                                  .done = code_facts_on_job,
                                  .drop = code_facts_job_drop};
    j->owner = c;
    j->pid = c->settings.peer->pid;
    j->pidfd = fcntl(c->settings.peer->pidfd, F_DUPFD_CLOEXEC, 0);
    for (size_t i = 0; i < LIMIT_CODE_AHEAD; i++) {
        j->files[i].fd = -1;
    }
    return j;
}

static void code_facts_submit(struct code_facts *c, struct code_job *j)
{
    c->job = j;
    offload_add(c->settings.offload, &j->job);
}

/* ---- the list ---- */

static void code_facts_drop_list(struct code_facts *c)
{
    for (size_t i = 0; i < c->list.n; i++) {
        inspection_release(c->found[i]);
    }
    free(c->found);
    free(c->states);
    c->found = NULL;
    c->states = NULL;
    peer_code_deinit(&c->list);
}

static void code_facts_over(struct code_facts *c)
{
    c->over = true;
    c->mapped = (struct rules_mapped){.list = &c->list, .found = c->found};
    event_del(c->deadline);
    event_del(c->again);
    c->fn(c->arg);
}

static void code_facts_unknown(struct code_facts *c, int error, const char *why)
{
    c->list.unknown = (struct peer_unknown){.error = error, .why = why};
}

/* Returns what is known of an item's file from the list before or from the cache, held, or NULL. */
static const struct inspection *code_facts_recall(const struct code_facts *c,
                                                  const struct peer_code_item *item)
{
    const struct inspection *known;
    struct peer_exe exe = {.fd = -1, .id = item->id};

    for (size_t i = 0; i < c->list.n; i++) {
        if (c->found[i] && peer_code_same_file(&c->list.items[i], item)) {
            return inspection_hold(c->found[i]);
        }
    }
    if (strlen(item->path) >= sizeof exe.path) {
        return NULL;
    }
    memcpy(exe.path, item->path, strlen(item->path) + 1);
    known = inspector_look(c->settings.inspector, &exe);
    return known ? inspection_hold(known) : NULL;
}

/* Replaces the list by a new one, and keeps what is known of the same files. */
static void code_facts_take_list(struct code_facts *c, struct peer_code *list)
{
    const size_t room = list->n > 0 ? list->n : 1;
    const struct inspection **const found = calloc(room, sizeof *found);
    enum code_state *const states = calloc(room, sizeof *states);

    if (!found || !states) {
        free(found);
        free(states);
        peer_code_deinit(list);
        list->unknown = (struct peer_unknown){.error = ENOMEM, .why = "out of memory"};
        code_facts_drop_list(c);
        c->list = *list;
        *list = (struct peer_code){.n = 0};
        return;
    }
    c->clean = true;
    for (size_t i = 0; i < list->n; i++) {
        const struct peer_code_item *const item = &list->items[i];
        const bool readable = item->kind == PEER_CODE_FILE && !item->unknown.why;

        found[i] = readable ? code_facts_recall(c, item) : NULL;
        states[i] = !readable || found[i] ? CODE_SETTLED : CODE_UNSEEN;
        c->clean = c->clean && states[i] == CODE_SETTLED;
    }
    code_facts_drop_list(c);
    c->list = *list;
    c->found = found;
    c->states = states;
    *list = (struct peer_code){.n = 0};
}

static void code_facts_list(struct code_facts *c)
{
    struct code_job *const j = code_facts_job_new(c);

    c->fresh = c->wanted;
    c->looks += c->wanted;
    if (!j) {
        code_facts_unknown(c, ENOMEM, "out of memory");
        c->clean = true;
        event_active(c->again, EV_TIMEOUT, 0);
        return;
    }
    code_facts_submit(c, j);
}

/* ---- inspections ---- */

static bool code_facts_is_for_now(const struct inspection *r)
{
    return r->outcome == INSPECTION_CREDIT ||
           (r->outcome == INSPECTION_NOBODY && r->error == EAGAIN);
}

static void code_facts_on_inspected(const struct inspection *r, void *arg)
{
    struct code_ask *const a = arg;
    struct code_facts *const c = a->owner;

    a->request = 0;
    if (code_facts_is_for_now(r)) {
        const struct timeval tv = clock_timeval(CODE_FACTS_AGAIN_MS);

        /* There will be room, or credit; the deadline bounds the attempts. */
        c->states[a->index] = CODE_UNSEEN;
        event_add(c->again, &tv);
        return;
    }
    c->found[a->index] = inspection_hold(r);
    c->states[a->index] = CODE_SETTLED;
    code_facts_step(c);
}

static struct code_ask *code_facts_free_ask(struct code_facts *c)
{
    for (size_t i = 0; i < LIMIT_CODE_AHEAD; i++) {
        if (c->asks[i].request == 0) {
            return &c->asks[i];
        }
    }
    return NULL;
}

static void code_facts_ask(struct code_facts *c, size_t index, const struct peer_exe *exe)
{
    struct code_ask *const a = code_facts_free_ask(c);

    c->states[index] = CODE_SETTLED;
    if (a) {
        a->owner = c;
        a->index = index;
        a->request = inspector_ask(c->settings.inspector, exe, &c->settings.who,
                                   c->settings.timeout_ms, code_facts_on_inspected, a);
        c->states[index] = a->request ? CODE_ASKED : CODE_SETTLED;
    }
}

static void code_facts_on_job(struct offload_job *job)
{
    struct code_job *const j = (struct code_job *)job;
    struct code_facts *const c = j->owner;

    c->job = NULL;
    if (j->n == 0) {
        code_facts_take_list(c, &j->list);
    }
    for (size_t i = 0; i < j->n; i++) {
        const size_t index = j->index[i];

        if (j->files[i].fd >= 0) {
            code_facts_ask(c, index, &j->files[i]);
        } else {
            c->list.items[index].kind = j->items[i].kind;
            c->list.items[index].unknown = j->items[i].unknown;
            c->states[index] = CODE_SETTLED;
        }
    }
    code_facts_job_free(j);
    code_facts_step(c);
}

/* Opens as many of the files that are not known as may be asked about. Returns false if none is. */
static bool code_facts_open_files(struct code_facts *c)
{
    struct code_job *j = NULL;
    size_t room = 0;

    for (size_t i = 0; i < LIMIT_CODE_AHEAD; i++) {
        room += c->asks[i].request == 0;
    }
    for (size_t i = 0; i < c->list.n && room > 0; i++) {
        if (c->states[i] != CODE_UNSEEN) {
            continue;
        }
        j = j ? j : code_facts_job_new(c);
        if (!j) {
            c->states[i] = CODE_SETTLED;
            continue;
        }
        j->index[j->n] = i;
        j->items[j->n] = c->list.items[i];
        j->items[j->n].path = NULL;
        j->n++;
        room--;
    }
    if (j) {
        code_facts_submit(c, j);
    }
    return j != NULL;
}

static bool code_facts_asks(const struct code_facts *c)
{
    for (size_t i = 0; i < LIMIT_CODE_AHEAD; i++) {
        if (c->asks[i].request) {
            return true;
        }
    }
    return false;
}

/* Does what is next: files, another list, or the end. Called from the loop. */
static void code_facts_step(struct code_facts *c)
{
    if (c->over || c->job || (!c->list.unknown.why && code_facts_open_files(c)) ||
        code_facts_asks(c)) {
        return;
    }
    if (c->wanted && c->fresh &&
        (c->clean || c->list.unknown.why || c->looks >= LIMIT_CODE_LOOKS)) {
        code_facts_over(c);
    } else if (c->wanted) {
        code_facts_list(c);
    }
}

static void code_facts_on_again(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    code_facts_step(arg);
}

static void code_facts_cancel(struct code_facts *c)
{
    for (size_t i = 0; i < LIMIT_CODE_AHEAD; i++) {
        if (c->asks[i].request) {
            inspector_forget(c->settings.inspector, c->asks[i].request);
            c->asks[i].request = 0;
        }
    }
    if (c->job) {
        offload_forget(c->settings.offload, &c->job->job);
        c->job = NULL;
    }
}

/* The time is over. What is not known stays unknown. */
static void code_facts_on_deadline(evutil_socket_t fd, short what, void *arg)
{
    static const char why[] = "looking at it took too long";
    struct code_facts *const c = arg;

    (void)fd;
    (void)what;
    code_facts_cancel(c);
    if (!c->fresh || c->list.n == 0) {
        code_facts_unknown(c, ETIMEDOUT, why);
    }
    for (size_t i = 0; i < c->list.n; i++) {
        if (c->states[i] != CODE_SETTLED) {
            c->list.items[i].unknown = (struct peer_unknown){.error = ETIMEDOUT, .why = why};
        }
    }
    c->fresh = c->clean = true;
    if (c->wanted) {
        code_facts_over(c);
    }
}

/* ---- the caller's side ---- */

struct code_facts *code_facts_new(const struct code_facts_settings *s, code_facts_fn *fn, void *arg)
{
    struct code_facts *const c = calloc(1, sizeof *c);
    const struct timeval tv = clock_timeval(s->timeout_ms);

    if (!c) {
        return NULL;
    }
    c->settings = *s;
    c->fn = fn;
    c->arg = arg;
    c->deadline = evtimer_new(s->base, code_facts_on_deadline, c);
    c->again = evtimer_new(s->base, code_facts_on_again, c);
    if (!c->deadline || !c->again) {
        code_facts_free(c);
        return NULL;
    }
    if (!peer_knows(s->peer, PEER_PIDFD)) {
        c->list.unknown = s->peer->unknown[PEER_PIDFD];
        c->fresh = true;
        return c;
    }
    event_add(c->deadline, &tv);
    code_facts_list(c);
    return c;
}

void code_facts_free(struct code_facts *c)
{
    if (!c) {
        return;
    }
    code_facts_cancel(c);
    code_facts_drop_list(c);
    if (c->deadline) {
        event_free(c->deadline);
    }
    if (c->again) {
        event_free(c->again);
    }
    free(c);
}

void code_facts_finish(struct code_facts *c)
{
    c->wanted = true;
    /* From the loop, since fn must not be called from here. */
    event_active(c->again, EV_TIMEOUT, 0);
}

const struct rules_mapped *code_facts_mapped(const struct code_facts *c)
{
    return &c->mapped;
}
