/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What IMA has measured, by files in the form of the kernel's: no kernel with IMA is needed. They
 * are ordinary files, which can be read in any pieces as the kernel's can.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <event2/event.h>
#include <openssl/evp.h>

#include "base/text/hex.h"
#include "policy/inspector/inspector_channel.h"
#include "policy/inspector/inspector_ima.h"
#include "tests/support/unit.h"
#include "tests/unit/policy/inspector_rig.h"

#define HASH "91f34b5c671d73504b274a919661cf80dab1e127"
#define BOOT "10 " HASH " ima-ng sha1:1801e1be3e65ef1eaa5c16617bec8f1274eaf6b3 boot_aggregate\n"

/* Other digests than that of any file here. */
static void add_others(FILE *f, unsigned n)
{
    for (unsigned i = 1; i <= n; i++) {
        fprintf(f, "10 " HASH " ima-sig sha256:%08x%056x /bin/%u \n", i, 0, i);
    }
}

static void add_file(FILE *f, const char *path, int pcr)
{
    char digits[2 * INSPECTION_SHA256_SIZE + 1];
    uint8_t digest[INSPECTION_SHA256_SIZE];
    FILE *in = fopen(path, "re");
    static char bytes[16u << 20];
    size_t n;

    ck_assert_ptr_nonnull(in);
    n = fread(bytes, 1, sizeof bytes, in);
    ck_assert(n > 0 && n < sizeof bytes && fclose(in) == 0);
    ck_assert_int_eq(EVP_Digest(bytes, n, digest, NULL, EVP_sha256(), NULL), 1);
    fprintf(f, "%2d " HASH " ima-ngv2 ima:sha256:%s %s\n", pcr,
            hex_text(digest, sizeof digest, digits), path);
}

/* Opens the list of the inspectors to come; it begins like those of Linux. */
static FILE *list_open(const char *mode)
{
    const char *const dir = unit_path("ima");
    FILE *f;

    if (strcmp(mode, "we") == 0) {
        ck_assert_int_eq(mkdir(dir, 0755), 0);
        settings.ima_dir = strdup(dir);
    }
    f = fopen(unit_path("ima/ascii_runtime_measurements"), mode);
    ck_assert_ptr_nonnull(f);
    if (strcmp(mode, "we") == 0) {
        fputs(BOOT, f);
    }
    return f;
}

static void list_close(FILE *f, const char *count)
{
    ck_assert_int_eq(fclose(f), 0);
    write_file(unit_path("ima/runtime_measurements_count"), count);
}

START_TEST(without_a_list)
{
    settings.ima_dir = _i ? "/nowhere/at/all" : "";
    start(NULL);
    assert_inspected(NOTED);
    ck_assert_int_eq(answer.ima, INSPECTION_IMA_NO_LIST);
    ck_assert_uint_eq(answer.ima_entry, 0);
    ck_assert_ptr_nonnull(inspector_look(inspector, &exe));
}
END_TEST

START_TEST(a_file_that_was_measured_is_listed)
{
    FILE *f = list_open("we");

    add_others(f, 3);
    add_file(f, NOTED, 9);
    add_file(f, NOTED, 10);
    list_close(f, "6\n");
    start(NULL);
    assert_inspected(NOTED);
    ck_assert_int_eq(answer.ima, INSPECTION_IMA_LISTED);
    ck_assert_uint_eq(answer.ima_entry, 5);
    ck_assert_uint_eq(answer.ima_pcr, 9);
    assert_inspected(NOTED_TWICE);
    ck_assert_int_eq(answer.ima, INSPECTION_IMA_ABSENT);
    ck_assert_uint_eq(answer.ima_entry, 0);
}
END_TEST

START_TEST(a_list_of_other_digests)
{
    list_close(list_open("we"), "1\n");
    start(NULL);
    assert_inspected(NOTED);
    ck_assert_int_eq(answer.ima, INSPECTION_IMA_NO_SHA256);
}
END_TEST

/* The list grows while the inspector runs: what was not in it is looked up again. */
START_TEST(a_file_that_is_measured_later)
{
    FILE *f = list_open("we");
    pid_t before;

    add_others(f, 1);
    list_close(f, "2\n");
    start(NULL);
    assert_inspected(NOTED);
    ck_assert_int_eq(answer.ima, INSPECTION_IMA_ABSENT);
    ck_assert_ptr_nonnull(inspector_look(inspector, &exe));
    before = inspector_pid(inspector);
    f = list_open("ae");
    add_file(f, NOTED, 10);
    list_close(f, "3\n");
    ck_assert_ptr_null(inspector_look(inspector, &exe));
    assert_inspected(NOTED);
    ck_assert_int_eq(answer.ima, INSPECTION_IMA_LISTED);
    ck_assert_uint_eq(answer.ima_entry, 3);
    ck_assert_int_eq(inspector_pid(inspector), before);
    /* What is in it stays there. */
    f = list_open("ae");
    add_others(f, 1);
    list_close(f, "4\n");
    ck_assert_ptr_nonnull(inspector_look(inspector, &exe));
}
END_TEST

/* A long list is read before anything is asked, and answers meanwhile are of what is known. */
START_TEST(a_long_list_is_read_to_its_end)
{
    FILE *f = list_open("we");

    add_others(f, 100000);
    add_file(f, NOTED, 10);
    list_close(f, "100002\n");
    start(NULL);
    do {
        assert_inspected(NOTED);
    } while (answer.ima == INSPECTION_IMA_BEHIND);
    ck_assert_int_eq(answer.ima, INSPECTION_IMA_LISTED);
    ck_assert_uint_eq(answer.ima_entry, 100002);
}
END_TEST

/* With so many digests before it the last one is kept, with one more it is not. */
START_TEST(so_many_digests_are_kept)
{
    FILE *f = list_open("we");

    add_others(f, INSPECTOR_IMA_DIGESTS - 1 + (unsigned)_i);
    add_file(f, NOTED, 10);
    list_close(f, "1\n");
    start(NULL);
    do {
        assert_inspected(NOTED);
    } while (answer.ima == INSPECTION_IMA_BEHIND);
    ck_assert_int_eq(answer.ima, _i ? INSPECTION_IMA_CUT : INSPECTION_IMA_LISTED);
}
END_TEST

int main(int argc, char **argv)
{
    Suite *s;
    TCase *tc;

    inspector_rig_main(argc, argv);
    s = suite_create("inspector_ima");
    tc = inspector_case(s, "measurements");
    tcase_add_loop_test(tc, without_a_list, 0, 2);
    tcase_add_test(tc, a_file_that_was_measured_is_listed);
    tcase_add_test(tc, a_list_of_other_digests);
    tcase_add_test(tc, a_file_that_is_measured_later);
    tcase_add_test(tc, a_long_list_is_read_to_its_end);
    tcase_add_loop_test(tc, so_many_digests_are_kept, 0, 2);
    return unit_run(s);
}
