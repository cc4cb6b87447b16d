/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Accounts of peers' fds: shares, spare room, and what the kernel knows to be received, on real
 * sockets; and how the monitor divides the limit of open files.
 */
#define _GNU_SOURCE
#include "proxy/relay/fdroom.h"

#include <check.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/sock.h"
#include "proxy/config/worker_pool_settings.h"
#include "tests/support/peer.h"
#include "tests/support/unit.h"

#define SHARE 10u

static struct fdroom room;
static struct fdroom_session one;
static struct fdroom_session two;
static int pair[2];
static struct fdroom_leg *leg;

static void open_room(void)
{
    room = (struct fdroom){.share = SHARE, .spare = 20};
    one = (struct fdroom_session){.room = &room};
    two = (struct fdroom_session){.room = &room};
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    leg = fdroom_leg(&one, pair[0]);
    ck_assert_ptr_nonnull(leg);
}

static void close_room(void)
{
    fdroom_leave(&one);
    fdroom_leave(&two);
    ck_assert_uint_eq(room.spare, 20);
    sock_close(&pair[0]);
    sock_close(&pair[1]);
}

/* n memfds are sent with one byte, and counted. */
static void send_fds(unsigned n)
{
    struct fdset fds;

    fdset_init(&fds);
    peer_memfds(&fds, n);
    fdroom_hold(leg, n, 0);
    ck_assert_int_eq(sock_send(pair[0], "x", 1, &fds, MSG_DONTWAIT), 1);
    fdset_close(&fds);
    fdroom_hold(leg, 0, n);
}

static void receive_fds(void)
{
    struct fdset fds;
    char byte;

    fdset_init(&fds);
    ck_assert_int_eq(sock_recv(pair[1], &byte, 1, &fds, 0), 1);
    fdset_close(&fds);
}

START_TEST(a_share_is_the_sessions_own)
{
    struct fdroom_leg *other = fdroom_leg(&two, pair[0]);

    room.spare = 0;
    fdroom_hold(leg, SHARE, 0);
    ck_assert(!fdroom_has(leg, 1));
    ck_assert(fdroom_has(other, SHARE));
    ck_assert(!fdroom_has(other, SHARE + 1));
    fdroom_hold(leg, SHARE - 1, 0);
    ck_assert(fdroom_has(leg, 1));
    fdroom_hold(leg, 0, 0);
    room.spare = 20;
}
END_TEST

START_TEST(the_spare_room_is_everybodys)
{
    struct fdroom_leg *other = fdroom_leg(&two, pair[0]);

    ck_assert(fdroom_has(leg, SHARE + 20));
    ck_assert(!fdroom_has(leg, SHARE + 21));
    fdroom_hold(leg, SHARE + 15, 0);
    ck_assert_uint_eq(room.spare, 5);
    ck_assert(fdroom_has(other, SHARE + 5));
    ck_assert(!fdroom_has(other, SHARE + 6));
    fdroom_hold(leg, SHARE, 0);
    ck_assert_uint_eq(room.spare, 20);
    fdroom_hold(leg, 0, 0);
}
END_TEST

/* Beyond its share a session gets as much as the largest message needs, and no more. */
START_TEST(one_session_does_not_get_all_spare_room)
{
    room.spare = 1000;
    ck_assert(fdroom_has(leg, SHARE + LIMIT_FDS_SHARE));
    ck_assert(!fdroom_has(leg, SHARE + LIMIT_FDS_SHARE + 1));
    room.spare = 20;
}
END_TEST

START_TEST(what_is_sent_counts_until_it_is_received)
{
    send_fds(6);
    send_fds(4);
    ck_assert(!fdroom_has(leg, 21));
    receive_fds();
    /* One of two: the kernel does not report which. */
    ck_assert(!fdroom_has(leg, 21));
    ck_assert_uint_eq(one.received, 0);
    receive_fds();
    ck_assert(fdroom_has(leg, 21));
    ck_assert_uint_eq(one.received, 10);
    ck_assert_uint_eq(one.used, 0);
}
END_TEST

START_TEST(a_receiver_that_is_gone_has_nothing_unread)
{
    send_fds(SHARE);
    sock_close(&pair[1]);
    ck_assert(fdroom_has(leg, SHARE));
}
END_TEST

START_TEST(a_session_that_ends_gives_back_what_it_had)
{
    send_fds(SHARE + 3);
    ck_assert_uint_eq(room.spare, 17);
    fdroom_leave(&one);
    ck_assert_uint_eq(room.spare, 20);
}
END_TEST

START_TEST(without_bounds_nothing_is_counted)
{
    struct fdroom_session s = {.room = NULL};
    struct fdroom none = {.share = 0};

    ck_assert_ptr_null(fdroom_leg(&s, pair[0]));
    s.room = &none;
    ck_assert_ptr_null(fdroom_leg(&s, pair[0]));
}
END_TEST

/* ---- which sockets are the broker's ---- */

START_TEST(a_socket_that_leads_to_us_is_known)
{
    const int memfd = peer_memfd();
    int inet;

    /* This process has made the pair, as a worker makes a twin's. */
    ck_assert(fdroom_is_ours(&room, pair[0]));
    ck_assert(!fdroom_is_ours(&room, memfd));
    inet = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert(!fdroom_is_ours(&room, inet));
    close(memfd);
    sock_close(&inet);
    inet = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert(!fdroom_is_ours(&room, inet));
    sock_close(&inet);
}
END_TEST

/* ---- how the limit is divided ---- */

#define FIXED(workers, sessions) \
    (LIMIT_WORKER_SPARE_FDS + LIMIT_REFUSALS + LIMIT_FDS_PER_SESSION * (sessions) + \
     LIMIT_FDS_SPARE * (workers))

struct division {
    unsigned workers;
    unsigned max_sessions;
    unsigned route_sessions;
    uint64_t most;
    uint32_t share;
    uint32_t spare;
};

static const struct division divisions[] = {
    /* All that a session can use, and not one more. */
    {1, 1024, 1, 1 << 20, LIMIT_FDS_SHARE, LIMIT_FDS_SPARE},
    {1, 1024, 1, FIXED(1, 1024) + 2 * LIMIT_FDS_SHARE, LIMIT_FDS_SHARE, LIMIT_FDS_SPARE},
    {1, 1024, 1, FIXED(1, 1024) + 2 * LIMIT_FDS_SHARE - 1, LIMIT_FDS_SHARE - 1, LIMIT_FDS_SPARE},
    /* While some end, twice as many; but no more than the daemon has. */
    {4, 1000, 100, FIXED(4, 1000) + 200 * 50, 50, LIMIT_FDS_SPARE},
    {4, 1000, 1000, FIXED(4, 1000) + 1000 * 50, 50, LIMIT_FDS_SPARE},
    /* A low limit leaves less to borrow, down to one message. */
    {4, 1000, 1000, FIXED(4, 1000), 1, LIMIT_FDS_SPARE},
    {4, 1000, 1000, FIXED(4, 1000) - 4, 1, LIMIT_FDS_SPARE - 1},
    /* With nothing left each has one, so that what QEMU does most passes. */
    {4, 1000, 1000, 1024, 1, LIMIT_FDS_SHARE},
};

START_TEST(the_limit_of_open_files_is_divided)
{
    const struct division *d = &divisions[_i];
    struct config_route route = {.sessions = d->route_sessions};
    const struct config c = {
        .workers = d->workers, .most_sessions = d->max_sessions, .routes = &route, .n_routes = 1};
    struct worker_settings s;

    worker_pool_settings_fds(&c, d->most, &s);
    ck_assert_uint_eq(s.fd_share, d->share);
    ck_assert_uint_eq(s.fd_spare, d->spare);
    if (d->share > 1) {
        ck_assert_uint_le(s.nofile, d->most);
    }
}
END_TEST

static char adopted[] = "/run/bar2";

/* Routes whose sessions keep what a next process of the device must be given. */
static const struct config_route keeping[] = {
    {.sessions = 3, .hold_ms = 30000},
    {.sessions = 3, .mappable = CONFIG_MAPPABLE_STRIP},
    {.sessions = 3, .adopt = adopted},
};

START_TEST(fds_that_are_kept_have_room_of_their_own)
{
    struct config_route route = {.sessions = 3};
    struct config c = {.workers = 1, .most_sessions = 1024, .routes = &route, .n_routes = 1};
    struct worker_settings without;
    struct worker_settings s;

    worker_pool_settings_fds(&c, 1 << 20, &without);
    route = keeping[_i];
    worker_pool_settings_fds(&c, 1 << 20, &s);
    ck_assert_uint_eq(s.fd_share, without.fd_share);
    ck_assert_uint_eq(s.nofile - without.nofile, 2ull * 3 * LIMIT_SETUP_FDS);
    /* A reload may add such words to all routes. */
    ck_assert_uint_eq(s.nofile_most, without.nofile_most);
    ck_assert_uint_eq(s.nofile_most - without.nofile, 2ull * 1024 * LIMIT_SETUP_FDS);
}
END_TEST

int main(void)
{
    Suite *const suite = suite_create("fdroom");
    TCase *const tc = unit_case(suite, "accounts");

    tcase_add_checked_fixture(tc, open_room, close_room);
    tcase_add_test(tc, a_share_is_the_sessions_own);
    tcase_add_test(tc, the_spare_room_is_everybodys);
    tcase_add_test(tc, one_session_does_not_get_all_spare_room);
    tcase_add_test(tc, what_is_sent_counts_until_it_is_received);
    tcase_add_test(tc, a_receiver_that_is_gone_has_nothing_unread);
    tcase_add_test(tc, a_session_that_ends_gives_back_what_it_had);
    tcase_add_test(tc, without_bounds_nothing_is_counted);
    tcase_add_test(tc, a_socket_that_leads_to_us_is_known);
    tcase_add_loop_test(tc, the_limit_of_open_files_is_divided, 0,
                        (int)(sizeof divisions / sizeof *divisions));
    tcase_add_loop_test(tc, fds_that_are_kept_have_room_of_their_own, 0,
                        (int)(sizeof keeping / sizeof *keeping));
    return unit_run(suite);
}
