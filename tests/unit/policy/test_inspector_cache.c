/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The cache of inspections: which file is found, which is dropped, which is not kept. */
#include <stdio.h>
#include <string.h>

#include "policy/inspector/inspector_cache.h"
#include "policy/inspector/inspector_channel.h"
#include "tests/support/unit.h"

#define NOW (INT64_C(1764500000) * 1000000000)

static struct inspector_cache cache;

static struct peer_file_id cache_file_id(uint64_t inode)
{
    return (struct peer_file_id){.dev_major = 254,
                                 .dev_minor = 1,
                                 .inode = inode,
                                 .size = 4096,
                                 .mtime = NOW / 2,
                                 .ctime = NOW / 2};
}

/* Caches an inspection that is recognised by the number in its digest. */
static void cache_put(const struct peer_file_id *id, const char *path, uint32_t number)
{
    struct inspection fresh = {.outcome = INSPECTION_OK};
    const struct inspection *r;

    memcpy(fresh.sha256, &number, sizeof number);
    r = inspection_new(&fresh);
    ck_assert_ptr_nonnull(r);
    inspector_cache_put(&cache, id, path, r, 0, NOW);
    inspection_release(r);
}

static bool cache_has(const struct peer_file_id *id, const char *path, uint32_t number)
{
    const struct inspection *const r = inspector_cache_get(&cache, id, path, 0);

    ck_assert(!r || memcmp(r->sha256, &number, sizeof number) == 0);
    return r != NULL;
}

static void cache_set_up(void)
{
    inspector_cache_init(&cache);
}

static void cache_tear_down(void)
{
    inspector_cache_clear(&cache);
    ck_assert_uint_eq(cache.n, 0);
}

START_TEST(a_file_is_found_by_its_identity_and_path)
{
    const struct peer_file_id id = cache_file_id(7);
    struct peer_file_id other[] = {id, id, id, id, id, id};

    other[0].dev_major++;
    other[1].dev_minor++;
    other[2].inode++;
    other[3].size++;
    other[4].mtime++;
    other[5].ctime++;
    cache_put(&id, "/a", 1);
    ck_assert(cache_has(&id, "/a", 1));
    ck_assert(!cache_has(&id, "/b", 0));
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        ck_assert(!cache_has(&other[i], "/a", 0));
    }
    cache_put(&id, "/b", 2);
    ck_assert(cache_has(&id, "/a", 1) && cache_has(&id, "/b", 2));
    cache_put(&id, "/a", 3);
    ck_assert(cache_has(&id, "/a", 3));
    ck_assert_uint_eq(cache.n, 2);
}
END_TEST

/* Inodes that follow each other, and inodes that differ in their high bits only. */
START_TEST(the_one_that_was_used_last_is_dropped_first)
{
    const unsigned shift = _i ? 40 : 0;

    for (uint32_t i = 0; i < LIMIT_INSPECT_CACHE; i++) {
        const struct peer_file_id id = cache_file_id((uint64_t)i << shift);

        cache_put(&id, "/a", i);
    }
    for (uint32_t i = 0; i < LIMIT_INSPECT_CACHE; i++) {
        const struct peer_file_id id = cache_file_id((uint64_t)i << shift);

        ck_assert(cache_has(&id, "/a", i));
    }
    for (uint32_t i = 0; i < 3; i++) {
        const struct peer_file_id first = cache_file_id(0);
        const struct peer_file_id next = cache_file_id((uint64_t)(i + 1) << shift);
        const struct peer_file_id more =
            cache_file_id((uint64_t)(LIMIT_INSPECT_CACHE + i) << shift);

        ck_assert(cache_has(&first, "/a", 0));
        cache_put(&more, "/a", LIMIT_INSPECT_CACHE + i);
        ck_assert_uint_eq(cache.n, LIMIT_INSPECT_CACHE);
        ck_assert(cache_has(&more, "/a", LIMIT_INSPECT_CACHE + i));
        ck_assert(!cache_has(&next, "/a", 0));
    }
}
END_TEST

START_TEST(a_file_that_changed_just_now_is_not_kept)
{
    struct peer_file_id id = cache_file_id(7);

    id.ctime = NOW - INSPECTOR_CACHE_AGE + 1;
    cache_put(&id, "/a", 1);
    ck_assert(!cache_has(&id, "/a", 0));
    id.ctime = NOW - INSPECTOR_CACHE_AGE;
    cache_put(&id, "/a", 1);
    ck_assert(cache_has(&id, "/a", 1));
}
END_TEST

START_TEST(a_failure_is_not_kept)
{
    static const struct inspection failed = {.outcome = INSPECTION_TIMEOUT};
    const struct peer_file_id id = cache_file_id(7);

    inspector_cache_put(&cache, &id, "/a", &failed, 0, NOW);
    ck_assert(!cache_has(&id, "/a", 0));
}
END_TEST

/* A file that was not in the list of IMA is in it once, and then for ever. */
START_TEST(one_that_was_not_measured_is_looked_up_again)
{
    for (uint32_t ima = 0; ima < INSPECTION_IMA_STATES; ima++) {
        const struct inspection fresh = {.outcome = INSPECTION_OK, .ima = ima};
        const struct inspection *const r = inspection_new(&fresh);
        const struct peer_file_id id = cache_file_id(7 + ima);
        const bool kept = ima != INSPECTION_IMA_BEHIND;

        ck_assert_ptr_nonnull(r);
        inspector_cache_put(&cache, &id, "/a", r, 41, NOW);
        inspection_release(r);
        ck_assert(kept == (inspector_cache_get(&cache, &id, "/a", 41) != NULL));
        ck_assert((ima == INSPECTION_IMA_LISTED) ==
                  (inspector_cache_get(&cache, &id, "/a", 42) != NULL));
    }
}
END_TEST

/* The file stays slow, however it is called and whenever it was touched. */
START_TEST(a_slow_file_is_remembered_for_a_time)
{
    struct peer_file_id id = cache_file_id(7);

    inspector_cache_put_slow(&cache, &id, 1000);
    id.ctime++;
    ck_assert(inspector_cache_is_slow(&cache, &id, 1000));
    ck_assert(inspector_cache_is_slow(&cache, &id, 999 + LIMIT_INSPECT_SLOW_MS));
    ck_assert(!inspector_cache_is_slow(&cache, &id, 1000 + LIMIT_INSPECT_SLOW_MS));
    id.inode++;
    ck_assert(!inspector_cache_is_slow(&cache, &id, 1000));
}
END_TEST

int main(void)
{
    Suite *const s = suite_create("inspector_cache");
    TCase *const tc = unit_case(s, "cache");

    tcase_add_checked_fixture(tc, cache_set_up, cache_tear_down);
    tcase_add_test(tc, a_file_is_found_by_its_identity_and_path);
    tcase_add_loop_test(tc, the_one_that_was_used_last_is_dropped_first, 0, 2);
    tcase_add_test(tc, a_file_that_changed_just_now_is_not_kept);
    tcase_add_test(tc, a_failure_is_not_kept);
    tcase_add_test(tc, one_that_was_not_measured_is_looked_up_again);
    tcase_add_test(tc, a_slow_file_is_remembered_for_a_time);
    return unit_run(s);
}
