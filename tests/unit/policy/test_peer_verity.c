/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Digests of fs-verity, by the kernel's answers. No file system with fs-verity is needed: the
 * answer is made here as Documentation/filesystems/fsverity.rst lays it out, with the digests that
 * the kernel has for an empty file in blocks of 4 KiB without a salt.
 */
#define _GNU_SOURCE
#include <check.h>
#include <fcntl.h>
#include <linux/fsverity.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text/hex.h"
#include "policy/peer/peer_verity.h"
#include "tests/support/unit.h"

#define EMPTY_256 "3d248ca542a24fc62d1c43b916eae5016878e2533c88238480b26128a1f1af95"
#define EMPTY_512 \
    "ccf9e5aea1c2a64efa2f2354a6024b90dffde6bbc017825045dce374474e13d1" \
    "0adb9dadcc6ca8e17a3c075fbd31336e8f266ae6fa93a6c3bed66f9e784e5abf"

struct answer {
    uint8_t bytes[sizeof(struct fsverity_digest) + PEER_VERITY_MAX];
    size_t n;
};

static struct answer answer_of(uint16_t algorithm, uint16_t size, const char *digits)
{
    const struct fsverity_digest head = {.digest_algorithm = algorithm, .digest_size = size};
    struct answer a = {.n = sizeof head + strlen(digits) / 2};

    memcpy(a.bytes, &head, sizeof head);
    ck_assert(hex_read(digits, a.bytes + sizeof head, strlen(digits) / 2));
    return a;
}

START_TEST(an_answer_of_the_kernel_s_is_read)
{
    struct answer a = answer_of(1, 32, EMPTY_256);
    char text[PEER_VERITY_TEXT_SIZE];
    struct peer_verity v;

    ck_assert(peer_verity_read(&v, a.bytes, a.n));
    ck_assert_str_eq(peer_verity_text(&v, text), "sha256:" EMPTY_256);
    ck_assert(peer_verity_is_text(text));
    a = answer_of(2, 64, EMPTY_512);
    ck_assert(peer_verity_read(&v, a.bytes, a.n));
    ck_assert_str_eq(peer_verity_text(&v, text), "sha512:" EMPTY_512);
    ck_assert(peer_verity_is_text(text));
}
END_TEST

static const struct {
    uint16_t algorithm, size;
    const char *digits;
} bad[] = {
    {0, 32, EMPTY_256}, {3, 32, EMPTY_256},     {1, 64, EMPTY_512},    {2, 32, EMPTY_256},
    {1, 0, EMPTY_256},  {1, 31, EMPTY_256},     {1, 32, "3d248ca542"}, {1, 65535, EMPTY_512},
    {2, 64, EMPTY_256}, {65535, 32, EMPTY_256},
};

START_TEST(another_answer_is_no_digest)
{
    const struct answer a = answer_of(bad[_i].algorithm, bad[_i].size, bad[_i].digits);
    char text[PEER_VERITY_TEXT_SIZE];
    struct peer_verity v;

    ck_assert(!peer_verity_read(&v, a.bytes, a.n));
    ck_assert_uint_eq(v.size, 0);
    ck_assert_str_eq(peer_verity_text(&v, text), "");
}
END_TEST

START_TEST(an_answer_that_is_cut_is_no_digest)
{
    const struct answer a = answer_of(1, 32, EMPTY_256);
    struct peer_verity v;

    for (size_t n = 0; n < a.n; n++) {
        ck_assert(!peer_verity_read(&v, a.bytes, n));
    }
}
END_TEST

START_TEST(forms_of_text)
{
    static const char *const wrong[] = {"",
                                        "sha256",
                                        "sha256:",
                                        "sha1:" EMPTY_256,
                                        EMPTY_256,
                                        "sha256:" EMPTY_256 "0",
                                        "sha512:" EMPTY_256,
                                        "SHA256:" EMPTY_256,
                                        "verity:sha256:" EMPTY_256};
    char upper[] = "sha256:" EMPTY_256;

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_msg(!peer_verity_is_text(wrong[i]), "%s", wrong[i]);
    }
    ck_assert(peer_verity_is_text(upper));
    upper[9] = 'D';
    ck_assert(!peer_verity_is_text(upper));
}
END_TEST

/* /proc has no fs-verity on any kernel. */
START_TEST(a_file_without_one)
{
    const int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    struct peer_verity v = {.size = 32};

    ck_assert_int_ge(fd, 0);
    peer_verity_measure(fd, &v);
    ck_assert_uint_eq(v.size, 0);
    close(fd);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("peer_verity");
    TCase *tc = unit_case(s, "digests");

    tcase_add_test(tc, an_answer_of_the_kernel_s_is_read);
    tcase_add_loop_test(tc, another_answer_is_no_digest, 0, sizeof bad / sizeof *bad);
    tcase_add_test(tc, an_answer_that_is_cut_is_no_digest);
    tcase_add_test(tc, forms_of_text);
    tcase_add_test(tc, a_file_without_one);
    return unit_run(s);
}
