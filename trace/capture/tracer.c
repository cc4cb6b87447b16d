/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The tracer's process: drops its privileges, then serves its channel and its rings. */
#define _GNU_SOURCE
#include "trace/capture/tracer.h"

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fdset.h"
#include "trace/capture/tracer_parts.h"

/* ---- the channel ---- */

static bool tracer_waits_for_files(const struct tracer *t)
{
    const struct tracer_capture *c;

    LIST_FOREACH(c, &t->captures, link)
    {
        if (c->dumping) {
            return true;
        }
    }
    return false;
}

/* Ends all captures and leaves the loop. */
static void tracer_quit(struct tracer *t)
{
    struct tracer_capture *c;

    if (t->quitting) {
        return;
    }
    t->quitting = true;
    for (uint32_t i = 0; i < TRACER_WORKERS; i++) {
        tracer_ring_drain(t, i);
    }
    while ((c = LIST_FIRST(&t->captures))) {
        tracer_capture_stop(c, TRACER_SHUTDOWN);
    }
    event_base_loopbreak(t->base);
}

void tracer_say(struct tracer *t)
{
    const int err = tracer_send(TRACER_CHANNEL_FD, &t->out, NULL, 0, 0);

    /* If the monitor is gone, the loop notices the channel's end. */
    if (err && err != -EPIPE && err != -ECONNRESET) {
        log_error("tracer: the channel: %s", strerror(-err));
    }
}

static int tracer_steal(struct fdset *fds)
{
    return fdset_steal(fds, 0);
}

static void tracer_stop(struct tracer *t)
{
    struct tracer_capture *const c = tracer_capture_find(t, t->in.capture);

    if (!c) {
        return;
    }
    /* Messages relayed before the request to stop are still in the rings. */
    for (uint32_t i = 0; i < TRACER_WORKERS; i++) {
        tracer_ring_drain(t, i);
    }
    tracer_capture_stop(c, t->in.error);
}

/* The next monitor goes on with the capture: sends it what the last one may have received. */
static void tracer_resume(struct tracer *t)
{
    struct tracer_capture *const c = tracer_capture_find(t, t->in.capture);

    if (c) {
        tracer_capture_notify(c, TRACER_COUNTS, 0);
        return;
    }
    tracer_msg_init(&t->out, TRACER_STOPPED);
    t->out.capture = t->in.capture;
    t->out.error = TRACER_IO_ERROR;
    tracer_say(t);
}

static void tracer_dump(struct tracer *t)
{
    struct tracer_capture *const c = tracer_capture_find(t, t->in.capture);

    if (!c || !c->memory) {
        return;
    }
    for (uint32_t i = 0; i < TRACER_WORKERS; i++) {
        tracer_ring_drain(t, i);
    }
    tracer_flight_dump(c);
}

/* Carries out t->in; fds that it uses are taken out of the set. */
static void tracer_dispatch(struct tracer *t, struct fdset *fds)
{
    switch ((enum tracer_type)t->in.type) {
    case TRACER_RING:
        if (fds->n == 2) {
            const int ring_fd = tracer_steal(fds);

            tracer_ring_take(t, ring_fd, tracer_steal(fds));
        }
        break;
    case TRACER_CAPTURE:
        tracer_capture_begin_take(t, tracer_steal(fds));
        break;
    case TRACER_FILE:
        tracer_capture_file_take(t, tracer_steal(fds));
        break;
    case TRACER_STOP:
        tracer_stop(t);
        break;
    case TRACER_RESUME:
        tracer_resume(t);
        break;
    case TRACER_DUMP:
        tracer_dump(t);
        break;
    case TRACER_SESSION:
        tracer_session_told(t);
        break;
    case TRACER_ATTACH:
        tracer_session_attach(t);
        break;
    case TRACER_ENDED:
        tracer_session_ended(t);
        break;
    case TRACER_PING:
        tracer_msg_init(&t->out, TRACER_PONG);
        tracer_say(t);
        break;
    case TRACER_QUIT:
        t->quit_asked = true;
        break;
    default:
        log_error("tracer: unknown message type %u from the monitor", t->in.type);
        break;
    }
}

/* Handles all messages from the monitor. */
static void tracer_listen(struct tracer *t)
{
    struct fdset fds;
    int r = 1;

    while (r == 1 && !t->quitting) {
        fdset_init(&fds);
        r = tracer_recv(TRACER_CHANNEL_FD, &t->in, &fds);
        if (r == 1) {
            tracer_dispatch(t, &fds);
        }
        fdset_close(&fds);
        if (t->quit_asked && !tracer_waits_for_files(t)) {
            tracer_quit(t);
        }
    }
    if (r != 1 && r != -EAGAIN) {
        /* The monitor is gone: writes out the rest. */
        tracer_quit(t);
    }
    tracer_captures_reap(t);
}

static void tracer_on_channel(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    tracer_listen(arg);
}

/* ---- the process ---- */

static int tracer_init(struct tracer *t)
{
    struct event_config *const c = event_config_new();

    LIST_INIT(&t->captures);
    for (unsigned i = 0; i < TRACER_BUCKETS; i++) {
        LIST_INIT(&t->sessions[i]);
    }
    if (!c) {
        return -ENOMEM;
    }
    /* There is only one thread. */
    event_config_set_flag(c, EVENT_BASE_FLAG_NOLOCK);
    t->base = event_base_new_with_config(c);
    event_config_free(c);
    if (!t->base) {
        return -ENOMEM;
    }
    t->channel = event_new(t->base, TRACER_CHANNEL_FD, EV_READ | EV_PERSIST, tracer_on_channel, t);
    if (!t->channel || event_add(t->channel, NULL) < 0) {
        return -ENOMEM;
    }
    return tracer_rings_init(t);
}

static void tracer_deinit(struct tracer *t)
{
    struct tracer_capture *c;

    while ((c = LIST_FIRST(&t->captures))) {
        tracer_capture_stop(c, TRACER_SHUTDOWN);
    }
    tracer_sessions_free(t);
    tracer_rings_free(t);
    if (t->channel) {
        event_free(t->channel);
    }
    if (t->base) {
        event_base_free(t->base);
    }
}

static int tracer_read_start(struct tracer_start *s)
{
    const ssize_t n = pread(TRACER_START_FD, s, sizeof *s, 0);

    close(TRACER_START_FD);
    return n == sizeof *s ? 0 : -EINVAL;
}

int tracer_main(void)
{
    /* Static, since there is only one, and it is large. */
    static struct tracer t;
    struct tracer_start s;
    int err = tracer_read_start(&s);

    log_init("poemd", err ? LOG_ERROR : s.log_level);
    log_dress();
    (void)prctl(PR_SET_NAME, TRACER_NAME, 0, 0, 0);
    /* Only the monitor ends its tracer; signals to the whole process group must not. */
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    if (!err) {
        err = tracer_init(&t);
    }
    /* Seeds jansson's hash tables now, since the sandbox has no /dev/urandom. */
    json_object_seed(0);
    if (!err) {
        err = tracer_sandbox(&s);
    }
    if (err) {
        log_error("tracer: cannot start: %s", strerror(-err));
    } else {
        tracer_msg_init(&t.out, TRACER_READY);
        tracer_say(&t);
        err = event_base_dispatch(t.base) < 0 ? -EIO : 0;
    }
    tracer_deinit(&t);
    return err ? 3 : 0;
}
