/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The lines of /proc/PID/maps: which are code, and of what kind. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "policy/peer/peer_maps.h"
#include "tests/support/unit.h"

static const struct {
    const char *line;
    enum peer_code_kind kind;
} lines[] = {
    {"7f0000-7f1000 r--p 00000000 fe:00 5637707    /usr/lib/libc.so.6", PEER_CODE_NONE},
    {"7f0000-7f1000 r-xp 00001000 fe:00 5637707    /usr/lib/libc.so.6", PEER_CODE_FILE},
    {"7f0000-7f1000 r-xs 00001000 fe:00 5637707    /a b\\012c", PEER_CODE_FILE},
    {"7f0000-7f1000 rwxp 00001000 fe:00 5637707    /usr/lib/x.so", PEER_CODE_WRITABLE},
    {"7f0000-7f1000 r-xp 00001000 fe:00 5637707    /usr/lib/x.so (deleted)", PEER_CODE_DELETED},
    {"7f0000-7f1000 r-xp 00000000 00:01 5    /memfd:jit (deleted)", PEER_CODE_MEMFD},
    {"7f0000-7f1000 rwxp 00000000 00:00 0 ", PEER_CODE_MEMORY},
    {"7f0000-7f1000 rwxp 00000000 00:00 0", PEER_CODE_MEMORY},
    {"7f0000-7f1000 rwxp 00000000 00:00 0    [stack]", PEER_CODE_MEMORY},
    {"7f0000-7f1000 r-xp 00000000 00:00 0    [anon:[vdso]]", PEER_CODE_MEMORY},
    {"7f0000-7f1000 r-xp 00000000 00:00 0    [vdso]", PEER_CODE_NONE},
    {"ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0    [vsyscall]", PEER_CODE_NONE},
    /* only the kernel's own lines have no file */
    {"7f0000-7f1000 r-xp 00000000 fe:00 7    [vdso]", PEER_CODE_OTHER},
    {"7f0000-7f1000 r-xs 00000000 00:01 9    /SYSV00000000 (deleted)", PEER_CODE_OTHER},
};

START_TEST(a_line_has_its_kind)
{
    struct peer_maps_line l;

    ck_assert(peer_maps_read(lines[_i].line, strlen(lines[_i].line), &l));
    ck_assert_int_eq(peer_maps_kind(&l), lines[_i].kind);
}
END_TEST

START_TEST(all_of_a_line_is_read)
{
    static const char line[] = "7f0010-7f1000 r-xp 00001000 fe:1f 18446744073709551615   /a";
    struct peer_maps_line l;

    ck_assert(peer_maps_read(line, strlen(line), &l));
    ck_assert_uint_eq(l.start, 0x7f0010);
    ck_assert_uint_eq(l.end, 0x7f1000);
    ck_assert(l.executable && !l.writable);
    ck_assert_uint_eq(l.dev_major, 0xfe);
    ck_assert_uint_eq(l.dev_minor, 0x1f);
    ck_assert(l.inode == UINT64_MAX);
    ck_assert_uint_eq(l.n_name, 2);
    ck_assert_int_eq(memcmp(l.name, "/a", 2), 0);
}
END_TEST

static const char *const malformed[] = {
    "",
    "7f0000",
    "7f0000-",
    "7f1000-7f0000 r-xp 0 fe:00 5 /a",
    "7f0000-7f0000 r-xp 0 fe:00 5 /a",
    "7f0000-7f1000 r-x 0 fe:00 5 /a",
    "7f0000-7f1000 x-rp 0 fe:00 5 /a",
    "7f0000-7f1000 r-xq 0 fe:00 5 /a",
    "7f0000-7f1000 r-xp 0 fe00 5 /a",
    "7f0000-7f1000 r-xp 0 1fffffffff:00 5 /a",
    "7f0000-7f1000 r-xp 0 fe:00 99999999999999999999 /a",
    "7f0000-7f1000 r-xp 0 fe:00 5/a",
    "-7f1000 r-xp 0 fe:00 5 /a",
};

START_TEST(a_malformed_line_is_refused)
{
    struct peer_maps_line l;

    ck_assert(!peer_maps_read(malformed[_i], strlen(malformed[_i]), &l));
}
END_TEST

START_TEST(a_line_is_read_to_its_end_only)
{
    static const char line[] = "7f0000-7f1000 r-xp 00001000 fe:00 12   /lib/x.so";
    struct peer_maps_line l;

    for (size_t n = 0; n < strlen(line); n++) {
        char *const copy = strndup(line, n); /* so that a sanitizer sees a read behind it */

        if (peer_maps_read(copy, n, &l)) {
            ck_assert_uint_ge(n, strlen("7f0000-7f1000 r-xp 00001000 fe:00 1"));
        }
        free(copy);
    }
}
END_TEST

int main(void)
{
    Suite *const s = suite_create("peer_maps");
    TCase *const tc = unit_case(s, "lines");

    tcase_add_loop_test(tc, a_line_has_its_kind, 0, (int)(sizeof lines / sizeof *lines));
    tcase_add_test(tc, all_of_a_line_is_read);
    tcase_add_loop_test(tc, a_malformed_line_is_refused, 0,
                        (int)(sizeof malformed / sizeof *malformed));
    tcase_add_test(tc, a_line_is_read_to_its_end_only);
    return unit_run(s);
}
