/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Requests about captures at the control socket. tracing.h explains captures. */
#define _GNU_SOURCE
#include "proxy/monitor/control/control_trace.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sock.h"
#include "base/members.h"
#include "audit/audit_log.h"
#include "base/text/numbers.h"
#include "proxy/ipc/fdstore.h"
#include "proxy/monitor/control/control_subject.h"
#include "proxy/monitor/keep/state_fds.h"
#include "proxy/monitor/monitor_context.h"
#include "proxy/monitor/tracing/tracing.h"

/* ---- as JSON ---- */

static json_t *control_trace_payload_of(unsigned payload)
{
    return payload == CONFIG_PAYLOAD_GUEST ? json_string("guest")
           : payload == CONFIG_PAYLOAD_ALL ? json_string("all")
                                           : json_integer(payload);
}

static json_t *control_trace_or_null(const char *text)
{
    return text && *text ? audit_text(text, strlen(text)) : json_null();
}

static json_t *trace_json(const struct tracing_info *i)
{
    return json_pack(
        "{s:o}", "trace",
        members_object((const struct member[]){
            {"number", members_number(i->id)},
            {"session", i->session ? json_integer((json_int_t)i->session) : json_null()},
            {"route", control_trace_or_null(i->route)},
            {"file", control_trace_or_null(i->file)},
            {"filter", control_trace_or_null(i->filter)},
            {"state", json_string(tracing_state_name(i->state))},
            {"why", control_trace_or_null(i->why)},
            {"payload", control_trace_payload_of(i->how->payload)},
            {"memory-mib", json_integer(i->how->memory_mib)},
            {"sessions", json_integer(i->sessions)},
            {"messages", members_number(i->messages)},
            {"lost", members_number(i->lost)},
            {"bytes", members_number(i->bytes)},
            {"files", members_number(i->files)},
            {NULL, NULL}}));
}

json_t *control_trace_next(struct control_client *c, bool *over)
{
    struct tracing_info info;

    *over = !tracing_next(c->subject->tracing, c->after, &info);
    c->after = *over ? c->after : info.id;
    return *over ? NULL : trace_json(&info);
}

json_t *control_trace_end(struct control_client *c)
{
    struct tracing_info info;

    return tracing_next(c->subject->tracing, c->trace - 1, &info) && info.id == c->trace
               ? trace_json(&info)
               : json_object();
}

/* ---- starting ---- */

/* Returns true if the tracer can write to fd: it waits only for a disk or a pipe. */
static bool control_trace_is_writable(int fd)
{
    const int flags = fcntl(fd, F_GETFL);
    struct stat st;

    return flags >= 0 && !(flags & O_PATH) && (flags & O_ACCMODE) != O_RDONLY &&
           fstat(fd, &st) == 0 &&
           (S_ISREG(st.st_mode) || S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode));
}

/*
 * Opens a given pipe or terminal again, so that its flags, O_NONBLOCK among them, are ours alone.
 * Returns fd itself if that is not permitted (another user's, and we are not root). Takes fd.
 */
static int control_trace_own_take(int fd)
{
    char path[64];
    struct stat st;
    int own;

    if (fstat(fd, &st) < 0 || !(S_ISFIFO(st.st_mode) || isatty(fd))) {
        return fd;
    }
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    own = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (own < 0) {
        return fd;
    }
    sock_close(&fd);
    return own;
}

/* The connection outlives the monitor, with the capture. */
static void control_trace_keep(const struct control_client *c)
{
    struct fdstore *const store = c->subject->context->store;
    char name[STATE_NAME_SIZE];
    const int err = store ? fdstore_keep(store, state_fds_holder(c->trace, name), c->fd) : 0;

    if (err) {
        log_warning("control: capture %" PRIu64 " ends if the monitor dies: its client cannot be "
                    "kept: %s",
                    c->trace, strerror(-err));
    }
}

void control_trace_drop(const struct control_client *c)
{
    char name[STATE_NAME_SIZE];

    if (c->trace) {
        fdstore_drop(c->subject->context->store, state_fds_holder(c->trace, name));
    }
}

static bool control_trace_is_over(const struct control_client *c)
{
    struct tracing_info info;

    return !tracing_next(c->subject->tracing, c->trace - 1, &info) || info.id != c->trace ||
           info.state == TRACING_ENDED;
}

static void control_trace_start_capture(struct control_client *c, json_t *by)
{
    struct control_request *q = &c->request;
    struct tracing_request r = {.session = q->number,
                                .route = q->route,
                                .fd = control_trace_own_take(c->given_fd),
                                .how = {.payload = q->payload,
                                        .memory_mib = q->memory_mib,
                                        .filter = q->filter[0] ? q->filter : NULL},
                                .by = by};
    char why[256] = "";
    uint64_t id;
    int err;

    c->given_fd = -1;
    err = tracing_start(c->subject->tracing, &r, &id, why, sizeof why);
    if (err) {
        control_refuse(c, err == -ENOENT ? CONTROL_NO : CONTROL_FAILED, "%s",
                       *why ? why : strerror(-err));
        return;
    }
    c->single = json_pack("{s:{s:I}}", "trace", "number", (json_int_t)id);
    c->part = CONTROL_PART_END;
    if (q->flags & CONTROL_HOLD) {
        c->trace = id;
        control_trace_keep(c);
        /* It may have failed to start. */
        c->over = control_trace_is_over(c);
    }
}

void control_trace_start(struct control_client *c)
{
    const struct control_request *q = &c->request;
    json_t *by;

    if ((q->number != 0) == (q->route[0] != '\0') || (q->flags & ~CONTROL_HOLD) ||
        q->memory_mib > LIMIT_CONTROL_MEMORY_MIB) {
        control_refuse(c, CONTROL_REFUSED, "not a valid request");
        return;
    }
    if (!control_trace_is_writable(c->given_fd)) {
        control_refuse(c, CONTROL_REFUSED, "a capture must go to a file or a pipe");
        return;
    }
    by = json_pack("{s:i,s:i}", "uid", (int)c->who.uid, "pid", (int)c->who.pid);
    control_trace_start_capture(c, by);
    json_decref(by);
}

/* ---- clients of an earlier monitor ---- */

int control_trace_take_holder(struct fdstore *store, uint64_t *capture)
{
    const char *kept = NULL;
    char name[STATE_NAME_SIZE];

    while ((kept = fdstore_next(store, STATE_NAME_HOLDER, kept))) {
        if (numbers_decimal(kept + strlen(STATE_NAME_HOLDER), UINT64_MAX, capture) &&
            *capture > 0) {
            return fdstore_take(store, state_fds_holder(*capture, name));
        }
    }
    return -ENOENT;
}

void control_trace_resume(struct control_client *c, uint64_t capture)
{
    c->trace = capture;
    c->part = CONTROL_PART_END;
    c->over = control_trace_is_over(c);
}

/* ---- a running capture ---- */

static void control_trace_about_one(struct control_client *c, int err, const char *inval)
{
    c->part = CONTROL_PART_END;
    if (err == -ENOENT) {
        control_refuse(c, CONTROL_NO, "there is no capture %" PRIu64, c->request.number);
    } else if (err) {
        control_refuse(c, CONTROL_NO, "%s", err == -EINVAL ? inval : strerror(-err));
    }
}

void control_trace_stop(struct control_client *c)
{
    control_trace_about_one(c, tracing_stop(c->subject->tracing, c->request.number),
                            "the capture has ended");
}

void control_trace_dump(struct control_client *c)
{
    control_trace_about_one(c, tracing_dump(c->subject->tracing, c->request.number),
                            "the capture is not a flight recorder");
}

void control_let_go(struct control_client *c)
{
    if (c->trace && !c->stopped) {
        c->stopped = true;
        if (tracing_stop(c->subject->tracing, c->trace) < 0) {
            log_debug("control: capture %" PRIu64 " had ended by itself", c->trace);
        }
    }
}
