/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Pages of dead workers: which are believed, and what the monitor reads of them. */
#include "proxy/ipc/session_page.h"

#include <string.h>

#include "tests/support/unit.h"

#define SESSION 42u

static struct session_page page;

static void begin(void)
{
    memset(&page, 0, sizeof page);
    page.version = SESSION_PAGE_VERSION;
    page.session = SESSION;
    for (int i = 0; i < SESSION_PAGE_WAYS; i++) {
        page.marks[i].version = RELAY_MARK_VERSION;
    }
}

START_TEST(a_page_is_its_session_s)
{
    begin();
    ck_assert(session_page_sound(&page, SESSION));
    ck_assert(!session_page_sound(&page, SESSION + 1));
    page.version = 0;
    ck_assert(!session_page_sound(&page, SESSION));
}
END_TEST

/* Any byte may be a worker's that was taken over: nothing is read beyond the page. */
START_TEST(what_cannot_be_is_not_believed)
{
    begin();
    page.asked[SESSION_PAGE_TO_CLIENT].n = LIMIT_ASKED + 1;
    ck_assert(!session_page_sound(&page, SESSION));
    begin();
    page.taint[SIDE_CLIENT] = ~IPC_TAINT_MAY;
    ck_assert(!session_page_sound(&page, SESSION));
    begin();
    page.taint_unsent[SIDE_BACKEND] = TAINT_DMA;
    ck_assert(!session_page_sound(&page, SESSION));
    begin();
    page.handed_on = 1u << SIDES;
    ck_assert(!session_page_sound(&page, SESSION));
    begin();
    page.marks[SESSION_PAGE_TWIN_TO_CLIENT].step = RELAY_MARK_STEPS;
    ck_assert(!session_page_sound(&page, SESSION));
    begin();
    page.marks[SESSION_PAGE_TO_BACKEND] = (struct relay_mark){.large = 2};
    ck_assert(!session_page_sound(&page, SESSION));
    begin();
    page.overdue.n = LIMIT_OVERDUE_REQUESTS + 1;
    ck_assert(!session_page_sound(&page, SESSION));
    begin();
    page.twin = 2;
    ck_assert(!session_page_sound(&page, SESSION));
}
END_TEST

START_TEST(counts_include_what_was_sent_and_not_noted)
{
    struct ipc_count up;
    struct ipc_count down;
    struct relay_mark *const m = &page.marks[SESSION_PAGE_TO_BACKEND];

    begin();
    m->total.count = (struct ipc_count){.messages = 10, .bytes = 400, .fds = 1};
    page.marks[SESSION_PAGE_TWIN_TO_BACKEND].total.count.messages = 5;
    m->before = m->total;
    m->intent = 40;
    m->intent_messages = 1;
    m->intent_fds = 2;
    m->step = RELAY_MARK_SENT;
    session_page_counts(&page, &up, &down);
    ck_assert_uint_eq(up.messages, 16);
    ck_assert_uint_eq(up.bytes, 440);
    ck_assert_uint_eq(up.fds, 3);
    ck_assert_uint_eq(down.messages, 0);
    m->step = RELAY_MARK_INTENT;
    session_page_counts(&page, &up, &down);
    ck_assert_uint_eq(up.messages, 15);
}
END_TEST

START_TEST(a_hand_names_session_and_direction)
{
    enum session_page_way way = SESSION_PAGE_WAYS;

    ck_assert_uint_eq(session_page_in_hand(0, &way), 0);
    for (unsigned i = 0; i <= SESSION_PAGE_RESUMING; i++) {
        ck_assert_uint_eq(session_page_in_hand(SESSION_PAGE_HAND(SESSION, i), &way), SESSION);
        ck_assert_int_eq(way, i);
    }
    ck_assert_uint_eq(session_page_in_hand(SESSION_PAGE_HAND(SESSION, 6), &way), 0);
}
END_TEST

/* What the kernel notes of the reply to VERSION decides whether the client still waits for it. */
START_TEST(the_reply_to_version_completes_a_page)
{
    static const struct {
        uint32_t before; /* bytes that an earlier call has sent */
        uint32_t sent;
        bool owes;
        bool relays;
    } cases[] = {{0, 0, true, false},
                 {0, 100, false, true},
                 {0, 40, false, false},
                 {40, 60, false, true},
                 {40, 0, false, false}};

    page = (struct session_page){.session = SESSION};
    ck_assert(session_page_owes_answer(&page));
    session_page_answer(&page, 100);
    if (cases[_i].before > 0) {
        session_page_answering(&page);
        session_page_answered(&page, cases[_i].before);
    }
    session_page_answering(&page);
    session_page_settle(&page, cases[_i].sent);
    ck_assert_int_eq(session_page_owes_answer(&page), cases[_i].owes);
    ck_assert_int_eq(session_page_sound(&page, SESSION), cases[_i].relays);
}
END_TEST

int main(void)
{
    Suite *const suite = suite_create("session page");
    TCase *const tc = unit_case(suite, "page");

    tcase_add_test(tc, a_page_is_its_session_s);
    tcase_add_test(tc, what_cannot_be_is_not_believed);
    tcase_add_test(tc, counts_include_what_was_sent_and_not_noted);
    tcase_add_test(tc, a_hand_names_session_and_direction);
    tcase_add_loop_test(tc, the_reply_to_version_completes_a_page, 0, 5);
    return unit_run(suite);
}
