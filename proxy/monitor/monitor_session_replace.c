/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A replacement as the monitor has it: two sockets and a verdict. */
#include "proxy/monitor/monitor_session_replace.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/members.h"
#include "base/sock.h"
#include "base/wire/wire_names.h"
#include "proxy/ipc/setup_lack.h"
#include "proxy/monitor/decision_again.h"
#include "proxy/monitor/devices/spawn.h"
#include "proxy/monitor/facts/facts_pack.h"
#include "proxy/monitor/keep/state_fds.h"
#include "proxy/monitor/monitor_context.h"
#include "proxy/monitor/monitor_session.h"
#include "proxy/monitor/monitor_session_hold.h"
#include "proxy/monitor/monitor_session_peers.h"
#include "proxy/monitor/monitor_session_stop.h"
#include "proxy/monitor/relook.h"
#include "proxy/monitor/routes/route.h"
#include "proxy/monitor/workers/worker_pool_message.h"
#include "proxy/monitor/workers/worker_pool_outbox.h"

struct monitor_session_replace {
    struct monitor_session_successor other; /* first: t->successor points to it */
    struct decision_again again;
    struct monitor_session_replace_request request;
    struct event limit; /* of the worker's report */
};

static struct monitor_session_replace *monitor_session_replace_of(struct monitor_session *t)
{
    return (struct monitor_session_replace *)t->successor;
}

const char *monitor_session_replace_lack(const struct monitor_session *t)
{
    if (config_route_mappable(t->config) == CONFIG_MAPPABLE_PASS) {
        return "its route shares BAR memory with the client: it needs \"mappable strip\" or "
               "\"mappable adopt\"";
    }
    if (t->hold) {
        return setup_lack_text(SETUP_LACKS_DEVICE);
    }
    if (t->successor) {
        return "its device is being replaced already";
    }
    if (t->state != SESSION_RELAYING || !t->member) {
        return "it does not relay";
    }
    /* Its worker's report may be of a time when it was held; the other reasons stay. */
    return t->replace_lack == SETUP_KEPT || t->replace_lack == SETUP_LACKS_DEVICE
               ? NULL
               : setup_lack_text((enum setup_lack)t->replace_lack);
}

/* Notes what an attempt has found out about the device that serves in the end. */
static void monitor_session_replace_note(struct monitor_session *t, const struct ipc_replaced *r)
{
    const bool asked = r->outcome != REPLACE_REFUSED || r->failed > REPLACE_ASKS_OLD;

    if (asked) {
        t->migrates = MIGRATES;
    } else if (r->failed == REPLACE_ASKS_OLD && (r->difference.what == IPC_DIFFERS_MIGRATION ||
                                                 r->difference.what == IPC_DIFFERS_ERROR)) {
        t->migrates = MIGRATES_NOT;
    }
}

/* Exchanges what the session has of its device for what is known of the other process. */
static void monitor_session_replace_exchange(struct monitor_session *t)
{
    struct monitor_session_successor *const o = t->successor;
    const int fd = t->backend_fd;
    struct spawned *const device = t->device;
    const struct sender_check_settings senders = t->senders;

    t->backend_fd = o->fd;
    t->device = o->device;
    t->senders = o->senders;
    o->fd = fd;
    o->device = device;
    o->senders = senders;
}

/* ---- the outcome ---- */

static json_t *monitor_session_replace_steps(const struct ipc_replaced *r)
{
    json_t *const steps = json_object();

    for (uint32_t i = 0; i < REPLACE_ENDS; i++) {
        if (r->steps_us[i] > 0) {
            (void)json_object_set_new(steps, replace_step_word(i), members_number(r->steps_us[i]));
        }
    }
    return steps;
}

/* Describes why it has failed, in text, and returns text. */
static const char *monitor_session_replace_why(const struct ipc_replaced *r, char *text,
                                               size_t size)
{
    const char *const state = wire_name_of(wire_mig_states, r->difference.index);

    if (r->lack != SETUP_KEPT) {
        snprintf(text, size, "%s", setup_lack_text((enum setup_lack)r->lack));
    } else if (r->difference.what == IPC_DIFFERS_ERROR && state && r->difference.index > 0) {
        snprintf(text, size, "%s: %s", state, strerror((int)r->difference.has));
    } else if (r->difference.what != IPC_DIFFERS_NOT) {
        monitor_session_hold_differs(&r->difference, text, size);
    } else {
        snprintf(text, size, "%s",
                 r->reason != REASON_NONE ? session_reason_word((enum session_reason)r->reason)
                                          : "a process has closed its socket");
    }
    return text;
}

/* Returns the backend in these facts as text: its executable and pid. Takes facts. */
static json_t *monitor_session_replace_name_take(json_t *facts)
{
    const json_t *const backend = json_object_get(facts, "backend");
    const char *const exe =
        json_string_value(json_object_get(json_object_get(backend, "exe"), "path"));
    const json_t *const pid = json_object_get(backend, "pid");
    json_t *const name = pid ? json_sprintf("%s (pid %" JSON_INTEGER_FORMAT ")",
                                            exe ? exe : "unknown", json_integer_value(pid))
                             : json_string(exe ? exe : "unknown");

    json_decref(facts);
    return name;
}

static json_t *monitor_session_replace_record(const struct monitor_session *t,
                                              const struct ipc_replaced *r, const char *why)
{
    const struct monitor_session_replace *const p = (const void *)t->successor;
    const bool good = r->outcome == REPLACE_DONE || r->outcome == REPLACE_COULD;

    return members_object((const struct member[]){
        {"session", members_number(t->id)},
        {"route", json_string(t->config->name)},
        {"outcome", json_string(replace_outcome_word(r->outcome))},
        {"dry-run", p->other.dry ? json_true() : &members_omitted},
        {"before", monitor_session_replace_name_take(monitor_session_facts(t))},
        {"after", p->again.facts ? monitor_session_replace_name_take(facts_unpack(p->again.facts))
                                 : &members_omitted},
        {"uid", members_number((uint64_t)p->request.uid)},
        {"failed", good ? &members_omitted : json_string(replace_step_word(r->failed))},
        {"why", good ? &members_omitted : json_string(why)},
        {"pause-us", members_number(r->pause_us)},
        {"state-bytes", members_number(r->bytes)},
        {"maps", members_number(r->maps)},
        {"fds", members_number(r->fds)},
        {"steps-us", monitor_session_replace_steps(r)},
        {NULL, NULL}});
}

static void monitor_session_replace_log(const struct monitor_session *t,
                                        const struct ipc_replaced *r, const char *why)
{
    const struct log_subject about = monitor_session_subject(t, "backend");

    if (r->outcome == REPLACE_DONE) {
        log_line(LOG_WARNING, &about,
                 "device replaced by another process: its client waited for %" PRIu32
                 " us; %" PRIu64 " bytes of state, %" PRIu32 " maps, %" PRIu32 " fds",
                 r->pause_us, r->bytes, r->maps, r->fds);
    } else if (r->outcome == REPLACE_COULD) {
        log_line(LOG_INFO, &about, "device could be replaced: its client waited for %" PRIu32 " us",
                 r->pause_us);
    } else {
        log_line(LOG_WARNING, &about, "device not replaced: %s at step \"%s\": %s",
                 replace_outcome_word(r->outcome), replace_step_word(r->failed), why);
    }
}

/* Closes what is left of it, and answers the client that has asked. */
static void monitor_session_replace_end(struct monitor_session *t, json_t *record)
{
    struct monitor_session_replace *const p = monitor_session_replace_of(t);

    evtimer_del(&p->limit);
    decision_again_end(t, &p->again);
    free(p->again.facts);
    sock_hang_up(&p->other.fd);
    if (p->other.device) {
        spawn_release(p->other.device, REASON_OPERATOR);
    }
    t->successor = NULL;
    t->unsent &= ~(1u << IPC_REPLACE);
    if (p->request.fn) {
        p->request.fn(p->request.arg, record ? json_pack("{s:O}", "replacement", record) : NULL);
    }
    json_decref(record);
    free(p);
}

/* The session has the other process from now on. */
static void monitor_session_replace_take_over(struct monitor_session *t,
                                              const struct ipc_replaced *r)
{
    struct monitor_session_replace *const p = monitor_session_replace_of(t);
    const bool gone = t->gone & (1u << SIDE_BACKEND);

    monitor_session_forget_peer(t, SIDE_BACKEND);
    t->gone &= ~(1u << SIDE_BACKEND);
    if (gone) {
        /* The worker may take the end of the old process for that of the new one. */
        worker_pool_peer_gone(t);
    }
    state_fds_drop(t->table->context->store, t->id, 1u << STATE_FD_BACKEND);
    t->kept_fds &= ~(1u << STATE_FD_BACKEND);
    monitor_session_replace_exchange(t);
    if (p->again.facts) {
        free(t->facts);
        t->facts = p->again.facts;
        p->again.facts = NULL;
    }
    monitor_session_watch_backend(t);
    monitor_session_changed(t);
    t->route->replacements++;
    t->route->pause_us += r->pause_us;
}

static void monitor_session_replace_on_replaced(void *arg, struct monitor_session *t,
                                                const struct ipc_replaced *r)
{
    struct monitor_session_replace *const p = monitor_session_replace_of(t);
    char text[192];
    json_t *record;

    (void)arg;
    if (!p) {
        /* Given up here, as when the device was lost; or an earlier monitor's, which had the new
         * process's socket. */
        if (r->outcome == REPLACE_DONE) {
            (void)monitor_session_stop(t, REASON_MONITOR_GONE);
        }
        return;
    }
    /* A denial has been logged and recorded with its reason. */
    (void)monitor_session_replace_why(r, text, sizeof text);
    record = monitor_session_replace_record(t, r, text);
    monitor_session_replace_log(t, r, text);
    (void)audit_writer_note(&t->table->context->audit_writer, "replacement", json_incref(record));
    relook_end_successor(t, r->outcome == REPLACE_DONE);
    monitor_session_replace_note(t, r);
    if (r->outcome == REPLACE_DONE) {
        monitor_session_replace_take_over(t, r);
    } else {
        t->route->rejected += !p->other.dry;
    }
    monitor_session_replace_end(t, record);
}

/* ---- the beginning ---- */

static void monitor_session_replace_on_evidence(void *arg, struct monitor_session *t,
                                                const struct ipc_evidence *e)
{
    (void)arg;
    if (t->successor) {
        decision_again_heard(t, e);
    }
}

/* Its worker, which limits each step, has not reported the end. Which device serves is unknown. */
static void monitor_session_replace_on_limit(evutil_socket_t fd, short what, void *arg)
{
    struct monitor_session *const t = arg;
    const struct log_subject about = monitor_session_subject(t, "backend");

    (void)fd;
    (void)what;
    log_line(LOG_WARNING, &about, "its worker has not reported how the replacement has ended");
    (void)monitor_session_stop(t, REASON_WORKER_HUNG);
}

static void monitor_session_replace_set_limit(struct monitor_session *t)
{
    struct event *const limit = &monitor_session_replace_of(t)->limit;
    const struct timeval tv = clock_timeval(t->config->handshake_ms + LIMIT_REPLACE_MS +
                                            LIMIT_REPLACE_BACK_MS + LIMIT_REPLACE_REPORT_MS);

    evtimer_assign(limit, t->table->context->base, monitor_session_replace_on_limit, t);
    evtimer_add(limit, &tv);
}

/* Makes the socket one for a worker. Returns NULL, or what is wrong with it. */
static const char *monitor_session_replace_check(int fd)
{
    struct sockaddr_un peer;
    socklen_t n = sizeof peer;

    if (!sock_is_unix_stream(fd) || getpeername(fd, (struct sockaddr *)&peer, &n) < 0) {
        return "its descriptor is not a connected AF_UNIX stream socket";
    }
    if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0 || sock_pass_sender(fd, true) < 0) {
        return "its socket cannot be prepared";
    }
    return NULL;
}

const char *monitor_session_replace_begin_take(struct monitor_session *t, int device_fd,
                                               const struct monitor_session_replace_request *q)
{
    const char *const wrong = monitor_session_replace_check(device_fd);
    struct monitor_session_replace *const p = wrong ? NULL : calloc(1, sizeof *p);
    bool begun;

    if (!p) {
        sock_hang_up(&device_fd);
        return wrong ? wrong : "out of memory";
    }
    p->other = (struct monitor_session_successor){.fd = device_fd, .dry = q->dry_run};
    p->request = *q;
    p->again.replaces = true;
    t->successor = &p->other;
    monitor_session_replace_set_limit(t);
    relook_begin_successor(t);
    monitor_session_replace_exchange(t);
    begun = decision_again_begin(t, &p->again);
    if (begun) {
        worker_pool_message_senders(t);
    }
    monitor_session_replace_exchange(t);
    if (!begun) {
        p->request.fn = NULL;
        relook_end_successor(t, false);
        monitor_session_replace_end(t, NULL);
        return "out of memory";
    }
    worker_pool_replace(t);
    return NULL;
}

void monitor_session_replace_forget(struct monitor_session *t, const void *arg)
{
    struct monitor_session_replace *const p = monitor_session_replace_of(t);

    if (p && p->request.arg == arg) {
        p->request.fn = NULL;
    }
}

/* Its worker or its device has died, or the session is over: so is the replacement. */
static void monitor_session_replace_drop(struct monitor_session *t, enum session_reason reason)
{
    const struct ipc_replaced r = {
        .outcome = REPLACE_LOST, .failed = REPLACE_BEGINS, .reason = reason};
    json_t *record;

    if (t->successor) {
        record = monitor_session_replace_record(t, &r, session_reason_word(reason));
        (void)audit_writer_note(&t->table->context->audit_writer, "replacement",
                                json_incref(record));
        relook_end_successor(t, false);
        monitor_session_replace_end(t, record);
    }
}

/* Its device is lost, and another process is looked for: there is nothing to replace any more. */
static void monitor_session_replace_on_lost(void *arg, struct monitor_session *t,
                                            const struct ipc_lost *l)
{
    (void)arg;
    monitor_session_replace_drop(t, (enum session_reason)l->reason);
}

static void monitor_session_replace_on_resumed(void *arg, struct monitor_session *t,
                                               const struct ipc_resumed *r)
{
    (void)arg;
    (void)r;
    monitor_session_replace_drop(t, REASON_WORKER_DIED);
}

static void monitor_session_replace_on_ended(void *arg, struct monitor_session *t,
                                             enum session_reason reason,
                                             const struct ipc_ended *what)
{
    (void)arg;
    (void)what;
    monitor_session_replace_drop(t, reason);
}

void monitor_session_replace_init(struct monitor_session_table *table)
{
    static const struct monitor_session_events events = {
        .evidence_again = monitor_session_replace_on_evidence,
        .lost = monitor_session_replace_on_lost,
        .replaced = monitor_session_replace_on_replaced,
        .resumed = monitor_session_replace_on_resumed,
        .ended = monitor_session_replace_on_ended};

    monitor_session_observe(table, &events, NULL);
}
