/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The ring between a worker and the tracer: order, room, bells, two processes at once, and rings
 * that one side has damaged.
 */
#define _GNU_SOURCE
#include "trace/capture/ring.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sock.h"
#include "tests/support/patience.h"
#include "tests/support/process.h"
#include "tests/support/unit.h"

/* Both ends of one ring in this process, and its bare memory. */
struct ends {
    struct ring_writer *w;
    struct ring_reader *r;
    uint8_t *memory;
    size_t size;
};

static int copy_of(int fd)
{
    const int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);

    ck_assert_int_ge(copy, 0);
    return copy;
}

static void ends_init(struct ends *e)
{
    const int ring_fd = ring_create(RING_SIZE_MIN);
    const int bell_fd = ring_bell_create();
    struct stat st;

    ck_assert_int_ge(ring_fd, 0);
    ck_assert_int_ge(bell_fd, 0);
    ck_assert_int_eq(fstat(ring_fd, &st), 0);
    e->size = (size_t)st.st_size;
    e->memory = mmap(NULL, e->size, PROT_READ | PROT_WRITE, MAP_SHARED, ring_fd, 0);
    ck_assert(e->memory != MAP_FAILED);
    ck_assert_int_eq(ring_writer_new_take(&e->w, copy_of(ring_fd), copy_of(bell_fd)), 0);
    ck_assert_int_eq(ring_reader_new_take(&e->r, ring_fd, bell_fd), 0);
}

static void ends_deinit(struct ends *e)
{
    ring_writer_free(e->w);
    ring_reader_free(e->r);
    munmap(e->memory, e->size);
}

/* Writes a record of n bytes that tells which one it is. False: there is no room. */
static bool put(struct ring_writer *w, uint32_t number, size_t n)
{
    uint8_t *const p = ring_reserve(w, n);

    if (!p) {
        return false;
    }
    memset(p, (int)(number & 0xff), n);
    memcpy(p, &number, n < sizeof number ? n : sizeof number);
    return true;
}

/* Check writes to a file for every assertion that holds: too slow where thousands hold. */
#define HOLDS(condition) \
    do { \
        if (!(condition)) { \
            ck_abort_msg("not so: %s", #condition); \
        } \
    } while (0)

/* The record's bytes are as put() makes them. */
static void expect_bytes(const uint8_t *p, uint32_t number, size_t n)
{
    HOLDS(memcmp(p, &number, sizeof number) == 0);
    for (size_t i = sizeof number; i < n; i++) {
        HOLDS(p[i] == (number & 0xff));
    }
}

static void expect(struct ring_reader *r, uint32_t number, size_t n)
{
    const void *p;
    size_t got;

    HOLDS(ring_read(r, &p, &got) == 1);
    HOLDS(got == n);
    expect_bytes(p, number, n);
}

static void expect_none(struct ring_reader *r)
{
    const void *p;
    size_t n;

    HOLDS(ring_read(r, &p, &n) == 0);
}

START_TEST(sizes_are_rounded_up_and_bounded)
{
    static const struct {
        uint64_t asked;
        size_t gets;
    } rows[] = {{0, RING_SIZE_MIN},
                {RING_SIZE_MIN, RING_SIZE_MIN},
                {RING_SIZE_MIN + 1, 2 * RING_SIZE_MIN},
                {8u << 20, 8u << 20}};
    struct ring_writer *w;
    struct stat st;
    int fd;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fd = ring_create(rows[i].asked);
        ck_assert_int_eq(fstat(fd, &st), 0);
        ck_assert_uint_eq((size_t)st.st_size, rows[i].gets + 4096);
        ck_assert_int_eq(ftruncate(fd, 0), -1);
        ck_assert_int_eq(ring_writer_new_take(&w, fd, ring_bell_create()), 0);
        ck_assert_uint_lt(ring_writer_most(w), rows[i].gets);
        ring_writer_free(w);
    }
}
END_TEST

START_TEST(what_is_no_ring_is_refused)
{
    struct ring_writer *w;
    struct ring_reader *r;
    int fd = memfd_create("none", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    /* Not sealed: its maker could make our mapping fault. */
    ck_assert_int_eq(ftruncate(fd, RING_SIZE_MIN + 4096), 0);
    ck_assert_int_eq(ring_writer_new_take(&w, copy_of(fd), ring_bell_create()), -EINVAL);
    ck_assert_int_eq(ring_reader_new_take(&r, copy_of(fd), ring_bell_create()), -EINVAL);
    ck_assert_int_eq(ftruncate(fd, RING_SIZE_MIN + 4096 + 8), 0);
    ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL), 0);
    ck_assert_int_eq(ring_reader_new_take(&r, fd, ring_bell_create()), -EINVAL);
    ck_assert_int_eq(ring_reader_new_take(&r, open("/dev/null", O_RDWR), ring_bell_create()),
                     -EINVAL);
}
END_TEST

START_TEST(records_come_out_as_they_went_in)
{
    struct ends e;
    uint32_t in = 0;
    uint32_t out = 0;

    ends_init(&e);
    expect_none(e.r);
    /* Round it many times, at every offset. */
    while (out < 20000) {
        for (unsigned i = 0; i < 7; i++, in++) {
            HOLDS(put(e.w, in, 4 + in * 13 % 700));
        }
        ring_publish(e.w);
        for (unsigned i = 0; i < 7; i++, out++) {
            expect(e.r, out, 4 + out * 13 % 700);
        }
        expect_none(e.r);
        ring_release(e.r);
    }
    ends_deinit(&e);
}
END_TEST

START_TEST(what_is_not_published_is_not_there)
{
    struct ends e;

    ends_init(&e);
    ck_assert(put(e.w, 1, 100));
    expect_none(e.r);
    ring_publish(e.w);
    expect(e.r, 1, 100);
    ends_deinit(&e);
}
END_TEST

START_TEST(a_full_ring_takes_nothing_more_until_it_is_read)
{
    struct ends e;
    uint32_t in = 0;

    ends_init(&e);
    while (put(e.w, in, 1000)) {
        in++;
    }
    ck_assert_uint_gt(in, RING_SIZE_MIN / 1024 - 2);
    ring_publish(e.w);
    ck_assert(!put(e.w, in, 1000));
    for (uint32_t out = 0; out < in; out++) {
        expect(e.r, out, 1000);
    }
    ring_release(e.r);
    ck_assert(put(e.w, in, 1000));
    ends_deinit(&e);
}
END_TEST

START_TEST(the_largest_record_and_one_past_it)
{
    struct ends e;
    size_t most;

    ends_init(&e);
    most = ring_writer_most(e.w);
    ck_assert(!put(e.w, 1, most + 1));
    ck_assert(!put(e.w, 1, 0));
    ck_assert(put(e.w, 1, most));
    ring_publish(e.w);
    expect(e.r, 1, most);
    ends_deinit(&e);
}
END_TEST

START_TEST(a_record_can_be_read_again)
{
    struct ends e;

    ends_init(&e);
    ck_assert(put(e.w, 1, 10));
    ck_assert(put(e.w, 2, 10));
    ring_publish(e.w);
    expect(e.r, 1, 10);
    ring_unread(e.r);
    expect(e.r, 1, 10);
    expect(e.r, 2, 10);
    ends_deinit(&e);
}
END_TEST

/* ---- bells ---- */

static bool rings(struct ring_reader *r)
{
    struct pollfd p = {.fd = ring_reader_bell(r), .events = POLLIN};
    const bool yes = poll(&p, 1, 0) == 1;

    if (yes) {
        ring_hear(r);
    }
    return yes;
}

START_TEST(a_reader_that_is_awake_is_left_alone)
{
    struct ends e;

    ends_init(&e);
    for (uint32_t i = 0; put(e.w, i, 1000); i++) {
        ring_publish(e.w);
    }
    ck_assert(!rings(e.r));
    ends_deinit(&e);
}
END_TEST

START_TEST(one_that_sleeps_is_woken_once)
{
    struct ends e;

    ends_init(&e);
    ck_assert(ring_wait(e.r, RING_ASLEEP));
    ck_assert(put(e.w, 1, 10));
    ck_assert(!rings(e.r));
    ring_publish(e.w);
    ck_assert(rings(e.r));
    ck_assert(put(e.w, 2, 10));
    ring_publish(e.w);
    ck_assert(!rings(e.r));
    /* Something came between the last look and the sleep. */
    ck_assert(!ring_wait(e.r, RING_ASLEEP));
    expect(e.r, 1, 10);
    expect(e.r, 2, 10);
    ck_assert(ring_wait(e.r, RING_ASLEEP));
    ends_deinit(&e);
}
END_TEST

START_TEST(one_that_looks_is_woken_by_a_quarter)
{
    struct ends e;
    size_t written = 0;

    ends_init(&e);
    ck_assert(ring_wait(e.r, RING_LOOKING));
    while (!rings(e.r)) {
        ck_assert(put(e.w, 1, 1016));
        ring_publish(e.w);
        written += 1024;
        ck_assert_uint_le(written, RING_SIZE_MIN / 4 + 1024);
    }
    ck_assert_uint_ge(written, RING_SIZE_MIN / 4);
    ends_deinit(&e);
}
END_TEST

/* ---- two processes ---- */

#define STORM 300000u

struct storm {
    int ring_fd;
    int bell_fd;
};

/* Writes STORM records; where there is no room, counts on. */
static void blow(void *arg)
{
    const struct storm *const s = arg;
    struct ring_writer *w;

    ck_assert_int_eq(ring_writer_new_take(&w, s->ring_fd, s->bell_fd), 0);
    for (uint32_t i = 1; i <= STORM; i++) {
        (void)put(w, i, 8 + i % 200);
        if (i % 3 == 0) {
            ring_publish(w);
        }
    }
    /* The last one always comes, and says that it is the last. */
    while (!put(w, UINT32_MAX, 8)) {
        usleep(100);
    }
    ring_publish(w);
    ring_writer_free(w);
}

START_TEST(nothing_is_torn_between_two_processes)
{
    const int ring_fd = ring_create(RING_SIZE_MIN);
    const int bell_fd = ring_bell_create();
    struct storm s = {copy_of(ring_fd), copy_of(bell_fd)};
    const pid_t pid = process_fork(blow, &s);
    struct ring_reader *r;
    uint32_t last = 0;
    unsigned came = 0;

    close(s.ring_fd);
    close(s.bell_fd);
    ck_assert_int_eq(ring_reader_new_take(&r, ring_fd, bell_fd), 0);
    while (last != UINT32_MAX) {
        const void *p;
        size_t n;
        const int got = ring_read(r, &p, &n);
        uint32_t number;

        HOLDS(got >= 0);
        if (got == 0) {
            struct pollfd bell = {.fd = ring_reader_bell(r), .events = POLLIN};

            if (ring_wait(r, RING_ASLEEP)) {
                ck_assert_int_eq(poll(&bell, 1, patience_ms()), 1);
                ring_hear(r);
            }
            continue;
        }
        memcpy(&number, p, sizeof number);
        HOLDS(number > last);
        HOLDS(n == (number == UINT32_MAX ? 8 : 8 + number % 200));
        expect_bytes(p, number, n);
        last = number;
        came++;
    }
    ck_assert_uint_gt(came, 1);
    ring_reader_free(r);
    ck_assert_int_eq(process_wait(pid), 0);
}
END_TEST

/* ---- damage ---- */

static void poke64(struct ends *e, size_t at, uint64_t v)
{
    memcpy(e->memory + at, &v, sizeof v);
}

static void expect_damaged(struct ends *e)
{
    const void *p;
    size_t n;

    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(ring_read(e->r, &p, &n), -EPROTO);
    }
}

/* Where things lie in a ring: head, tail, the first entry's size and its check. */
#define HEAD_AT 0
#define TAIL_AT 64
#define ENTRY_AT 4096

START_TEST(a_head_that_cannot_be)
{
    static const uint64_t heads[] = {RING_SIZE_MIN + 8, 7, 1, UINT64_MAX, UINT64_MAX - 7};
    struct ends e;

    ends_init(&e);
    poke64(&e, HEAD_AT, heads[_i]);
    expect_damaged(&e);
    ends_deinit(&e);
}
END_TEST

START_TEST(an_entry_that_cannot_be)
{
    static const uint32_t sizes[] = {0, 9, 100, RING_SIZE_MIN / 2 + 1, UINT32_MAX, UINT32_MAX - 7};
    struct ends e;

    ends_init(&e);
    ck_assert(put(e.w, 1, 8));
    ring_publish(e.w);
    memcpy(e.memory + ENTRY_AT, &sizes[_i], sizeof sizes[_i]);
    expect_damaged(&e);
    ends_deinit(&e);
}
END_TEST

START_TEST(an_entry_without_its_mark)
{
    struct ends e;

    ends_init(&e);
    ck_assert(put(e.w, 1, 8));
    ring_publish(e.w);
    e.memory[ENTRY_AT + 4] ^= 1;
    expect_damaged(&e);
    ends_deinit(&e);
}
END_TEST

START_TEST(a_reader_that_lies_gets_nothing)
{
    struct ends e;

    ends_init(&e);
    while (put(e.w, 1, 1000)) {
    }
    ring_publish(e.w);
    /* It claims to have read what was never written. */
    poke64(&e, TAIL_AT, UINT64_MAX / 2);
    ck_assert(!put(e.w, 1, 1000));
    ends_deinit(&e);
}
END_TEST

int main(void)
{
    Suite *const s = suite_create("trace_ring");
    TCase *tc = unit_case(s, "one process");

    tcase_add_test(tc, sizes_are_rounded_up_and_bounded);
    tcase_add_test(tc, what_is_no_ring_is_refused);
    tcase_add_test(tc, records_come_out_as_they_went_in);
    tcase_add_test(tc, what_is_not_published_is_not_there);
    tcase_add_test(tc, a_full_ring_takes_nothing_more_until_it_is_read);
    tcase_add_test(tc, the_largest_record_and_one_past_it);
    tcase_add_test(tc, a_record_can_be_read_again);
    tc = unit_case(s, "bells");
    tcase_add_test(tc, a_reader_that_is_awake_is_left_alone);
    tcase_add_test(tc, one_that_sleeps_is_woken_once);
    tcase_add_test(tc, one_that_looks_is_woken_by_a_quarter);
    tc = unit_case(s, "two processes");
    tcase_add_test(tc, nothing_is_torn_between_two_processes);
    tc = unit_case(s, "damage");
    tcase_add_loop_test(tc, a_head_that_cannot_be, 0, 5);
    tcase_add_loop_test(tc, an_entry_that_cannot_be, 0, 6);
    tcase_add_test(tc, an_entry_without_its_mark);
    tcase_add_test(tc, a_reader_that_lies_gets_nothing);
    return unit_run(s);
}
