/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The audit log for a loop that must not block: a queue in, results out, and a thread between them
 * that alone touches the file (audit_file.h) once it runs.
 *
 *   append   queue, marked as not to be written yet         the caller's thread
 *   commit   marks all of it, wakes the thread              the caller's thread
 *   run      takes all that is marked as one batch,         the log's thread
 *            writes it, adds a result, makes the eventfd readable
 *   collect  takes the oldest result                        the caller's thread
 */
#define _GNU_SOURCE
#include "policy/audit_log.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sock.h"
#include "policy/audit_file.h"
#include "policy/audit_line.h"

/* Foreign text in a record, at the most. */
#define TEXT_MAX 4096

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

struct audit_log {
    struct audit_file file; /* the thread's, while it runs */
    pthread_t thread;
    int done_fd;
    uint64_t last_number; /* the caller's */
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t wake;
    struct entries queue;   /* not committed */
    struct entries wanted;  /* committed; the thread takes them all at once */
    struct results results; /* not collected */
    unsigned queued;        /* in both queues, and with the thread */
    uint64_t size;          /* records on disk */
    bool broken;
    bool closing;
    struct audit_done last; /* the result that was added last */
};

json_t *audit_text(const void *p, size_t n)
{
    char text[TEXT_MAX];

    return json_string(log_escape(text, sizeof text, p, n));
}

/* ---- the thread ---- */

static void free_entries(struct entries *list)
{
    struct entry *e;

    while ((e = STAILQ_FIRST(list))) {
        STAILQ_REMOVE_HEAD(list, link);
        free(e->members);
        free(e);
    }
}

/* Writes a batch. How many it was is in *n, how it went in *done. */
static void write_batch(struct audit_log *log, struct entries *batch, bool seal, unsigned *n,
                        struct audit_done *done)
{
    struct entry *e;
    int err = 0;

    *n = 0;
    STAILQ_FOREACH(e, batch, link)
    {
        done->upto = e->number;
        done->seq = log->file.batch.tree.size;
        ++*n;
        if (err == 0) {
            err = audit_file_add(&log->file, e->time, e->event, e->members, e->n);
        }
    }
    if (err < 0) {
        /* What is in the file's batch cannot be taken back one by one. */
        done->outcome = AUDIT_BROKEN;
        done->error = -err;
        return;
    }
    done->outcome = audit_file_commit(&log->file, seal, &done->error);
}

static void wake_caller(const struct audit_log *log)
{
    const uint64_t one = 1;

    /* It only ever fails where it is readable already. */
    while (write(log->done_fd, &one, sizeof one) < 0 && errno == EINTR) {
    }
}

/* Under the lock. Each result's memory comes with its batch, so that none can be lost. */
static void add_result(struct audit_log *log, struct result *r, const struct audit_done *done,
                       unsigned n)
{
    log->last = *done;
    log->queued -= n;
    log->size = log->file.on_disk.tree.size;
    log->broken = log->broken || done->outcome == AUDIT_BROKEN;
    if (n == 0) {
        free(r);
        return;
    }
    r->done = *done;
    STAILQ_INSERT_TAIL(&log->results, r, link);
    wake_caller(log);
}

/* One batch. Under the lock, which is let go while the disk is waited for. */
static void turn(struct audit_log *log, struct result *r)
{
    struct audit_done done = {.upto = log->last.upto};
    struct entries batch = STAILQ_HEAD_INITIALIZER(batch);
    const bool seal = log->closing;
    const bool broken = log->broken;
    unsigned n = 0;

    STAILQ_CONCAT(&batch, &log->wanted);
    pthread_mutex_unlock(&log->lock);
    if (broken) {
        struct entry *e;

        done.outcome = AUDIT_BROKEN;
        done.error = log->last.error;
        STAILQ_FOREACH(e, &batch, link)
        {
            done.upto = e->number;
            n++;
        }
    } else {
        write_batch(log, &batch, seal, &n, &done);
    }
    free_entries(&batch);
    pthread_mutex_lock(&log->lock);
    add_result(log, r, &done, n);
}

static void *run(void *arg)
{
    struct audit_log *const log = arg;
    struct result *r = NULL;

    pthread_mutex_lock(&log->lock);
    for (;;) {
        bool closing;

        while (STAILQ_EMPTY(&log->wanted) && !log->closing) {
            pthread_cond_wait(&log->wake, &log->lock);
        }
        closing = log->closing;
        while (!(r = malloc(sizeof *r))) {
            /* A result must be told; memory for 40 bytes comes back. */
            pthread_mutex_unlock(&log->lock);
            nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
            pthread_mutex_lock(&log->lock);
        }
        turn(log, r);
        if (closing) {
            break;
        }
    }
    pthread_mutex_unlock(&log->lock);
    return NULL;
}

/* ---- the caller ---- */

/* Starts the thread with all signals blocked: they are the caller's. 0 or an errno. */
static int start(struct audit_log *log)
{
    sigset_t all;
    sigset_t before;
    int err;

    sigfillset(&all);
    err = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (err == 0) {
        err = pthread_create(&log->thread, NULL, run, log);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    return err;
}

enum audit_open audit_log_open(struct audit_log **out, const struct audit_settings *settings,
                               struct audit_fault *why)
{
    struct audit_log *const log = calloc(1, sizeof *log);
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
    pthread_cond_init(&log->wake, NULL);
    log->size = log->file.on_disk.tree.size;
    log->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    why->error = log->done_fd < 0 ? errno : start(log);
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

static bool fields_ok(const struct audit_event *e, const json_t *fields)
{
    static const char *const ours[] = {"seq", "time", "prev", "event"};

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

static int new_entry(const struct audit_event *event, const json_t *fields, struct entry **out)
{
    struct timespec now;
    struct entry *const e = calloc(1, sizeof *e);

    if (!e) {
        return -ENOMEM;
    }
    e->event = event;
    e->members = json_dumps(fields, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
    e->n = e->members ? strlen(e->members) : 0;
    if (!e->members || e->n > AUDIT_LINE_MAX - AUDIT_HEAD_MAX) {
        const int err = e->members ? -EMSGSIZE : -ENOMEM;

        free(e->members);
        free(e);
        return err;
    }
    clock_gettime(CLOCK_REALTIME, &now);
    audit_line_time(&now, e->time);
    *out = e;
    return 0;
}

int audit_log_append(struct audit_log *log, const char *event, const json_t *fields,
                     uint64_t *number)
{
    const struct audit_event *const known = audit_event_find(event, strlen(event));
    struct entry *e = NULL;
    int err = 0;

    if (!fields_ok(known, fields)) {
        return -EINVAL;
    }
    err = new_entry(known, fields, &e);
    if (err < 0) {
        return err;
    }
    pthread_mutex_lock(&log->lock);
    if (log->broken) {
        err = -EIO;
    } else if (log->queued >= AUDIT_QUEUE_MAX) {
        err = -ENOBUFS;
    } else {
        e->number = ++log->last_number;
        log->queued++;
        if (number) {
            *number = e->number;
        }
        STAILQ_INSERT_TAIL(&log->queue, e, link);
    }
    pthread_mutex_unlock(&log->lock);
    if (err < 0) {
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
        /* Not readable: nothing was told since. */
    }
    pthread_mutex_unlock(&log->lock);
    return r != NULL;
}

uint64_t audit_log_size(const struct audit_log *log)
{
    /* The lock is no part of what the log is. */
    pthread_mutex_t *const lock = (pthread_mutex_t *)&log->lock;
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
