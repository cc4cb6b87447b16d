/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Verifying, by brute force: of a log of 50 records every byte is changed, every line dropped,
 * doubled and swapped, and the verdict is looked at each time.
 */
#define _GNU_SOURCE
#include "audit/audit_verify.h"

#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/audit_key.h"
#include "tests/support/unit.h"
#include "tests/unit/audit/audit_rig.h"

#define RECORDS 50

/* The log of the test, its lines, and where what is not sealed begins. */
static char *bytes;
static size_t size;
static const char *lines[200]; /* with their ends; one more is the end of all */
static size_t n_lines;

static void cut(void)
{
    n_lines = 0;
    for (const char *p = bytes; p < bytes + size; p = strchr(p, '\n') + 1) {
        lines[n_lines++] = p;
    }
    lines[n_lines] = bytes + size;
}

static void load(void)
{
    bytes = rig_read(rig_log(), &size);
    cut();
}

static bool is_checkpoint(size_t i)
{
    return memmem(lines[i], (size_t)(lines[i + 1] - lines[i]), "\"checkpoint\"", 12) != NULL;
}

static bool holds(const struct audit_result *r, uint64_t record)
{
    return r->bad_from <= record && record <= r->bad_to;
}

/* ---- what is well ---- */

START_TEST(as_it_was_written)
{
    const struct audit_result *r;

    rig_make(RECORDS, 0);
    r = rig_verify();
    rig_expect(r, AUDIT_INTACT);
    /* A checkpoint behind each of the five verdicts; the last is behind the last record. */
    ck_assert_uint_eq(r->size, RECORDS + 5);
    ck_assert_uint_eq(r->sealed, r->size);
    ck_assert_uint_eq(r->checkpoint.size, r->size - 1);
    ck_assert(!r->written);
}
END_TEST

START_TEST(while_it_is_written)
{
    struct audit_log *log;

    rig_keygen();
    log = rig_open(0);
    rig_expect(rig_verify(), AUDIT_UNSEALED);
    rig_append(log, 1);
    rig_settle(log, 1, AUDIT_DURABLE, 0);
    /* It may have been sealed since. */
    ck_assert_int_le(rig_verify()->verdict, AUDIT_UNSEALED);
    ck_assert(rig_verify()->written);
    ck_assert_uint_ge(rig_verify()->size, 1);
    rig_append_verdict(log, 1);
    rig_settle(log, 2, AUDIT_DURABLE, 0);
    rig_expect(rig_verify(), AUDIT_INTACT);
    ck_assert(rig_verify()->written);
    rig_close(log);
}
END_TEST

/* ---- every byte ---- */

START_TEST(every_byte_changed_is_caught)
{
    static const unsigned char flips[] = {0x01};
    size_t line = 0;

    rig_make(RECORDS, 0);
    load();
    for (size_t at = 0; at < size; at += unit_step(3)) {
        while (lines[line + 1] <= bytes + at) {
            line++;
        }
        for (size_t k = 0; k < sizeof flips + 1; k++) {
            const char was = bytes[at];
            const struct audit_result *r;

            /* The last change is to NUL, which no line has. */
            bytes[at] = k < sizeof flips ? (char)(was ^ flips[k]) : '\0';
            rig_write(rig_log(), bytes, size);
            r = rig_verify();
            if (at == size - 1) {
                /* Without its end the last line, a checkpoint, is not there yet. */
                rig_expect(r, AUDIT_UNSEALED);
                ck_assert_uint_eq(r->sealed, r->size - 10);
            } else {
                rig_expect(r, AUDIT_TAMPERED);
                /* The end of a line belongs to both. */
                ck_assert_msg(holds(r, line) || (was == '\n' && holds(r, line + 1)),
                              "byte %zu of record %zu: %s", at, line, r->text);
            }
            bytes[at] = was;
        }
    }
    free(bytes);
}
END_TEST

/* In the tail every change is seen but that of the last line; nothing there is called proved. */
START_TEST(every_byte_of_an_unsealed_tail)
{
    unsigned silent = 0;
    struct audit_log *log;

    rig_make(10, 0);
    log = rig_open(0);
    for (uint64_t i = 0; i < 3; i++) {
        rig_append(log, i);
    }
    rig_close(log);
    load();
    /* As before the checkpoint that closing, or half a second, puts behind them. */
    size = (size_t)(lines[14] - bytes);
    bytes[size] = '\0';
    cut();
    for (const char *p = lines[11]; p < bytes + size; p++) {
        const struct audit_result *r;

        bytes[p - bytes] = (char)(*p ^ 1);
        rig_write(rig_log(), bytes, size);
        r = rig_verify();
        ck_assert_msg(r->verdict == AUDIT_UNSEALED || r->verdict == AUDIT_TAMPERED, "%s", r->text);
        ck_assert_uint_eq(r->sealed, 11);
        silent += r->verdict == AUDIT_UNSEALED;
        ck_assert(r->verdict == AUDIT_TAMPERED || p >= lines[13]);
        bytes[p - bytes] = (char)(*p ^ 1);
    }
    /* What follows is not there to contradict. */
    ck_assert_uint_gt(silent, 0);
    free(bytes);
}
END_TEST

/* ---- every line ---- */

/* Writes the log with lines in this order. */
static const struct audit_result *verify_lines(const size_t *order, size_t n)
{
    char *const out = malloc(2 * size);
    size_t at = 0;

    ck_assert_ptr_nonnull(out);
    for (size_t i = 0; i < n; i++) {
        const size_t length = (size_t)(lines[order[i] + 1] - lines[order[i]]);

        memcpy(out + at, lines[order[i]], length);
        at += length;
    }
    rig_write(rig_log(), out, at);
    free(out);
    return rig_verify();
}

START_TEST(every_line_dropped_is_caught)
{
    size_t order[200];

    rig_make(RECORDS, 0);
    load();
    for (size_t dropped = 0; dropped < n_lines; dropped++) {
        const struct audit_result *r;
        size_t n = 0;

        for (size_t i = 0; i < n_lines; i++) {
            if (i != dropped) {
                order[n++] = i;
            }
        }
        r = verify_lines(order, n);
        if (dropped == n_lines - 1) {
            rig_expect(r, AUDIT_UNSEALED);
            ck_assert_uint_eq(r->size - r->sealed, 10);
        } else {
            rig_expect(r, AUDIT_TAMPERED);
            ck_assert_msg(holds(r, dropped), "record %zu: %s", dropped, r->text);
        }
    }
    free(bytes);
}
END_TEST

START_TEST(every_line_doubled_is_caught)
{
    size_t order[200];

    rig_make(RECORDS, 0);
    load();
    for (size_t doubled = 0; doubled < n_lines; doubled++) {
        const struct audit_result *r;
        size_t n = 0;

        for (size_t i = 0; i < n_lines; i++) {
            order[n++] = i;
            if (i == doubled) {
                order[n++] = i;
            }
        }
        r = verify_lines(order, n);
        rig_expect(r, AUDIT_TAMPERED);
        ck_assert_msg(holds(r, doubled + 1), "record %zu: %s", doubled, r->text);
    }
    free(bytes);
}
END_TEST

START_TEST(all_lines_swapped_are_caught)
{
    size_t order[200];

    rig_make(RECORDS, 0);
    load();
    for (size_t a = 0; a < n_lines; a++) {
        for (size_t b = a + 1; b < n_lines; b += unit_step(3)) {
            const struct audit_result *r;

            for (size_t i = 0; i < n_lines; i++) {
                order[i] = i == a ? b : i == b ? a : i;
            }
            r = verify_lines(order, n_lines);
            rig_expect(r, AUDIT_TAMPERED);
            ck_assert_msg(holds(r, a), "records %zu and %zu: %s", a, b, r->text);
        }
    }
    free(bytes);
}
END_TEST

/* Lengths are looked at in so many tests, each of which has its time. */
#define LENGTH_PARTS 8

/* Cut anywhere, a log is never called intact but where it was sealed at that moment. */
START_TEST(every_length)
{
    struct audit_checkpoint newest;
    size_t line = 0;

    rig_make(RECORDS, 0);
    newest = rig_verify()->checkpoint;
    load();
    for (size_t n = size * (size_t)_i / LENGTH_PARTS; n < size * ((size_t)_i + 1) / LENGTH_PARTS;
         n += unit_step(3)) {
        const char *const file = rig_log();
        const struct audit_result *r;

        rig_write(rig_log(), bytes, n);
        while (lines[line + 1] <= bytes + n) {
            line++;
        }
        r = rig_verify();
        rig_expect(r, lines[line] == bytes + n && line > 0 && is_checkpoint(line - 1)
                          ? AUDIT_INTACT
                          : AUDIT_UNSEALED);
        ck_assert_uint_eq(r->partial, (uint64_t)(bytes + n - lines[line]));
        /* An older checkpoint tells what is missing; the last line is not among what it seals. */
        r = rig_verify_files(&file, 1, &newest);
        if (line < n_lines - 1) {
            rig_expect(r, AUDIT_TRUNCATED);
            ck_assert_uint_eq(r->bad_from, line);
            ck_assert_uint_eq(r->bad_to, n_lines - 2);
        } else {
            rig_expect(r, AUDIT_UNSEALED);
        }
    }
    free(bytes);
}
END_TEST

/* ---- older checkpoints, other keys ---- */

START_TEST(a_log_written_anew_is_not_the_older_one)
{
    const char *const file = rig_log();
    struct audit_checkpoint older;

    rig_make(20, 0);
    older = rig_verify()->checkpoint;
    rig_expect(rig_verify_files(&file, 1, &older), AUDIT_INTACT);
    ck_assert_int_eq(unlink(rig_log()), 0);
    rig_forget_mark();
    /* The same key, the same number of records, later times. */
    for (int round = 0; round < 2; round++) {
        struct audit_log *const log = rig_open(0);

        for (uint64_t i = 0; i < 20; i++) {
            rig_append(log, i);
        }
        rig_close(log);
    }
    rig_expect(rig_verify(), AUDIT_INTACT);
    rig_expect(rig_verify_files(&file, 1, &older), AUDIT_TAMPERED);
}
END_TEST

START_TEST(a_log_of_another_key)
{
    rig_make(20, 0);
    ck_assert_int_eq(unlink(rig_key()), 0);
    ck_assert_int_eq(unlink(rig_pub()), 0);
    rig_keygen();
    rig_expect(rig_verify(), AUDIT_WRONG_KEY);
    rig_open_fails(AUDIT_OPEN_WRONG_KEY);
}
END_TEST

START_TEST(what_is_no_log)
{
    static const char *const texts[] = {"hello\n", "{}\n", "{\"seq\":1}\n{\"seq\":2}\n"};
    const char *const missing = unit_path("missing");
    const char *const folder = unit_folder();

    rig_keygen();
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        rig_write(rig_log(), texts[i], strlen(texts[i]));
        rig_expect(rig_verify(), AUDIT_UNREADABLE);
        rig_open_fails(AUDIT_OPEN_TAMPERED);
    }
    rig_expect(rig_verify_files(&missing, 1, NULL), AUDIT_UNREADABLE);
    rig_expect(rig_verify_files(&folder, 1, NULL), AUDIT_UNREADABLE);
}
END_TEST

/* What every log goes on from is known without any of its files. */
START_TEST(an_older_checkpoint_without_records)
{
    const char *const file = rig_log();
    struct audit_checkpoint older = {.size = 0};
    struct audit_tree none;
    const struct audit_result *r;
    json_t *o;

    rig_make(20, 0);
    audit_tree_init(&none);
    ck_assert_int_eq(audit_tree_root(&none, &older.root), 0);
    rig_expect(rig_verify_files(&file, 1, &older), AUDIT_INTACT);
    older.root.b[0] ^= 1;
    r = rig_verify_files(&file, 1, &older);
    rig_expect(r, AUDIT_TAMPERED);
    ck_assert(!r->has_bad);
    o = audit_verify_json(r);
    ck_assert(json_is_null(json_object_get(o, "bad")));
    json_decref(o);
}
END_TEST

/* ---- rotated files ---- */

static glob_t found;

static void find_files(void)
{
    char pattern[300];

    snprintf(pattern, sizeof pattern, "%s*", rig_log());
    ck_assert_int_eq(glob(pattern, 0, NULL, &found), 0);
}

START_TEST(rotated_files_are_one_log)
{
    const char *files[200];

    rig_make(200, 4000);
    find_files();
    ck_assert_uint_gt(found.gl_pathc, 5);
    rig_expect(rig_verify_files((const char *const *)found.gl_pathv, found.gl_pathc, NULL),
               AUDIT_INTACT);
    ck_assert_uint_eq(
        rig_verify_files((const char *const *)found.gl_pathv, found.gl_pathc, NULL)->first, 0);
    /* Each file without those before it: what is in it is intact as well. */
    for (size_t i = 0; i < found.gl_pathc; i++) {
        rig_expect(rig_verify_files((const char *const *)&found.gl_pathv[i], 1, NULL),
                   AUDIT_INTACT);
    }
    /* One left out is missed, save the first and the newest ones. */
    for (size_t out = 0; out < found.gl_pathc; out++) {
        const struct audit_result *r;
        size_t n = 0;

        for (size_t i = 0; i < found.gl_pathc; i++) {
            if (i != out) {
                files[n++] = found.gl_pathv[i];
            }
        }
        r = rig_verify_files(files, n, NULL);
        /* Sorted by name, the newest is the first, and the one rotated last the last. */
        rig_expect(r, out == 0 || out == 1 ? AUDIT_INTACT : AUDIT_TRUNCATED);
    }
    globfree(&found);
}
END_TEST

START_TEST(an_older_checkpoint_of_a_rotated_file)
{
    rig_make(200, 4000);
    find_files();
    for (size_t i = 1; i < found.gl_pathc; i++) {
        const struct audit_result *r =
            rig_verify_files((const char *const *)&found.gl_pathv[i], 1, NULL);
        struct audit_checkpoint older = r->checkpoint;

        rig_expect(rig_verify_files((const char *const *)found.gl_pathv, found.gl_pathc, &older),
                   AUDIT_INTACT);
        /* The newest file alone has nothing to compare it with. */
        rig_expect(rig_verify_files((const char *const *)found.gl_pathv, 1, &older),
                   AUDIT_UNREADABLE);
        older.root.b[0] ^= 1;
        rig_expect(rig_verify_files((const char *const *)found.gl_pathv, found.gl_pathc, &older),
                   AUDIT_TAMPERED);
    }
    globfree(&found);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("audit_verify");
    TCase *tc = unit_case(s, "whole");

    tcase_add_test(tc, as_it_was_written);
    tcase_add_test(tc, while_it_is_written);
    tcase_add_test(tc, a_log_written_anew_is_not_the_older_one);
    tcase_add_test(tc, a_log_of_another_key);
    tcase_add_test(tc, an_older_checkpoint_without_records);
    tcase_add_test(tc, what_is_no_log);
    tcase_add_test(tc, rotated_files_are_one_log);
    tcase_add_test(tc, an_older_checkpoint_of_a_rotated_file);
    tc = unit_case(s, "every");
    tcase_add_test(tc, every_byte_changed_is_caught);
    tcase_add_test(tc, every_byte_of_an_unsealed_tail);
    tcase_add_test(tc, every_line_dropped_is_caught);
    tcase_add_test(tc, every_line_doubled_is_caught);
    tcase_add_test(tc, all_lines_swapped_are_caught);
    tcase_add_loop_test(tc, every_length, 0, LENGTH_PARTS);
    return unit_run(s);
}
