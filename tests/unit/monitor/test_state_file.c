/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* What the next monitor finds in the state file of one that has ended at any moment. */
#define _GNU_SOURCE
#include "proxy/monitor/keep/state_file.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/unit.h"

#define SESSIONS 16u

static struct state_session session_of(uint64_t id)
{
    struct state_session s = {.id = id, .state = SESSION_RELAYING, .slot = (uint32_t)id};

    memcpy(s.route, "route", sizeof "route");
    return s;
}

/* Ends the monitor's use of the file, and opens it as the next one does. */
static struct state_file *next_monitor(struct state_file *f)
{
    const int fd = dup(state_file_fd(f));

    state_file_free(f);
    f = state_file_open_take(fd);
    ck_assert_ptr_nonnull(f);
    return f;
}

static char *text_of(size_t n)
{
    char *const text = malloc(n + 1);

    for (size_t i = 0; i < n; i++) {
        text[i] = (char)('a' + i % 26);
    }
    text[n] = '\0';
    return text;
}

START_TEST(records_are_found_by_kind)
{
    struct state_file *f = state_file_new(SESSIONS);
    const struct state_session first = session_of(1);
    const struct state_session second = session_of(2);
    const struct state_worker worker = {.serial = 7, .number = 1, .pid = 99};
    struct state_session s;
    struct state_worker w;
    uint32_t block;

    ck_assert_uint_ne(STATE_NO_BLOCK, state_file_add(f, STATE_SESSION, &first));
    ck_assert_uint_ne(STATE_NO_BLOCK, state_file_add(f, STATE_WORKER, &worker));
    ck_assert_uint_ne(STATE_NO_BLOCK, state_file_add(f, STATE_SESSION, &second));
    f = next_monitor(f);
    block = state_file_next(f, STATE_NO_BLOCK, STATE_SESSION, &s);
    ck_assert_uint_eq(1, s.id);
    block = state_file_next(f, block, STATE_SESSION, &s);
    ck_assert_uint_eq(2, s.id);
    ck_assert_uint_eq(STATE_NO_BLOCK, state_file_next(f, block, STATE_SESSION, &s));
    ck_assert_uint_ne(STATE_NO_BLOCK, state_file_next(f, STATE_NO_BLOCK, STATE_WORKER, &w));
    ck_assert_mem_eq(&w, &worker, sizeof w);
    state_file_free(f);
}
END_TEST

START_TEST(the_head_is_what_was_last_written)
{
    struct state_file *f = state_file_new(SESSIONS);

    state_file_head(f)->last_session = 41;
    state_file_write_head(f);
    state_file_head(f)->last_session = 42;
    f = next_monitor(f);
    ck_assert_uint_eq(41, state_file_head(f)->last_session);
    state_file_free(f);
}
END_TEST

/* Of each length: within its record's block, to its last byte, in further blocks. */
START_TEST(a_text_comes_back)
{
    static const size_t lengths[] = {1, 100, 430, 460, 1000, 1008, 1009, 4096, STATE_TEXT_MAX};
    struct state_file *f = state_file_new(SESSIONS);

    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        const struct state_session s = session_of(i + 1);
        const uint32_t block = state_file_add(f, STATE_SESSION, &s);
        char *const text = text_of(lengths[i]);
        char *found;

        ck_assert(state_file_put_text(f, block, text));
        state_file_put(f, block, &s);
        f = next_monitor(f);
        found = state_file_text(f, block);
        ck_assert_str_eq(text, found);
        free(found);
        free(text);
    }
    state_file_free(f);
}
END_TEST

START_TEST(a_text_that_is_too_long_changes_nothing)
{
    struct state_file *f = state_file_new(SESSIONS);
    const struct state_session s = session_of(1);
    const uint32_t block = state_file_add(f, STATE_SESSION, &s);
    char *const text = text_of(STATE_TEXT_MAX + 1);
    char *found;

    ck_assert(state_file_put_text(f, block, "before"));
    ck_assert(!state_file_put_text(f, block, text));
    found = state_file_text(f, block);
    ck_assert_str_eq("before", found);
    free(found);
    free(text);
    state_file_free(f);
}
END_TEST

START_TEST(a_session_becomes_one_that_has_ended)
{
    struct state_file *f = state_file_new(SESSIONS);
    const struct state_session s = session_of(5);
    const struct state_ended ended = {.id = 5, .least = 12};
    const uint32_t block = state_file_add(f, STATE_SESSION, &s);
    struct state_session none;
    struct state_ended e;
    char *text;

    ck_assert(state_file_put_text(f, block, "its facts"));
    ck_assert(state_file_change(f, block, STATE_ENDED, &ended, "its record"));
    f = next_monitor(f);
    ck_assert_uint_eq(STATE_NO_BLOCK, state_file_next(f, STATE_NO_BLOCK, STATE_SESSION, &none));
    ck_assert_uint_eq(block, state_file_next(f, STATE_NO_BLOCK, STATE_ENDED, &e));
    ck_assert_mem_eq(&e, &ended, sizeof e);
    text = state_file_text(f, block);
    ck_assert_str_eq("its record", text);
    free(text);
    state_file_free(f);
}
END_TEST

/* Memory of the file, in bytes. */
static size_t memory_of(const struct state_file *f)
{
    struct stat st;

    ck_assert_int_eq(0, fstat(state_file_fd(f), &st));
    return (size_t)st.st_blocks * 512;
}

START_TEST(dropped_blocks_give_their_memory_back_and_are_used_again)
{
    struct state_file *f = state_file_new(SESSIONS);
    const size_t before = memory_of(f);
    char *const text = text_of(STATE_TEXT_MAX);
    uint32_t blocks[SESSIONS];

    for (int round = 0; round < 3; round++) {
        for (unsigned i = 0; i < SESSIONS; i++) {
            const struct state_session s = session_of(i + 1);

            blocks[i] = state_file_add(f, STATE_SESSION, &s);
            ck_assert(state_file_put_text(f, blocks[i], text));
        }
        ck_assert_uint_eq(1, blocks[0]);
        for (unsigned i = 0; i < SESSIONS; i++) {
            state_file_drop(f, blocks[i]);
        }
        ck_assert_uint_eq(before, memory_of(f));
    }
    free(text);
    state_file_free(f);
}
END_TEST

START_TEST(a_block_that_is_not_sound_is_freed)
{
    struct state_file *f = state_file_new(SESSIONS);
    const struct state_session good = session_of(1);
    struct state_session bad = session_of(2);
    struct state_session s;

    memset(bad.route, 'x', sizeof bad.route);
    ck_assert_uint_ne(STATE_NO_BLOCK, state_file_add(f, STATE_SESSION, &bad));
    ck_assert_uint_ne(STATE_NO_BLOCK, state_file_add(f, STATE_SESSION, &good));
    f = next_monitor(f);
    ck_assert_uint_eq(1, state_file_unsound(f));
    ck_assert_uint_ne(STATE_NO_BLOCK, state_file_next(f, STATE_NO_BLOCK, STATE_SESSION, &s));
    ck_assert_uint_eq(1, s.id);
    ck_assert_uint_eq(1, state_file_add(f, STATE_SESSION, &good));
    state_file_free(f);
}
END_TEST

START_TEST(another_version_is_refused)
{
    struct state_file *f = state_file_new(SESSIONS);
    const int fd = dup(state_file_fd(f));

    state_file_head(f)->version = STATE_VERSION + 1;
    state_file_write_head(f);
    state_file_free(f);
    errno = 0;
    ck_assert_ptr_null(state_file_open_take(fd));
    ck_assert_int_eq(EPROTO, errno);
}
END_TEST

START_TEST(another_file_is_refused)
{
    const int fd = memfd_create("other", 0);

    ck_assert_int_eq(0, ftruncate(fd, 100000));
    ck_assert_ptr_null(state_file_open_take(fd));
    ck_assert_int_eq(EPROTO, errno);
}
END_TEST

/* Adds, changes and drops sessions with texts until it is killed. */
static void __attribute__((noreturn)) write_for_ever(struct state_file *f)
{
    uint32_t blocks[SESSIONS] = {STATE_NO_BLOCK};

    for (uint64_t id = 1;; id++) {
        struct state_session s = session_of(id);
        uint32_t *const block = &blocks[id % SESSIONS];
        char *const text = text_of(id * 37 % STATE_TEXT_MAX + 1);

        state_file_drop(f, *block);
        *block = state_file_add(f, STATE_SESSION, &s);
        /* There is not always room for the text. */
        if (*block != STATE_NO_BLOCK && state_file_put_text(f, *block, text)) {
            s.taint = (uint32_t)id;
            state_file_put(f, *block, &s);
        }
        free(text);
    }
}

START_TEST(a_writer_may_be_killed_at_any_moment)
{
    const struct timespec moment = {.tv_nsec = 3000000 + 100000 * _i};
    struct state_file *f = state_file_new(SESSIONS);
    struct state_session s;
    uint32_t block = STATE_NO_BLOCK;
    pid_t pid = fork();

    if (pid == 0) {
        write_for_ever(f);
    }
    nanosleep(&moment, NULL);
    kill(pid, SIGKILL);
    ck_assert_int_eq(pid, waitpid(pid, NULL, 0));
    f = next_monitor(f);
    ck_assert_uint_eq(0, state_file_unsound(f));
    while ((block = state_file_next(f, block, STATE_SESSION, &s))) {
        char *const expected = text_of(s.id * 37 % STATE_TEXT_MAX + 1);
        char *const text = state_file_text(f, block);

        if (s.taint) {
            ck_assert_uint_eq(s.id, s.taint);
            ck_assert_str_eq(expected, text);
        }
        free(text);
        free(expected);
    }
    state_file_free(f);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("state_file");
    TCase *tc = unit_case(s, "file");

    tcase_add_test(tc, records_are_found_by_kind);
    tcase_add_test(tc, the_head_is_what_was_last_written);
    tcase_add_test(tc, a_text_comes_back);
    tcase_add_test(tc, a_text_that_is_too_long_changes_nothing);
    tcase_add_test(tc, a_session_becomes_one_that_has_ended);
    tcase_add_test(tc, dropped_blocks_give_their_memory_back_and_are_used_again);
    tcase_add_test(tc, a_block_that_is_not_sound_is_freed);
    tcase_add_test(tc, another_version_is_refused);
    tcase_add_test(tc, another_file_is_refused);
    tcase_add_loop_test(tc, a_writer_may_be_killed_at_any_moment, 0, 20);
    return unit_run(s);
}
