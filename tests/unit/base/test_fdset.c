/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Owned sets of fds: what goes in is closed, unless it is taken out; in order, up to the room. */
#define _GNU_SOURCE
#include "base/fdset.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/unit.h"

static int new_fd(void)
{
    const int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    return fd;
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static void fill(struct fdset *s, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        ck_assert_int_eq(fdset_add_take(s, new_fd()), 0);
    }
    ck_assert_uint_eq(s->n, n);
}

START_TEST(closes_what_it_owns)
{
    struct fdset s;
    int fds[3];

    fdset_init(&s);
    for (int i = 0; i < 3; i++) {
        fds[i] = new_fd();
        ck_assert_int_eq(fdset_add_take(&s, fds[i]), 0);
    }
    fdset_close(&s);
    ck_assert_uint_eq(s.n, 0);
    for (int i = 0; i < 3; i++) {
        ck_assert(!is_open(fds[i]));
    }
    fdset_close(&s);
    fill(&s, 1);
    fdset_close(&s);
}
END_TEST

START_TEST(full_at_its_size_and_closes_one_more)
{
    struct fdset s;
    int one_more;

    ck_assert_int_eq(FDSET_MAX, 254);
    fdset_init(&s);
    fill(&s, FDSET_MAX);
    one_more = new_fd();
    ck_assert_int_eq(fdset_add_take(&s, one_more), -ENOSPC);
    ck_assert_uint_eq(s.n, FDSET_MAX);
    ck_assert(!is_open(one_more));
    ck_assert(is_open(s.fds[FDSET_MAX - 1]));
    fdset_close(&s);
}
END_TEST

START_TEST(stolen_fds_stay_open_and_the_rest_in_order)
{
    struct fdset s;
    int a;
    int b;
    int c;
    int got;

    fdset_init(&s);
    fill(&s, 3);
    a = s.fds[0];
    b = s.fds[1];
    c = s.fds[2];
    got = fdset_steal(&s, 1);
    ck_assert_int_eq(got, b);
    ck_assert_uint_eq(s.n, 2);
    ck_assert_int_eq(s.fds[0], a);
    ck_assert_int_eq(s.fds[1], c);
    ck_assert_int_eq(fdset_steal(&s, 2), -1);
    fdset_close(&s);
    ck_assert(is_open(got));
    ck_assert(!is_open(a) && !is_open(c));
    close(got);
    ck_assert_int_eq(fdset_steal(&s, 0), -1);
}
END_TEST

START_TEST(append_moves_behind)
{
    struct fdset to;
    struct fdset from;
    int first;
    int moved;

    fdset_init(&to);
    fdset_init(&from);
    fill(&to, 2);
    fill(&from, 2);
    first = to.fds[0];
    moved = from.fds[0];
    ck_assert_int_eq(fdset_append_take(&to, &from), 0);
    ck_assert_uint_eq(to.n, 4);
    ck_assert_uint_eq(from.n, 0);
    ck_assert_int_eq(to.fds[0], first);
    ck_assert_int_eq(to.fds[2], moved);
    fdset_close(&from);
    ck_assert(is_open(moved));
    fdset_close(&to);
}
END_TEST

START_TEST(append_past_the_room_closes_the_rest)
{
    struct fdset to;
    struct fdset from;
    int last;

    fdset_init(&to);
    fdset_init(&from);
    fill(&to, FDSET_MAX - 1);
    fill(&from, 2);
    last = from.fds[1];
    ck_assert_int_eq(fdset_append_take(&to, &from), -ENOSPC);
    ck_assert_uint_eq(to.n, FDSET_MAX);
    ck_assert_uint_eq(from.n, 0);
    ck_assert(!is_open(last));
    fdset_close(&to);
}
END_TEST

/* Lays a control message into p; returns its room. */
static size_t put_cmsg(unsigned char *p, int level, int type, const void *data, size_t n)
{
    struct cmsghdr c = {.cmsg_len = CMSG_LEN(n), .cmsg_level = level, .cmsg_type = type};

    memcpy(p, &c, sizeof c);
    memcpy(p + CMSG_LEN(0), data, n);
    return CMSG_SPACE(n);
}

START_TEST(receive_walks_all_control_messages)
{
    _Alignas(struct cmsghdr) unsigned char control[256] = {0};
    const int foreign = 99;
    int one[1] = {new_fd()};
    int two[2] = {new_fd(), new_fd()};
    struct msghdr msg = {.msg_control = control};
    struct fdset s;
    size_t n;

    n = put_cmsg(control, SOL_SOCKET, SCM_RIGHTS, one, sizeof one);
    n += put_cmsg(control + n, SOL_SOCKET, 0x7f, &foreign, sizeof foreign);
    n += put_cmsg(control + n, 0x7f, SCM_RIGHTS, &foreign, sizeof foreign);
    n += put_cmsg(control + n, SOL_SOCKET, SCM_RIGHTS, two, sizeof two);
    msg.msg_controllen = n;
    fdset_init(&s);
    ck_assert_int_eq(fdset_receive(&s, &msg), 0);
    ck_assert_uint_eq(s.n, 3);
    ck_assert_int_eq(s.fds[0], one[0]);
    ck_assert_int_eq(s.fds[1], two[0]);
    ck_assert_int_eq(s.fds[2], two[1]);
    fdset_close(&s);
}
END_TEST

START_TEST(receive_into_a_full_set_closes)
{
    _Alignas(struct cmsghdr) unsigned char control[64] = {0};
    int two[2] = {new_fd(), new_fd()};
    struct msghdr msg = {.msg_control = control};
    struct fdset s;

    msg.msg_controllen = put_cmsg(control, SOL_SOCKET, SCM_RIGHTS, two, sizeof two);
    fdset_init(&s);
    fill(&s, FDSET_MAX - 1);
    ck_assert_int_eq(fdset_receive(&s, &msg), -ENOSPC);
    ck_assert_uint_eq(s.n, FDSET_MAX);
    ck_assert_int_eq(s.fds[FDSET_MAX - 1], two[0]);
    ck_assert(!is_open(two[1]));
    fdset_close(&s);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("fdset");
    TCase *tc = unit_case(s, "ownership");

    tcase_add_test(tc, closes_what_it_owns);
    tcase_add_test(tc, full_at_its_size_and_closes_one_more);
    tcase_add_test(tc, stolen_fds_stay_open_and_the_rest_in_order);
    tcase_add_test(tc, append_moves_behind);
    tcase_add_test(tc, append_past_the_room_closes_the_rest);
    tc = unit_case(s, "receive");
    tcase_add_test(tc, receive_walks_all_control_messages);
    tcase_add_test(tc, receive_into_a_full_set_closes);
    return unit_run(s);
}
