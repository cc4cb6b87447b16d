/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Sessions whose device is gone, until another process takes its place. */
#include "proxy/monitor/monitor_session_hold.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/members.h"
#include "base/sock.h"
#include "base/wire/wire_command.h"
#include "proxy/monitor/decision_again.h"
#include "proxy/monitor/devices/memory_link.h"
#include "proxy/monitor/devices/spawn.h"
#include "proxy/monitor/keep/state_fds.h"
#include "proxy/monitor/monitor_context.h"
#include "proxy/monitor/monitor_session.h"
#include "proxy/monitor/monitor_session_dial.h"
#include "proxy/monitor/monitor_session_peers.h"
#include "proxy/monitor/monitor_session_stop.h"
#include "proxy/monitor/routes/route.h"
#include "proxy/monitor/workers/worker_pool_message.h"
#include "proxy/monitor/workers/worker_pool_outbox.h"

struct monitor_session_hold {
    struct event dial;
    struct event deadline;
    unsigned pause_ms;
    struct decision_again again;
    struct memory_link memory;
};

static void monitor_session_hold_set(struct event *e, unsigned ms)
{
    const struct timeval tv = clock_timeval(ms);

    event_add(e, &tv);
}

/* Tries again after a pause. */
static void monitor_session_hold_pause(struct monitor_session_hold *h)
{
    monitor_session_hold_set(&h->dial, h->pause_ms);
    h->pause_ms =
        2 * h->pause_ms < LIMIT_HOLD_DIAL_MOST_MS ? 2 * h->pause_ms : LIMIT_HOLD_DIAL_MOST_MS;
}

/* Closes all that leads to a process that is gone, or was not taken. */
static void monitor_session_hold_forget(struct monitor_session *t, enum session_reason reason)
{
    monitor_session_forget_peer(t, SIDE_BACKEND);
    t->gone &= ~(1u << SIDE_BACKEND);
    sock_hang_up(&t->backend_fd);
    state_fds_drop(t->table->context->store, t->id, 1u << STATE_FD_BACKEND);
    t->kept_fds &= ~(1u << STATE_FD_BACKEND);
    if (t->device) {
        spawn_release(t->device, reason);
        t->device = NULL;
    }
    monitor_session_changed(t);
}

static void monitor_session_hold_dial(struct monitor_session *t)
{
    struct monitor_session_hold *const h = t->hold;
    const int fd = monitor_session_reach(t);

    if (fd < 0) {
        monitor_session_hold_pause(h);
        return;
    }
    t->backend_fd = fd;
    monitor_session_changed(t);
    if (!decision_again_begin(t, &h->again)) {
        monitor_session_hold_forget(t, REASON_NO_RESOURCES);
        monitor_session_hold_pause(h);
        return;
    }
    worker_pool_message_senders(t);
    worker_pool_attach(t);
    monitor_session_watch_backend(t);
}

static void monitor_session_hold_on_dial(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    monitor_session_hold_dial(arg);
}

static void monitor_session_hold_on_deadline(evutil_socket_t fd, short what, void *arg)
{
    struct monitor_session *const t = arg;
    const struct log_subject about = monitor_session_subject(t, "backend");

    (void)fd;
    (void)what;
    log_line(LOG_ERROR, &about,
             "no other process of the device came within %u ms: the session ends",
             t->config->hold_ms);
    (void)monitor_session_stop(t, REASON_BACKEND_LOST);
}

/* Puts the device's memory where its next process looks for it. */
static void monitor_session_hold_offer(struct monitor_session *t, const struct ipc_lost *l)
{
    const struct log_subject about = monitor_session_subject(t, "backend");
    char path[256];
    int err;

    if (!t->config->adopt || l->memory < 0 || !t->member) {
        return;
    }
    err = memory_link_make(&t->hold->memory, t->config->adopt, t->member->pid, l->memory);
    if (err) {
        log_escape(path, sizeof path, t->config->adopt, strlen(t->config->adopt));
        log_line(LOG_ERROR, &about, "its memory cannot be put at \"%s\" for the next process: %s",
                 path, strerror(-err));
    }
}

/* ---- from the worker ---- */

static void monitor_session_hold_on_lost(void *arg, struct monitor_session *t,
                                         const struct ipc_lost *l)
{
    const struct log_subject about = monitor_session_subject(t, "backend");
    struct monitor_session_hold *const h = calloc(1, sizeof *h);
    const char *const why = session_reason_word((enum session_reason)l->reason);

    (void)arg;
    monitor_session_hold_forget(t, (enum session_reason)l->reason);
    if (!h) {
        (void)monitor_session_stop(t, REASON_NO_RESOURCES);
        return;
    }
    t->hold = h;
    t->route->held++;
    h->pause_ms = LIMIT_HOLD_DIAL_MS;
    evtimer_assign(&h->dial, t->table->context->base, monitor_session_hold_on_dial, t);
    evtimer_assign(&h->deadline, t->table->context->base, monitor_session_hold_on_deadline, t);
    monitor_session_hold_offer(t, l);
    monitor_session_hold_set(&h->deadline, t->config->hold_ms);
    monitor_session_hold_set(&h->dial, 1);
    log_line(LOG_WARNING, &about,
             "its device is gone (%s): held for up to %u ms, with %" PRIu32 " request%s under way",
             why, t->config->hold_ms, l->requests, l->requests == 1 ? "" : "s");
    (void)audit_writer_note(
        &t->table->context->audit_writer, "backend-lost",
        members_object((const struct member[]){{"session", members_number(t->id)},
                                               {"route", json_string(t->config->name)},
                                               {"reason", json_string(why)},
                                               {"requests", members_number(l->requests)},
                                               {NULL, NULL}}));
}

static void monitor_session_hold_on_evidence(void *arg, struct monitor_session *t,
                                             const struct ipc_evidence *e)
{
    (void)arg;
    if (t->hold) {
        decision_again_heard(t, e);
    }
}

static void monitor_session_hold_free(struct monitor_session *t)
{
    struct monitor_session_hold *const h = t->hold;

    if (h) {
        evtimer_del(&h->dial);
        evtimer_del(&h->deadline);
        decision_again_end(t, &h->again);
        if (t->config->adopt) {
            memory_link_drop(&h->memory, t->config->adopt);
        }
        t->hold = NULL;
        free(h);
    }
}

static void monitor_session_hold_on_attached(void *arg, struct monitor_session *t,
                                             const struct ipc_attached *a)
{
    const struct log_subject about = monitor_session_subject(t, "backend");

    (void)arg;
    t->route->replaced++;
    t->route->held_ms += a->held_ms;
    t->migrates = MIGRATES_UNKNOWN;
    log_line(LOG_WARNING, &about,
             "goes on with another process of its device after %" PRIu32 " ms: %" PRIu32
             " maps, %" PRIu32 " fds and %" PRIu32 " requests in %" PRIu32 " ms; %" PRIu32
             " request%s answered with an error meanwhile",
             a->held_ms, a->maps, a->fds, a->requests, a->setup_ms, a->failed,
             a->failed == 1 ? " was" : "s were");
    monitor_session_hold_free(t);
}

const char *monitor_session_hold_differs(const struct ipc_difference *d, char *text, size_t size)
{
    const char *const command = wire_command_name((uint16_t)d->command);

    switch ((enum ipc_differs)d->what) {
    case IPC_DIFFERS_VERSION:
        snprintf(text, size, "VERSION: %s is %" PRIu64 ", %" PRIu64 " was promised", d->name,
                 d->has, d->had);
        break;
    case IPC_DIFFERS_INFO:
        snprintf(text, size,
                 "%s of %" PRIu32 ": byte %" PRIu32 " is 0x%" PRIx64 ", it was 0x%" PRIx64, command,
                 d->index, d->at, d->has, d->had);
        break;
    case IPC_DIFFERS_ERROR:
        snprintf(text, size, "%s: %s", command, strerror((int)d->has));
        break;
    case IPC_DIFFERS_STRAY:
        snprintf(text, size, "it sent %s instead of a reply", command);
        break;
    case IPC_DIFFERS_MEMORY:
        snprintf(text, size,
                 "its memory of region %" PRIu32 " is not that which the client has mapped",
                 d->index);
        break;
    case IPC_DIFFERS_SILENT:
        snprintf(text, size, "it did not take all that is set up in %u ms", LIMIT_REATTACH_MS);
        break;
    case IPC_DIFFERS_MIGRATION:
        snprintf(text, size, "%s: no migration by STOP_COPY", command);
        break;
    default:
        text[0] = '\0';
        break;
    }
    return text;
}

static void monitor_session_hold_on_detached(void *arg, struct monitor_session *t,
                                             const struct ipc_detached *d)
{
    const struct log_subject about = monitor_session_subject(t, "backend");
    struct monitor_session_hold *const h = t->hold;
    const char *const reason = session_reason_word((enum session_reason)d->reason);
    char text[192];

    (void)arg;
    monitor_session_hold_differs(&d->difference, text, sizeof text);
    if (!decision_again_denied(&h->again)) {
        /* A denial has been logged and recorded with its reason. */
        log_line(LOG_WARNING, &about, "another process of its device is not taken: %s%s%s", reason,
                 *text ? ": " : "", text);
        decision_again_note_refused(t, reason, text);
    }
    t->route->rejected++;
    decision_again_end(t, &h->again);
    monitor_session_hold_forget(t, (enum session_reason)d->reason);
    monitor_session_hold_pause(h);
}

static void monitor_session_hold_on_ended(void *arg, struct monitor_session *t,
                                          enum session_reason reason, const struct ipc_ended *what)
{
    (void)arg;
    (void)reason;
    (void)what;
    monitor_session_hold_free(t);
}

void monitor_session_hold_init(struct monitor_session_table *table)
{
    static const struct monitor_session_events events = {
        .lost = monitor_session_hold_on_lost,
        .evidence_again = monitor_session_hold_on_evidence,
        .attached = monitor_session_hold_on_attached,
        .detached = monitor_session_hold_on_detached,
        .ended = monitor_session_hold_on_ended};

    monitor_session_observe(table, &events, NULL);
}
