/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Watched processes, here this process's own: their ends, signals, groups. */
#define _GNU_SOURCE
#include "proxy/ipc/children.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/unit.h"

struct ended {
    struct child child;
    int status;
    unsigned times;
};

struct children_rig {
    struct event_base *base;
    struct children children;
    unsigned after;
};

static void on_ended(struct child *c, int status)
{
    struct ended *const e = c->arg;

    e->status = status;
    e->times++;
}

static void on_after(void *arg)
{
    ((struct children_rig *)arg)->after++;
}

static void rig_new(struct children_rig *r)
{
    *r = (struct children_rig){.base = event_base_new()};
    ck_assert_int_eq(children_init(&r->children, r->base, NULL, on_after, r), 0);
    ck_assert(!children_are_siblings(&r->children));
    ck_assert(children_none(&r->children));
}

static void rig_free(struct children_rig *r)
{
    ck_assert(children_none(&r->children));
    children_deinit(&r->children);
    event_base_free(r->base);
}

/* Starts a process that waits for a signal, in a group of its own if it leads one. */
static pid_t start(struct children_rig *r, struct ended *e, bool leads_group)
{
    pid_t pid;

    *e = (struct ended){.status = -1};
    ck_assert_int_eq(children_fork_begin(&r->children), 0);
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        for (;;) {
            pause();
        }
    }
    if (leads_group) {
        ck_assert_int_eq(setpgid(pid, pid), 0);
    }
    ck_assert_int_eq(children_add_take(&r->children, &e->child, pid, -1, leads_group, on_ended, e),
                     0);
    children_fork_end(&r->children);
    return pid;
}

START_TEST(an_end_is_reported_once_collected)
{
    struct children_rig r;
    struct ended e;
    pid_t pid;

    rig_new(&r);
    pid = start(&r, &e, false);
    children_signal(&e.child, SIGUSR1);
    ck_assert_int_eq(event_base_loop(r.base, EVLOOP_ONCE), 0);
    ck_assert_uint_eq(e.times, 1);
    ck_assert_int_eq(e.status, SIGUSR1);
    ck_assert_uint_eq(r.after, 1);
    ck_assert_int_lt(waitpid(pid, NULL, 0), 0);
    rig_free(&r);
}
END_TEST

START_TEST(the_rest_of_a_group_ends_with_its_leader)
{
    struct children_rig r;
    struct ended leader;
    struct ended member;
    pid_t pid;

    rig_new(&r);
    pid = start(&r, &leader, true);
    (void)start(&r, &member, false);
    ck_assert_int_eq(setpgid(member.child.pid, pid), 0);
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    while (!children_none(&r.children)) {
        ck_assert_int_eq(event_base_loop(r.base, EVLOOP_ONCE), 0);
    }
    ck_assert_int_eq(member.status, SIGKILL);
    rig_free(&r);
}
END_TEST

START_TEST(all_are_killed)
{
    struct children_rig r;
    struct ended e[3];

    rig_new(&r);
    for (int i = 0; i < 3; i++) {
        (void)start(&r, &e[i], i == 1);
    }
    children_kill(&r.children);
    while (!children_none(&r.children)) {
        ck_assert_int_eq(event_base_loop(r.base, EVLOOP_ONCE), 0);
    }
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(e[i].status, SIGKILL);
    }
    ck_assert_uint_eq(r.after, 3);
    rig_free(&r);
}
END_TEST

/* The end is reported to the heir, and not to its predecessor. */
START_TEST(a_child_is_replaced)
{
    struct children_rig r;
    struct ended e;
    struct ended heir = {.status = -1};

    rig_new(&r);
    (void)start(&r, &e, false);
    children_replace(&r.children, &e.child, &heir.child, on_ended, &heir);
    children_signal(&heir.child, SIGKILL);
    ck_assert_int_eq(event_base_loop(r.base, EVLOOP_ONCE), 0);
    ck_assert_uint_eq(e.times, 0);
    ck_assert_uint_eq(heir.times, 1);
    rig_free(&r);
}
END_TEST

START_TEST(a_process_that_is_not_there)
{
    struct children_rig r;
    struct ended e;
    const pid_t pid = fork();

    rig_new(&r);
    if (pid == 0) {
        _exit(0);
    }
    ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
    ck_assert_int_eq(children_add_take(&r.children, &e.child, pid, -1, false, on_ended, &e),
                     -ESRCH);
    ck_assert_int_eq(children_adopt(&r.children, &e.child, pid, false, on_ended, &e), -ENOENT);
    rig_free(&r);
}
END_TEST

int main(void)
{
    Suite *const suite = suite_create("unit: processes that are watched");
    TCase *const tc = unit_case(suite, "children");

    tcase_add_test(tc, an_end_is_reported_once_collected);
    tcase_add_test(tc, the_rest_of_a_group_ends_with_its_leader);
    tcase_add_test(tc, all_are_killed);
    tcase_add_test(tc, a_child_is_replaced);
    tcase_add_test(tc, a_process_that_is_not_there);
    return unit_run(suite);
}
