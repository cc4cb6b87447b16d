/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Whose file is inspected next, and whose not at all: shares, credit, slots.
 */
#define _GNU_SOURCE
#include "policy/inspector/inspector_queue.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "policy/inspector/inspector_pace.h"
#include "tests/support/patience.h"
#include "tests/support/process.h"
#include "tests/support/unit.h"

#define MIB (1024u * 1024u)

static struct inspector_queue q;
static struct peer_exe exe;

static void set_up(void)
{
    inspector_queue_init(&q);
    exe = (struct peer_exe){.fd = open("/dev/null", O_RDONLY | O_CLOEXEC)};
    ck_assert_int_ge(exe.fd, 0);
}

static void tear_down(void)
{
    inspector_queue_deinit(&q);
    close(exe.fd);
}

static struct inspector_share *share_of(uid_t uid, uint32_t route, int64_t now_ms)
{
    const struct inspector_asker who = {.uid = uid, .route = route};

    return inspector_queue_share(&q, &who, now_ms);
}

/* A new file of the user on route 1. */
static struct inspector_job *add(uid_t uid, uint64_t size)
{
    struct inspector_job *j;
    int error = 0;

    exe.id.inode++;
    exe.id.size = size;
    j = inspector_queue_add(&q, share_of(uid, 1, 0), &exe, &error);
    ck_assert_ptr_nonnull(j);
    return j;
}

/* The next job has its turn: it reads a slice. */
static struct inspector_job *turn(void)
{
    struct inspector_job *const j = inspector_queue_next(&q);

    ck_assert_ptr_nonnull(j);
    inspector_queue_turn(&q, j);
    ck_assert_int_ge(j->slot, 0);
    j->left = j->left > INSPECTOR_SLICE ? j->left - INSPECTOR_SLICE : 1;
    return j;
}

static void finish(struct inspector_job *j)
{
    inspector_queue_take(&q, j);
    inspector_queue_free(j);
}

/* ---- turns ---- */

START_TEST(shares_take_turns)
{
    struct inspector_job *const j[3] = {add(1, 500 * MIB), add(2, 500 * MIB), add(3, 500 * MIB)};
    struct inspector_job *more;

    for (unsigned round = 0; round < 4; round++) {
        for (unsigned i = 0; i < 3; i++) {
            ck_assert_ptr_eq(turn(), j[i]);
        }
    }
    /* More files of one user are no more turns. */
    more = add(1, 500 * MIB);
    for (unsigned round = 0; round < 4; round++) {
        ck_assert_ptr_eq(turn(), j[0]);
        ck_assert_ptr_eq(turn(), j[1]);
        ck_assert_ptr_eq(turn(), j[2]);
    }
    finish(j[0]);
    ck_assert_ptr_eq(turn(), more);
}
END_TEST

START_TEST(a_route_is_a_share_of_its_own)
{
    ck_assert_ptr_ne(share_of(1, 1, 0), share_of(1, 2, 0));
    ck_assert_ptr_ne(share_of(1, 1, 0), share_of(2, 1, 0));
    ck_assert_ptr_eq(share_of(1, 1, 0), share_of(1, 1, 0));
}
END_TEST

START_TEST(within_a_share_the_smallest_is_first)
{
    struct inspector_job *const large = add(1, 500 * MIB);
    struct inspector_job *small;

    ck_assert_ptr_eq(turn(), large);
    small = add(1, MIB);
    ck_assert_ptr_eq(turn(), small);
    finish(small);
    ck_assert_ptr_eq(turn(), large);
}
END_TEST

START_TEST(what_only_a_record_wants_is_last)
{
    struct inspector_job *const late = add(1, MIB);
    struct inspector_job *urgent;

    late->late = true;
    ck_assert_ptr_eq(turn(), late);
    urgent = add(2, 500 * MIB);
    for (unsigned i = 0; i < 10; i++) {
        ck_assert_ptr_eq(turn(), urgent);
    }
    finish(urgent);
    ck_assert_ptr_eq(turn(), late);
}
END_TEST

/* ---- slots ---- */

START_TEST(as_many_files_as_there_are_slots_and_one_more)
{
    struct inspector_job *last = NULL;
    struct inspector_job *small;
    struct inspector_job *large;

    for (unsigned i = 0; i < INSPECTOR_SLOTS; i++) {
        last = add(i + 1, 500 * MIB);
        ck_assert_ptr_eq(turn(), last);
    }
    /* One that is as large waits, a smaller one is begun in the place of the largest. */
    large = add(1000, 500 * MIB);
    ck_assert_int_ge(inspector_queue_next(&q)->slot, 0);
    last->left++;
    small = add(1001, MIB);
    ck_assert_ptr_eq(turn(), small);
    ck_assert_int_eq(last->slot, -1);
    ck_assert_int_eq(large->slot, -1);
    finish(small);
    ck_assert_ptr_eq(turn(), large);
}
END_TEST

START_TEST(a_new_process_begins_all_anew)
{
    struct inspector_job *const j = add(1, 100 * MIB);

    ck_assert_ptr_eq(turn(), j);
    ck_assert_ptr_eq(turn(), j);
    inspector_queue_restart(&q);
    ck_assert_int_eq(j->slot, -1);
    ck_assert_uint_eq(q.slots, 0);
    ck_assert_ptr_eq(turn(), j);
    ck_assert_uint_eq(j->left, 100 * MIB - INSPECTOR_SLICE);
}
END_TEST

/* ---- credit ---- */

START_TEST(credit_is_used_up_and_comes_back)
{
    struct inspector_share *s = share_of(1, 1, 1000);
    const int64_t cost = INSPECTOR_FILE_MAX + LIMIT_INSPECT_COST;
    int64_t ms;

    for (int64_t left = LIMIT_INSPECT_CREDIT; left > 0; left -= cost) {
        ck_assert(inspector_queue_charge(s, INSPECTOR_FILE_MAX));
    }
    ck_assert_int_le(s->credit, 0);
    ck_assert(!inspector_queue_charge(s, 0));
    ms = 1000 - s->credit * 1000 / LIMIT_INSPECT_REFILL;
    ck_assert(!inspector_queue_charge(share_of(1, 1, ms), 0));
    ck_assert(inspector_queue_charge(share_of(1, 1, ms + 2), 0));
    /* Never more than the most, however long. */
    ck_assert_int_eq(share_of(1, 1, INT64_MAX / 2)->credit, LIMIT_INSPECT_CREDIT);
}
END_TEST

START_TEST(as_many_shares_as_are_known_and_one_more)
{
    struct inspector_share *s;

    for (uid_t uid = 0; uid < LIMIT_INSPECT_SHARES; uid++) {
        s = share_of(uid, 1, 0);
        ck_assert_ptr_nonnull(s);
        ck_assert(inspector_queue_charge(s, 0));
    }
    /* All owe something: none is forgotten, which would be a way to new credit. */
    ck_assert_ptr_null(share_of(LIMIT_INSPECT_SHARES, 1, 0));
    ck_assert_ptr_nonnull(share_of(0, 1, 0));
    ck_assert_ptr_nonnull(share_of(LIMIT_INSPECT_SHARES, 1, 1000));
    ck_assert_uint_eq(q.n_shares, LIMIT_INSPECT_SHARES);
}
END_TEST

/* ---- times ---- */

static void spin(void *arg)
{
    (void)arg;
    for (;;) {
    }
}

/* Two processes that want the same CPU: what one has not had of it does not count. */
START_TEST(time_without_a_cpu_is_not_taken)
{
    struct inspector_pace pace = {.begun_ms = 0};
    const struct patience patience = patience_begin();
    cpu_set_t one;
    int64_t begun;
    pid_t pid;
    int64_t all;

    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    ck_assert_int_eq(sched_setaffinity(0, sizeof one, &one), 0);
    pid = process_fork(spin, NULL);
    begun = (int64_t)clock_ms();
    inspector_pace_begin(&pace, pid);
    while (pace.waited_ms < 100) {
        (void)inspector_pace_waited(&pace, pid);
        ck_assert_int_gt(patience_left(&patience), 0);
    }
    all = (int64_t)clock_ms() - begun;
    ck_assert_int_le(inspector_pace_took(&pace, pid), (int64_t)clock_ms() - begun - 100);
    ck_assert_int_ge(all, 100);
    /* One that is stopped wants no CPU: all of its time counts. */
    ck_assert_int_eq(kill(pid, SIGSTOP), 0);
    ck_assert_int_eq(waitpid(pid, NULL, WUNTRACED), pid);
    inspector_pace_begin(&pace, pid);
    begun = (int64_t)clock_ms();
    while ((int64_t)clock_ms() - begun < 50) {
    }
    ck_assert_int_ge(inspector_pace_took(&pace, pid), 50);
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    (void)process_wait(pid);
}
END_TEST

int main(void)
{
    Suite *const s = suite_create("inspector_queue");
    TCase *const tc = unit_case(s, "queue");

    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, shares_take_turns);
    tcase_add_test(tc, a_route_is_a_share_of_its_own);
    tcase_add_test(tc, within_a_share_the_smallest_is_first);
    tcase_add_test(tc, what_only_a_record_wants_is_last);
    tcase_add_test(tc, as_many_files_as_there_are_slots_and_one_more);
    tcase_add_test(tc, a_new_process_begins_all_anew);
    tcase_add_test(tc, credit_is_used_up_and_comes_back);
    tcase_add_test(tc, as_many_shares_as_are_known_and_one_more);
    tcase_add_test(tc, time_without_a_cpu_is_not_taken);
    return unit_run(s);
}
