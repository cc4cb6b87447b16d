/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The exporter's process: gives up its rights, then answers HTTP requests, one at a time. */
#define _GNU_SOURCE
#include "proxy/exporter/exporter.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fdset.h"
#include "base/sock.h"
#include "proxy/exporter/exporter_clients.h"
#include "proxy/exporter/exporter_parts.h"
#include "proxy/exporter/exporter_text.h"

struct exporter {
    struct event_base *base;
    struct evhttp *http;
    struct exporter_clients *clients;
    struct event *channel;
    bool has_folder;
    bool over;         /* the monitor is gone */
    void *snapshot;    /* the last one, or NULL */
    size_t n;          /* … its bytes */
    uint64_t taken_ms; /* … when it came */
};

static const struct timeval out_of_fds = {.tv_usec = 100000};

/* ---- snapshots ---- */

/* Reads the snapshot in a file of the monitor's. Returns false if there is no memory for it. */
static bool exporter_read(struct exporter *x, int fd)
{
    struct stat st;
    void *bytes;

    if (fstat(fd, &st) < 0 || st.st_size <= 0 ||
        (uint64_t)st.st_size > snapshot_size(2ull * LIMIT_ROUTES, 2ull * LIMIT_WORKERS)) {
        return false;
    }
    bytes = malloc((size_t)st.st_size);
    if (!bytes || pread(fd, bytes, (size_t)st.st_size, 0) != st.st_size) {
        free(bytes);
        return false;
    }
    free(x->snapshot);
    x->snapshot = bytes;
    x->n = (size_t)st.st_size;
    x->taken_ms = clock_ms();
    return true;
}

/* Receives what the monitor has sent: 1 with a snapshot, 0 without one, -EAGAIN, or -errno. */
static int exporter_receive(struct exporter *x)
{
    struct fdset fds;
    char byte;
    ssize_t n;

    fdset_init(&fds);
    n = sock_recv(EXPORTER_CHANNEL_FD, &byte, sizeof byte, &fds, MSG_DONTWAIT);
    if (n > 0) {
        n = fds.n == 1 && exporter_read(x, fds.fds[0]) ? 1 : 0;
    } else if (n == 0) {
        n = -EPIPE;
    }
    fdset_close(&fds);
    if (n < 0 && n != -EAGAIN) {
        x->over = true;
        event_base_loopbreak(x->base);
    }
    return (int)n;
}

/* Returns true if there is a snapshot of this moment. Waits for the monitor. */
static bool exporter_refresh(struct exporter *x)
{
    const uint64_t by = clock_ms() + EXPORTER_PATIENCE_MS;
    const char ask = EXPORTER_ASK;
    struct pollfd p = {.fd = EXPORTER_CHANNEL_FD, .events = POLLIN};
    int r;

    if (x->snapshot && clock_ms() - x->taken_ms < EXPORTER_FRESH_MS) {
        return true;
    }
    /* An answer that came too late for the last request is not of this moment. */
    while ((r = exporter_receive(x)) >= 0) {
    }
    if (r != -EAGAIN || sock_send(EXPORTER_CHANNEL_FD, &ask, sizeof ask, NULL, MSG_DONTWAIT) < 0) {
        return false;
    }
    do {
        const uint64_t now = clock_ms();

        if (now >= by || poll(&p, 1, (int)(by - now)) < 0) {
            return false;
        }
        r = exporter_receive(x);
    } while (r == -EAGAIN);
    return r == 1;
}

static void exporter_look_for_room(const struct exporter *x, struct exporter_figures *f)
{
    struct statfs s;

    if (x->has_folder && fstatfs(EXPORTER_FOLDER_FD, &s) == 0) {
        f->has_room = true;
        f->room = (uint64_t)s.f_bavail * (uint64_t)s.f_bsize;
    }
}

/* ---- requests ---- */

static void exporter_answer(struct evhttp_request *q, const char *accept, struct exporter *x)
{
    const enum exporter_format format = exporter_format_of(accept);
    struct evkeyvalq *const headers = evhttp_request_get_output_headers(q);
    struct evbuffer *const out = evbuffer_new();
    struct exporter_figures f;

    if (!out || !exporter_refresh(x) || !exporter_figures_of(&f, x->snapshot, x->n)) {
        evhttp_send_error(q, HTTP_SERVUNAVAIL, "poemd does not answer");
    } else {
        exporter_look_for_room(x, &f);
        if (exporter_text_write(out, &f, format) &&
            evhttp_add_header(headers, "Content-Type", exporter_media_type(format)) == 0 &&
            evhttp_add_header(headers, "Connection", "close") == 0) {
            evhttp_send_reply(q, HTTP_OK, "OK", out);
        } else {
            evhttp_send_error(q, HTTP_INTERNAL, "out of memory");
        }
    }
    if (out) {
        evbuffer_free(out);
    }
}

static void exporter_on_request(struct evhttp_request *q, void *arg)
{
    const struct evhttp_uri *const uri = evhttp_request_get_evhttp_uri(q);
    const char *const path = uri ? evhttp_uri_get_path(uri) : NULL;

    if (!path || strcmp(path, "/metrics") != 0) {
        evhttp_send_error(q, HTTP_NOTFOUND, "only /metrics is served");
        return;
    }
    exporter_answer(q, evhttp_find_header(evhttp_request_get_input_headers(q), "Accept"), arg);
}

/* ---- clients ---- */

static void exporter_on_resume(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    evconnlistener_enable(arg);
}

/* Most likely the process is out of fds, which EXPORTER_CLIENTS bounds; some client will leave. */
static void exporter_on_accept_error(struct evconnlistener *l, void *arg)
{
    (void)arg;
    evconnlistener_disable(l);
    event_base_once(evconnlistener_get_base(l), -1, EV_TIMEOUT, exporter_on_resume, l, &out_of_fds);
}

/* Nothing is due now: an answer that came too late, or the monitor's end. */
static void exporter_on_channel(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)exporter_receive(arg);
}

/* ---- the process ---- */

static int exporter_serve(struct exporter *x)
{
    struct evconnlistener *const l =
        evconnlistener_new(x->base, NULL, NULL, LEV_OPT_CLOSE_ON_EXEC, 0, EXPORTER_LISTEN_FD);

    x->http = evhttp_new(x->base);
    if (!x->http || !l || !evhttp_bind_listener(x->http, l)) {
        return -ENOMEM;
    }
    evconnlistener_set_error_cb(l, exporter_on_accept_error);
    evhttp_set_allowed_methods(x->http, EVHTTP_REQ_GET);
    evhttp_set_max_headers_size(x->http, EXPORTER_REQUEST_MAX);
    evhttp_set_max_body_size(x->http, 0);
    evhttp_set_timeout(x->http, EXPORTER_CLIENT_S);
    x->clients = exporter_clients_new(x->http, EXPORTER_FDS, EXPORTER_CLIENT_MS);
    if (!x->clients) {
        return -ENOMEM;
    }
    evhttp_set_gencb(x->http, exporter_on_request, x);
    return 0;
}

static int exporter_init(struct exporter *x)
{
    struct event_config *const c = event_config_new();

    if (!c) {
        return -ENOMEM;
    }
    /* There is only one thread. */
    event_config_set_flag(c, EVENT_BASE_FLAG_NOLOCK);
    x->base = event_base_new_with_config(c);
    event_config_free(c);
    if (!x->base) {
        return -ENOMEM;
    }
    x->channel =
        event_new(x->base, EXPORTER_CHANNEL_FD, EV_READ | EV_PERSIST, exporter_on_channel, x);
    if (!x->channel || event_add(x->channel, NULL) < 0) {
        return -ENOMEM;
    }
    return exporter_serve(x);
}

static void exporter_deinit(struct exporter *x)
{
    if (x->http) {
        evhttp_free(x->http);
    }
    exporter_clients_free(x->clients);
    if (x->channel) {
        event_free(x->channel);
    }
    if (x->base) {
        event_base_free(x->base);
    }
    free(x->snapshot);
}

static int exporter_read_start(struct exporter_start *s)
{
    const ssize_t n = pread(EXPORTER_START_FD, s, sizeof *s, 0);

    close(EXPORTER_START_FD);
    return n == sizeof *s ? 0 : -EINVAL;
}

int exporter_main(void)
{
    struct exporter x = {.over = false};
    struct exporter_start s;
    int err = exporter_read_start(&s);

    log_init("poemd", err ? LOG_ERROR : s.log_level);
    log_dress();
    (void)prctl(PR_SET_NAME, EXPORTER_NAME, 0, 0, 0);
    /* Only the monitor ends its exporter; signals to the whole process group must not. */
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    if (!err) {
        x.has_folder = s.has_folder != 0;
        err = exporter_init(&x);
    }
    if (!err) {
        err = exporter_sandbox(&s);
    }
    if (err) {
        log_error("exporter: cannot start: %s", strerror(-err));
    } else if (event_base_dispatch(x.base) < 0 && !x.over) {
        err = -EIO;
    }
    exporter_deinit(&x);
    return err ? 3 : 0;
}
