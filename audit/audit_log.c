/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The audit log for a loop that must not block: a queue in, results out, and a thread in between.
 * Once it runs, only the thread uses the file (audit_file.h).
 *
 *   append   queues a record, not to be written yet         caller's thread
 *   commit   marks all queued records, wakes the thread     caller's thread
 *   run      takes all marked records as one batch,         log's thread
 *            writes it, adds a result, makes the eventfd readable
 *   collect  takes the oldest result                        caller's thread
 */
#define _GNU_SOURCE
#include "audit/audit_log.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/sock.h"
#include "base/thread.h"
#include "base/unconst.h"
#include "audit/audit_file.h"
#include "audit/audit_fit.h"
#include "audit/audit_line.h"

struct entry {
    STAILQ_ENTRY(entry) link;
    uint64_t number;
    const struct audit_event *event;
    char time[AUDIT_TIME_SIZE + 1];
    size_t n;
    char *members; /* owned; n bytes of JSON */
};

STAILQ_HEAD(entries, entry);

struct result {
    STAILQ_ENTRY(result) link;
    struct audit_done done;
};

STAILQ_HEAD(results, result);

/* Records missing from the log, from the first to the last. */
struct lost {
    uint64_t n;
    char first[AUDIT_TIME_SIZE + 1];
    char last[AUDIT_TIME_SIZE + 1];
    uint64_t by_event[AUDIT_EVENTS_MAX]; /* by index in audit_events */
};

struct audit_log {
    struct audit_file file; /* used by the thread while it runs */
    pthread_t thread;
    int done_fd;
    uint64_t last_number;   /* used by the caller */
    pthread_mutex_t lock;   /* protects everything below */
    pthread_cond_t wake;    /* uses CLOCK_MONOTONIC */
    struct entries queue;   /* not committed */
    struct entries wanted;  /* committed; the thread takes them all at once */
    struct results results; /* not collected */
    unsigned queued;        /* in both queues or being written by the thread */
    uint64_t size;          /* records on disk */
    bool broken;
    bool closing;
    struct audit_done last;           /* the last result added */
    struct lost lost;                 /* not recorded yet */
    uint64_t due_ms;                  /* when to write without a commit; 0 for never */
    json_t *host;                     /* used by the caller; may be NULL */
    char latest[AUDIT_TIME_SIZE + 1]; /* at the time of opening; used by the caller */
};

/* ---- lost records ---- */

static void audit_log_lost_add(struct lost *l, const struct audit_event *event, const char *time)
{
    memcpy(l->last, time, sizeof l->last);
    if (l->n == 0) {
        memcpy(l->first, time, sizeof l->first);
    }
    l->n++;
    l->by_event[event - audit_events]++;
}

/* Adds losses that happened later. */
static void audit_log_lost_merge(struct lost *l, const struct lost *later)
{
    if (later->n == 0) {
        return;
    }
    if (l->n == 0) {
        memcpy(l->first, later->first, sizeof l->first);
    }
    memcpy(l->last, later->last, sizeof l->last);
    l->n += later->n;
    for (size_t i = 0; i < AUDIT_EVENTS_MAX; i++) {
        l->by_event[i] += later->by_event[i];
    }
}

/* Returns the members of records-lost, or NULL if out of memory. */
static json_t *audit_log_lost_members(const struct lost *l)
{
    json_t *const events = json_object();

    for (size_t i = 0; events && audit_events[i].name; i++) {
        if (l->by_event[i] > 0 &&
            json_object_set_new(events, audit_events[i].name,
                                json_integer((json_int_t)l->by_event[i])) < 0) {
            json_decref(events);
            return NULL;
        }
    }
    return json_pack("{s:I, s:s, s:s, s:o}", "count", (json_int_t)l->n, "first", l->first, "last",
                     l->last, "events", events);
}

/* ---- the thread ---- */

static void audit_log_free_entries(struct entries *list)
{
    struct entry *e;

    while ((e = STAILQ_FIRST(list))) {
        STAILQ_REMOVE_HEAD(list, link);
        free(e->members);
        free(e);
    }
}

/* One turn of the thread. */
struct work {
    struct entries batch;
    unsigned n; /* entries in batch */
    bool seal;
    char time[AUDIT_TIME_SIZE + 1]; /* for the log's own records; no entry is earlier */
    struct lost lost;               /* recorded before the entries */
    struct audit_done done;
};

/*
 * Takes the entries to be written from the log. An entry earlier than the one before begins a batch
 * of its own: a clock-set-back record precedes it, and the records that one result reports must be
 * consecutive. Called with the lock held.
 */
static void audit_log_work_take(struct audit_log *log, struct work *w)
{
    const struct entry *before = NULL;
    struct entry *e;

    STAILQ_INIT(&w->batch);
    w->n = 0;
    w->seal = log->closing || (log->due_ms && clock_ms() >= log->due_ms);
    w->lost = log->lost;
    log->lost = (struct lost){.n = 0};
    w->done = (struct audit_done){.upto = log->last.upto};
    e = STAILQ_FIRST(&log->wanted) ? STAILQ_FIRST(&log->wanted) : STAILQ_FIRST(&log->queue);
    if (e) {
        memcpy(w->time, e->time, sizeof w->time);
    } else {
        audit_line_now(w->time);
    }
    while ((e = STAILQ_FIRST(&log->wanted)) && !(before && strcmp(e->time, before->time) < 0)) {
        STAILQ_REMOVE_HEAD(&log->wanted, link);
        STAILQ_INSERT_TAIL(&w->batch, e, link);
        w->done.upto = e->number;
        w->n++;
        before = e;
    }
}

/* Writes the batch; sets the outcome in w->done. */
static void audit_log_work_write(struct audit_file *f, struct work *w)
{
    struct entry *e;
    int err = 0;

    if (w->lost.n > 0) {
        err = audit_file_add_clock(f, w->time);
    }
    if (w->lost.n > 0 && err == 0) {
        err = audit_file_add_own(f, w->time, AUDIT_LOST, audit_log_lost_members(&w->lost));
    }
    STAILQ_FOREACH(e, &w->batch, link)
    {
        if (err == 0) {
            err = audit_file_add(f, e->time, e->event, e->members, e->n);
            w->done.seq = f->batch.tree.size - 1;
        }
    }
    if (err < 0) {
        /* Single records cannot be removed from the file's batch. */
        w->done.outcome = AUDIT_BROKEN;
        w->done.error = -err;
        return;
    }
    audit_file_commit(f, w->seal, &w->done);
}

static void audit_log_wake_caller(const struct audit_log *log)
{
    const uint64_t one = 1;

    /* Fails only if the eventfd is readable already. */
    while (write(log->done_fd, &one, sizeof one) < 0 && errno == EINTR) {
    }
}

/*
 * The batch is lost: counts it before the losses that happened meanwhile. Called with the lock
 * held.
 */
static void log_lose(struct audit_log *log, struct work *w)
{
    const struct lost meanwhile = log->lost;
    const struct entry *e;

    STAILQ_FOREACH(e, &w->batch, link)
    {
        audit_log_lost_add(&w->lost, e->event, e->time);
    }
    audit_log_lost_merge(&w->lost, &meanwhile);
    log->lost = w->lost;
}

/* Sets the time for the next write without a commit. Called with the lock held. */
static void log_set_due(struct audit_log *log)
{
    const struct audit_end *end = &log->file.on_disk;
    const bool all_sealed = log->lost.n == 0 && end->sealed == end->tree.size;

    if (log->broken || all_sealed) {
        log->due_ms = 0;
    } else if (log->lost.n > 0) {
        log->due_ms = clock_ms() + AUDIT_RETRY_MS;
    } else if (!log->due_ms || log->last.outcome != AUDIT_DURABLE) {
        log->due_ms = clock_ms() + AUDIT_SEAL_MS;
    }
}

/*
 * Called with the lock held. The memory for a result is allocated before its batch, so that no
 * result gets lost.
 */
static void audit_log_add_result(struct audit_log *log, struct result *r, struct work *w)
{
    if (w->done.outcome != AUDIT_DURABLE) {
        log_lose(log, w);
    }
    log->last = w->done;
    log->queued -= w->n;
    log->size = log->file.on_disk.tree.size;
    log->broken = log->broken || w->done.outcome == AUDIT_BROKEN;
    log_set_due(log);
    if (w->n == 0) {
        free(r);
        return;
    }
    r->done = w->done;
    STAILQ_INSERT_TAIL(&log->results, r, link);
    audit_log_wake_caller(log);
}

/* Processes one batch. Called with the lock held, which is released while the disk is busy. */
static void audit_log_turn(struct audit_log *log, struct result *r)
{
    struct work w;

    audit_log_work_take(log, &w);
    if (log->broken) {
        w.done.outcome = AUDIT_BROKEN;
        w.done.error = log->last.error;
        w.done.touched = log->last.touched;
    } else {
        pthread_mutex_unlock(&log->lock);
        audit_log_work_write(&log->file, &w);
        pthread_mutex_lock(&log->lock);
    }
    audit_log_add_result(log, r, &w);
    audit_log_free_entries(&w.batch);
}

/* Waits until there is something to write. Called with the lock held. */
static void log_wait(struct audit_log *log)
{
    while (STAILQ_EMPTY(&log->wanted) && !log->closing) {
        const struct timespec due = {.tv_sec = (time_t)(log->due_ms / 1000),
                                     .tv_nsec = (long)(log->due_ms % 1000) * 1000000};

        if (!log->due_ms) {
            pthread_cond_wait(&log->wake, &log->lock);
        } else if (pthread_cond_timedwait(&log->wake, &log->lock, &due) == ETIMEDOUT) {
            return;
        }
    }
}

static void *audit_log_run(void *arg)
{
    struct audit_log *const log = arg;
    struct result *r = NULL;

    pthread_mutex_lock(&log->lock);
    for (;;) {
        bool last;

        log_wait(log);
        while (!(r = malloc(sizeof *r))) {
            /* A result must be reported; 40 bytes of memory will become available. */
            pthread_mutex_unlock(&log->lock);
            nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
            pthread_mutex_lock(&log->lock);
        }
        /* Nothing is appended any more to a log that is closing. */
        last = log->closing;
        audit_log_turn(log, r);
        if (last && STAILQ_EMPTY(&log->wanted)) {
            break;
        }
    }
    pthread_mutex_unlock(&log->lock);
    return NULL;
}

/* ---- the caller ---- */

enum audit_open audit_log_open(struct audit_log **out, const struct audit_settings *settings,
                               struct audit_fault *why)
{
    struct audit_log *const log = calloc(1, sizeof *log);
    pthread_condattr_t monotonic;
    enum audit_open o;

    *out = NULL;
    *why = (struct audit_fault){.error = ENOMEM, .text = "out of memory"};
    if (!log) {
        return AUDIT_OPEN_SYSTEM;
    }
    o = audit_file_open(&log->file, settings, why);
    if (o != AUDIT_OPEN_OK) {
        free(log);
        return o;
    }
    STAILQ_INIT(&log->queue);
    STAILQ_INIT(&log->wanted);
    STAILQ_INIT(&log->results);
    pthread_mutex_init(&log->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&log->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    log->host = log->file.host;
    memcpy(log->latest, log->file.on_disk.latest, sizeof log->latest);
    log->size = log->file.on_disk.tree.size;
    log->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    why->error = log->done_fd < 0 ? errno : thread_start(&log->thread, audit_log_run, log);
    if (why->error) {
        snprintf(why->text, sizeof why->text, "starting the log: %s", strerror(why->error));
        sock_close(&log->done_fd);
        audit_file_deinit(&log->file);
        free(log);
        return AUDIT_OPEN_SYSTEM;
    }
    *out = log;
    return AUDIT_OPEN_OK;
}

static bool audit_log_fields_ok(const struct audit_event *e, const json_t *fields)
{
    static const char *const ours[] = {"seq", "time", "prev", "event", "host"};

    if (!e || e->own || !json_is_object(fields)) {
        return false;
    }
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        if (json_object_get(fields, ours[i])) {
            return false;
        }
    }
    for (size_t i = 0; e->members[i]; i++) {
        if (!json_object_get(fields, e->members[i])) {
            return false;
        }
    }
    return true;
}

/* Returns the fields and the host as text, cut if too long, to be freed; or NULL. */
static char *audit_log_members_of(json_t *host, const json_t *fields, int *too_long)
{
    const size_t max = AUDIT_LINE_MAX - AUDIT_HEAD_MAX;
    json_t *o = json_copy(unconst_pointer(fields));
    char *text = NULL;

    *too_long = 0;
    if (o && (!host || json_object_set(o, "host", host) == 0)) {
        text = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
    }
    if (text && strlen(text) > max) {
        json_t *const copy = json_deep_copy(o);

        free(text);
        text = copy ? audit_fit(copy, max, too_long) : NULL;
        json_decref(copy);
    }
    json_decref(o);
    return text;
}

static int audit_log_new_entry(const struct audit_log *log, const struct audit_event *event,
                               const json_t *fields, struct entry **out)
{
    struct entry *const e = calloc(1, sizeof *e);
    int too_long = 0;

    if (!e) {
        return -ENOMEM;
    }
    e->event = event;
    e->members = audit_log_members_of(log->host, fields, &too_long);
    if (!e->members) {
        free(e);
        return too_long ? -EMSGSIZE : -ENOMEM;
    }
    e->n = strlen(e->members);
    *out = e;
    return 0;
}

/*
 * Queues an entry with its time. Called with the lock held, so that times follow the queue's order.
 */
static int log_queue(struct audit_log *log, struct entry *e, uint64_t *number)
{
    if (log->broken) {
        return -EIO;
    }
    if (log->queued >= AUDIT_QUEUE_MAX) {
        return -ENOBUFS;
    }
    audit_line_now(e->time);
    e->number = ++log->last_number;
    log->queued++;
    if (number) {
        *number = e->number;
    }
    STAILQ_INSERT_TAIL(&log->queue, e, link);
    return 0;
}

/* Counts a record as lost that could not even be queued. Called with the lock held. */
static void log_lose_one(struct audit_log *log, const struct audit_event *event)
{
    char time[AUDIT_TIME_SIZE + 1];

    audit_line_now(time);
    audit_log_lost_add(&log->lost, event, time);
    if (!log->due_ms && !log->broken) {
        log->due_ms = clock_ms() + AUDIT_RETRY_MS;
        pthread_cond_signal(&log->wake);
    }
}

int audit_log_append(struct audit_log *log, const char *event, const json_t *fields,
                     uint64_t *number)
{
    const struct audit_event *const known = audit_event_find(event, strlen(event));
    struct entry *e = NULL;
    int err = 0;

    if (!audit_log_fields_ok(known, fields)) {
        return -EINVAL;
    }
    err = audit_log_new_entry(log, known, fields, &e);
    pthread_mutex_lock(&log->lock);
    if (err == 0) {
        err = log_queue(log, e, number);
    }
    if (err < 0) {
        log_lose_one(log, known);
    }
    pthread_mutex_unlock(&log->lock);
    if (err < 0 && e) {
        free(e->members);
        free(e);
    }
    return err;
}

void audit_log_commit(struct audit_log *log)
{
    pthread_mutex_lock(&log->lock);
    if (!STAILQ_EMPTY(&log->queue)) {
        STAILQ_CONCAT(&log->wanted, &log->queue);
        pthread_cond_signal(&log->wake);
    }
    pthread_mutex_unlock(&log->lock);
}

int audit_log_fd(const struct audit_log *log)
{
    return log->done_fd;
}

bool audit_log_collect(struct audit_log *log, struct audit_done *out)
{
    struct result *r;
    uint64_t count;

    pthread_mutex_lock(&log->lock);
    r = STAILQ_FIRST(&log->results);
    if (r) {
        STAILQ_REMOVE_HEAD(&log->results, link);
        *out = r->done;
        free(r);
    } else if (read(log->done_fd, &count, sizeof count) < 0) {
        /* Not readable: no result was added since. */
    }
    pthread_mutex_unlock(&log->lock);
    return r != NULL;
}

uint64_t audit_log_size(const struct audit_log *log)
{
    /* The lock is not part of the log's logical state. */
    pthread_mutex_t *const lock = unconst_pointer(&log->lock);
    uint64_t size;

    pthread_mutex_lock(lock);
    size = log->size;
    pthread_mutex_unlock(lock);
    return size;
}

bool audit_log_recovered(const struct audit_log *log, struct audit_recovered *out)
{
    const struct audit_file *const f = &log->file;

    *out = (struct audit_recovered){.bytes = f->torn_bytes,
                                    .unsealed = f->unsealed,
                                    .torn_path = f->torn_bytes > 0 ? f->torn_path : NULL};
    return f->recovered;
}

const char *audit_log_latest(const struct audit_log *log)
{
    return log->latest;
}

enum audit_outcome audit_log_close(struct audit_log *log, int *error)
{
    struct audit_done last;
    struct result *r;

    if (!log) {
        return AUDIT_DURABLE;
    }
    pthread_mutex_lock(&log->lock);
    STAILQ_CONCAT(&log->wanted, &log->queue);
    log->closing = true;
    pthread_cond_signal(&log->wake);
    pthread_mutex_unlock(&log->lock);
    pthread_join(log->thread, NULL);
    last = log->last;
    if (error) {
        *error = last.error;
    }
    while ((r = STAILQ_FIRST(&log->results))) {
        STAILQ_REMOVE_HEAD(&log->results, link);
        free(r);
    }
    sock_close(&log->done_fd);
    audit_file_deinit(&log->file);
    pthread_mutex_destroy(&log->lock);
    pthread_cond_destroy(&log->wake);
    free(log);
    return last.outcome;
}
