/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Clients of an HTTP server that has a limit for each connection. */
#define _GNU_SOURCE
#include <errno.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "proxy/exporter/exporter_clients.h"
#include "tests/support/patience.h"
#include "tests/support/unit.h"

/* In ms: of a connection, and between two bytes of a slow client. */
#define LIMIT_MS 50u
#define BYTE_MS 5

/* Connections at a time. */
#define MOST 4

struct web {
    struct event_base *base;
    struct evhttp *http;
    struct exporter_clients *clients;
    struct sockaddr_un at;
    unsigned answers;
};

static void web_on_request(struct evhttp_request *q, void *arg)
{
    struct web *const w = arg;

    w->answers++;
    evhttp_send_reply(q, HTTP_OK, "OK", NULL);
}

static void web_init(struct web *w)
{
    struct evconnlistener *l;

    *w = (struct web){.base = event_base_new(), .at = {.sun_family = AF_UNIX}};
    strncpy(w->at.sun_path, unit_path("web"), sizeof w->at.sun_path - 1);
    w->http = evhttp_new(w->base);
    l = evconnlistener_new_bind(w->base, NULL, NULL, LEV_OPT_CLOSE_ON_FREE, 8,
                                (struct sockaddr *)&w->at, sizeof w->at);
    ck_assert(w->http && l && evhttp_bind_listener(w->http, l));
    evhttp_set_timeout(w->http, patience_ms() / 1000);
    evhttp_set_gencb(w->http, web_on_request, w);
    w->clients = exporter_clients_new(w->http, MOST, LIMIT_MS);
    ck_assert_ptr_nonnull(w->clients);
}

static void web_deinit(struct web *w)
{
    evhttp_free(w->http);
    exporter_clients_free(w->clients);
    event_base_free(w->base);
}

static int web_connect(const struct web *w)
{
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(connect(fd, (const struct sockaddr *)&w->at, sizeof w->at), 0);
    return fd;
}

/* Serves until the client's connection is closed, sending the byte now and then if it is not 0. */
static void web_await_end(struct web *w, int fd, char slow)
{
    const struct patience patience = patience_begin();
    const struct timeval pause = {.tv_usec = 1000L * BYTE_MS};
    char bytes[512];

    do {
        ck_assert_msg(patience_left(&patience) > 0, "the connection stays");
        if (slow) {
            (void)send(fd, &slow, 1, MSG_NOSIGNAL);
        }
        event_base_loopexit(w->base, &pause);
        ck_assert_int_ge(event_base_dispatch(w->base), 0);
    } while (recv(fd, bytes, sizeof bytes, MSG_DONTWAIT) < 0 && errno == EAGAIN);
}

START_TEST(a_request_that_never_ends_is_ended)
{
    static const char begin[] = "GET / HTTP/1.1\r\nX: ";
    struct web w;
    int fd;

    web_init(&w);
    fd = web_connect(&w);
    ck_assert_int_eq(send(fd, begin, sizeof begin - 1, 0), sizeof begin - 1);
    web_await_end(&w, fd, 'x');
    ck_assert_uint_eq(w.answers, 0);
    close(fd);
    web_deinit(&w);
}
END_TEST

START_TEST(others_are_answered)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    char answer[512];
    struct web w;

    web_init(&w);
    /* More than there are places: those of ended connections are used again. */
    for (unsigned i = 1; i <= 100; i++) {
        const int fd = web_connect(&w);

        ck_assert_int_eq(send(fd, request, sizeof request - 1, 0), sizeof request - 1);
        while (recv(fd, answer, sizeof answer, MSG_DONTWAIT) < 0) {
            ck_assert_int_ge(event_base_loop(w.base, EVLOOP_NONBLOCK), 0);
        }
        ck_assert_uint_eq(w.answers, i);
        close(fd);
    }
    web_deinit(&w);
}
END_TEST

/* One connects and goes; its time must not end the connection that has its place or its fd. */
START_TEST(a_client_that_has_gone_is_forgotten)
{
    struct web w;
    int fd;

    web_init(&w);
    fd = web_connect(&w);
    ck_assert_int_ge(event_base_loop(w.base, EVLOOP_ONCE), 0);
    shutdown(fd, SHUT_WR);
    web_await_end(&w, fd, 0);
    close(fd);
    fd = web_connect(&w);
    web_await_end(&w, fd, 0);
    close(fd);
    web_deinit(&w);
}
END_TEST

int main(void)
{
    Suite *const s = suite_create("exporter_clients");
    TCase *const tc = unit_case(s, "exporter_clients");

    tcase_add_test(tc, a_request_that_never_ends_is_ended);
    tcase_add_test(tc, others_are_answered);
    tcase_add_test(tc, a_client_that_has_gone_is_forgotten);
    return unit_run(s);
}
