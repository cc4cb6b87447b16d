/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Inclusion proofs: of every record, from every set of files that has it, and none of what is not.
 */
#define _GNU_SOURCE
#include "audit/audit_proof.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit_key.h"
#include "audit/audit_proofs.h"
#include "tests/support/unit.h"
#include "tests/unit/audit/audit_rig.h"

static const struct audit_vkey *vkey;
static struct audit_proof proof;

/* The proof's text, or NULL. */
static char *make(const char *const *files, size_t n_files, uint64_t record, size_t *n)
{
    const struct audit_question q = {.files = files, .n = n_files, .key = vkey};
    struct audit_result r;
    char why[1024] = "";
    char *const text = audit_proof_make(&q, record, &r, n, why, sizeof why);

    ck_assert_msg((text == NULL) == (why[0] != '\0'), "%s", why);
    return text;
}

static void find_files(glob_t *found)
{
    char pattern[300];

    snprintf(pattern, sizeof pattern, "%s*", rig_log());
    ck_assert_int_eq(glob(pattern, 0, NULL, found), 0);
}

/* The key that rig_make made. */
static void make_log(uint64_t n, uint64_t rotate_size)
{
    static struct audit_vkey k;
    char why[512];

    rig_make(n, rotate_size);
    ck_assert_int_eq(audit_vkey_load(&k, rig_pub(), why, sizeof why), 0);
    vkey = &k;
}

START_TEST(of_every_record)
{
    const char *const file = rig_log();

    make_log(50, 0);
    for (uint64_t i = 0; i < 54; i++) {
        size_t n;
        char *const text = make(&file, 1, i, &n);

        ck_assert_ptr_nonnull(text);
        ck_assert_uint_eq(strlen(text), n);
        ck_assert_int_eq(audit_proof_check(&proof, text, n, vkey), AUDIT_PROOF_OK);
        ck_assert_uint_eq(proof.index, i);
        free(text);
    }
    /* The last checkpoint seals all but itself. */
    ck_assert_ptr_null(make(&file, 1, 54, &(size_t){0}));
    ck_assert_ptr_null(make(&file, 1, 55, &(size_t){0}));
}
END_TEST

/* Every rotated file is enough to prove its own records, since it begins with the tree's peaks. */
START_TEST(from_each_rotated_file)
{
    glob_t found;
    unsigned made = 0;

    make_log(120, 4000);
    find_files(&found);
    ck_assert_uint_gt(found.gl_pathc, 4);
    for (size_t f = 0; f < found.gl_pathc; f++) {
        const char *const *const file = (const char *const *)&found.gl_pathv[f];
        const struct audit_result r = *rig_verify_files(file, 1, NULL);

        for (uint64_t i = r.first; i < r.checkpoint.size; i++) {
            size_t n;
            char *const text = make(file, 1, i, &n);

            ck_assert_ptr_nonnull(text);
            ck_assert_int_eq(audit_proof_check(&proof, text, n, vkey), AUDIT_PROOF_OK);
            made++;
            free(text);
        }
        if (r.first > 0) {
            ck_assert_ptr_null(make(file, 1, r.first - 1, &(size_t){0}));
        }
    }
    ck_assert_uint_gt(made, 120);
    globfree(&found);
}
END_TEST

/* From any set of files, of all records at once or of some: the same proofs as one by one. */
START_TEST(of_many_records_in_one_reading)
{
    glob_t found;

    make_log(120, 4000);
    find_files(&found);
    for (size_t f = 0; f < found.gl_pathc; f++) {
        const char *const *const file = (const char *const *)&found.gl_pathv[f];
        const struct audit_question q = {.files = file, .n = 1, .key = vkey};
        struct audit_result r;
        char why[512];

        ck_assert(audit_proof_verify(&q, &r, why, sizeof why));
        for (uint64_t step = 1; step < 4; step++) {
            uint64_t records[200];
            size_t n = 0;
            struct audit_proofs *p;

            for (uint64_t i = r.first; i < r.checkpoint.size; i += step) {
                records[n++] = i;
            }
            p = audit_proofs_new(&q, &r, records, n);
            ck_assert_ptr_nonnull(p);
            for (size_t i = 0; i < n; i++) {
                size_t n_one;
                size_t n_all;
                char *const one = make(file, 1, records[i], &n_one);
                char *const all = audit_proofs_text(p, records[i], &n_all);

                ck_assert_str_eq(one, all);
                ck_assert_uint_eq(n_all, strlen(all));
                ck_assert_int_eq(audit_proof_check(&proof, all, n_all, vkey), AUDIT_PROOF_OK);
                free(one);
                free(all);
            }
            audit_proofs_free(p);
        }
    }
    globfree(&found);
}
END_TEST

START_TEST(every_byte_of_a_proof_counts)
{
    const char *const file = rig_log();
    size_t n;
    char *text;

    make_log(50, 0);
    text = make(&file, 1, 17, &n);
    ck_assert_ptr_nonnull(text);
    for (size_t i = 0; i < n; i++) {
        text[i] = (char)(text[i] ^ 1);
        ck_assert_int_ne(audit_proof_check(&proof, text, n, vkey), AUDIT_PROOF_OK);
        text[i] = (char)(text[i] ^ 1);
        ck_assert_int_ne(audit_proof_check(&proof, text, i, vkey), AUDIT_PROOF_OK);
    }
    free(text);
}
END_TEST

START_TEST(of_an_altered_record_there_is_none)
{
    const char *const file = rig_log();
    size_t n;
    char *bytes;

    make_log(50, 0);
    bytes = rig_read(rig_log(), &n);
    bytes[n / 2] ^= 1;
    rig_write(rig_log(), bytes, n);
    ck_assert_ptr_null(make(&file, 1, 0, &n));
    free(bytes);
}
END_TEST

START_TEST(of_an_unsealed_record_there_is_none)
{
    const char *const file = rig_log();
    struct audit_log *log;

    make_log(10, 0);
    log = rig_open(0);
    rig_append(log, 1);
    rig_settle(log, 1, AUDIT_DURABLE, 0);
    ck_assert_ptr_null(make(&file, 1, 11, &(size_t){0}));
    rig_close(log);
    {
        size_t n;
        char *const text = make(&file, 1, 11, &n);

        ck_assert_ptr_nonnull(text);
        free(text);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("audit_proof");
    TCase *tc = unit_case(s, "proofs");

    tcase_add_test(tc, of_every_record);
    tcase_add_test(tc, from_each_rotated_file);
    tcase_add_test(tc, of_many_records_in_one_reading);
    tcase_add_test(tc, every_byte_of_a_proof_counts);
    tcase_add_test(tc, of_an_altered_record_there_is_none);
    tcase_add_test(tc, of_an_unsealed_record_there_is_none);
    return unit_run(s);
}
