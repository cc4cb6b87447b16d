/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What a crash leaves: a last line torn at each of its bytes, a batch torn in the middle, blocks
 * that a file system lost. The log is opened again, and says how it was found.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/audit_line.h"
#include "tests/support/unit.h"
#include "tests/unit/audit/audit_rig.h"

/* The log's line i is a log-recovered record that says these. */
static void expect_recovered(size_t i, uint64_t bytes, uint64_t unsealed)
{
    size_t n;
    char *const text = rig_read(rig_log(), &n);
    char *line = text;
    json_t *o;

    for (size_t k = 0; k < i; k++) {
        line = strchr(line, '\n') + 1;
    }
    *strchr(line, '\n') = '\0';
    o = json_loads(line, 0, NULL);
    ck_assert_str_eq(json_string_value(json_object_get(o, "event")), AUDIT_RECOVERED);
    ck_assert_int_eq(json_integer_value(json_object_get(o, "bytes")), (json_int_t)bytes);
    ck_assert_int_eq(json_integer_value(json_object_get(o, "unsealed")), (json_int_t)unsealed);
    if (bytes > 0) {
        ck_assert_str_eq(json_string_value(json_object_get(o, "file")), "log.torn.001");
    } else {
        ck_assert_ptr_null(json_object_get(o, "file"));
    }
    json_decref(o);
    free(text);
}

/* Opens a log of these bytes: all behind kept is moved aside, and what is before stays. */
static void recover(const char *bytes, size_t n, size_t kept, uint64_t records, uint64_t unsealed)
{
    struct audit_recovered r;
    struct audit_log *log;
    size_t after_n;
    char *after;

    rig_write(rig_log(), bytes, n);
    rig_forget_mark();
    log = rig_open(0);
    ck_assert(audit_log_recovered(log, &r));
    ck_assert_uint_eq(r.bytes, n - kept);
    ck_assert_uint_eq(r.unsealed, unsealed);
    rig_append_verdict(log, 1);
    rig_close(log);
    rig_expect(rig_verify(), AUDIT_INTACT);
    after = rig_read(rig_log(), &after_n);
    ck_assert_uint_gt(after_n, kept);
    ck_assert_mem_eq(after, bytes, kept);
    free(after);
    expect_recovered(records, n - kept, unsealed);
    if (n > kept) {
        after = rig_read(unit_path("log.torn.001"), &after_n);
        ck_assert_uint_eq(after_n, n - kept);
        ck_assert_mem_eq(after, bytes + kept, after_n);
        free(after);
        ck_assert_int_eq(unlink(unit_path("log.torn.001")), 0);
    }
}

START_TEST(torn_at_every_byte_of_its_last_batch)
{
    size_t kept = 0;
    uint64_t records = 0;
    size_t n;
    char *bytes;
    const char *last;

    rig_make(20, 0);
    bytes = rig_read(rig_log(), &n);
    /* The last batch is 10 records and a checkpoint; of it, from its ninth record on. */
    last = bytes;
    for (int i = 0; i < 19; i++) {
        last = strchr(last, '\n') + 1;
    }
    for (size_t at = (size_t)(last - bytes); at < n; at++) {
        if (bytes[at - 1] == '\n') {
            kept = at;
            records = kept == (size_t)(last - bytes) ? 19 : records + 1;
        }
        recover(bytes, at, kept, records, records - 11);
    }
    free(bytes);
}
END_TEST

START_TEST(blocks_that_were_lost)
{
    char zeros[8192] = {0};
    size_t n;
    char *bytes = NULL;
    char *all;

    rig_make(10, 0);
    bytes = rig_read(rig_log(), &n);
    all = malloc(n + sizeof zeros + n);
    ck_assert_ptr_nonnull(all);
    /* The file's length reached the disk, its bytes did not; what comes behind was not told of. */
    memcpy(all, bytes, n);
    memcpy(all + n, zeros, sizeof zeros);
    memcpy(all + n + sizeof zeros, bytes, n);
    recover(all, n + 511, n, 11, 0);
    recover(all, n + sizeof zeros, n, 11, 0);
    recover(all, n + sizeof zeros + n, n, 11, 0);
    /* A NUL in a line is no lost block. */
    all[n / 2] = '\0';
    rig_write(rig_log(), all, n);
    rig_open_fails(AUDIT_OPEN_TAMPERED);
    free(all);
    free(bytes);
}
END_TEST

START_TEST(torn_before_its_first_line_is_whole)
{
    size_t n;
    char *bytes;

    rig_make(1, 0);
    bytes = rig_read(rig_log(), &n);
    recover(bytes, 10, 0, 0, 0);
    free(bytes);
}
END_TEST

START_TEST(torn_ends_are_kept_all)
{
    size_t n;
    char *bytes;

    rig_make(10, 0);
    for (int i = 1; i <= 3; i++) {
        char name[32];

        bytes = rig_read(rig_log(), &n);
        bytes = realloc(bytes, n + 8);
        ck_assert_ptr_nonnull(bytes);
        memcpy(bytes + n, "{\"seq\":", 7);
        rig_write(rig_log(), bytes, n + 7);
        free(bytes);
        rig_close(rig_open(0));
        snprintf(name, sizeof name, "log.torn.%03d", i);
        ck_assert_int_eq(access(unit_path(name), F_OK), 0);
        rig_expect(rig_verify(), AUDIT_INTACT);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("audit_torn");
    TCase *tc = unit_case(s, "torn");

    tcase_add_test(tc, torn_at_every_byte_of_its_last_batch);
    tcase_add_test(tc, blocks_that_were_lost);
    tcase_add_test(tc, torn_before_its_first_line_is_whole);
    tcase_add_test(tc, torn_ends_are_kept_all);
    return unit_run(s);
}
