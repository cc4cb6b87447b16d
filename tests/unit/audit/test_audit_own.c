/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What the log adds of its own: the host, a mark where the clock went back, how many records were
 * lost, a checkpoint of a quiet log. And what it leaves out of a record that is too long.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text/hex.h"
#include "audit/audit_file.h"
#include "audit/audit_fit.h"
#include "audit/audit_host.h"
#include "tests/support/unit.h"
#include "tests/unit/audit/audit_rig.h"

/* The log's records, a new reference. */
static json_t *records(void)
{
    size_t n;
    char *const text = rig_read(rig_log(), &n);
    char *saved;
    json_t *const list = json_array();

    for (const char *line = strtok_r(text, "\n", &saved); line;
         line = strtok_r(NULL, "\n", &saved)) {
        json_array_append_new(list, json_loads(line, 0, NULL));
    }
    free(text);
    return list;
}

static const char *text_of(const json_t *o, const char *key)
{
    const char *const s = json_string_value(json_object_get(o, key));

    return s ? s : "";
}

/* The first record of that event, or NULL. Borrowed. */
static json_t *find(const json_t *all, const char *event)
{
    json_t *r;
    size_t i;

    json_array_foreach(all, i, r)
    {
        if (strcmp(text_of(r, "event"), event) == 0) {
            return r;
        }
    }
    return NULL;
}

/*
 * Lets no file become larger than the log is, and returns the limit as it was. Check's file of
 * messages is held to it as well: the log is made to be larger than that before.
 */
static struct rlimit limit_files(void)
{
    struct rlimit limit;
    struct rlimit small;
    struct stat st;

    ck_assert_int_eq(stat(rig_log(), &st), 0);
    ck_assert_int_ge(st.st_size, 100000);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    small = limit;
    signal(SIGXFSZ, SIG_IGN);
    small.rlim_cur = (rlim_t)st.st_size + 10;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    return limit;
}

/* Members so long that three records of them are more than Check writes. */
static json_t *long_members(void)
{
    static char text[60000];

    memset(text, 'x', sizeof text - 1);
    return json_pack("{s:i, s:s, s:s}", "session", 1, "route", "r", "text", text);
}

/* ---- the host ---- */

START_TEST(ids_in_both_forms)
{
    uint8_t a[16];
    uint8_t b[16];

    ck_assert(audit_host_id("00112233445566778899aabbccddeeff\n", a));
    ck_assert(audit_host_id("00112233-4455-6677-8899-aabbccddeeff", b));
    ck_assert_mem_eq(a, b, sizeof a);
    ck_assert_uint_eq(a[15], 0xff);
    ck_assert(!audit_host_id("", a));
    ck_assert(!audit_host_id("uninitialized\n", a));
    ck_assert(!audit_host_id("00112233445566778899aabbccddeef", a));
    ck_assert(!audit_host_id("00112233445566778899aabbccddeeff0", a));
    ck_assert(!audit_host_id("00112233445566778899aabbccddeeff\nx", a));
}
END_TEST

/* Made by systemd-id128 of systemd 252, from a machine-id of these bytes. */
START_TEST(a_machine_as_an_application_shows_it)
{
    uint8_t machine[16];
    uint8_t application[16];
    uint8_t id[16];
    char text[33];

    ck_assert(audit_host_id("0123456789abcdef0123456789abcdef", machine));
    ck_assert(audit_host_id(AUDIT_APPLICATION, application));
    ck_assert_int_eq(audit_host_derive(machine, application, id), 0);
    ck_assert_str_eq(hex_text(id, sizeof id, text), "eda0ae303bfb41cea17c6ac0ff2acb54");
}
END_TEST

static void expect_distribution(const char *release, const char *id, const char *version)
{
    json_t *o;

    rig_write("os-release", release, strlen(release));
    o = audit_host_distribution("os-release");
    ck_assert_int_eq(remove("os-release"), 0);
    ck_assert_msg((o != NULL) == (id != NULL), "%s", release);
    if (o) {
        ck_assert_str_eq(text_of(o, "id"), id);
        ck_assert_msg(json_object_size(o) == (version ? 2 : 1), "%s", release);
    }
    if (version) {
        ck_assert_str_eq(text_of(o, "version"), version);
    }
    json_decref(o);
}

START_TEST(the_distribution_is_that_of_os_release)
{
    char large[5000];

    expect_distribution("PRETTY_NAME=\"Debian 12\"\nVERSION_ID=\"12\"\nID=debian\n", "debian",
                        "12");
    expect_distribution("ID='fedora'\nVERSION_ID=41", "fedora", "41");
    expect_distribution("ID=debian\n", "debian", NULL);
    expect_distribution("ID=debian\nVERSION_ID=\n", "debian", NULL);
    expect_distribution("VARIANT_ID=x\nVERSION_ID=1\n", NULL, NULL);
    expect_distribution("ID=\"$(reboot)\"\n", NULL, NULL);
    expect_distribution("", NULL, NULL);
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    expect_distribution(large, NULL, NULL);
    ck_assert_ptr_null(audit_host_distribution("no such file"));
}
END_TEST

START_TEST(every_record_carries_the_host)
{
    json_t *const host = audit_host_new();
    struct audit_settings settings = {
        .path = rig_log(), .key_path = rig_key(), .rotate_size = 1, .host = host};
    struct audit_fault why;
    struct audit_log *log;
    json_t *all;
    json_t *r;
    size_t i;

    ck_assert_ptr_nonnull(host);
    ck_assert_uint_gt(strlen(text_of(host, "name")), 0);
    ck_assert_uint_eq(strlen(text_of(host, "boot")), 32);
    rig_keygen();
    ck_assert_int_eq(audit_log_open(&log, &settings, &why), AUDIT_OPEN_OK);
    rig_append_verdict(log, 1);
    rig_settle(log, 1, AUDIT_DURABLE, 0);
    rig_append(log, 2);
    rig_close(log);
    all = records();
    ck_assert_str_eq(text_of(json_array_get(all, 0), "event"), AUDIT_ROTATED);
    json_array_foreach(all, i, r)
    {
        const bool checkpoint = strcmp(text_of(r, "event"), AUDIT_CHECKPOINT) == 0;

        ck_assert(json_equal(json_object_get(r, "host"), host) == !checkpoint);
    }
    json_decref(all);
    json_decref(host);
}
END_TEST

/* ---- the clock ---- */

static void add_at(struct audit_file *f, const char *time)
{
    static const char members[] = "{\"route\":\"r\",\"session\":1}";

    ck_assert_int_eq(audit_file_add(f, time,
                                    audit_event_find("session-opened", strlen("session-opened")),
                                    members, strlen(members)),
                     0);
}

static void open_file(struct audit_file *f, uint64_t rotate_size)
{
    const struct audit_settings settings = {
        .path = rig_log(), .key_path = rig_key(), .rotate_size = rotate_size};
    struct audit_fault why;

    ck_assert_int_eq(audit_file_open(f, &settings, &why), AUDIT_OPEN_OK);
}

static void commit(struct audit_file *f)
{
    struct audit_done done = {.error = 0};

    audit_file_commit(f, true, &done);
    ck_assert_int_eq(done.outcome, AUDIT_DURABLE);
}

#define DAY(d) "2026-11-" d "T10:00:00.000000000Z"

START_TEST(a_clock_that_goes_back_is_marked_once)
{
    static const char *const events[] = {"session-opened", "session-opened", AUDIT_CLOCK,
                                         "session-opened", "session-opened", AUDIT_CHECKPOINT};
    struct audit_file f;
    json_t *all;

    rig_keygen();
    open_file(&f, 0);
    add_at(&f, DAY("20"));
    add_at(&f, DAY("23"));
    add_at(&f, DAY("17"));
    add_at(&f, DAY("17"));
    commit(&f);
    audit_file_deinit(&f);
    all = records();
    ck_assert_uint_eq(json_array_size(all), sizeof events / sizeof *events);
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        ck_assert_str_eq(text_of(json_array_get(all, i), "event"), events[i]);
    }
    ck_assert_str_eq(text_of(json_array_get(all, 2), "before"), DAY("23"));
    ck_assert_str_eq(text_of(json_array_get(all, 2), "time"), DAY("17"));
    json_decref(all);
    rig_expect(rig_verify(), AUDIT_INTACT);
    ck_assert_uint_eq(rig_verify()->gaps.back, 1);
    ck_assert_uint_eq(rig_verify()->gaps.back_seq, 2);
    ck_assert_uint_eq(rig_verify()->gaps.unmarked, 0);
    ck_assert_ptr_nonnull(strstr(rig_verify()->text, "the clock was set back 1 time,"));
}
END_TEST

/* What was seen once is known after a start, and where the file that it was in has been rotated. */
START_TEST(the_latest_time_is_found_again)
{
    struct audit_file f;

    rig_keygen();
    open_file(&f, 1);
    add_at(&f, DAY("23"));
    add_at(&f, DAY("17"));
    commit(&f);
    audit_file_deinit(&f);
    open_file(&f, 0);
    ck_assert_uint_eq(f.last_number, 1);
    ck_assert_str_eq(f.on_disk.time, DAY("17"));
    ck_assert_str_eq(f.on_disk.latest, DAY("23"));
    audit_file_deinit(&f);
}
END_TEST

/* A batch that could not be written has no time. */
START_TEST(times_of_what_is_lost_do_not_count)
{
    struct rlimit limit;
    struct audit_file f;
    struct audit_done done = {.error = 0};

    rig_keygen();
    open_file(&f, 0);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(audit_file_add_own(&f, DAY("17"), "session-opened", long_members()), 0);
    }
    commit(&f);
    limit = limit_files();
    add_at(&f, DAY("23"));
    audit_file_commit(&f, false, &done);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert_int_eq(done.outcome, AUDIT_FULL);
    add_at(&f, DAY("18"));
    commit(&f);
    ck_assert_str_eq(f.on_disk.latest, DAY("18"));
    audit_file_deinit(&f);
}
END_TEST

/* ---- what is lost ---- */

/* Waits, by looking at the file, until its last record is a checkpoint. */
static void await_sealed(void)
{
    for (int i = 0; i < 500 && rig_verify()->verdict != AUDIT_INTACT; i++) {
        poll(NULL, 0, 10);
    }
    rig_expect(rig_verify(), AUDIT_INTACT);
}

START_TEST(lost_records_are_recorded_without_being_asked)
{
    struct rlimit limit;
    struct audit_log *log;
    const char *first;
    json_t *all;
    json_t *lost;
    int n = 0;

    rig_keygen();
    log = rig_open(0);
    for (int i = 0; i < 3; i++) {
        json_t *const o = long_members();

        ck_assert_int_eq(audit_log_append(log, "session-opened", o, NULL), 0);
        json_decref(o);
    }
    rig_settle(log, 3, AUDIT_DURABLE, 0);
    await_sealed();
    limit = limit_files();
    rig_append_verdict(log, 1);
    rig_append(log, 2);
    rig_append(log, 3);
    rig_settle(log, 6, AUDIT_FULL, EFBIG);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    /* Nothing more is appended: the log tries again by itself. */
    do {
        all = records();
        lost = find(all, AUDIT_LOST);
        if (!lost) {
            json_decref(all);
            poll(NULL, 0, 10);
        }
    } while (!lost && n++ < 500);
    ck_assert_ptr_nonnull(lost);
    ck_assert_int_eq(json_integer_value(json_object_get(lost, "count")), 3);
    first = text_of(lost, "first");
    ck_assert_str_le(first, text_of(lost, "last"));
    ck_assert_str_gt(first, text_of(json_array_get(all, 0), "time"));
    lost = json_object_get(lost, "events");
    ck_assert_uint_eq(json_object_size(lost), 2);
    ck_assert_int_eq(json_integer_value(json_object_get(lost, "verdict")), 1);
    ck_assert_int_eq(json_integer_value(json_object_get(lost, "session-opened")), 2);
    json_decref(all);
    await_sealed();
    rig_close(log);
    ck_assert_uint_eq(rig_verify()->gaps.lost, 3);
    ck_assert_ptr_nonnull(strstr(rig_verify()->text, "3 more could not be written"));
}
END_TEST

/* Records that do not come into the queue are lost as well. */
START_TEST(records_beyond_the_queue_are_counted)
{
    json_t *const o = json_pack("{s:i, s:s}", "session", 1, "route", "r");
    struct audit_log *log;
    json_t *all;
    uint64_t number;

    rig_keygen();
    log = rig_open(0);
    for (unsigned i = 0; i < AUDIT_QUEUE_MAX; i++) {
        ck_assert_int_eq(audit_log_append(log, "session-opened", o, &number), 0);
    }
    ck_assert_int_eq(audit_log_append(log, "session-opened", o, NULL), -ENOBUFS);
    rig_settle(log, number, AUDIT_DURABLE, 0);
    rig_close(log);
    rig_expect(rig_verify(), AUDIT_INTACT);
    all = records();
    ck_assert_str_eq(text_of(json_array_get(all, 0), "event"), AUDIT_LOST);
    json_decref(all);
    json_decref(o);
}
END_TEST

/* ---- a quiet log ---- */

START_TEST(a_quiet_log_is_sealed)
{
    struct audit_log *log;

    rig_keygen();
    log = rig_open(0);
    rig_append(log, 1);
    rig_settle(log, 1, AUDIT_DURABLE, 0);
    await_sealed();
    ck_assert_uint_eq(rig_verify()->size, 2);
    rig_append(log, 2);
    rig_settle(log, 2, AUDIT_DURABLE, 0);
    await_sealed();
    rig_close(log);
    /* There was nothing more to seal. */
    ck_assert_uint_eq(rig_verify()->size, 4);
}
END_TEST

/* ---- what is too long ---- */

START_TEST(long_lists_and_texts_are_cut_and_counted)
{
    json_t *const o =
        json_pack("{s:{s:[], s:s}, s:i}", "client", "groups", "exe", "/bin/qemu", "session", 1);
    json_t *const client = json_object_get(o, "client");
    json_t *cut;
    int too_long;
    char *text;
    size_t left;

    for (int i = 0; i < 65536; i++) {
        json_array_append_new(json_object_get(client, "groups"), json_integer(100000 + i));
    }
    text = audit_fit(o, 1000, &too_long);
    ck_assert_ptr_nonnull(text);
    ck_assert_uint_le(strlen(text), 1000);
    cut = json_loads(text, 0, NULL);
    left = json_array_size(json_object_get(json_object_get(cut, "client"), "groups"));
    ck_assert_uint_gt(left, 0);
    ck_assert_uint_eq(
        left + (size_t)json_integer_value(json_object_get(
                   json_object_get(json_object_get(cut, "client"), "omitted"), "groups")),
        65536);
    ck_assert_str_eq(text_of(json_object_get(cut, "client"), "exe"), "/bin/qemu");
    json_decref(cut);
    json_decref(o);
    free(text);
}
END_TEST

START_TEST(what_fits_is_left_as_it_is)
{
    json_t *const o = json_pack("{s:[i,i], s:s}", "b", 1, 2, "a", "x");
    static const char all[] = "{\"a\":\"x\",\"b\":[1,2]}";
    int too_long;
    char *text = audit_fit(o, sizeof all - 1, &too_long);

    ck_assert_str_eq(text, all);
    free(text);
    text = audit_fit(o, sizeof all - 2, &too_long);
    ck_assert_ptr_null(text);
    ck_assert_int_eq(too_long, 1);
    json_decref(o);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("audit_own");
    TCase *tc = unit_case(s, "host");

    tcase_add_test(tc, ids_in_both_forms);
    tcase_add_test(tc, a_machine_as_an_application_shows_it);
    tcase_add_test(tc, the_distribution_is_that_of_os_release);
    tcase_add_test(tc, every_record_carries_the_host);
    tc = unit_case(s, "clock");
    tcase_add_test(tc, a_clock_that_goes_back_is_marked_once);
    tcase_add_test(tc, the_latest_time_is_found_again);
    tcase_add_test(tc, times_of_what_is_lost_do_not_count);
    tc = unit_case(s, "lost");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, lost_records_are_recorded_without_being_asked);
    tcase_add_test(tc, records_beyond_the_queue_are_counted);
    tc = unit_case(s, "quiet");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, a_quiet_log_is_sealed);
    tc = unit_case(s, "fit");
    tcase_add_test(tc, long_lists_and_texts_are_cut_and_counted);
    tcase_add_test(tc, what_fits_is_left_as_it_is);
    return unit_run(s);
}
