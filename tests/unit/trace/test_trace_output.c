/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Where a capture's blocks go: whole or not at all to files, never waiting for pipes; and the
 * flight recorder's memory, of which the oldest give way.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/unit.h"
#include "trace/capture/tracer_memory.h"
#include "trace/capture/tracer_out.h"
#include "trace/file/unpack.h"

/* ---- output ---- */

/* A block of n bytes, as pcapng's: its size is behind its type. */
static void put_block(uint8_t *p, uint32_t n, uint8_t mark)
{
    const uint32_t type = 6;

    memset(p, mark, n);
    memcpy(p, &type, sizeof type);
    memcpy(p + 4, &n, sizeof n);
}

static bool add_block(struct tracer_out *o, uint32_t n, uint8_t mark, int *err)
{
    uint8_t *const p = tracer_out_room(o, n, err);

    if (p) {
        put_block(p, n, mark);
        tracer_out_add(o, n);
    }
    return p != NULL;
}

START_TEST(a_file_has_what_was_added)
{
    const char *const path = unit_path("out");
    struct tracer_out o;
    struct stat st;
    int err;

    ck_assert_int_eq(
        tracer_out_init_take(&o, open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600), false), 0);
    ck_assert(!o.pipe);
    for (int i = 0; i < 3000; i++) {
        ck_assert(add_block(&o, 1000, (uint8_t)i, &err));
    }
    ck_assert_int_eq(tracer_out_flush(&o), 0);
    ck_assert_uint_eq(o.bytes, 3000000);
    tracer_out_deinit(&o);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_size, 3000000);
}
END_TEST

/* The file may have 10,000 bytes, and so ends between two blocks before that. */
START_TEST(a_file_that_may_not_grow_ends_between_two_blocks)
{
    const char *const path = unit_path("out");
    const struct rlimit limit = {.rlim_cur = 10000, .rlim_max = RLIM_INFINITY};
    struct tracer_out o;
    struct stat st;
    int err;

    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert_int_eq(
        tracer_out_init_take(&o, open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600), false), 0);
    for (int i = 0; i < 30; i++) {
        ck_assert(add_block(&o, 700, (uint8_t)i, &err));
    }
    ck_assert_int_eq(tracer_out_flush(&o), -EFBIG);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_size, 9800);
    /* What still fits can be written behind it. */
    ck_assert(add_block(&o, 100, 1, &err));
    ck_assert_int_eq(tracer_out_flush(&o), 0);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_size, 9900);
    tracer_out_deinit(&o);
}
END_TEST

/* ---- packed files ---- */

/* Unpacks the file: whole blocks of 1,000 bytes with these marks, as far as it was flushed. */
static void expect_blocks(const char *path, unsigned blocks, bool whole)
{
    struct unpack *const u = unpack_new_take(open(path, O_RDONLY | O_CLOEXEC));
    uint8_t expected[1000];
    uint8_t got[1000];
    size_t have = 0;
    ssize_t n;
    unsigned i = 0;

    ck_assert_ptr_nonnull(u);
    while ((n = unpack_read(u, got + have, sizeof got - have)) > 0) {
        have += (size_t)n;
        if (have == sizeof got) {
            put_block(expected, sizeof expected, (uint8_t)i++);
            ck_assert_mem_eq(got, expected, sizeof got);
            have = 0;
        }
    }
    ck_assert_int_eq(n, 0);
    ck_assert_uint_eq(have, 0);
    ck_assert_uint_eq(i, blocks);
    ck_assert_int_eq(unpack_is_whole(u), whole);
    unpack_free(u);
}

/* After each flush the file can be read, as if its writer were killed then. */
START_TEST(a_packed_file_has_what_was_flushed)
{
    const char *const path = unit_path("out.zst");
    struct tracer_out o;
    struct stat st;
    int err;

    ck_assert_int_eq(
        tracer_out_init_take(&o, open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600), true), 0);
    for (unsigned i = 0; i < 2000; i++) {
        ck_assert(add_block(&o, 1000, (uint8_t)i, &err));
        if (i % 500 == 499) {
            ck_assert_int_eq(tracer_out_flush(&o), 0);
            expect_blocks(path, i + 1, true);
        }
    }
    ck_assert_uint_eq(o.bytes, 2000000);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(tracer_out_size(&o), (uint64_t)st.st_size);
    ck_assert_uint_lt(tracer_out_size(&o), 200000);
    tracer_out_deinit(&o);
    expect_blocks(path, 2000, true);
}
END_TEST

/* A block of bytes that do not pack. */
static void add_noise(struct tracer_out *o)
{
    int err;
    uint8_t *const p = tracer_out_room(o, 1u << 17, &err);
    const int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);

    ck_assert_ptr_nonnull(p);
    ck_assert_int_eq(read(fd, p, 1u << 17), 1u << 17);
    close(fd);
    tracer_out_add(o, 1u << 17);
}

/* What did not fit is cut off, and what fits again is written behind it. */
START_TEST(a_packed_file_that_may_not_grow_can_be_unpacked)
{
    const char *const path = unit_path("out.zst");
    const struct rlimit limit = {.rlim_cur = 10000, .rlim_max = RLIM_INFINITY};
    struct tracer_out o;
    int err;

    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert_int_eq(
        tracer_out_init_take(&o, open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600), true), 0);
    ck_assert(add_block(&o, 1000, 0, &err));
    ck_assert_int_eq(tracer_out_flush(&o), 0);
    add_noise(&o);
    ck_assert_int_eq(tracer_out_flush(&o), -EFBIG);
    expect_blocks(path, 1, true);
    ck_assert(add_block(&o, 1000, 1, &err));
    ck_assert_int_eq(tracer_out_flush(&o), 0);
    add_noise(&o);
    ck_assert_int_eq(tracer_out_flush(&o), -EFBIG);
    tracer_out_deinit(&o);
    expect_blocks(path, 2, true);
}
END_TEST

START_TEST(a_pipe_is_not_packed)
{
    struct tracer_out o;
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(tracer_out_init_take(&o, ends[1], true), 0);
    ck_assert_ptr_null(o.pack);
    tracer_out_deinit(&o);
    close(ends[0]);
}
END_TEST

START_TEST(a_full_disk_is_told)
{
    struct tracer_out o;
    int err = 0;

    ck_assert_int_eq(tracer_out_init_take(&o, open("/dev/full", O_WRONLY | O_CLOEXEC), false), 0);
    ck_assert(add_block(&o, 700, 1, &err));
    ck_assert_int_eq(tracer_out_flush(&o), -ENOSPC);
    tracer_out_deinit(&o);
}
END_TEST

START_TEST(a_pipe_is_not_waited_for)
{
    uint8_t buffer[65536];
    struct tracer_out o;
    size_t added = 0;
    size_t got = 0;
    ssize_t n;
    int pair[2];
    int err;

    ck_assert_int_eq(pipe2(pair, O_CLOEXEC), 0);
    ck_assert_int_eq(tracer_out_init_take(&o, pair[1], false), 0);
    ck_assert(o.pipe);
    while (add_block(&o, 1000, 7, &err)) {
        added += 1000;
        ck_assert_uint_lt(added, 16u << 20);
    }
    ck_assert_int_eq(err, 0);
    ck_assert_int_eq(tracer_out_flush(&o), -EAGAIN);
    /* Nothing of it is missing once it is read, and there is room again. */
    while (got < added) {
        n = read(pair[0], buffer, sizeof buffer);
        ck_assert_int_gt(n, 0);
        got += (size_t)n;
        (void)!tracer_out_flush(&o);
    }
    ck_assert(add_block(&o, 1000, 7, &err));
    close(pair[0]);
    signal(SIGPIPE, SIG_IGN);
    ck_assert_int_eq(tracer_out_flush(&o), -EPIPE);
    tracer_out_deinit(&o);
}
END_TEST

/* ---- memory ---- */

static unsigned gone[1000];

static void on_gone(void *owner)
{
    (*(unsigned *)owner)++;
}

START_TEST(the_oldest_give_way)
{
    struct tracer_memory *const m = tracer_memory_new(10000, on_gone);
    unsigned first = 0;
    const uint8_t *p;
    void *owner;
    size_t n;

    ck_assert_ptr_nonnull(m);
    memset(gone, 0, sizeof gone);
    ck_assert_ptr_null(tracer_memory_oldest(m, &n, &owner));
    ck_assert_ptr_null(tracer_memory_room(m, 10000));
    for (unsigned i = 0; i < 1000; i++) {
        const size_t size = 20 + i * 37 % 900;
        uint8_t *const room = tracer_memory_room(m, size + 50);

        ck_assert_ptr_nonnull(room);
        memset(room, (int)(i & 0xff), size);
        tracer_memory_add(m, size, &gone[i]);
        /* In order, whole, and as many as there is room for. */
        while (gone[first]) {
            ck_assert_uint_eq(gone[first], 1);
            first++;
        }
        p = tracer_memory_oldest(m, &n, &owner);
        ck_assert_ptr_eq(owner, &gone[first]);
        ck_assert_uint_eq(n, 20 + first * 37 % 900);
        ck_assert_uint_eq(p[0], first & 0xff);
        ck_assert_uint_eq(p[n - 1], first & 0xff);
    }
    ck_assert_uint_gt(first, 900);
    for (unsigned i = first; i < 1000; i++) {
        p = tracer_memory_oldest(m, &n, &owner);
        ck_assert_ptr_eq(owner, &gone[i]);
        ck_assert_uint_eq(n, 20 + i * 37 % 900);
        ck_assert_uint_eq(p[n / 2], i & 0xff);
        tracer_memory_drop(m);
        ck_assert_uint_eq(gone[i], 1);
    }
    ck_assert_ptr_null(tracer_memory_oldest(m, &n, &owner));
    tracer_memory_free(m);
}
END_TEST

/* Blocks that leave the ring's end with `rest` bytes free. */
static void fill_up_to(struct tracer_memory *m, size_t size, size_t rest)
{
    size_t used = 0;

    while (used + rest < size) {
        const size_t left = size - used - rest;
        const size_t entry = left > 256 ? 128 : left;

        /* A block's overhead is 24 bytes; the rings' own rounding may make it more. */
        ck_assert_ptr_nonnull(tracer_memory_room(m, entry - 24));
        tracer_memory_add(m, entry - 24, &gone[0]);
        used += entry;
    }
}

/*
 * Every rest at the end of rings of every size, and then blocks that do not fit there. Between the
 * ring and its neighbours on the heap there is nothing: the sanitizer, or the heap itself, reports
 * what is written behind it.
 */
START_TEST(every_rest_at_the_end_is_skipped)
{
    for (size_t size = 4096; size < 4096 + 64; size++) {
        for (size_t rest = 0; rest <= 128; rest++) {
            struct tracer_memory *const m = tracer_memory_new(size, on_gone);
            const uint8_t *p;
            void *owner;
            size_t n;

            ck_assert_ptr_nonnull(m);
            memset(gone, 0, sizeof gone);
            fill_up_to(m, size, rest);
            for (unsigned i = 1; i <= 20; i++) {
                void *const room = tracer_memory_room(m, 256 + i);

                ck_assert_ptr_nonnull(room);
                memset(room, (int)i, 256 + i);
                tracer_memory_add(m, 256 + i, &gone[i]);
            }
            p = tracer_memory_oldest(m, &n, &owner);
            ck_assert_ptr_nonnull(p);
            for (unsigned i = (unsigned)((unsigned *)owner - gone); i <= 20; i++) {
                p = tracer_memory_oldest(m, &n, &owner);
                ck_assert_ptr_eq(owner, &gone[i]);
                ck_assert_uint_eq(n, 256 + i);
                ck_assert_uint_eq(p[0], i);
                ck_assert_uint_eq(p[n - 1], i);
                tracer_memory_drop(m);
            }
            ck_assert_ptr_null(tracer_memory_oldest(m, &n, &owner));
            tracer_memory_free(m);
        }
    }
}
END_TEST

START_TEST(what_is_left_is_told_of_at_the_end)
{
    struct tracer_memory *const m = tracer_memory_new(10000, on_gone);

    memset(gone, 0, sizeof gone);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_ptr_nonnull(tracer_memory_room(m, 100));
        tracer_memory_add(m, 100, &gone[i]);
    }
    tracer_memory_free(m);
    ck_assert_uint_eq(gone[0] + gone[1] + gone[2], 3);
}
END_TEST

int main(void)
{
    Suite *const s = suite_create("trace_output");
    TCase *tc = unit_case(s, "output");

    tcase_add_test(tc, a_file_has_what_was_added);
    tcase_add_test(tc, a_file_that_may_not_grow_ends_between_two_blocks);
    tcase_add_test(tc, a_packed_file_has_what_was_flushed);
    tcase_add_test(tc, a_packed_file_that_may_not_grow_can_be_unpacked);
    tcase_add_test(tc, a_pipe_is_not_packed);
    tcase_add_test(tc, a_full_disk_is_told);
    tcase_add_test(tc, a_pipe_is_not_waited_for);
    tc = unit_case(s, "memory");
    tcase_add_test(tc, the_oldest_give_way);
    tcase_add_test(tc, every_rest_at_the_end_is_skipped);
    tcase_add_test(tc, what_is_left_is_told_of_at_the_end);
    return unit_run(s);
}
