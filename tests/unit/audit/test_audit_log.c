/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The writer of the audit log: what it takes, what it writes, and what it does without room. */
#define _GNU_SOURCE
#include "audit/audit_log.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/audit_key.h"
#include "audit/audit_line.h"
#include "tests/support/unit.h"
#include "tests/unit/audit/audit_rig.h"

/* ---- records ---- */

/* Line i of the log, without its end; into out. */
static void read_line(size_t i, char *out, size_t room)
{
    FILE *const f = fopen(rig_log(), "r");

    ck_assert_ptr_nonnull(f);
    for (size_t k = 0; k <= i; k++) {
        ck_assert_msg(fgets(out, (int)room, f) != NULL, "there is no line %zu", i);
    }
    fclose(f);
    out[strcspn(out, "\n")] = '\0';
}

START_TEST(a_record_is_a_canonical_line)
{
    json_t *const o = json_pack("{s:s, s:i, s:{s:b, s:n}, s:s}", "route", "b\xc3\xa4r", "session",
                                7, "a", "y", 1, "x", "zz", "\"\\\n");
    struct audit_log *log;
    struct audit_head head;
    char line[1024];
    uint64_t number = 0;

    rig_keygen();
    log = rig_open(0);
    ck_assert_int_eq(audit_log_append(log, "session-opened", o, &number), 0);
    /* What was appended has been written down: this changes nothing. */
    json_object_clear(o);
    ck_assert_uint_eq(number, 1);
    ck_assert_uint_eq(audit_log_size(log), 0);
    rig_settle(log, 1, AUDIT_DURABLE, 0);
    ck_assert_uint_eq(audit_log_size(log), 1);
    rig_close(log);
    json_decref(o);
    read_line(0, line, sizeof line);
    ck_assert(audit_line_read(&head, line, strlen(line)));
    ck_assert_uint_eq(head.seq, 0);
    ck_assert_mem_eq(head.prev, "0000000000000000", 16);
    ck_assert_str_eq(head.rest,
                     ",\"a\":{\"x\":null,\"y\":true},\"route\":\"b\\u00E4r\",\"session\":7,"
                     "\"zz\":\"\\\"\\\\\\n\"}");
}
END_TEST

START_TEST(what_is_no_record_is_refused)
{
    static const char *const ours[] = {"seq", "time", "prev", "event", "host"};
    json_t *const good = json_pack("{s:i, s:s}", "session", 1, "route", "r");
    json_t *const list = json_array();
    json_t *const less = json_pack("{s:i}", "session", 1);
    struct audit_log *log;

    rig_keygen();
    log = rig_open(0);
    ck_assert_int_eq(audit_log_append(log, "no-such-event", good, NULL), -EINVAL);
    ck_assert_int_eq(audit_log_append(log, "session-opened", list, NULL), -EINVAL);
    ck_assert_int_eq(audit_log_append(log, "session-opened", less, NULL), -EINVAL);
    ck_assert_int_eq(audit_log_append(log, "checkpoint", good, NULL), -EINVAL);
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        json_object_set_new(good, ours[i], json_integer(1));
        ck_assert_int_eq(audit_log_append(log, "session-opened", good, NULL), -EINVAL);
        json_object_del(good, ours[i]);
    }
    ck_assert_int_eq(audit_log_append(log, "session-opened", good, NULL), 0);
    rig_close(log);
    json_decref(good);
    json_decref(list);
    json_decref(less);
}
END_TEST

/* The text of a record, which has room for it. */
static void read_text(size_t line, size_t *text_n, json_int_t *omitted)
{
    static char bytes[AUDIT_LINE_MAX + 1];
    json_t *o;

    read_line(line, bytes, sizeof bytes);
    o = json_loads(bytes, 0, NULL);
    *text_n = json_string_length(json_object_get(o, "text"));
    *omitted = json_integer_value(json_object_get(json_object_get(o, "omitted"), "text"));
    json_decref(o);
}

START_TEST(the_longest_record_is_whole_and_a_longer_one_is_cut)
{
    static char text[AUDIT_LINE_MAX];
    json_t *const o = json_pack("{s:i, s:s}", "session", 1, "route", "r");
    const size_t others = strlen("{\"route\":\"r\",\"session\":1,\"text\":\"\"}");
    const size_t longest = AUDIT_LINE_MAX - AUDIT_HEAD_MAX - others;
    struct audit_log *log;
    json_int_t omitted;
    size_t n;

    ck_assert_uint_eq(AUDIT_LINE_MAX, UINT16_MAX);
    rig_keygen();
    log = rig_open(0);
    memset(text, 'x', sizeof text - 1);
    for (size_t more = 0; more <= 1; more++) {
        text[longest] = 'x';
        text[longest + more] = '\0';
        json_object_set_new(o, "text", json_string(text));
        ck_assert_int_eq(audit_log_append(log, "session-opened", o, NULL), 0);
    }
    rig_close(log);
    rig_expect(rig_verify(), AUDIT_INTACT);
    read_text(0, &n, &omitted);
    ck_assert_uint_eq(n, longest);
    ck_assert_int_eq(omitted, 0);
    read_text(1, &n, &omitted);
    ck_assert_uint_eq(n - strlen("..."), longest / 2);
    ck_assert_int_eq(omitted, (json_int_t)(longest + 1 - longest / 2));
    json_decref(o);
}
END_TEST

/* No cutting helps where there is nothing but names. */
START_TEST(a_record_that_nothing_makes_a_line_is_refused)
{
    json_t *const o = json_pack("{s:i, s:s}", "session", 1, "route", "r");
    struct audit_log *log;
    char name[32];

    rig_keygen();
    log = rig_open(0);
    for (int i = 0; i < 5000; i++) {
        snprintf(name, sizeof name, "a-name-that-is-long-%06d", i);
        json_object_set_new(o, name, json_integer(1));
    }
    ck_assert_int_eq(audit_log_append(log, "session-opened", o, NULL), -EMSGSIZE);
    rig_append(log, 1);
    rig_close(log);
    rig_expect(rig_verify(), AUDIT_INTACT);
    json_decref(o);
}
END_TEST

START_TEST(the_queue_has_an_end)
{
    json_t *const o = json_pack("{s:i, s:s}", "session", 1, "route", "r");
    struct audit_log *log;
    uint64_t number;

    rig_keygen();
    log = rig_open(0);
    for (unsigned i = 0; i < AUDIT_QUEUE_MAX; i++) {
        ck_assert_int_eq(audit_log_append(log, "session-opened", o, &number), 0);
    }
    ck_assert_int_eq(audit_log_append(log, "session-opened", o, NULL), -ENOBUFS);
    rig_settle(log, number, AUDIT_DURABLE, 0);
    ck_assert_int_eq(audit_log_append(log, "session-opened", o, NULL), 0);
    rig_close(log);
    rig_expect(rig_verify(), AUDIT_INTACT);
    json_decref(o);
}
END_TEST

START_TEST(foreign_text_is_printable)
{
    static const char bytes[] = "a\"\\\x1b\xff\nz";
    json_t *const t = audit_text(bytes, sizeof bytes - 1);

    ck_assert_str_eq(json_string_value(t), "a\\x22\\x5c\\x1b\\xff\\x0az");
    json_decref(t);
}
END_TEST

START_TEST(nothing_to_collect_does_not_wake)
{
    struct pollfd p;
    struct audit_done done;
    struct audit_log *log;

    rig_keygen();
    log = rig_open(0);
    p = (struct pollfd){.fd = audit_log_fd(log), .events = POLLIN};
    audit_log_commit(log);
    ck_assert_int_eq(poll(&p, 1, 0), 0);
    ck_assert(!audit_log_collect(log, &done));
    rig_append(log, 1);
    rig_settle(log, 1, AUDIT_DURABLE, 0);
    ck_assert(!audit_log_collect(log, &done));
    ck_assert_int_eq(poll(&p, 1, 0), 0);
    rig_close(log);
    ck_assert_int_eq(audit_log_close(NULL, NULL), AUDIT_DURABLE);
}
END_TEST

/* ---- opening ---- */

START_TEST(a_log_goes_on)
{
    struct audit_recovered recovered;

    rig_make(20, 0);
    for (uint64_t i = 0; i < 5; i++) {
        struct audit_log *const log = rig_open(0);

        ck_assert(!audit_log_recovered(log, &recovered));
        ck_assert_uint_eq(audit_log_size(log), 22 + 2 * i);
        rig_append(log, i);
        rig_close(log);
        rig_expect(rig_verify(), AUDIT_INTACT);
    }
}
END_TEST

START_TEST(one_writer_at_a_time)
{
    struct audit_log *log;

    rig_keygen();
    log = rig_open(0);
    rig_open_fails(AUDIT_OPEN_BUSY);
    rig_close(log);
    rig_close(rig_open(0));
}
END_TEST

START_TEST(keys_that_are_not_taken)
{
    struct audit_vkey other;
    char why[512];

    rig_open_fails(AUDIT_OPEN_KEY);
    rig_keygen();
    for (mode_t bit = 01; bit <= 0400; bit = (mode_t)(bit << 1)) {
        ck_assert_int_eq(chmod(rig_key(), 0600 | bit), 0);
        if (bit == 0040 || bit >= 0200) {
            rig_close(rig_open(0));
        } else if (bit != 0100) {
            rig_open_fails(AUDIT_OPEN_KEY);
        }
    }
    ck_assert_int_eq(chmod(rig_key(), 0600), 0);
    if (geteuid() == 0) {
        ck_assert_int_eq(chown(rig_key(), 12345, (gid_t)-1), 0);
        rig_open_fails(AUDIT_OPEN_KEY);
        ck_assert_int_eq(chown(rig_key(), 0, (gid_t)-1), 0);
    }
    /* The name's file is of another key. */
    ck_assert_int_eq(audit_key_generate(unit_path("other"), "other", &other, why, sizeof why), 0);
    ck_assert_int_eq(rename(unit_path("other.pub"), rig_pub()), 0);
    rig_open_fails(AUDIT_OPEN_KEY);
    rig_write(rig_key(), "no key\n", 7);
    rig_open_fails(AUDIT_OPEN_KEY);
    /* Neither file is ever written over. */
    ck_assert_int_eq(audit_key_generate(rig_key(), "x", &other, why, sizeof why), -EEXIST);
    ck_assert_int_eq(unlink(rig_key()), 0);
    ck_assert_int_eq(audit_key_generate(rig_key(), "x", &other, why, sizeof why), -EEXIST);
    ck_assert_int_eq(access(rig_key(), F_OK), -1);
}
END_TEST

START_TEST(a_log_that_does_not_verify_is_left_alone)
{
    size_t before_n;
    size_t after_n;
    char *before;
    char *after;

    rig_make(20, 0);
    before = rig_read(rig_log(), &before_n);
    before[before_n / 2] ^= 1;
    rig_write(rig_log(), before, before_n);
    rig_open_fails(AUDIT_OPEN_TAMPERED);
    after = rig_read(rig_log(), &after_n);
    ck_assert_uint_eq(before_n, after_n);
    ck_assert_mem_eq(before, after, before_n);
    free(before);
    free(after);
}
END_TEST

/* ---- rotation ---- */

START_TEST(files_are_rotated_and_none_is_forgotten)
{
    struct stat st;

    rig_make(100, 4000);
    ck_assert_int_eq(stat(unit_path("log.000001"), &st), 0);
    ck_assert_int_ge(st.st_size, 4000);
    ck_assert_int_eq(stat(unit_path("log.000002"), &st), 0);
    ck_assert_int_eq(stat(unit_path("log.new"), &st), -1);
    /* The numbers go on, also where the old files are gone. */
    ck_assert_int_eq(unlink(unit_path("log.000001")), 0);
    rig_close(rig_open(4000));
    ck_assert_int_eq(unlink(rig_log()), 0);
    rig_open_fails(AUDIT_OPEN_TAMPERED);
    rig_write(rig_log(), "", 0);
    rig_open_fails(AUDIT_OPEN_TAMPERED);
}
END_TEST

START_TEST(numbers_go_on_without_the_old_files)
{
    struct audit_log *log;
    struct stat st;

    rig_make(30, 3000);
    ck_assert_int_eq(stat(unit_path("log.000001"), &st), 0);
    ck_assert_int_eq(stat(unit_path("log.000002"), &st), -1);
    ck_assert_int_eq(unlink(unit_path("log.000001")), 0);
    log = rig_open(1);
    rig_append(log, 1);
    rig_close(log);
    ck_assert_int_eq(stat(unit_path("log.000002"), &st), 0);
    rig_expect(rig_verify(), AUDIT_INTACT);
}
END_TEST

/* A crash between the rotation's two steps leaves one file with two names, and maybe a third one.
 */
START_TEST(half_a_rotation_is_undone)
{
    struct audit_log *log;
    struct stat st;

    rig_make(20, 0);
    ck_assert_int_eq(link(rig_log(), unit_path("log.000001")), 0);
    rig_write(unit_path("log.new"), "half", 4);
    log = rig_open(1);
    ck_assert_int_eq(stat(unit_path("log.000001"), &st), -1);
    rig_append(log, 1);
    rig_settle(log, 1, AUDIT_DURABLE, 0);
    rig_close(log);
    ck_assert_int_eq(stat(unit_path("log.000001"), &st), 0);
    ck_assert_int_eq(stat(unit_path("log.new"), &st), -1);
    rig_expect(rig_verify(), AUDIT_INTACT);
}
END_TEST

/* Where no new file can be begun, the old one goes on, and the caller is told. */
START_TEST(a_rotation_that_fails_loses_nothing)
{
    struct audit_log *log;

    rig_make(10, 0);
    ck_assert_int_eq(mkdir(unit_path("log.new"), 0700), 0);
    log = rig_open(1);
    rig_append(log, 1);
    rig_settle(log, 1, AUDIT_DURABLE, EISDIR);
    ck_assert_int_eq(rmdir(unit_path("log.new")), 0);
    rig_append(log, 2);
    rig_settle(log, 2, AUDIT_DURABLE, 0);
    rig_close(log);
    rig_expect(rig_verify(), AUDIT_INTACT);
    ck_assert_int_eq(access(unit_path("log.000001"), F_OK), 0);
}
END_TEST

/* ---- no room ---- */

/* A record so long that few of them fill much. */
static void append_long(struct audit_log *log)
{
    static char text[60000];
    json_t *const o = json_pack("{s:i, s:s}", "session", 1, "route", "r");

    memset(text, 'x', sizeof text - 1);
    json_object_set_new(o, "text", json_string(text));
    ck_assert_int_eq(audit_log_append(log, "session-opened", o, NULL), 0);
    json_decref(o);
}

/* Records are lost, said so, and the log is whole; with room again it goes on. */
static void fill(struct audit_log *log, int error)
{
    uint64_t number = 0;
    enum audit_outcome outcome = AUDIT_DURABLE;
    uint64_t durable;

    while (outcome == AUDIT_DURABLE) {
        struct pollfd p = {.fd = audit_log_fd(log), .events = POLLIN};
        struct audit_done done = {.upto = 0};

        append_long(log);
        number++;
        audit_log_commit(log);
        while (!audit_log_collect(log, &done)) {
            ck_assert_int_eq(poll(&p, 1, -1), 1);
        }
        ck_assert_uint_eq(done.upto, number);
        outcome = done.outcome;
        ck_assert_int_eq(done.error, outcome == AUDIT_DURABLE ? 0 : error);
    }
    ck_assert_int_eq(outcome, AUDIT_FULL);
    durable = audit_log_size(log);
    ck_assert_uint_gt(durable, 0);
    /* That records are missing may be recorded by now, where there is room for that. */
    ck_assert_int_le(rig_verify()->verdict, AUDIT_UNSEALED);
    ck_assert_uint_ge(rig_verify()->size, durable);
    ck_assert_uint_eq(rig_verify()->partial, 0);
}

START_TEST(a_file_at_its_limit)
{
    struct rlimit limit;
    struct rlimit small;
    struct audit_log *log;

    rig_make(10, 0);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    small = limit;
    /* Check's own file of messages is held to it as well. */
    small.rlim_cur = 1000000;
    log = rig_open(0);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    fill(log, EFBIG);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    rig_close(log);
    rig_expect(rig_verify(), AUDIT_INTACT);
    rig_close(rig_open(0));
}
END_TEST

START_TEST(a_full_disk)
{
    const char *const folder = unit_folder();
    struct audit_log *log;

    /* A mount name space of our own: nobody else sees the little disk, and it goes with us. */
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("none", folder, "tmpfs", 0, "size=512k") < 0) {
        printf("SKIPPED: a full disk: no disk can be mounted: %s\n", strerror(errno));
        return;
    }
    rig_keygen();
    rig_write(unit_path("ballast"), "x", 1);
    log = rig_open(0);
    fill(log, ENOSPC);
    ck_assert_int_eq(unlink(unit_path("ballast")), 0);
    rig_append(log, 1);
    rig_close(log);
    rig_expect(rig_verify(), AUDIT_INTACT);
    ck_assert_int_eq(umount2(folder, MNT_DETACH), 0);
}
END_TEST

/* Lets the log's file be written or not, whatever fds are open on it. False: not possible here. */
static bool set_immutable(bool on)
{
    const int fd = open(rig_log(), O_RDONLY | O_CLOEXEC);
    int flags = 0;
    bool ok;

    ck_assert_int_ge(fd, 0);
    ok = ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0;
    flags = on ? flags | FS_IMMUTABLE_FL : flags & ~FS_IMMUTABLE_FL;
    ok = ok && ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0;
    close(fd);
    return ok;
}

/* An error after which nothing is known: all that follows is lost, until the log is opened anew. */
START_TEST(a_broken_log_stays_broken)
{
    json_t *const o = json_pack("{s:i, s:s}", "session", 1, "route", "r");
    struct audit_log *log;
    int error;

    rig_make(10, 0);
    log = rig_open(0);
    if (!set_immutable(true)) {
        printf("SKIPPED: a broken log: no file can be made immutable: %s\n", strerror(errno));
        rig_close(log);
        json_decref(o);
        return;
    }
    rig_append(log, 1);
    rig_settle(log, 1, AUDIT_BROKEN, EPERM);
    ck_assert(set_immutable(false));
    ck_assert_int_eq(audit_log_append(log, "session-opened", o, NULL), -EIO);
    ck_assert_int_eq(audit_log_close(log, &error), AUDIT_BROKEN);
    ck_assert_int_eq(error, EPERM);
    log = rig_open(0);
    ck_assert_uint_eq(audit_log_size(log), 11);
    rig_append(log, 2);
    rig_close(log);
    rig_expect(rig_verify(), AUDIT_INTACT);
    json_decref(o);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("audit_log");
    TCase *tc = unit_case(s, "records");

    tcase_add_test(tc, a_record_is_a_canonical_line);
    tcase_add_test(tc, what_is_no_record_is_refused);
    tcase_add_test(tc, the_longest_record_is_whole_and_a_longer_one_is_cut);
    tcase_add_test(tc, a_record_that_nothing_makes_a_line_is_refused);
    tcase_add_test(tc, the_queue_has_an_end);
    tcase_add_test(tc, foreign_text_is_printable);
    tcase_add_test(tc, nothing_to_collect_does_not_wake);
    tc = unit_case(s, "opening");
    tcase_add_test(tc, a_log_goes_on);
    tcase_add_test(tc, one_writer_at_a_time);
    tcase_add_test(tc, keys_that_are_not_taken);
    tcase_add_test(tc, a_log_that_does_not_verify_is_left_alone);
    tc = unit_case(s, "rotation");
    tcase_add_test(tc, files_are_rotated_and_none_is_forgotten);
    tcase_add_test(tc, numbers_go_on_without_the_old_files);
    tcase_add_test(tc, half_a_rotation_is_undone);
    tcase_add_test(tc, a_rotation_that_fails_loses_nothing);
    tc = unit_case(s, "room");
    tcase_add_test(tc, a_file_at_its_limit);
    tcase_add_test(tc, a_full_disk);
    tcase_add_test(tc, a_broken_log_stays_broken);
    return unit_run(s);
}
