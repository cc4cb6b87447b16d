/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * When a process is taken for hung, and for which silences it is not: beats with made-up times, and
 * real processes that stand still, or compute.
 */
#define _GNU_SOURCE
#include "base/helper/heartbeat.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/unit.h"

#define BEATS(ms) ((ms) / LIMIT_BEAT_MS)
#define BEAT_NS (LIMIT_BEAT_MS * 1000000ull)

static const struct heartbeat_sample asleep = {.state = 'S', .times = true};

/* A process that works, and has just been asked at time 0. */
static struct heartbeat asked(void)
{
    struct heartbeat h;

    heartbeat_start(&h, 0);
    heartbeat_heard(&h);
    ck_assert_int_eq(heartbeat_beat(&h, 0, &asleep), HEARTBEAT_ASK);
    return h;
}

/* Beats in a row without an answer until it is hung; most: it is not. */
static unsigned beats_until_hung(struct heartbeat *h, const struct heartbeat_sample *s,
                                 uint64_t each_ms, unsigned most)
{
    for (unsigned i = 1; i <= most; i++) {
        if (heartbeat_beat(h, i * each_ms, s) == HEARTBEAT_HUNG) {
            return i;
        }
    }
    return most;
}

START_TEST(whoever_answers_is_asked_for_ever)
{
    struct heartbeat h = asked();

    for (uint64_t i = 1; i < 100; i++) {
        heartbeat_heard(&h);
        ck_assert(!heartbeat_late(&h));
        ck_assert_int_eq(heartbeat_beat(&h, i * LIMIT_BEAT_MS, &asleep), HEARTBEAT_ASK);
    }
}
END_TEST

START_TEST(late_from_the_first_beat_hung_at_the_limit)
{
    struct heartbeat h = asked();

    for (unsigned i = 1; i < BEATS(LIMIT_SILENT_MS); i++) {
        ck_assert_int_eq(heartbeat_beat(&h, i * LIMIT_BEAT_MS, &asleep), HEARTBEAT_WAIT);
        ck_assert(heartbeat_late(&h));
    }
    ck_assert_int_eq(heartbeat_beat(&h, LIMIT_SILENT_MS, &asleep), HEARTBEAT_HUNG);
}
END_TEST

/* The loop's timer may come a little early, as seen in whole milliseconds. */
START_TEST(a_beat_that_is_a_little_short)
{
    struct heartbeat h = asked();

    ck_assert_uint_eq(beats_until_hung(&h, &asleep, LIMIT_BEAT_MS - 2, 100),
                      BEATS(LIMIT_SILENT_MS));
}
END_TEST

START_TEST(an_answer_begins_anew)
{
    struct heartbeat h = asked();

    for (unsigned round = 0; round < 10; round++) {
        ck_assert_uint_eq(beats_until_hung(&h, &asleep, LIMIT_BEAT_MS, BEATS(LIMIT_SILENT_MS) - 1),
                          BEATS(LIMIT_SILENT_MS) - 1);
        heartbeat_heard(&h);
        ck_assert(!heartbeat_late(&h));
        ck_assert_int_eq(heartbeat_beat(&h, 0, &asleep), HEARTBEAT_ASK);
    }
}
END_TEST

START_TEST(a_start_takes_longer)
{
    struct heartbeat h;

    heartbeat_start(&h, 0);
    ck_assert_uint_eq(beats_until_hung(&h, &asleep, LIMIT_BEAT_MS, 100), BEATS(LIMIT_START_MS));
}
END_TEST

/* The machine slept, or this process did: however long, it is one beat. */
START_TEST(time_in_which_nobody_looked)
{
    struct heartbeat h = asked();

    ck_assert_int_eq(heartbeat_beat(&h, 3600u * 1000u, &asleep), HEARTBEAT_WAIT);
    ck_assert_int_eq(heartbeat_beat(&h, 7200u * 1000u, &asleep), HEARTBEAT_WAIT);
    ck_assert_int_eq(heartbeat_beat(&h, 9900u * 1000u, &asleep), HEARTBEAT_WAIT);
}
END_TEST

/* Runnable, and the scheduler has others to run: only what it ran counts. */
START_TEST(a_process_without_a_cpu)
{
    struct heartbeat h = asked();
    struct heartbeat_sample s = {.state = 'R', .times = true};

    ck_assert_uint_eq(beats_until_hung(&h, &s, LIMIT_BEAT_MS, 1000), 1000);
    /* It had one in twenty shares of a CPU: ten times as long as one that ran all the time. */
    h = asked();
    for (unsigned i = 1; i < 20 * BEATS(LIMIT_SILENT_MS) - 10; i++) {
        s.ran_ns += BEAT_NS / 20;
        ck_assert_int_eq(heartbeat_beat(&h, i * LIMIT_BEAT_MS, &s), HEARTBEAT_WAIT);
    }
}
END_TEST

/* Found asleep, but most of the time it had waited for a CPU. */
START_TEST(a_process_that_was_kept_waiting)
{
    struct heartbeat h = asked();
    struct heartbeat_sample s = asleep;

    for (unsigned i = 1; i < 1000; i++) {
        s.wait_ns += BEAT_NS + 7;
        ck_assert_int_eq(heartbeat_beat(&h, i * LIMIT_BEAT_MS, &s), HEARTBEAT_WAIT);
    }
}
END_TEST

START_TEST(a_process_that_computes_without_end)
{
    struct heartbeat h = asked();
    struct heartbeat_sample s = {.state = 'R', .times = true};
    unsigned n = 0;

    do {
        s.ran_ns += BEAT_NS;
        n++;
    } while (heartbeat_beat(&h, n * LIMIT_BEAT_MS, &s) == HEARTBEAT_WAIT);
    ck_assert_uint_eq(n, BEATS(LIMIT_SILENT_MS));
}
END_TEST

START_TEST(a_process_that_waits_for_a_disk)
{
    struct heartbeat h = asked();
    const struct heartbeat_sample s = {.state = 'D', .times = true};

    ck_assert_uint_eq(beats_until_hung(&h, &s, LIMIT_BEAT_MS, 100), BEATS(LIMIT_HELD_MS));
}
END_TEST

START_TEST(a_kernel_that_reports_no_times)
{
    struct heartbeat h = asked();
    const struct heartbeat_sample s = {.state = 'R'};

    ck_assert_uint_eq(beats_until_hung(&h, &s, LIMIT_BEAT_MS, 100), BEATS(LIMIT_SILENT_MS));
}
END_TEST

/* ---- real processes ---- */

/* A child that sleeps, or computes. */
static pid_t child(bool computes)
{
    const pid_t pid = fork();

    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        for (;;) {
            if (!computes) {
                pause();
            }
        }
    }
    return pid;
}

static void end(pid_t pid)
{
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

START_TEST(a_stopped_child)
{
    const pid_t pid = child(false);
    struct heartbeat_sample s;
    int status;

    ck_assert_int_eq(kill(pid, SIGSTOP), 0);
    ck_assert_int_eq(waitpid(pid, &status, WUNTRACED), pid);
    heartbeat_look(pid, &s);
    ck_assert_int_eq(s.state, 'T');
    end(pid);
}
END_TEST

/* What it ran is counted, and that it would run on. */
START_TEST(a_child_that_computes)
{
    const pid_t pid = child(true);
    struct heartbeat_sample before;
    struct heartbeat_sample s;

    heartbeat_look(pid, &before);
    ck_assert(before.times);
    do {
        usleep(1000);
        heartbeat_look(pid, &s);
    } while (s.ran_ns - before.ran_ns < 50000000u);
    ck_assert_int_eq(s.state, 'R');
    end(pid);
}
END_TEST

START_TEST(a_process_that_is_not_there)
{
    const pid_t pid = child(false);
    struct heartbeat_sample s;

    end(pid);
    heartbeat_look(pid, &s);
    ck_assert_int_eq(s.state, '\0');
    ck_assert(!s.times);
}
END_TEST

int main(void)
{
    Suite *const s = suite_create("heartbeat");
    TCase *tc = unit_case(s, "beats");

    tcase_add_test(tc, whoever_answers_is_asked_for_ever);
    tcase_add_test(tc, late_from_the_first_beat_hung_at_the_limit);
    tcase_add_test(tc, a_beat_that_is_a_little_short);
    tcase_add_test(tc, an_answer_begins_anew);
    tcase_add_test(tc, a_start_takes_longer);
    tcase_add_test(tc, time_in_which_nobody_looked);
    tcase_add_test(tc, a_process_without_a_cpu);
    tcase_add_test(tc, a_process_that_was_kept_waiting);
    tcase_add_test(tc, a_process_that_computes_without_end);
    tcase_add_test(tc, a_process_that_waits_for_a_disk);
    tcase_add_test(tc, a_kernel_that_reports_no_times);
    tc = unit_case(s, "processes");
    tcase_add_test(tc, a_stopped_child);
    tcase_add_test(tc, a_child_that_computes);
    tcase_add_test(tc, a_process_that_is_not_there);
    return unit_run(s);
}
