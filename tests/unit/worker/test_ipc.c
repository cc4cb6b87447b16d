/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What the monitor and a worker may say to each other: every type, sender, number of fds and state
 * of the rules; and the messages on a real SEQPACKET pair.
 */
#define _GNU_SOURCE
#include "proxy/ipc/ipc.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/sock.h"
#include "tests/support/peer.h"
#include "tests/support/unit.h"

/* The rules. Order of the states: accepted dialing reciting deciding relaying draining dead. */
static const struct {
    const char *name;
    enum ipc_sender sender;
    unsigned fds;
    const char *states; /* 'x': legal in this one; NULL: it names no session */
} rules[IPC_TYPES] = {
    [IPC_SESSION] = {"session", IPC_FROM_MONITOR, 2, NULL},
    [IPC_RESUME] = {"resume", IPC_FROM_MONITOR, 2, NULL},
    [IPC_RESUME_TWIN] = {"resume twin", IPC_FROM_MONITOR, 4, NULL},
    [IPC_REFUSE] = {"refuse", IPC_FROM_MONITOR, 1, NULL},
    [IPC_VERDICT] = {"verdict", IPC_FROM_MONITOR, 0, "...x..."},
    [IPC_RECORDED] = {"recorded", IPC_FROM_MONITOR, 0, "....xx."},
    [IPC_GONE] = {"gone", IPC_FROM_MONITOR, 0, "..xxxx."},
    [IPC_END] = {"end", IPC_FROM_MONITOR, 0, "..xxxx."},
    [IPC_ATTACH] = {"attach", IPC_FROM_MONITOR, 1, "..xxxx."},
    [IPC_REPLACE] = {"replace", IPC_FROM_MONITOR, 1, "..xxxx."},
    [IPC_DETACH] = {"detach", IPC_FROM_MONITOR, 0, "..xxxx."},
    [IPC_COUNT] = {"count", IPC_FROM_MONITOR, 0, NULL},
    [IPC_PING] = {"ping", IPC_FROM_MONITOR, 0, NULL},
    [IPC_RING] = {"ring", IPC_FROM_MONITOR, 2, NULL},
    [IPC_TAP] = {"tap", IPC_FROM_MONITOR, 0, "..xxxx."},
    [IPC_INJECT] = {"inject", IPC_FROM_MONITOR, 0, "..xxxx."},
    [IPC_ADOPT] = {"adopt", IPC_FROM_MONITOR, 0, NULL},
    [IPC_HAND_OVER] = {"hand over", IPC_FROM_MONITOR, 0, "....xx."},
    [IPC_QUIT] = {"quit", IPC_FROM_MONITOR, 0, NULL},
    [IPC_READY] = {"ready", IPC_FROM_WORKER, 0, NULL},
    [IPC_PONG] = {"pong", IPC_FROM_WORKER, 0, NULL},
    [IPC_HEARD] = {"heard", IPC_FROM_WORKER, 0, "..x...."},
    [IPC_TURNED_AWAY] = {"turned away", IPC_FROM_WORKER, 0, NULL},
    [IPC_EVIDENCE] = {"evidence", IPC_FROM_WORKER, 0, "..x.x.."},
    [IPC_TAINT] = {"taint", IPC_FROM_WORKER, 0, "..xxxx."},
    [IPC_EXPORT] = {"export", IPC_FROM_WORKER, 0, "....xx."},
    [IPC_TWIN] = {"twin", IPC_FROM_WORKER, 2, "....xx."},
    [IPC_RESUMED] = {"resumed", IPC_FROM_WORKER, 0, "....xx."},
    [IPC_LOST] = {"lost", IPC_FROM_WORKER, 0, "....x.."},
    [IPC_ATTACHED] = {"attached", IPC_FROM_WORKER, 0, "....x.."},
    [IPC_DETACHED] = {"detached", IPC_FROM_WORKER, 0, "....x.."},
    [IPC_REPLACED] = {"replaced", IPC_FROM_WORKER, 0, "....x.."},
    [IPC_COUNTS] = {"counts", IPC_FROM_WORKER, 0, NULL},
    [IPC_ADOPTED] = {"adopted", IPC_FROM_WORKER, 0, NULL},
    [IPC_HANDED_OVER] = {"handed over", IPC_FROM_WORKER, 0, "....xx."},
    [IPC_RECEIVED] = {"received", IPC_FROM_WORKER, 0, NULL},
    [IPC_ENDED] = {"ended", IPC_FROM_WORKER, 0, "..xxxx."},
};

static void check_row(uint32_t type, enum ipc_sender sender, unsigned fds)
{
    for (int state = 0; state < SESSION_STATES; state++) {
        const bool legal = rules[type].sender == sender && rules[type].fds == fds &&
                           (!rules[type].states || rules[type].states[state] == 'x');

        ck_assert_msg(ipc_legal(type, sender, fds, (enum session_state)state) == legal,
                      "%s from %s with %u fds in %s: not %s", rules[type].name,
                      sender == IPC_FROM_MONITOR ? "the monitor" : "a worker", fds,
                      session_state_name((enum session_state)state), legal ? "legal" : "illegal");
    }
}

START_TEST(a_difference_is_in_range_and_printable)
{
    struct ipc_detached d = {.reason = REASON_BACKEND_REFUSED,
                             .difference = {.what = IPC_DIFFERS_VERSION, .name = "max_msg_fds"}};

    ck_assert(ipc_detached_sound(&d));
    d.difference.name[3] = '\n';
    ck_assert(!ipc_detached_sound(&d));
    memset(d.difference.name, 'a', sizeof d.difference.name);
    ck_assert(!ipc_detached_sound(&d));
    d.difference.name[0] = '\0';
    d.difference.what = IPC_DIFFERS_KINDS;
    ck_assert(!ipc_detached_sound(&d));
    d.difference.what = IPC_DIFFERS_NOT;
    d.reason = REASON_COUNT;
    ck_assert(!ipc_detached_sound(&d));
}
END_TEST

START_TEST(every_row_is_as_written)
{
    ck_assert_ptr_nonnull(rules[_i].name); /* a new type needs a row here */
    for (unsigned fds = 0; fds <= IPC_FDS_MAX + 1; fds++) {
        check_row((uint32_t)_i, IPC_FROM_MONITOR, fds);
        check_row((uint32_t)_i, IPC_FROM_WORKER, fds);
    }
    ck_assert_int_eq(ipc_names_session((uint32_t)_i), rules[_i].states != NULL);
}
END_TEST

START_TEST(unknown_types_are_never_legal)
{
    const uint32_t unknown[] = {0, IPC_TYPES, IPC_TYPES + 1, 0x80000001u, UINT32_MAX};

    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        ck_assert(!ipc_names_session(unknown[i]));
        for (unsigned fds = 0; fds <= IPC_FDS_MAX; fds++) {
            for (int s = 0; s < SESSION_STATES; s++) {
                ck_assert(!ipc_legal(unknown[i], IPC_FROM_MONITOR, fds, (enum session_state)s));
                ck_assert(!ipc_legal(unknown[i], IPC_FROM_WORKER, fds, (enum session_state)s));
            }
        }
    }
}
END_TEST

START_TEST(only_what_a_worker_sees_taints)
{
    const uint32_t may = TAINT_DMA | TAINT_HANDED_ON | TAINT_UNOBSERVED | TAINT_INJECTED;

    for (uint32_t bits = 0; bits < 1u << (TAINT_COUNT + 1); bits++) {
        const struct ipc_taint t = {.bits = bits};

        ck_assert_int_eq(ipc_taint_sound(&t), bits != 0 && (bits & ~may) == 0);
    }
    for (int bit = 0; bit < 32; bit++) {
        const struct ipc_taint t = {.bits = TAINT_DMA | 1u << bit};

        ck_assert_int_eq(ipc_taint_sound(&t), (may >> bit & 1u) != 0);
    }
    ck_assert(ipc_taint_sound(&(struct ipc_taint){.bits = TAINT_DMA, .by = SIDE_BACKEND}));
    ck_assert(!ipc_taint_sound(&(struct ipc_taint){.bits = TAINT_DMA, .by = SIDES}));
}
END_TEST

START_TEST(exported_ranges_are_counted_and_named)
{
    struct ipc_export e = {.n = 0};

    memset(e.ranges, 0, sizeof e.ranges);
    ck_assert(!ipc_export_sound(&e));
    for (e.n = 1; e.n <= IPC_EXPORT_RANGES; e.n++) {
        ck_assert(ipc_export_sound(&e));
        /* The last one counts, and nothing behind it does. */
        e.ranges[e.n - 1].how = IPC_HOWS;
        ck_assert(!ipc_export_sound(&e));
        e.ranges[e.n - 1] = (struct ipc_range){.flags = 16, .how = IPC_HOWS - 1};
        ck_assert(!ipc_export_sound(&e));
        e.ranges[e.n - 1] = (struct ipc_range){UINT64_MAX, UINT64_MAX, 15, IPC_HOWS - 1};
        if (e.n < IPC_EXPORT_RANGES) {
            e.ranges[e.n].how = UINT32_MAX;
            ck_assert(ipc_export_sound(&e));
            e.ranges[e.n].how = 0;
        }
    }
    ck_assert(!ipc_export_sound(&e));
    e.n = UINT32_MAX;
    ck_assert(!ipc_export_sound(&e));
    e.n = 1;
    e.again = 1;
    ck_assert(ipc_export_sound(&e));
    e.again = 2;
    ck_assert(!ipc_export_sound(&e));
}
END_TEST

START_TEST(no_more_counts_than_a_message_has)
{
    ck_assert(ipc_counts_sound(&(struct ipc_counts){.n = 0, .last = 1}));
    ck_assert(ipc_counts_sound(&(struct ipc_counts){.n = IPC_COUNTED}));
    ck_assert(!ipc_counts_sound(&(struct ipc_counts){.n = IPC_COUNTED + 1}));
    ck_assert(!ipc_counts_sound(&(struct ipc_counts){.n = UINT32_MAX}));
    ck_assert(!ipc_counts_sound(&(struct ipc_counts){.last = 2}));
}
END_TEST

START_TEST(sessions_of_a_worker_are_counted_and_in_its_states)
{
    struct ipc_adopted a = {.n = 0, .last = 1};

    memset(a.held, 0, sizeof a.held);
    ck_assert(ipc_adopted_sound(&a));
    for (a.n = 1; a.n <= IPC_HELD; a.n++) {
        /* The last one counts, and nothing behind it does. */
        for (uint32_t state = 0; state <= SESSION_STATES; state++) {
            a.held[a.n - 1].state = state;
            ck_assert_int_eq(ipc_adopted_sound(&a),
                             state >= SESSION_RECITING && state <= SESSION_DEAD);
        }
        a.held[a.n - 1].state = UINT32_MAX;
        ck_assert(!ipc_adopted_sound(&a));
        a.held[a.n - 1].state = SESSION_RELAYING;
    }
    ck_assert(!ipc_adopted_sound(&a));
    a.n = UINT32_MAX;
    ck_assert(!ipc_adopted_sound(&a));
    a.n = 1;
    a.last = 2;
    ck_assert(!ipc_adopted_sound(&a));
}
END_TEST

/* ---- on the wire ---- */

static int pair[2];
static struct fdset got;

static void open_pair(void)
{
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair),
                     0);
    fdset_init(&got);
}

static void close_pair(void)
{
    sock_close(&pair[0]);
    sock_close(&pair[1]);
    fdset_close(&got);
}

static struct ipc_msg any_message(void)
{
    struct ipc_msg m;

    memset(&m, 0x5a, sizeof m);
    m.type = IPC_ENDED;
    m.zero = 0;
    return m;
}

START_TEST(a_message_arrives_with_its_fds)
{
    const struct ipc_msg sent = any_message();
    struct ipc_msg m;
    struct fdset fds;

    fdset_init(&fds);
    peer_memfds(&fds, (unsigned)_i);
    ck_assert_int_eq(ipc_send(pair[0], &sent, fds.fds, fds.n), 0);
    ck_assert_int_eq(ipc_recv(pair[1], &m, &got), 1);
    ck_assert_mem_eq(&m, &sent, sizeof m);
    /* The sender still has its own. */
    peer_expect_same_fds(&fds, &got);
    fdset_close(&fds);
}
END_TEST

START_TEST(messages_are_not_glued)
{
    const struct ipc_msg sent = any_message();
    struct ipc_msg m;

    ck_assert_int_eq(ipc_send(pair[0], &sent, NULL, 0), 0);
    ck_assert_int_eq(ipc_send(pair[0], &sent, pair, 2), 0);
    ck_assert_int_eq(ipc_recv(pair[1], &m, &got), 1);
    ck_assert_uint_eq(got.n, 0);
    ck_assert_int_eq(ipc_recv(pair[1], &m, &got), 1);
    ck_assert_uint_eq(got.n, 2);
    ck_assert_int_eq(ipc_recv(pair[1], &m, &got), -EAGAIN);
}
END_TEST

/* Bytes of another size than a message's, with an fd, which must end up in the set. */
static void expect_foreign(const void *p, size_t n)
{
    struct fdset fd;
    struct ipc_msg m;

    fdset_init(&fd);
    peer_memfds(&fd, 1);
    ck_assert_int_eq(sock_send(pair[0], p, n, &fd, 0), (ssize_t)n);
    ck_assert_msg(ipc_recv(pair[1], &m, &got) == -EPROTO, "%zu bytes were taken", n);
    peer_expect_same_fds(&fd, &got);
    fdset_close(&fd);
    fdset_close(&got);
}

START_TEST(foreign_sizes_are_refused)
{
    const struct ipc_msg two[2] = {any_message(), any_message()};

    expect_foreign(two, 1);
    expect_foreign(two, sizeof two[0] - 1);
    expect_foreign(two, sizeof two[0] + 1);
    expect_foreign(two, sizeof two);
}
END_TEST

START_TEST(what_must_be_zero_must_be)
{
    struct ipc_msg m = any_message();

    m.zero = 1;
    expect_foreign(&m, sizeof m);
}
END_TEST

START_TEST(more_fds_than_any_message_has_can_be_closed)
{
    const struct ipc_msg sent = any_message();
    struct ipc_msg m;
    struct fdset fds;

    fdset_init(&fds);
    peer_memfds(&fds, 5);
    ck_assert_int_eq(sock_send(pair[0], &sent, sizeof sent, &fds, 0), (ssize_t)sizeof sent);
    ck_assert_int_eq(ipc_recv(pair[1], &m, &got), 1);
    ck_assert_uint_eq(got.n, 5);
    ck_assert(!ipc_legal(IPC_SESSION, IPC_FROM_MONITOR, got.n, SESSION_DEAD));
    fdset_close(&fds);
}
END_TEST

START_TEST(a_full_channel_says_so_and_loses_nothing)
{
    struct ipc_msg m = any_message();
    uint64_t sent = 0;
    int err;

    for (;;) {
        m.session = sent;
        err = ipc_send(pair[0], &m, NULL, 0);
        if (err) {
            break;
        }
        sent++;
    }
    ck_assert_int_eq(err, -EAGAIN);
    ck_assert_uint_gt(sent, 0);
    for (uint64_t i = 0; i < sent; i++) {
        ck_assert_int_eq(ipc_recv(pair[1], &m, &got), 1);
        ck_assert_uint_eq(m.session, i);
    }
    ck_assert_int_eq(ipc_recv(pair[1], &m, &got), -EAGAIN);
}
END_TEST

START_TEST(the_other_end_is_gone)
{
    struct ipc_msg m = any_message();

    sock_close(&pair[0]);
    ck_assert_int_eq(ipc_recv(pair[1], &m, &got), 0);
    ck_assert_int_eq(ipc_send(pair[1], &m, NULL, 0), -EPIPE);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("ipc");
    TCase *tc = unit_case(s, "rules");

    tcase_add_test(tc, a_difference_is_in_range_and_printable);
    tcase_add_loop_test(tc, every_row_is_as_written, 1, IPC_TYPES);
    tcase_add_test(tc, unknown_types_are_never_legal);
    tcase_add_test(tc, only_what_a_worker_sees_taints);
    tcase_add_test(tc, exported_ranges_are_counted_and_named);
    tcase_add_test(tc, no_more_counts_than_a_message_has);
    tcase_add_test(tc, sessions_of_a_worker_are_counted_and_in_its_states);
    tc = unit_case(s, "wire");
    tcase_add_checked_fixture(tc, open_pair, close_pair);
    tcase_add_loop_test(tc, a_message_arrives_with_its_fds, 0, IPC_FDS_MAX + 1);
    tcase_add_test(tc, messages_are_not_glued);
    tcase_add_test(tc, foreign_sizes_are_refused);
    tcase_add_test(tc, what_must_be_zero_must_be);
    tcase_add_test(tc, more_fds_than_any_message_has_can_be_closed);
    tcase_add_test(tc, a_full_channel_says_so_and_loses_nothing);
    tcase_add_test(tc, the_other_end_is_gone);
    return unit_run(s);
}
