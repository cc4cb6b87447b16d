/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Looks at executables again. Never blocks: neither look accesses a file system. */
#include "proxy/monitor/relook.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/sock.h"
#include "audit/audit_line.h"
#include "proxy/monitor/keep/state_record.h"
#include "proxy/monitor/monitor_context.h"
#include "proxy/monitor/monitor_session.h"
#include "proxy/monitor/monitor_session_stop.h"
#include "proxy/monitor/facts/peer_facts.h"
#include "proxy/monitor/routes/route.h"

struct relook_party {
    int pidfd; /* owned; -1 if its executable was never known */
    pid_t pid;
    struct peer_file_id id; /* of the file that was judged */
    char first[AUDIT_TIME_SIZE + 1];
    char last[AUDIT_TIME_SIZE + 1];
    unsigned looks;
    bool changed; /* already reported */
};

struct relook {
    struct relook_party parties[SIDES];
    struct relook_party before; /* the backend while another one is judged; pidfd -1: none */
    struct event *timer;        /* of looks at intervals; owned, or NULL */
};

static void relook_party_begin(struct relook_party *p, const struct peer *peer)
{
    p->pidfd = -1;
    if (!peer_knows(peer, PEER_EXE_ID) || peer->pidfd < 0) {
        return;
    }
    p->pidfd = fcntl(peer->pidfd, F_DUPFD_CLOEXEC, 0);
    p->pid = peer->pid;
    p->id = peer->exe.id;
    p->looks = 1;
    audit_line_now(p->first);
    memcpy(p->last, p->first, sizeof p->last);
}

void relook_begin(struct monitor_session *t)
{
    t->relook = calloc(1, sizeof *t->relook);
    if (t->relook) {
        t->relook->before.pidfd = -1;
    }
    for (int i = 0; t->relook && i < SIDES; i++) {
        relook_party_begin(&t->relook->parties[i], peer_facts_peer(t->peer_facts, (enum side)i));
    }
}

void relook_begin_successor(struct monitor_session *t)
{
    if (t->relook) {
        t->relook->before = t->relook->parties[SIDE_BACKEND];
        t->relook->parties[SIDE_BACKEND].pidfd = -1;
    }
}

void relook_end_successor(struct monitor_session *t, bool replaced)
{
    if (t->relook) {
        if (!replaced) {
            sock_close(&t->relook->parties[SIDE_BACKEND].pidfd);
            t->relook->parties[SIDE_BACKEND] = t->relook->before;
            t->relook->before.pidfd = -1;
        }
        sock_close(&t->relook->before.pidfd);
    }
}

void relook_replace_backend(struct monitor_session *t)
{
    struct relook_party *const p = t->relook ? &t->relook->parties[SIDE_BACKEND] : NULL;

    if (p) {
        sock_close(&p->pidfd);
        *p = (struct relook_party){.pidfd = -1};
        relook_party_begin(p, peer_facts_peer(t->peer_facts, SIDE_BACKEND));
    }
}

/*
 * Returns true if the party has changed since the verdict, once only. A process that has ended can
 * do nothing more; one that now hides its executable counts as changed.
 */
static bool relook_party_look(struct relook_party *p)
{
    struct peer_file_id now;
    int err;

    if (p->pidfd < 0 || p->changed) {
        return false;
    }
    err = peer_exe_look(p->pid, p->pidfd, &now);
    if (err == -ESRCH) {
        return false;
    }
    p->looks++;
    audit_line_now(p->last);
    p->changed = err || !peer_file_id_same(&p->id, &now);
    return p->changed;
}

/* Looks at both parties. then is the consequence of a change: "deny", "end" or "taint". */
static bool relook_parties(struct monitor_session *t, const char *then)
{
    bool changed = false;

    for (int i = 0; i < SIDES; i++) {
        struct relook_party *p = &t->relook->parties[i];
        const char *who = side_name((enum side)i);
        const struct log_subject about = {.session = t->id, .route = t->config->name, .leg = who};

        if (!relook_party_look(p)) {
            continue;
        }
        changed = true;
        log_line(LOG_WARNING, &about,
                 "executable changed: at %s its process executes another file than the one judged "
                 "at %s: %s",
                 p->last, p->first, then);
        (void)audit_writer_note(&t->table->context->audit_writer, "executable-changed",
                                json_pack("{s:I,s:s,s:s,s:s,s:s,s:s}", "session", (json_int_t)t->id,
                                          "route", t->config->name, "of", who, "judged", p->first,
                                          "changed", p->last, "then", then));
    }
    return changed;
}

static void relook_taint_changed(struct monitor_session *t)
{
    for (int i = 0; i < SIDES; i++) {
        if (t->relook->parties[i].changed) {
            t->taint_of[i] |= TAINT_EXECUTABLE;
        }
    }
}

/* ---- at intervals ---- */

static void relook_set_timer(struct monitor_session *t)
{
    const struct timeval tv = clock_timeval(t->config->look_ms);

    event_add(t->relook->timer, &tv);
}

static void relook_on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct monitor_session *t = arg;
    const bool ends = t->config->look_then == CONFIG_SAME_END;

    (void)fd;
    (void)what;
    if (!relook_parties(t, ends ? "end" : "taint")) {
        monitor_session_changed(t);
        relook_set_timer(t);
    } else if (ends) {
        (void)monitor_session_stop(t, REASON_EXECUTABLE);
    } else {
        relook_taint_changed(t);
        monitor_session_taint(t, TAINT_EXECUTABLE);
        relook_set_timer(t);
    }
}

/* Begins the looks at intervals. Returns false if out of memory. */
static bool relook_begin_timer(struct monitor_session *t)
{
    t->relook->timer = evtimer_new(t->table->context->base, relook_on_timer, t);
    if (t->relook->timer) {
        relook_set_timer(t);
    }
    return t->relook->timer != NULL;
}

/* ---- at the verdict ---- */

/* Returns true if the route's rules deny today, rather than taint. */
static bool relook_denies(const struct monitor_session *t)
{
    const struct rules *r = &t->config->rules;
    const bool asks = rules_ask_processes(r);
    const bool permits =
        r->permissive_until != 0 &&
        audit_writer_today(&t->table->context->audit_writer) <= r->permissive_until;

    return asks && !r->otherwise_taint && !permits;
}

bool relook_at_verdict(struct monitor_session *t)
{
    const bool denies = relook_denies(t);

    if (!t->relook) {
        return !denies;
    }
    if (relook_parties(t, denies ? "deny" : "taint")) {
        if (denies) {
            return false;
        }
        relook_taint_changed(t);
        t->taint |= TAINT_EXECUTABLE;
    }
    if (t->relook->timer) {
        return true;
    }
    if (t->config->look_ms > 0) {
        return relook_begin_timer(t) || !denies;
    }
    for (int i = 0; i < SIDES; i++) {
        sock_close(&t->relook->parties[i].pidfd);
    }
    return true;
}

/* ---- for the next monitor ---- */

bool relook_keep(const struct monitor_session *t, struct state_looked out[SIDES])
{
    for (int i = 0; t->relook && i < SIDES; i++) {
        const struct relook_party *const p = &t->relook->parties[i];

        out[i] = (struct state_looked){.pid = p->looks > 0 ? p->pid : 0,
                                       .looks = p->looks,
                                       .changed = p->changed,
                                       .dev_major = p->id.dev_major,
                                       .dev_minor = p->id.dev_minor,
                                       .inode = p->id.inode,
                                       .size = p->id.size,
                                       .mtime = p->id.mtime,
                                       .ctime = p->id.ctime};
        snprintf(out[i].first, sizeof out[i].first, "%s", p->first);
        snprintf(out[i].last, sizeof out[i].last, "%s", p->last);
    }
    return t->relook != NULL;
}

static void relook_party_restore_take(struct relook_party *p, const struct state_looked *l,
                                      int pidfd)
{
    *p = (struct relook_party){.pidfd = l->pid ? pidfd : -1,
                               .pid = l->pid,
                               .id = {.dev_major = l->dev_major,
                                      .dev_minor = l->dev_minor,
                                      .inode = l->inode,
                                      .size = l->size,
                                      .mtime = l->mtime,
                                      .ctime = l->ctime},
                               .looks = l->looks,
                               .changed = l->changed};
    snprintf(p->first, sizeof p->first, "%.*s", (int)AUDIT_TIME_SIZE, l->first);
    snprintf(p->last, sizeof p->last, "%.*s", (int)AUDIT_TIME_SIZE, l->last);
    if (p->pidfd < 0) {
        sock_close(&pidfd);
    }
}

void relook_restore_take(struct monitor_session *t, const struct state_looked looked[SIDES],
                         const int pidfds[SIDES])
{
    t->relook = calloc(1, sizeof *t->relook);
    if (t->relook) {
        t->relook->before.pidfd = -1;
    }
    for (int i = 0; i < SIDES; i++) {
        int pidfd = pidfds[i];

        if (t->relook) {
            relook_party_restore_take(&t->relook->parties[i], &looked[i], pidfd);
        } else {
            sock_close(&pidfd);
        }
    }
    if (t->relook && t->config->look_ms > 0 && !relook_begin_timer(t)) {
        log_error("out of memory: the executables of session %llu are not looked at again",
                  (unsigned long long)t->id);
    }
}

/* ---- reports ---- */

json_t *relook_record(const struct monitor_session *t)
{
    json_t *o = t->relook ? json_object() : NULL;

    for (int i = 0; o && i < SIDES; i++) {
        const struct relook_party *p = &t->relook->parties[i];

        if (p->looks > 0) {
            (void)json_object_set_new(o, side_name((enum side)i),
                                      json_pack("{s:s,s:s,s:i}", "first", p->first, "last", p->last,
                                                "looks", (int)p->looks));
        }
    }
    return o;
}

/* Stops looking. Also called from within a look: t->relook itself is freed with the session. */
static void relook_on_ended(void *arg, struct monitor_session *t, enum session_reason reason,
                            const struct ipc_ended *what)
{
    (void)arg;
    (void)reason;
    (void)what;
    if (!t->relook) {
        return;
    }
    if (t->relook->timer) {
        event_free(t->relook->timer);
        t->relook->timer = NULL;
    }
    for (int i = 0; i < SIDES; i++) {
        sock_close(&t->relook->parties[i].pidfd);
    }
    sock_close(&t->relook->before.pidfd);
}

void relook_init(struct monitor_session_table *sessions)
{
    static const struct monitor_session_events events = {.ended = relook_on_ended};

    monitor_session_observe(sessions, &events, NULL);
}
