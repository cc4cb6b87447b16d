/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A writer under load is killed 500 times, each time at another moment, and goes on with the same
 * log, which is rotated meanwhile. What it had said is on disk is in the log, to the last record,
 * and all of it verifies.
 *
 * $POEMD_SEED gives the moments of an earlier run again, as far as the machine does; the seed is
 * printed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/unit.h"
#include "tests/unit/audit/audit_rig.h"

#define KILLS 500
#define USUAL_STEP 5
#define ROTATE "262144"

/* Microseconds from the first acknowledgement, or, every fourth time, from the start. */
#define LATEST 8000

/* Numbers of a killed writer begin anew here: what it had not said may be there or not. */
#define STRIDE 1000000u

static uint64_t seed;

/* xorshift64*: the same numbers everywhere. */
static uint64_t draw(void)
{
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return seed * UINT64_C(2685821657736338717);
}

static pid_t start(uint64_t first, int *out_fd)
{
    const pid_t parent = getpid();
    /* A child has another folder. */
    const char *const log = rig_log();
    const char *const key = rig_key();
    char number[24];
    int pipes[2];
    pid_t pid;

    snprintf(number, sizeof number, "%" PRIu64, first);
    ck_assert_int_eq(pipe(pipes), 0);
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) {
            _exit(127);
        }
        dup2(pipes[1], STDOUT_FILENO);
        close(pipes[0]);
        close(pipes[1]);
        execl(AUDIT_STORM, "audit_storm", log, key, ROTATE, number, NULL);
        _exit(127);
    }
    close(pipes[1]);
    *out_fd = pipes[0];
    return pid;
}

/* Reads what the writer says until its end; the greatest number of a whole line, 0: none. */
static uint64_t listen_to(int fd)
{
    FILE *const f = fdopen(fd, "r");
    uint64_t last = 0;
    char line[64];

    ck_assert_ptr_nonnull(f);
    while (fgets(line, sizeof line, f)) {
        if (strchr(line, '\n')) {
            last = strtoull(line, NULL, 10);
        }
    }
    fclose(f);
    return last;
}

static uint64_t kill_once(uint64_t first)
{
    const long us = (long)(draw() % LATEST);
    const struct timespec moment = {.tv_nsec = us * 1000};
    const bool early = draw() % 4 == 0;
    uint64_t said;
    int status;
    int fd;
    const pid_t pid = start(first, &fd);
    struct pollfd p = {.fd = fd, .events = POLLIN};

    if (!early) {
        ck_assert_int_eq(poll(&p, 1, -1), 1);
    }
    nanosleep(&moment, NULL);
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
                  "the writer ended by itself: status %x", (unsigned)status);
    said = listen_to(fd);
    ck_assert(said == 0 || (said >= first && said < first + STRIDE));
    return said;
}

/* ---- what is there ---- */

static uint64_t said[KILLS];  /* by each writer; 0: nothing */
static uint64_t there[KILLS]; /* that many of each writer's first records are in the log */

static bool on_line(void *arg, const struct audit_walk *w, const struct audit_head *head,
                    const char *line, size_t n)
{
    const char *const at = memmem(line, n, "\"session\":", 10);

    (void)arg;
    (void)w;
    if (at && strcmp(head->event->name, "session-opened") == 0) {
        const uint64_t number = strtoull(at + 10, NULL, 10);
        const uint64_t writer = number / STRIDE - 1;

        ck_assert_uint_lt(writer, KILLS);
        /* In order, none missing, none twice. */
        ck_assert_uint_eq(number % STRIDE, there[writer]);
        there[writer]++;
    }
    return true;
}

static void look(const struct audit_vkey *key)
{
    struct audit_question q = {.key = key, .on_line = on_line};
    struct audit_result r;
    char pattern[300];
    glob_t found;

    snprintf(pattern, sizeof pattern, "%s.[0-9]*", rig_log());
    ck_assert_int_eq(glob(pattern, 0, NULL, &found), 0);
    snprintf(pattern, sizeof pattern, "%s", rig_log());
    ck_assert_int_eq(glob(pattern, GLOB_APPEND, NULL, &found), 0);
    q.files = (const char *const *)found.gl_pathv;
    q.n = found.gl_pathc;
    audit_verify(&q, &r);
    rig_expect(&r, AUDIT_INTACT);
    ck_assert_uint_eq(r.first, 0);
    printf("%" PRIu64 " records in %zu files\n", r.size, found.gl_pathc);
    globfree(&found);
}

START_TEST(nothing_acknowledged_is_lost)
{
    const char *const given = getenv("POEMD_SEED");
    const struct audit_vkey *const key = rig_keygen();
    const size_t step = unit_step(USUAL_STEP);
    uint64_t spoke = 0;

    seed = (uint64_t)time(NULL) << 20 ^ (uint64_t)getpid();
    if (given) {
        seed = strtoull(given, NULL, 10);
    }
    printf("POEMD_SEED=%" PRIu64 "\n", seed);
    fflush(stdout);
    for (size_t i = 0; i < KILLS; i += step) {
        said[i] = kill_once((i + 1) * (uint64_t)STRIDE);
        spoke += said[i] > 0;
    }
    /* Opened once more, what the last writer left is sealed, too. */
    rig_close(rig_open(0));
    look(key);
    for (size_t i = 0; i < KILLS; i += step) {
        ck_assert_msg(said[i] == 0 || there[i] > said[i] % STRIDE,
                      "writer %zu said %" PRIu64 ", the log has %" PRIu64 " (POEMD_SEED above)", i,
                      said[i] % STRIDE, there[i]);
    }
    printf("%" PRIu64 " of %zu writers had acknowledged something\n", spoke, KILLS / step);
    ck_assert_uint_gt(spoke, KILLS / step / 4);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("audit_kill");
    TCase *tc = unit_case(s, "kill");

    tcase_set_timeout(tc, 600);
    tcase_add_test(tc, nothing_acknowledged_is_lost);
    return unit_run(s);
}
