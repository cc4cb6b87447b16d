/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * twin_socket: poemd stands in both sockets, so no command of the backend's passes
 * round it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/sock.h"
#include "tests/daemon/twin_rig.h"
#include "tests/support/peer.h"
#include "tests/support/stream.h"
#include "tests/support/unit.h"

START_TEST(commands_and_replies_on_the_twin)
{
    static const enum flow_cut cuts[] = {FLOW_WHOLE, FLOW_GLUED, FLOW_HEADER_BODY};
    struct stream up;
    struct stream down;
    struct rig r;
    struct twins t;

    stream_init(&up);
    stream_init(&down);
    for (uint16_t i = 0; i < 300; i++) {
        stream_add(&down, (struct wire_hdr){.id = i, .command = WIRE_DMA_WRITE}, NULL, i * 7u,
                   i % 20 == 3 ? 16 : 0);
        stream_add(&up,
                   (struct wire_hdr){.id = i, .command = WIRE_DMA_WRITE, .flags = WIRE_TYPE_REPLY},
                   NULL, 16, i % 20 == 4 ? 8 : 0);
    }
    stream_add(&down, (struct wire_hdr){.id = 1, .command = WIRE_DMA_WRITE}, NULL, 16 + 1048576, 1);
    rig_start(&r, "");
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        const enum flow_cut cut = cuts[i];

        twin_rig_begin(&r, &t);
        /* Both sockets, both directions, all at once. */
        flow_run((struct flow[]){{.stream = &down,
                                  .from_fd = t.twin.backend_fd,
                                  .to_fd = t.twin.client_fd,
                                  .cut = cut},
                                 {.stream = &up,
                                  .from_fd = t.twin.client_fd,
                                  .to_fd = t.twin.backend_fd,
                                  .cut = cut},
                                 {.stream = &up,
                                  .from_fd = t.main.client_fd,
                                  .to_fd = t.main.backend_fd,
                                  .cut = cut},
                                 {.stream = &down,
                                  .from_fd = t.main.backend_fd,
                                  .to_fd = t.main.client_fd,
                                  .cut = cut}},
                 4);
        pair_ping(&t.main);
        pair_ping(&t.twin);
        twin_rig_end(&t);
        rig_await_log(&r, " ended: ", NULL, 0);
        rig_settle(&r);
    }
    stream_deinit(&up);
    stream_deinit(&down);
    rig_stop(&r);
}
END_TEST

/* The negotiated limits bound the twin socket as they do the main one. */
START_TEST(limits_hold_on_the_twin)
{
    struct rig r;
    struct twins t;
    struct fdset fds;

    rig_start(&r, "");
    for (int to_client = 0; to_client < 2; to_client++) {
        twin_rig_begin(&r, &t);
        fdset_init(&fds);
        peer_memfds(&fds, to_client ? 17 : 9);
        peer_send(to_client ? t.twin.backend_fd : t.twin.client_fd,
                  (struct wire_hdr){.command = WIRE_DMA_READ}, NULL, 0, &fds);
        fdset_close(&fds);
        pair_expect_end(&t.main);
        pair_expect_end(&t.twin);
        rig_await_log(&r, "reason=too-many-fds", NULL, 0);
        rig_settle(&r);
    }
    rig_stop(&r);
}
END_TEST

/* A twin that one side closes ends for the other; the session goes on without. */
START_TEST(a_twin_closes_alone)
{
    struct rig r;
    struct twins t;

    rig_start(&r, "");
    for (int by_client = 0; by_client < 2; by_client++) {
        twin_rig_begin(&r, &t);
        pair_ping(&t.twin);
        if (by_client) {
            sock_close(&t.twin.client_fd);
            peer_expect_eof(t.twin.backend_fd);
        } else {
            sock_close(&t.twin.backend_fd);
            peer_expect_eof(t.twin.client_fd);
        }
        pair_ping(&t.main);
        pair_ping(&t.main);
        twin_rig_end(&t);
        rig_await_log(&r, " ended: ", NULL, 0);
        rig_settle(&r);
    }
    rig_stop(&r);
}
END_TEST

/* When the session ends, its twin does. */
START_TEST(the_session_takes_its_twin_along)
{
    struct rig r;
    struct twins t;

    rig_start(&r, "");
    for (int by_client = 0; by_client < 2; by_client++) {
        twin_rig_begin(&r, &t);
        sock_close(by_client ? &t.main.client_fd : &t.main.backend_fd);
        peer_expect_eof(by_client ? t.main.backend_fd : t.main.client_fd);
        pair_close(&t.main);
        pair_expect_end(&t.twin);
        rig_await_log(&r, " ended: ", NULL, 0);
        rig_settle(&r);
    }
    rig_stop(&r);
}
END_TEST

/* Offered and declined, or answered with another JSON: no twin, a plain session. */
START_TEST(a_backend_may_decline)
{
    static const char *const replies[] = {
        "{}", NULL, "{\"capabilities\":{\"twin_socket\":{\"supported\":false}}}",
        "{\"capabilities\":{\"twin_socket\":{}}}"};
    struct rig r;
    struct pair p;

    rig_start(&r, "");
    for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
        rig_session(&r, TWIN_RIG_REQUEST, replies[i], &p);
        pair_ping(&p);
        pair_close(&p);
        rig_await_log(&r, " ended: ", NULL, 0);
    }
    rig_stop(&r);
}
END_TEST

int main(void)
{
    Suite *const suite = suite_create("daemon: twin_socket");
    TCase *const tc = rig_case(suite, "twin_socket");

    tcase_add_test(tc, commands_and_replies_on_the_twin);
    tcase_add_test(tc, limits_hold_on_the_twin);
    tcase_add_test(tc, a_twin_closes_alone);
    tcase_add_test(tc, the_session_takes_its_twin_along);
    tcase_add_test(tc, a_backend_may_decline);
    return unit_run(suite);
}
