/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Digests of files in slices: each part of a file is read once, in a bounded amount of memory. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>
#include <unistd.h>

#include "policy/inspector/inspector_channel.h"
#include "policy/inspector/inspector_hash.h"
#include "tests/support/unit.h"

/* Two slices and a byte: with holes, so that it takes no room on the disk. */
#define SIZE (2u * INSPECTOR_SLICE + 1u)

static int fd = -1;
static struct peer_file_id id;

/* Opens a new file that ends with that byte. Its last change counts as long ago. */
static void inspector_hash_make(char last)
{
    fd = open(unit_path("file"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pwrite(fd, &last, 1, SIZE - 1), 1);
    ck_assert_int_eq(peer_file_id_get(fd, &id), 0);
    id.ctime = 1;
}

static void inspector_hash_close(void)
{
    ck_assert_int_eq(close(fd), 0);
    fd = -1;
}

/* Computes a digest of the file with one call. */
static void inspector_hash_expect(const EVP_MD *md, const uint8_t *digest)
{
    static uint8_t bytes[SIZE];
    uint8_t want[EVP_MAX_MD_SIZE];
    unsigned n;

    ck_assert_int_eq(pread(fd, bytes, sizeof bytes, 0), sizeof bytes);
    ck_assert_int_eq(EVP_Digest(bytes, sizeof bytes, want, &n, md, NULL), 1);
    ck_assert_mem_eq(digest, want, n);
}

START_TEST(both_digests_come_from_one_pass)
{
    struct inspector_hash *h;

    inspector_hash_make('a');
    h = inspector_hash_get(&id, true);
    ck_assert_ptr_nonnull(h);
    ck_assert_int_eq(inspector_hash_step(h, fd), 0);
    ck_assert_uint_eq(h->at, INSPECTOR_SLICE);
    ck_assert_int_eq(inspector_hash_step(h, fd), 0);
    ck_assert(!h->done);
    ck_assert_int_eq(inspector_hash_step(h, fd), 1);
    ck_assert_uint_eq(h->at, SIZE);
    inspector_hash_expect(EVP_sha256(), h->sha256);
    inspector_hash_expect(EVP_md5(), h->md5);
    inspector_hash_release(h);
    inspector_hash_close();
}
END_TEST

START_TEST(work_that_was_given_up_goes_on_where_it_stopped)
{
    struct inspector_hash *h;

    inspector_hash_make('a');
    h = inspector_hash_get(&id, true);
    ck_assert_ptr_nonnull(h);
    ck_assert_int_eq(inspector_hash_step(h, fd), 0);
    inspector_hash_release(h);
    h = inspector_hash_get(&id, true);
    ck_assert_ptr_nonnull(h);
    ck_assert_uint_eq(h->at, INSPECTOR_SLICE);
    ck_assert_int_eq(inspector_hash_step(h, fd), 0);
    ck_assert_int_eq(inspector_hash_step(h, fd), 1);
    inspector_hash_expect(EVP_sha256(), h->sha256);
    inspector_hash_expect(EVP_md5(), h->md5);
    inspector_hash_release(h);
    /* A complete one is not read again. */
    h = inspector_hash_get(&id, false);
    ck_assert_ptr_nonnull(h);
    ck_assert(h->done);
    inspector_hash_release(h);
    inspector_hash_close();
}
END_TEST

START_TEST(all_inspections_of_a_file_share_its_work)
{
    struct inspector_hash *first;
    struct inspector_hash *second;

    inspector_hash_make('a');
    first = inspector_hash_get(&id, false);
    second = inspector_hash_get(&id, false);
    ck_assert_ptr_nonnull(first);
    ck_assert_ptr_eq(first, second);
    ck_assert_int_eq(inspector_hash_step(first, fd), 0);
    ck_assert_int_eq(inspector_hash_step(second, fd), 0);
    inspector_hash_release(first);
    ck_assert_int_eq(inspector_hash_step(second, fd), 1);
    inspector_hash_expect(EVP_sha256(), second->sha256);
    inspector_hash_release(second);
    inspector_hash_close();
}
END_TEST

START_TEST(a_file_that_changed_begins_anew)
{
    struct inspector_hash *h;

    inspector_hash_make('a');
    h = inspector_hash_get(&id, false);
    ck_assert_ptr_nonnull(h);
    ck_assert_int_eq(inspector_hash_step(h, fd), 0);
    inspector_hash_release(h);
    id.mtime++;
    h = inspector_hash_get(&id, false);
    ck_assert_ptr_nonnull(h);
    ck_assert_uint_eq(h->at, 0);
    inspector_hash_release(h);
    inspector_hash_close();
}
END_TEST

/* Within a clock's tick a file could change again and look the same. */
START_TEST(a_file_that_changed_just_now_keeps_no_work)
{
    struct inspector_hash *h;

    inspector_hash_make('a');
    id.ctime = INT64_MAX;
    h = inspector_hash_get(&id, false);
    ck_assert_ptr_nonnull(h);
    ck_assert_int_eq(inspector_hash_step(h, fd), 0);
    inspector_hash_release(h);
    h = inspector_hash_get(&id, false);
    ck_assert_ptr_nonnull(h);
    ck_assert_uint_eq(h->at, 0);
    inspector_hash_release(h);
    inspector_hash_close();
}
END_TEST

START_TEST(a_file_that_became_shorter_is_stale_and_keeps_no_work)
{
    struct inspector_hash *h;

    inspector_hash_make('a');
    h = inspector_hash_get(&id, false);
    ck_assert_ptr_nonnull(h);
    ck_assert_int_eq(inspector_hash_step(h, fd), 0);
    ck_assert_int_eq(ftruncate(fd, INSPECTOR_SLICE), 0);
    ck_assert_int_eq(inspector_hash_step(h, fd), -ESTALE);
    inspector_hash_release(h);
    h = inspector_hash_get(&id, false);
    ck_assert_ptr_nonnull(h);
    ck_assert_uint_eq(h->at, 0);
    inspector_hash_release(h);
    inspector_hash_close();
}
END_TEST

START_TEST(an_md5_that_was_not_computed_takes_another_pass)
{
    struct inspector_hash *h;

    inspector_hash_make('a');
    h = inspector_hash_get(&id, false);
    ck_assert_ptr_nonnull(h);
    ck_assert_ptr_null(h->md5);
    ck_assert_int_eq(inspector_hash_step(h, fd), 0);
    inspector_hash_release(h);
    h = inspector_hash_get(&id, true);
    ck_assert_ptr_nonnull(h);
    ck_assert_uint_eq(h->at, 0);
    ck_assert_ptr_nonnull(h->md5);
    inspector_hash_release(h);
    inspector_hash_close();
}
END_TEST

/* Of files that were given up, those used last are kept. */
START_TEST(work_is_kept_of_so_many_files_and_no_more)
{
    struct inspector_hash *h;

    inspector_hash_make('a');
    for (unsigned i = 0; i <= INSPECTOR_HASHES_KEPT; i++) {
        id.inode = 1000 + i;
        h = inspector_hash_get(&id, false);
        ck_assert_ptr_nonnull(h);
        ck_assert_int_eq(inspector_hash_step(h, fd), 0);
        inspector_hash_release(h);
    }
    for (unsigned i = INSPECTOR_HASHES_KEPT; i > 0; i--) {
        id.inode = 1000 + i;
        h = inspector_hash_get(&id, false);
        ck_assert_ptr_nonnull(h);
        ck_assert_uint_eq(h->at, INSPECTOR_SLICE);
        inspector_hash_release(h);
    }
    id.inode = 1000;
    h = inspector_hash_get(&id, false);
    ck_assert_ptr_nonnull(h);
    ck_assert_uint_eq(h->at, 0);
    inspector_hash_release(h);
    inspector_hash_close();
}
END_TEST

int main(void)
{
    Suite *s = suite_create("inspector_hash");
    TCase *tc = unit_case(s, "slices");

    tcase_add_test(tc, both_digests_come_from_one_pass);
    tcase_add_test(tc, work_that_was_given_up_goes_on_where_it_stopped);
    tcase_add_test(tc, all_inspections_of_a_file_share_its_work);
    tcase_add_test(tc, a_file_that_changed_begins_anew);
    tcase_add_test(tc, a_file_that_changed_just_now_keeps_no_work);
    tcase_add_test(tc, a_file_that_became_shorter_is_stale_and_keeps_no_work);
    tcase_add_test(tc, an_md5_that_was_not_computed_takes_another_pass);
    tcase_add_test(tc, work_is_kept_of_so_many_files_and_no_more);
    return unit_run(s);
}
