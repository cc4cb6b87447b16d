/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The monitor's sessions and the table of states: a step out of turn is refused in every build, and
 * nothing changes by it. Workers cause none as long as ipc.c's table holds: this is behind it.
 */
#include "proxy/monitor/monitor_session.h"

#include <string.h>

#include "proxy/monitor/monitor_context.h"
#include "proxy/monitor/routes/route.h"
#include "tests/support/unit.h"

static struct config_route config;
static struct route route;
static struct monitor_session_table table;
static struct monitor_session session;

static void put_into(enum session_state state)
{
    memset(&table, 0, sizeof table);
    for (int i = 0; i < SESSION_STATES; i++) {
        TAILQ_INIT(&table.states[i]);
    }
    route = (struct route){.config = &config};
    session = (struct monitor_session){
        .table = &table, .route = &route, .config = &config, .id = 1, .state = state};
    TAILQ_INSERT_TAIL(&table.states[state], &session, link);
}

static void expect_in(enum session_state state)
{
    ck_assert_int_eq(session.state, state);
    ck_assert_ptr_eq(TAILQ_FIRST(&table.states[state]), &session);
}

START_TEST(only_one_that_was_decided_relays)
{
    const enum session_state state = (enum session_state)_i;

    put_into(state);
    ck_assert(monitor_session_relays(&session) == (state == SESSION_DECIDING));
    expect_in(state == SESSION_DECIDING ? SESSION_RELAYING : state);
}
END_TEST

START_TEST(evidence_out_of_turn_is_refused)
{
    static const struct ipc_evidence evidence;
    const enum session_state state = (enum session_state)_i;

    if (state == SESSION_RECITING) {
        return;
    }
    put_into(state);
    ck_assert(!monitor_session_evidence(&session, &evidence));
    expect_in(state);
}
END_TEST

/* A worker that was taken over: its session is held, and no process has been allowed for it. */
START_TEST(no_process_takes_the_place_before_its_verdict)
{
    const enum ipc_type type = _i ? IPC_DETACHED : IPC_ATTACHED;

    put_into(SESSION_RELAYING);
    session.backend_fd = -1;
    session.hold = (void *)&session; /* never looked into */
    ck_assert(!monitor_session_device(&session, &(struct ipc_msg){.type = type}));
    session.backend_fd = 0;
    session.allowed_again = true;
    ck_assert(monitor_session_device(&session, &(struct ipc_msg){.type = type}));
}
END_TEST

START_TEST(no_device_is_replaced_before_the_verdict_or_in_a_trial)
{
    const struct ipc_msg done = {.type = IPC_REPLACED, .u.replaced.outcome = REPLACE_DONE};
    struct monitor_session_successor other = {.dry = _i};

    put_into(SESSION_RELAYING);
    session.successor = &other;
    session.allowed_again = other.dry;
    ck_assert(!monitor_session_device(&session, &done));
    other.dry = false;
    session.allowed_again = true;
    ck_assert(monitor_session_device(&session, &done));
}
END_TEST

int main(void)
{
    Suite *const s = suite_create("ticket");
    TCase *const tc = unit_case(s, "states");

    tcase_add_loop_test(tc, only_one_that_was_decided_relays, 0, SESSION_STATES);
    tcase_add_loop_test(tc, evidence_out_of_turn_is_refused, 0, SESSION_STATES);
    tcase_add_loop_test(tc, no_process_takes_the_place_before_its_verdict, 0, 2);
    tcase_add_loop_test(tc, no_device_is_replaced_before_the_verdict_or_in_a_trial, 0, 2);
    return unit_run(s);
}
