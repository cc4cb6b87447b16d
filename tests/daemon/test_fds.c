/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * File descriptors through the relay: each with the message that brought it, as many as the
 * receiver takes and not one more, none lost, none kept.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/sock.h"
#include "tests/daemon/rig.h"
#include "tests/support/peer.h"
#include "tests/support/process.h"
#include "tests/support/stream.h"
#include "tests/support/unit.h"

#define CAPS_FDS(n) "{\"capabilities\":{\"max_msg_fds\":" #n "}}"

static const struct wire_hdr map = {.id = 5, .command = WIRE_DMA_MAP};

/* ---- which message they belong to ---- */

/*
 * Five messages, in every pattern of which of them have fds: before, behind and between messages
 * that have none.
 */
START_TEST(every_pattern_of_fds)
{
    static const enum flow_cut cuts[] = {FLOW_WHOLE, FLOW_GLUED, FLOW_HEADER_BODY, FLOW_BYTES};
    enum { MESSAGES = 5 };
    struct rig r;
    struct pair p;

    rig_start(&r, "");
    rig_session(&r, CAPS_FDS(16), CAPS_FDS(16), &p);
    for (unsigned pattern = 0; pattern < 1u << MESSAGES; pattern++) {
        struct stream s;

        stream_init(&s);
        for (unsigned i = 0; i < MESSAGES; i++) {
            /* Headers alone among them, and different numbers of fds. */
            stream_add(&s, (struct wire_hdr){.id = (uint16_t)i, .command = WIRE_DEVICE_SET_IRQS},
                       NULL, i * 12 % 36, pattern >> i & 1 ? 1 + i : 0);
        }
        for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
            flow_pass(&s, p.client_fd, p.backend_fd, cuts[i], 0);
            flow_pass(&s, p.backend_fd, p.client_fd, cuts[i], 0);
        }
        stream_deinit(&s);
    }
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* The same, all of it in the daemon's socket before it can read: the kernel glues what it can. */
START_TEST(fds_in_a_full_socket)
{
    struct stream s;
    struct rig r;
    struct pair p;
    struct flow f = {.stream = &s, .cut = FLOW_GLUED};

    stream_init(&s);
    for (unsigned i = 0; i < 120; i++) {
        stream_add(&s, map, NULL, i % 3 * 16, i % 7 == 3 ? 2 : i % 11 == 5);
    }
    rig_start(&r, "");
    rig_session(&r, CAPS_FDS(16), CAPS_FDS(16), &p);
    f.from_fd = p.client_fd;
    f.to_fd = p.backend_fd;
    flow_send(&f);
    flow_run(&f, 1);
    peer_expect_silence(p.backend_fd);
    pair_close(&p);
    stream_deinit(&s);
    rig_stop(&r);
}
END_TEST

/* Fds that come with a later part of a message are that message's, too. */
START_TEST(fds_behind_the_first_byte)
{
    static const size_t ats[] = {1, 15, 16, 17, 40};
    static uint8_t bytes[48];
    struct wire_hdr hdr = map;
    struct rig r;
    struct pair p;

    hdr.size = sizeof bytes;
    wire_put_hdr(bytes, &hdr);
    rig_start(&r, "");
    rig_session(&r, CAPS_FDS(16), CAPS_FDS(16), &p);
    for (size_t i = 0; i < sizeof ats / sizeof *ats; i++) {
        struct fdset first;
        struct fdset later;
        struct message m;

        fdset_init(&first);
        fdset_init(&later);
        peer_memfds(&first, i % 2);
        peer_memfds(&later, 2);
        peer_send_raw(p.client_fd, bytes, ats[i], &first);
        peer_send_raw(p.client_fd, bytes + ats[i], sizeof bytes - ats[i], &later);
        ck_assert_int_eq(fdset_append_take(&first, &later), 0);
        peer_recv(p.backend_fd, &m);
        peer_expect_same_fds(&first, &m.fds);
        message_deinit(&m);
        fdset_close(&first);
        pair_ping(&p);
    }
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* One memfd many times over, and in two messages at once: each copy arrives. */
START_TEST(the_same_fd_again)
{
    struct rig r;
    struct pair p;
    struct fdset fds;
    struct message m;
    uint8_t payload[32] = {0};

    rig_start(&r, "");
    rig_session(&r, CAPS_FDS(16), CAPS_FDS(16), &p);
    fdset_init(&fds);
    peer_memfds(&fds, 1);
    for (int i = 1; i < 16; i++) {
        ck_assert_int_eq(fdset_add_take(&fds, dup(fds.fds[0])), 0);
    }
    peer_send(p.client_fd, map, payload, sizeof payload, &fds);
    peer_send(p.client_fd, map, payload, sizeof payload, &fds);
    for (int i = 0; i < 2; i++) {
        peer_recv(p.backend_fd, &m);
        peer_expect_same_fds(&fds, &m.fds);
        message_deinit(&m);
    }
    fdset_close(&fds);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* Sockets pass as well. */
START_TEST(a_socket_is_an_fd)
{
    struct rig r;
    struct pair p;
    struct fdset fds;
    struct message m;
    int pair[2];

    rig_start(&r, "");
    rig_session(&r, CAPS_FDS(16), CAPS_FDS(16), &p);
    fdset_init(&fds);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    ck_assert_int_eq(fdset_add_take(&fds, pair[0]), 0);
    ck_assert_int_eq(fdset_add_take(&fds, pair[1]), 0);
    peer_send(p.client_fd, map, NULL, 0, &fds);
    peer_recv(p.backend_fd, &m);
    peer_expect_same_fds(&fds, &m.fds);
    message_deinit(&m);
    fdset_close(&fds);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* _i: whose end of the session is among the fds, and who sends it: bit 0 and 1; it is the backend.
 */
START_TEST(a_session_does_not_pass_its_own_sockets)
{
    struct rig r;
    struct pair p;
    struct fdset fds;

    rig_start(&r, "");
    rig_session(&r, CAPS_FDS(16), CAPS_FDS(16), &p);
    fdset_init(&fds);
    peer_memfds(&fds, 1);
    ck_assert_int_eq(fdset_add_take(&fds, dup(_i & 1 ? p.backend_fd : p.client_fd)), 0);
    peer_send(_i & 2 ? p.backend_fd : p.client_fd, map, NULL, 0, &fds);
    fdset_close(&fds);
    pair_expect_end(&p);
    rig_await_log(&r, "reason=own-socket", NULL, 0);
    rig_settle(&r);
    rig_session(&r, CAPS_FDS(16), CAPS_FDS(16), &p);
    pair_ping(&p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* ---- how many ---- */

struct fd_limit {
    const char *request; /* the client's capabilities: what it receives */
    const char *reply;   /* the backend's */
    unsigned to_client;
    unsigned to_backend;
};

static const struct fd_limit fd_limits[] = {
    {NULL, NULL, LIMIT_FDS_DEFAULT, LIMIT_FDS_DEFAULT},
    {"{}", CAPS_FDS(8), LIMIT_FDS_DEFAULT, 8},
    {CAPS_FDS(16), CAPS_FDS(8), 16, 8},
    {CAPS_FDS(0), CAPS_FDS(2), 0, 2},
    {CAPS_FDS(253), CAPS_FDS(252), 253, 252},
    /* More than the kernel carries: what it carries passes. */
    {CAPS_FDS(4294967295), CAPS_FDS(1000), 253, 253},
};

#define FD_LIMITS ((int)(sizeof fd_limits / sizeof *fd_limits))

/* n fds with one message pass, and the session goes on. */
static void pass_fds(const struct pair *p, int from_fd, int to_fd, unsigned n)
{
    struct stream s;

    stream_init(&s);
    stream_add(&s, map, NULL, 32, n);
    flow_pass(&s, from_fd, to_fd, FLOW_WHOLE, 0);
    stream_deinit(&s);
    pair_ping(p);
}

/* They do not pass, nor does their message: the session ends, and they are closed. */
static void refuse_fds(struct rig *r, struct pair *p, int from_fd, unsigned n)
{
    struct fdset fds;

    fdset_init(&fds);
    peer_memfds(&fds, n);
    peer_send(from_fd, map, NULL, 0, &fds);
    fdset_close(&fds);
    pair_expect_end(p);
    rig_await_log(r, "reason=too-many-fds", NULL, 0);
    rig_settle(r);
}

START_TEST(as_many_as_the_receiver_takes)
{
    const struct fd_limit *const l = &fd_limits[_i];
    struct rig r;
    struct pair p;

    rig_start(&r, "");
    rig_session(&r, l->request, l->reply, &p);
    pass_fds(&p, p.client_fd, p.backend_fd, l->to_backend);
    pass_fds(&p, p.backend_fd, p.client_fd, l->to_client);
    if (l->to_backend == LIMIT_FDS_KERNEL) {
        pair_close(&p);
        rig_stop(&r);
        return;
    }
    refuse_fds(&r, &p, p.client_fd, l->to_backend + 1);
    if (l->to_client < LIMIT_FDS_KERNEL) {
        rig_session(&r, l->request, l->reply, &p);
        refuse_fds(&r, &p, p.backend_fd, l->to_client + 1);
    }
    /* The route serves the next. */
    rig_session(&r, l->request, l->reply, &p);
    pair_ping(&p);
    pair_close(&p);
    rig_stop(&r);
}
END_TEST

/* One past the limit in two parts of one message, neither of which alone is past it. */
START_TEST(too_many_in_two_parts)
{
    uint8_t bytes[48] = {0};
    struct wire_hdr hdr = map;
    struct rig r;
    struct pair p;
    struct fdset fds;

    hdr.size = sizeof bytes;
    wire_put_hdr(bytes, &hdr);
    rig_start(&r, "");
    rig_session(&r, CAPS_FDS(16), CAPS_FDS(8), &p);
    fdset_init(&fds);
    peer_memfds(&fds, 4);
    peer_send_raw(p.client_fd, bytes, 20, &fds);
    peer_send_raw(p.client_fd, bytes + 20, 1, NULL);
    peer_memfds(&fds, 1);
    peer_send_raw(p.client_fd, bytes + 21, sizeof bytes - 21, &fds);
    fdset_close(&fds);
    pair_expect_end(&p);
    rig_await_log(&r, "reason=too-many-fds", NULL, 0);
    rig_stop(&r);
}
END_TEST

/* What was sent before the fault arrives; the fault's own message does not. */
START_TEST(messages_before_the_fault_arrive)
{
    struct stream s;
    struct rig r;
    struct pair p;
    struct fdset fds;

    stream_init(&s);
    for (unsigned i = 0; i < 20; i++) {
        stream_add(&s, map, NULL, 32, i % 2);
    }
    rig_start(&r, "");
    rig_session(&r, CAPS_FDS(16), CAPS_FDS(8), &p);
    flow_pass(&s, p.client_fd, p.backend_fd, FLOW_GLUED, 0);
    fdset_init(&fds);
    peer_memfds(&fds, 9);
    peer_send(p.client_fd, map, NULL, 0, &fds);
    fdset_close(&fds);
    pair_expect_end(&p);
    rig_await_log(&r, "reason=too-many-fds", NULL, 0);
    stream_deinit(&s);
    rig_stop(&r);
}
END_TEST

/* ---- MSG_CTRUNC ---- */

/* The RLIMIT_NOFILE under which the process can open `room` fds more. */
static rlim_t limit_with_room(pid_t pid, unsigned room)
{
    static bool used[65536];
    const struct dirent *e;
    char path[48];
    DIR *dir;
    rlim_t limit = 0;

    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    dir = opendir(path);
    ck_assert_ptr_nonnull(dir);
    memset(used, 0, sizeof used);
    while ((e = readdir(dir))) {
        if (e->d_name[0] != '.') {
            used[strtoul(e->d_name, NULL, 10) % 65536] = true;
        }
    }
    closedir(dir);
    while (room > 0 || used[limit]) {
        room -= !used[limit];
        limit++;
    }
    return limit;
}

/*
 * The worker runs out of fds inside recvmsg: the kernel delivers some and says MSG_CTRUNC. That
 * session ends, with nothing passed on; another session of the same worker goes on.
 */
START_TEST(out_of_fds)
{
    rlim_t old;
    struct rig r;
    struct pair hit;
    struct pair other;
    struct fdset fds;
    pid_t worker;

    if (!rig_measurable()) {
        puts("skipped: out_of_fds: sanitizers and wrappers open fds of their own in the worker");
        return;
    }
    if (!*rig_own_user()) {
        puts(
            "skipped: out_of_fds: fds in flight count for a user, and this one has other programs");
        return;
    }
    rig_start(&r, "    sessions 2");
    rig_session(&r, CAPS_FDS(16), CAPS_FDS(16), &hit);
    rig_session(&r, CAPS_FDS(16), CAPS_FDS(16), &other);
    pair_ping(&hit);
    pair_ping(&other);
    worker = rig_worker(&r);
    old = process_limit_fds(worker, limit_with_room(worker, 3));
    /* At the limit they still pass. */
    pass_fds(&hit, hit.client_fd, hit.backend_fd, 3);
    fdset_init(&fds);
    peer_memfds(&fds, 4);
    peer_send(hit.client_fd, map, NULL, 0, &fds);
    fdset_close(&fds);
    pair_expect_end(&hit);
    rig_await_log(&r, "reason=fds-cut-off", NULL, 0);
    pass_fds(&other, other.backend_fd, other.client_fd, 3);
    (void)process_limit_fds(worker, old);
    rig_session(&r, CAPS_FDS(16), CAPS_FDS(16), &hit);
    pass_fds(&hit, hit.client_fd, hit.backend_fd, 16);
    pair_close(&hit);
    pair_close(&other);
    rig_stop(&r);
}
END_TEST

int main(void)
{
    Suite *const suite = suite_create("daemon: fds");
    TCase *const tc = rig_case(suite, "fds");

    tcase_add_test(tc, every_pattern_of_fds);
    tcase_add_test(tc, fds_in_a_full_socket);
    tcase_add_test(tc, fds_behind_the_first_byte);
    tcase_add_test(tc, the_same_fd_again);
    tcase_add_test(tc, a_socket_is_an_fd);
    tcase_add_loop_test(tc, a_session_does_not_pass_its_own_sockets, 0, 4);
    tcase_add_loop_test(tc, as_many_as_the_receiver_takes, 0, FD_LIMITS);
    tcase_add_test(tc, too_many_in_two_parts);
    tcase_add_test(tc, messages_before_the_fault_arrive);
    tcase_add_test(tc, out_of_fds);
    return unit_run(suite);
}
