/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Logs that somebody else changes: while they are written, and between two starts. No record is put
 * behind such a change, and none that was sealed is missing without a word.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/audit_file.h"
#include "audit/audit_line.h"
#include "tests/support/unit.h"
#include "tests/unit/audit/audit_rig.h"

/* ---- while it is written ---- */

static void cut(void)
{
    ck_assert_int_eq(truncate(rig_log(), 700), 0);
}

static void cut_to_nothing(void)
{
    ck_assert_int_eq(truncate(rig_log(), 0), 0);
}

/* Cut and made as long as it was: the file system's NULs are no record. */
static void cut_and_padded(void)
{
    struct stat st;

    ck_assert_int_eq(stat(rig_log(), &st), 0);
    ck_assert_int_eq(truncate(rig_log(), st.st_size - 100), 0);
    ck_assert_int_eq(truncate(rig_log(), st.st_size), 0);
}

static void appended(void)
{
    FILE *const f = fopen(rig_log(), "a");

    ck_assert_ptr_nonnull(f);
    ck_assert_int_ge(fputs("{}\n", f), 0);
    ck_assert_int_eq(fclose(f), 0);
}

static void last_record_altered(void)
{
    size_t n;
    char *const bytes = rig_read(rig_log(), &n);

    bytes[n - 10] ^= 1;
    rig_write(rig_log(), bytes, n);
    free(bytes);
}

static void renamed(void)
{
    ck_assert_int_eq(rename(rig_log(), unit_path("elsewhere")), 0);
}

static void removed(void)
{
    ck_assert_int_eq(unlink(rig_log()), 0);
}

/* As editors and copying tools do it: the same bytes in another file. */
static void replaced(void)
{
    size_t n;
    char *const bytes = rig_read(rig_log(), &n);

    rig_write(unit_path("copy"), bytes, n);
    ck_assert_int_eq(rename(unit_path("copy"), rig_log()), 0);
    free(bytes);
}

static void replaced_by_a_link(void)
{
    ck_assert_int_eq(rename(rig_log(), unit_path("elsewhere")), 0);
    ck_assert_int_eq(symlink("elsewhere", rig_log()), 0);
}

static const struct {
    void (*fn)(void);
    const char *touched;
} changes[] = {
    {cut, "its end was cut off"},
    {cut_to_nothing, "its end was cut off"},
    {cut_and_padded, "its last record was altered"},
    {appended, "another process wrote to it"},
    {last_record_altered, "its last record was altered"},
    {renamed, "it was removed or renamed"},
    {removed, "it was removed or renamed"},
    {replaced, "another file is in its place"},
    {replaced_by_a_link, "another file is in its place"},
};

START_TEST(a_change_is_noticed_before_the_next_record)
{
    json_t *const o = json_pack("{s:i, s:s}", "session", 1, "route", "r");
    struct audit_log *log;
    struct audit_done done;
    struct pollfd p;
    struct stat before;
    struct stat after;
    int error;

    rig_make(10, 0);
    log = rig_open(0);
    rig_append_verdict(log, 1);
    rig_settle(log, 1, AUDIT_DURABLE, 0);
    changes[_i].fn();
    (void)stat(rig_log(), &before);
    rig_append_verdict(log, 2);
    audit_log_commit(log);
    p = (struct pollfd){.fd = audit_log_fd(log), .events = POLLIN};
    ck_assert_int_eq(poll(&p, 1, -1), 1);
    ck_assert(audit_log_collect(log, &done));
    ck_assert_int_eq(done.outcome, AUDIT_BROKEN);
    ck_assert_str_eq(done.touched, changes[_i].touched);
    ck_assert_int_eq(audit_log_append(log, "session-opened", o, NULL), -EIO);
    ck_assert_int_eq(audit_log_close(log, &error), AUDIT_BROKEN);
    /* Nothing was written to whatever is there. */
    if (stat(rig_log(), &after) == 0) {
        ck_assert_int_eq(before.st_size, after.st_size);
    }
    json_decref(o);
}
END_TEST

/* Cut between the look and the write: in front of the batch there is a hole then. */
START_TEST(a_hole_before_a_batch_is_seen)
{
    const struct audit_settings settings = {.path = rig_log(), .key_path = rig_key()};
    struct audit_fault why;
    struct audit_file f;
    struct audit_end before;
    uint64_t length;

    rig_make(10, 0);
    ck_assert_int_eq(audit_file_open(&f, &settings, &why), AUDIT_OPEN_OK);
    before = f.on_disk;
    length = f.length;
    ck_assert(audit_touch_same_end(&f, &before, length));
    ck_assert_int_eq(truncate(rig_log(), (off_t)length - 1), 0);
    ck_assert_int_eq(pwrite(f.fd, "{}\n", 3, (off_t)length), 3);
    ck_assert(!audit_touch_same_end(&f, &before, length));
    audit_file_deinit(&f);
}
END_TEST

/* A backup by a second name, other rights, a read: none of these changes what it says. */
START_TEST(what_is_no_change_does_not_matter)
{
    struct audit_log *log;
    size_t n;

    rig_make(10, 0);
    log = rig_open(0);
    ck_assert_int_eq(link(rig_log(), unit_path("backup")), 0);
    ck_assert_int_eq(chmod(rig_log(), 0640), 0);
    free(rig_read(rig_log(), &n));
    rig_append_verdict(log, 1);
    rig_settle(log, 1, AUDIT_DURABLE, 0);
    rig_close(log);
    rig_expect(rig_verify(), AUDIT_INTACT);
}
END_TEST

/* ---- between two starts ---- */

/* The record of that event that stands last in the log, a new reference. */
static json_t *last_of(const char *event)
{
    size_t n;
    char *const text = rig_read(rig_log(), &n);
    char *saved;
    json_t *found = NULL;

    for (const char *line = strtok_r(text, "\n", &saved); line;
         line = strtok_r(NULL, "\n", &saved)) {
        json_t *const o = json_loads(line, 0, NULL);

        if (strcmp(json_string_value(json_object_get(o, "event")), event) == 0) {
            json_decref(found);
            found = json_incref(o);
        }
        json_decref(o);
    }
    free(text);
    ck_assert_msg(found != NULL, "no %s", event);
    return found;
}

/* Opens only if an operator says so, and records what is missing. */
static void expect_loss(uint64_t kept, uint64_t sealed)
{
    json_t *o;
    const char *const why = rig_open_fails(AUDIT_OPEN_LOSS);

    ck_assert_msg(strstr(why, "--accept-loss") != NULL, "%s", why);
    rig_close(rig_open_lossy());
    rig_expect(rig_verify(), AUDIT_INTACT);
    o = last_of(AUDIT_LOSS);
    ck_assert_int_eq(json_integer_value(json_object_get(o, "kept")), (json_int_t)kept);
    ck_assert_int_eq(json_integer_value(json_object_get(o, "sealed")), (json_int_t)sealed);
    ck_assert_ptr_nonnull(strstr(json_string_value(json_object_get(o, "checkpoint")), RIG_NAME));
    json_decref(o);
    ck_assert_uint_eq(rig_verify()->gaps.gone, sealed - kept);
    ck_assert_ptr_nonnull(strstr(rig_verify()->text, "sealed records are missing"));
    /* … once. */
    rig_close(rig_open(0));
}

/* Where the file's n-th line ends. */
static off_t end_of_line(size_t n)
{
    size_t size;
    char *const text = rig_read(rig_log(), &size);
    const char *p = text;
    off_t at;

    while (n-- > 0) {
        p = strchr(p, '\n') + 1;
    }
    at = p - text;
    free(text);
    return at;
}

START_TEST(a_log_that_is_cut_at_the_end_of_a_record)
{
    rig_make(20, 0);
    ck_assert_int_eq(truncate(rig_log(), end_of_line(5)), 0);
    expect_loss(5, 21);
}
END_TEST

START_TEST(a_log_that_is_cut_within_a_record)
{
    rig_make(20, 0);
    ck_assert_int_eq(truncate(rig_log(), end_of_line(5) + 20), 0);
    expect_loss(5, 21);
}
END_TEST

START_TEST(a_log_that_is_gone)
{
    rig_make(20, 0);
    ck_assert_int_eq(unlink(rig_log()), 0);
    expect_loss(0, 21);
}
END_TEST

/* Opening makes no file where it refuses: whoever puts the log back finds its place free. */
START_TEST(a_log_that_is_put_back_goes_on)
{
    rig_make(20, 0);
    ck_assert_int_eq(rename(rig_log(), unit_path("elsewhere")), 0);
    rig_open_fails(AUDIT_OPEN_LOSS);
    ck_assert_int_eq(access(rig_log(), F_OK), -1);
    ck_assert_int_eq(rename(unit_path("elsewhere"), rig_log()), 0);
    rig_close(rig_open(0));
    rig_expect(rig_verify(), AUDIT_INTACT);
}
END_TEST

/* Without the mark what lies behind a hole tells: a log was cut under a writer that did not look.
 */
START_TEST(checkpoints_behind_a_torn_end)
{
    size_t n;
    char *bytes;
    const char zeros[600] = {0};
    off_t kept;

    rig_make(20, 0);
    kept = end_of_line(5);
    bytes = rig_read(rig_log(), &n);
    memcpy(bytes + kept, zeros, sizeof zeros);
    rig_write(rig_log(), bytes, n);
    free(bytes);
    rig_forget_mark();
    expect_loss(5, 21);
}
END_TEST

/* The end of a batch that was never acknowledged may be missing after a crash: that is recovery. */
START_TEST(a_log_without_its_last_checkpoint_goes_on)
{
    size_t n;

    rig_make(20, 0);
    free(rig_read(rig_log(), &n));
    ck_assert_int_eq(truncate(rig_log(), (off_t)n - 10), 0);
    rig_close(rig_open(0));
    rig_expect(rig_verify(), AUDIT_INTACT);
    json_decref(last_of(AUDIT_RECOVERED));
}
END_TEST

/* Another log in its place, of the same key, as long and longer: its records are not the sealed. */
START_TEST(another_log_of_the_same_key)
{
    struct audit_log *log;

    rig_make(20, 0);
    ck_assert_int_eq(rename(rig_log(), unit_path("elsewhere")), 0);
    ck_assert_int_eq(rename(unit_path(".log.sealed"), unit_path("mark")), 0);
    log = rig_open(0);
    for (uint64_t i = 0; i < 40; i++) {
        rig_append(log, i + 100);
    }
    rig_close(log);
    ck_assert_int_eq(rename(unit_path("mark"), unit_path(".log.sealed")), 0);
    rig_open_fails(AUDIT_OPEN_TAMPERED);
}
END_TEST

/* What is no checkpoint of ours says nothing of this log. */
START_TEST(marks_that_are_none)
{
    static const char *const marks[] = {"", "x", "poemd.example/audit\n99\n"};

    rig_make(10, 0);
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        rig_write(unit_path(".log.sealed"), marks[i], strlen(marks[i]));
        rig_close(rig_open(0));
        rig_expect(rig_verify(), AUDIT_INTACT);
    }
    ck_assert_int_eq(unlink(unit_path(".log.sealed")), 0);
    ck_assert_int_eq(symlink("log", unit_path(".log.sealed")), 0);
    rig_open_fails(AUDIT_OPEN_SYSTEM);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("audit_touch");
    TCase *tc = unit_case(s, "written");

    tcase_add_loop_test(tc, a_change_is_noticed_before_the_next_record, 0,
                        sizeof changes / sizeof *changes);
    tcase_add_test(tc, a_hole_before_a_batch_is_seen);
    tcase_add_test(tc, what_is_no_change_does_not_matter);
    tc = unit_case(s, "found");
    tcase_add_test(tc, a_log_that_is_cut_at_the_end_of_a_record);
    tcase_add_test(tc, a_log_that_is_cut_within_a_record);
    tcase_add_test(tc, a_log_that_is_gone);
    tcase_add_test(tc, a_log_that_is_put_back_goes_on);
    tcase_add_test(tc, checkpoints_behind_a_torn_end);
    tcase_add_test(tc, a_log_without_its_last_checkpoint_goes_on);
    tcase_add_test(tc, another_log_of_the_same_key);
    tcase_add_test(tc, marks_that_are_none);
    return unit_run(s);
}
