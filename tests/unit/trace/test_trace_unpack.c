/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Traces that gzip or zstd have packed read like the trace itself, also in several members, and
 * while they grow; one that is cut off or damaged is reported as such, after all that could be
 * unpacked.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "tests/support/unit.h"
#include "tests/unit/trace/trace_rig.h"

#define MESSAGES 40

enum form { GZIP, ZSTD, FORMS };

struct packed {
    uint8_t p[1u << 16];
    size_t n;
};

static struct blocks plain;
static struct reading expected;

static void setup(void)
{
    struct trace_message m = trace_rig_message();

    blocks_init(&plain);
    blocks_section(&plain);
    blocks_interface(&plain, "edu0/1", "{\"session\":1,\"route\":\"edu0\"}");
    for (m.number = 1; m.number <= MESSAGES; m.number++) {
        blocks_message(&plain, 0, &m, NULL);
    }
    reading_of(&expected, plain.p, plain.n);
    ck_assert_int_eq(expected.end, TRACE_END);
}

static void teardown(void)
{
    reading_deinit(&expected);
    blocks_deinit(&plain);
}

static void pack_gzip(struct packed *out, const uint8_t *p, size_t n)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)p,
                  .avail_in = (uInt)n,
                  .next_out = out->p + out->n,
                  .avail_out = (uInt)(sizeof out->p - out->n)};

    ck_assert_int_eq(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
    out->n = (size_t)(z.next_out - out->p);
    ck_assert_int_eq(deflateEnd(&z), Z_OK);
}

/* end: how the frame ends; ZSTD_e_flush: it could go on. */
static void pack_zstd(struct packed *out, const uint8_t *p, size_t n, ZSTD_EndDirective end)
{
    ZSTD_CCtx *const c = ZSTD_createCCtx();
    ZSTD_inBuffer in = {.src = p, .size = n};
    ZSTD_outBuffer o = {.dst = out->p, .size = sizeof out->p, .pos = out->n};

    ck_assert_ptr_nonnull(c);
    ck_assert(!ZSTD_isError(ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1)));
    ck_assert_uint_eq(ZSTD_compressStream2(c, &o, &in, end), 0);
    out->n = o.pos;
    ZSTD_freeCCtx(c);
}

static void pack(struct packed *out, enum form form, const uint8_t *p, size_t n)
{
    if (form == GZIP) {
        pack_gzip(out, p, n);
    } else {
        pack_zstd(out, p, n, ZSTD_e_end);
    }
}

START_TEST(reads_like_the_trace_itself)
{
    struct packed packed = {.n = 0};
    struct reading r;

    pack(&packed, (enum form)_i, plain.p, plain.n);
    reading_of(&r, packed.p, packed.n);
    ck_assert_int_eq(r.end, TRACE_END);
    ck_assert_str_eq(r.text, expected.text);
    reading_deinit(&r);
}
END_TEST

/* As "cat a.gz b.gz" makes it; the seam is within a block. */
START_TEST(in_two_members)
{
    struct packed packed = {.n = 0};
    const size_t first = plain.n / 2 + 1;
    struct reading r;

    pack(&packed, (enum form)_i, plain.p, first);
    pack(&packed, (enum form)_i, plain.p + first, plain.n - first);
    reading_of(&r, packed.p, packed.n);
    ck_assert_int_eq(r.end, TRACE_END);
    ck_assert_str_eq(r.text, expected.text);
    reading_deinit(&r);
}
END_TEST

START_TEST(cut_off_anywhere)
{
    struct packed packed = {.n = 0};

    pack(&packed, (enum form)_i, plain.p, plain.n);
    for (size_t n = 0; n < packed.n; n++) {
        struct reading r;

        reading_of(&r, packed.p, n);
        /* Without the frame's end all messages may be there. */
        if (r.end != TRACE_END || strcmp(r.text, expected.text) != 0) {
            ck_assert_msg(r.end == TRACE_CUT_OFF, "after %zu bytes: outcome %d", n, (int)r.end);
            ck_assert_ptr_nonnull(strstr(r.why, "the file ends inside"));
            ck_assert_int_eq(strncmp(r.text, expected.text, r.size), 0);
        }
        reading_deinit(&r);
    }
}
END_TEST

START_TEST(damaged)
{
    struct packed packed = {.n = 0};
    struct reading r;

    pack(&packed, (enum form)_i, plain.p, plain.n);
    packed.p[packed.n - 1] ^= 1;
    reading_of(&r, packed.p, packed.n);
    ck_assert_int_eq(r.end, TRACE_MALFORMED);
    ck_assert_ptr_nonnull(strstr(r.why, "the packed data is damaged"));
    reading_deinit(&r);
}
END_TEST

/* A file of which the last bytes of each piece are the next read's. */
START_TEST(grows)
{
    const int fd = memfd_create("packed", MFD_CLOEXEC);
    struct trace_reader *const from = trace_reader_new_take(dup(fd));
    struct packed packed = {.n = 0};
    struct reading r;

    ck_assert_ptr_nonnull(from);
    pack(&packed, (enum form)_i, plain.p, plain.n);
    reading_init(&r);
    for (size_t n = 0; n < packed.n; n++) {
        ck_assert_int_eq(pwrite(fd, packed.p + n, 1, (off_t)n), 1);
        reading_go_on(&r, from);
        ck_assert(r.end == TRACE_CUT_OFF || r.end == TRACE_END);
    }
    ck_assert_int_eq(r.end, TRACE_END);
    ck_assert_str_eq(r.text, expected.text);
    reading_deinit(&r);
    trace_reader_free(from);
    close(fd);
}
END_TEST

/* The file of a writer that was killed after it had flushed. */
START_TEST(a_frame_that_was_flushed_is_whole)
{
    struct packed packed = {.n = 0};
    struct reading r;

    pack_zstd(&packed, plain.p, plain.n, ZSTD_e_flush);
    reading_of(&r, packed.p, packed.n);
    ck_assert_int_eq(r.end, TRACE_END);
    ck_assert_str_eq(r.text, expected.text);
    reading_deinit(&r);
}
END_TEST

/* The header of a frame that asks for a window of this size, and a raw block that is not there. */
START_TEST(a_window_above_the_limit_is_refused)
{
    uint8_t p[] = {0x28, 0xb5, 0x2f, 0xfd, 0, 0, 1, 0, 0};
    struct reading r;

    p[5] = (uint8_t)((LIMIT_TRACE_WINDOW_LOG - 10 + _i) << 3);
    reading_of(&r, p, sizeof p);
    ck_assert_int_eq(r.end, _i == 0 ? TRACE_CUT_OFF : TRACE_MALFORMED);
    reading_deinit(&r);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("trace_unpack");
    TCase *c = unit_case(s, "unpack");

    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_loop_test(c, reads_like_the_trace_itself, 0, FORMS);
    tcase_add_loop_test(c, in_two_members, 0, FORMS);
    tcase_add_loop_test(c, cut_off_anywhere, 0, FORMS);
    tcase_add_loop_test(c, damaged, 0, FORMS);
    tcase_add_loop_test(c, grows, 0, FORMS);
    tcase_add_test(c, a_frame_that_was_flushed_is_whole);
    tcase_add_loop_test(c, a_window_above_the_limit_is_refused, 0, 2);
    return unit_run(s);
}
