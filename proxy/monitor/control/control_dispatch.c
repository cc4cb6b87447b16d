/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The actions of the control socket's requests. A new request is a row of the table in this file,
 * and a type in control_wire.h.
 */
#include "proxy/monitor/control/control_client.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "proxy/monitor/control/control_inject.h"
#include "proxy/monitor/control/control_json.h"
#include "proxy/monitor/control/control_replace.h"
#include "proxy/monitor/control/control_trace.h"
#include "proxy/monitor/control/control_subject.h"
#include "proxy/monitor/monitor_context.h"
#include "proxy/monitor/monitor_session.h"
#include "proxy/monitor/monitor_session_stop.h"
#include "proxy/monitor/reload/reload.h"
#include "proxy/monitor/routes/route.h"
#include "proxy/monitor/workers/worker_pool_outbox.h"
#include "proxy/monitor/upgrade/upgrade.h"

void control_refuse(struct control_client *c, enum control_status status, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    c->status = status;
    json_decref(c->single);
    c->single = json_pack("{s:s}", "error", text);
    c->part = CONTROL_PART_END;
}

/* ---- requests ---- */

static void control_dispatch_status(struct control_client *c)
{
    c->part = CONTROL_PART_BROKER;
}

static void control_dispatch_sessions(struct control_client *c)
{
    const struct route *r;
    char shown[128];

    c->part = CONTROL_PART_SESSIONS;
    if (!c->request.route[0]) {
        return;
    }
    r = route_find(c->subject->routes, c->request.route);
    if (r) {
        c->route = r->number;
    } else {
        log_escape(shown, sizeof shown, c->request.route, strlen(c->request.route));
        control_refuse(c, CONTROL_NO, "there is no route \"%s\"", shown);
    }
}

/* Answers a request to end a session; control_wire.h lists the results. */
static void control_answer_end(struct control_client *c, const char *result)
{
    c->single = json_pack("{s:{s:I,s:s}}", "end", "number", (json_int_t)c->request.number, "result",
                          result);
    c->part = CONTROL_PART_END;
}

static void control_dispatch_session_end(struct control_client *c)
{
    struct monitor_session *const t = monitor_session_find(c->subject->sessions, c->request.number);

    if (!t && c->request.number > 0 && c->request.number <= c->subject->sessions->last) {
        control_answer_end(c, "already over");
        return;
    }
    if (!t) {
        control_refuse(c, CONTROL_NO, "there is no session %" PRIu64, c->request.number);
        return;
    }
    log_warning("session=%" PRIu64 ": ended on request of uid=%u pid=%d", t->id,
                (unsigned)c->who.uid, (int)c->who.pid);
    control_answer_end(c, monitor_session_stop(t, REASON_OPERATOR) ? "ended" : "ending");
}

static void control_dispatch_session_detach(struct control_client *c)
{
    struct monitor_session *const t = monitor_session_find(c->subject->sessions, c->request.number);

    if (!t) {
        control_refuse(c, CONTROL_NO, "there is no session %" PRIu64, c->request.number);
        return;
    }
    if (t->config->hold_ms == 0 || t->state != SESSION_RELAYING || t->hold) {
        control_refuse(c, CONTROL_NO, "session %" PRIu64 " %s", t->id,
                       t->hold                  ? "has no device: it is held"
                       : t->config->hold_ms > 0 ? "does not relay"
                                                : "would end: its route has no \"on backend loss "
                                                  "hold\"");
        return;
    }
    log_warning("session=%" PRIu64 ": its device is detached on request of uid=%u pid=%d", t->id,
                (unsigned)c->who.uid, (int)c->who.pid);
    worker_pool_detach(t);
    c->single = json_pack("{s:{s:I}}", "detach", "number", (json_int_t)t->id);
    c->part = CONTROL_PART_END;
}

static void control_dispatch_trace_list(struct control_client *c)
{
    c->part = CONTROL_PART_TRACES;
}

/* ---- reload and stop ---- */

static void control_on_reloaded(void *arg, json_t *parts)
{
    struct control_client *const c = arg;

    if (parts) {
        c->list = parts;
        c->part = CONTROL_PART_LIST;
    } else {
        control_refuse(c, CONTROL_FAILED, "out of memory for the answer: see the log");
    }
    control_go_on(c);
}

static void control_dispatch_reload(struct control_client *c)
{
    const uint32_t flags = c->request.flags;
    const struct reload_request q = {.dry_run = (flags & CONTROL_DRY_RUN) != 0,
                                     .end_denied = (flags & CONTROL_END_DENIED) != 0,
                                     .uid = c->who.uid,
                                     .pid = c->who.pid};
    const char *why;

    if ((flags & ~(CONTROL_DRY_RUN | CONTROL_END_DENIED)) || (q.dry_run && q.end_denied)) {
        control_refuse(c, CONTROL_REFUSED, "not a valid request");
        return;
    }
    c->state = CONTROL_RELOADING;
    why = reload_begin(c->subject->reload, &q, control_on_reloaded, c);
    if (why) {
        c->state = CONTROL_ASKED_NOTHING;
        control_refuse(c, CONTROL_FAILED, "%s", why);
    }
}

static void control_dispatch_stop(struct control_client *c)
{
    const bool drain = (c->request.flags & CONTROL_DRAIN) != 0;

    if (c->request.flags & ~CONTROL_DRAIN) {
        control_refuse(c, CONTROL_REFUSED, "not a valid request");
        return;
    }
    log_warning("stopping%s: requested by uid=%u pid=%d",
                drain ? " when the last session has ended" : "", (unsigned)c->who.uid,
                (int)c->who.pid);
    c->single = json_pack("{s:{s:i}}", "stop", "sessions", (int)c->subject->sessions->alive);
    c->part = CONTROL_PART_END;
    c->stays = true;
    c->subject->stop(c->subject->stop_arg, drain);
}

/* Returns the answer to an upgrade that is refused: its outcome, then the lines of the reason. */
static json_t *control_upgrade_refused(const char *why)
{
    json_t *const parts = json_pack("[{s:{s:s}}]", "upgrade", "outcome", "refused");

    while (*why) {
        const size_t n = strcspn(why, "\n");

        (void)json_array_append_new(parts, json_pack("{s:s%}", "line", why, n));
        why += n + (why[n] == '\n');
    }
    return parts;
}

/* Answers; if the program goes on, leaves the connection open until this monitor ends. */
static void control_on_upgrade(void *arg, const char *why)
{
    struct control_client *const c = arg;

    if (why) {
        c->list = control_upgrade_refused(why);
        c->part = CONTROL_PART_LIST;
    } else {
        c->single = json_pack("{s:{s:s}}", "upgrade", "outcome", "checked");
        c->part = CONTROL_PART_END;
        c->stays = true;
    }
    control_go_on(c);
}

static void control_dispatch_upgrade(struct control_client *c)
{
    const struct upgrade_request q = {
        .program_fd = c->given_fd, .uid = c->who.uid, .pid = c->who.pid};
    const char *why;

    if (c->given_fd >= 0 && c->who.uid != 0 && c->who.uid != geteuid()) {
        control_refuse(c, CONTROL_REFUSED, "only root may choose the program");
        return;
    }
    log_warning("upgrade: requested by uid=%u pid=%d", (unsigned)c->who.uid, (int)c->who.pid);
    c->given_fd = -1;
    c->state = CONTROL_UPGRADING;
    why = upgrade_begin(c->subject->upgrade, &q, control_on_upgrade, c);
    if (why) {
        c->state = CONTROL_ASKED_NOTHING;
        control_refuse(c, CONTROL_FAILED, "%s", why);
    }
}

typedef void control_dispatch_fn(struct control_client *c);

static const struct {
    control_dispatch_fn *dispatch;
    unsigned fds; /* expected with the request */
} requests[CONTROL_TYPES] = {
    [CONTROL_STATUS] = {control_dispatch_status, 0},
    [CONTROL_SESSIONS] = {control_dispatch_sessions, 0},
    [CONTROL_SESSION_END] = {control_dispatch_session_end, 0},
    [CONTROL_TRACE_START] = {control_trace_start, 1},
    [CONTROL_TRACE_STOP] = {control_trace_stop, 0},
    [CONTROL_TRACE_DUMP] = {control_trace_dump, 0},
    [CONTROL_TRACE_LIST] = {control_dispatch_trace_list, 0},
    [CONTROL_RELOAD] = {control_dispatch_reload, 0},
    [CONTROL_STOP] = {control_dispatch_stop, 0},
    [CONTROL_SESSION_DETACH] = {control_dispatch_session_detach, 0},
    [CONTROL_UPGRADE] = {control_dispatch_upgrade, 0},
    [CONTROL_UPGRADE_TO] = {control_dispatch_upgrade, 1},
    [CONTROL_REPLACE] = {control_dispatch_replace, 1},
    [CONTROL_TRACE_INJECT] = {control_dispatch_inject, 0},
};

void control_dispatch_request(struct control_client *c)
{
    const uint32_t type = c->request.type;

    if (type >= CONTROL_TYPES || !requests[type].dispatch) {
        control_refuse(c, CONTROL_REFUSED,
                       "unknown request: poemd and poemctl have different versions");
    } else if (requests[type].fds != (c->given_fd >= 0 ? 1u : 0u)) {
        control_refuse(c, CONTROL_REFUSED, "not a valid request");
    } else {
        requests[type].dispatch(c);
    }
}

/* ---- answers ---- */

/* Returns the next session of the requested routes, or NULL. */
static const struct monitor_session *control_dispatch_next_session(struct control_client *c)
{
    const bool only = c->request.route[0] != '\0';
    const struct monitor_session *t = monitor_session_behind(c->subject->sessions, c->after);

    while (t && only && t->route->number != c->route) {
        t = monitor_session_behind(c->subject->sessions, t->id);
    }
    c->after = t ? t->id : c->after;
    return t;
}

/* Returns the next object of the current part. NULL: the part is over, or out of memory. */
static json_t *control_dispatch_of_part(struct control_client *c, bool *over)
{
    const struct monitor_session *t;
    const struct route *r;
    json_t *part;

    *over = false;
    switch (c->part) {
    case CONTROL_PART_BROKER:
        c->part = CONTROL_PART_ROUTES;
        return control_broker(c->subject);
    case CONTROL_PART_ROUTES:
        r = route_from(c->subject->routes, c->route);
        if (r) {
            c->route = r->number + 1;
            return control_route(r);
        }
        c->part = CONTROL_PART_TRACES;
        return control_trace_next(c, over);
    case CONTROL_PART_TRACES:
        return control_trace_next(c, over);
    case CONTROL_PART_LIST:
        part = json_incref(json_array_get(c->list, c->list_at++));
        *over = c->list_at >= json_array_size(c->list);
        return part;
    case CONTROL_PART_TRACE_END:
        *over = true;
        return control_trace_end(c);
    case CONTROL_PART_SESSIONS:
        t = control_dispatch_next_session(c);
        if (t) {
            return control_session(t);
        }
        break;
    default:
        break;
    }
    *over = true;
    return NULL;
}

json_t *control_next_part(struct control_client *c, bool *last)
{
    json_t *part = c->single;
    bool over = true;

    c->single = NULL;
    if (!part) {
        part = control_dispatch_of_part(c, &over);
    }
    *last = over;
    return part || !over ? part : json_object();
}
