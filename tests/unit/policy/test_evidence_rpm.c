/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* rpm's headers and License tags, as bytes. test_inspector_rpm has those that rpm itself makes. */
#include <stdlib.h>
#include <string.h>

#include "policy/evidence/evidence_rpm.h"
#include "tests/support/unit.h"

/* ---- License tags ---- */

static const struct {
    const char *tag;
    const char *expression;
} understood[] = {
    {"GPL-2.0-or-later AND (MIT OR Apache-2.0)", "GPL-2.0-or-later AND (MIT OR Apache-2.0)"},
    {"GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-only WITH Classpath-exception-2.0"},
    {"GPLv2+", "GPL-2.0-or-later"},
    {"gplv3", "GPL-3.0-only"},
    {"MIT", "MIT"},
    {"ASL 2.0", "Apache-2.0"},
    {"  ASL \t 2.0 ", "Apache-2.0"},
    {"zlib and Boost", "Zlib AND BSL-1.0"},
    {"LGPLv2+ and MIT and GPLv2+", "LGPL-2.1-or-later AND MIT AND GPL-2.0-or-later"},
    {"(GPLv2 or MPLv1.1)", "GPL-2.0-only OR MPL-1.1"},
    {"((GPLv2+) and (MIT or ASL 2.0))", "GPL-2.0-or-later AND (MIT OR Apache-2.0)"},
    {"GPLv2+ AND MIT", "GPL-2.0-or-later AND MIT"},
    {"GPLv2+ and GPL-3.0-only WITH GCC-exception-3.1",
     "GPL-2.0-or-later AND GPL-3.0-only WITH GCC-exception-3.1"},
    {"MIT and LicenseRef-Fedora-Public-Domain", "MIT AND LicenseRef-Fedora-Public-Domain"},
};

START_TEST(a_license_tag_is_an_expression)
{
    char out[EVIDENCE_LICENCE_SIZE];
    char why[EVIDENCE_DETAIL_SIZE];

    ck_assert_msg(evidence_rpm_expression(understood[_i].tag, out, why), "%s", why);
    ck_assert_str_eq(out, understood[_i].expression);
}
END_TEST

static const struct {
    const char *tag;
    const char *why;
} reasons[] = {
    {"BSD", "stood for several licences: BSD"},
    {"GPLv2+ and Public Domain", "stood for several licences: Public Domain"},
    {"GPLv3+ with exceptions and GPLv3+", "stood for several licences: GPLv3+ with exceptions"},
    {"LGPLv2", "stood for several licences: LGPLv2"},
    {"Vendor EULA", "unknown name: Vendor EULA"},
    {"GPLv2+ and Vendor\n\x01", "unknown name: Vendor \\x01"},
    {"GPLv2+ and MIT or ASL 2.0", "without parentheses"},
    {"GPLv2+ and (MIT", "is not an expression"},
    {"GPLv2+)", "too many parentheses"},
    {"GPLv2+ and", "is not an expression"},
    {"GPLv2+ (MIT)", "is not an expression"},
    {"", "is not an expression"},
};

START_TEST(an_unclear_tag_has_a_reason)
{
    char out[EVIDENCE_LICENCE_SIZE];
    char why[EVIDENCE_DETAIL_SIZE];

    ck_assert(!evidence_rpm_expression(reasons[_i].tag, out, why));
    ck_assert_msg(strstr(why, reasons[_i].why) != NULL, "%s", why);
    ck_assert_int_eq(strncmp(why, "its License tag ", strlen("its License tag ")), 0);
}
END_TEST

START_TEST(a_tag_of_any_length_is_bounded)
{
    static char tag[20000];
    char out[EVIDENCE_LICENCE_SIZE];
    char why[EVIDENCE_DETAIL_SIZE];

    memset(tag, '(', sizeof tag - 1);
    ck_assert(!evidence_rpm_expression(tag, out, why));
    memset(tag, 'M', sizeof tag - 1);
    ck_assert(!evidence_rpm_expression(tag, out, why));
    memset(tag, ' ', sizeof tag - 1);
    for (size_t i = 0; i + 9 < sizeof tag; i += 8) {
        memcpy(tag + i, "MIT and ", 8);
    }
    memcpy(tag + sizeof tag - 5, "MIT", 3);
    ck_assert(!evidence_rpm_expression(tag, out, why));
    ck_assert_ptr_nonnull(strstr(why, "too long"));
}
END_TEST

/* ---- paths ---- */

static const struct {
    const char *listed;
    const char *real;
    bool same;
} paths[] = {
    {"/usr/bin/true", "/usr/bin/true", true},
    {"/bin/true", "/usr/bin/true", true},
    {"/usr/sbin/nbd", "/usr/bin/nbd", true}, /* since Fedora 42 */
    {"/sbin/nbd", "/usr/sbin/nbd", true},
    {"/lib64/libc.so.6", "/usr/lib64/libc.so.6", true},
    {"/lib/systemd/systemd", "/usr/lib/systemd/systemd", true},
    {"/bin/true", "/usr/bin/truer", false},
    {"/lib/x", "/usr/lib64/x", false},
    {"/opt/bin/true", "/usr/bin/true", false},
    {"/opt/x", "/opt/x", true},
};

START_TEST(a_merged_folder_is_one_folder)
{
    ck_assert_int_eq(evidence_rpm_path_merged(paths[_i].listed, paths[_i].real), paths[_i].same);
    ck_assert_int_eq(evidence_rpm_path_merged(paths[_i].real, paths[_i].listed), paths[_i].same);
}
END_TEST

/* ---- headers ---- */

/* A header under construction. */
static uint8_t bytes[2048];
static uint32_t n_entries;
static uint8_t data[1024];
static uint32_t n_data;

static void put_number(uint8_t *p, uint32_t value)
{
    for (int i = 0; i < 4; i++) {
        p[i] = (uint8_t)(value >> (24 - 8 * i));
    }
}

static void add_entry(uint32_t tag, uint32_t type, uint32_t count, const void *value, size_t size)
{
    uint8_t *const entry = bytes + 8 + (size_t)16 * n_entries++;

    n_data = (n_data + 3) / 4 * 4;
    put_number(entry, tag);
    put_number(entry + 4, type);
    put_number(entry + 8, n_data);
    put_number(entry + 12, count);
    memcpy(data + n_data, value, size);
    n_data += (uint32_t)size;
}

static size_t finish(void)
{
    put_number(bytes, n_entries);
    put_number(bytes + 4, n_data);
    memcpy(bytes + 8 + (size_t)16 * n_entries, data, n_data);
    return 8 + (size_t)16 * n_entries + n_data;
}

/* Two files, the second of which is not installed, with MD5 digests since no algorithm is named. */
static size_t build(void)
{
    static const char digests[] = "00112233445566778899aabbccddeeff\0"
                                  "000102030405060708090a0b0c0d0e0f";

    n_entries = 0;
    n_data = 0;
    add_entry(1000, 6, 1, "thing", 6);
    add_entry(1001, 6, 1, "1.2", 4);
    add_entry(1002, 6, 1, "3.fc30", 7);
    add_entry(1004, 9, 1, "A summary", 10);
    add_entry(1014, 6, 1, "MIT", 4);
    add_entry(1022, 6, 1, "x86_64", 7);
    add_entry(1029, 1, 2, "\0\1", 2);
    add_entry(1035, 8, 2, digests, sizeof digests);
    add_entry(1116, 4, 2, "\0\0\0\1\0\0\0\0", 8);
    add_entry(1117, 8, 2, "one\0two", 8);
    add_entry(1118, 8, 2, "/usr/lib/\0/usr/bin/", 20);
    return finish();
}

START_TEST(a_header_has_a_name_and_files)
{
    static struct evidence_rpm_file file;
    struct evidence_rpm_header h;
    char name[EVIDENCE_NAME_SIZE];
    const size_t n = build();

    ck_assert(evidence_rpm_read(&h, bytes, n));
    ck_assert(evidence_rpm_name(&h, name));
    ck_assert_str_eq(name, "thing 1.2-3.fc30 x86_64");
    ck_assert_str_eq(evidence_rpm_licence_tag(&h), "MIT");
    ck_assert(evidence_rpm_file(&h, 0, &file));
    ck_assert_str_eq(file.path, "/usr/bin/one");
    ck_assert(file.installed);
    ck_assert_uint_eq(file.algorithm, EVIDENCE_RPM_MD5);
    ck_assert_uint_eq(file.n_digest, 16);
    ck_assert_uint_eq(file.digest[1], 0x11);
    ck_assert(evidence_rpm_file(&h, 1, &file));
    ck_assert_str_eq(file.path, "/usr/lib/two");
    ck_assert(!file.installed);
    ck_assert(!evidence_rpm_file(&h, 2, &file));
    ck_assert(!evidence_rpm_file(&h, UINT32_MAX, &file));
}
END_TEST

/* Every shorter header, and one that is longer. */
START_TEST(a_header_has_exactly_its_bytes)
{
    struct evidence_rpm_header h;
    const size_t n = build();

    for (size_t i = 0; i < n; i++) {
        uint8_t *const part = malloc(i + 1);

        ck_assert_ptr_nonnull(part);
        memcpy(part, bytes, i);
        ck_assert(!evidence_rpm_read(&h, part, i));
        free(part);
    }
    ck_assert(!evidence_rpm_read(&h, bytes, n + 1));
}
END_TEST

/* A number of the index, by its entry: 0 tag, 4 type, 8 offset, 12 count. */
static const struct {
    unsigned entry;
    unsigned at;
    uint32_t value;
} faults[] = {
    {0, 4, 8},          /* a name that is a list */
    {0, 4, 10},         /* a type that does not exist */
    {0, 12, 2},         /* two names */
    {0, 12, 0},         /* no element */
    {0, 8, UINT32_MAX}, /* outside of the data */
    {1, 0, 1000},       /* a second name */
    {3, 8, 0x10000},    /* a tag that is not read, outside of the data */
    {6, 12, 1},         /* a state for one of two files */
    {7, 12, 3},         /* digests that do not end */
    {8, 8, 1},          /* numbers at an odd place */
    {8, 12, 0x40000000}, {10, 12, UINT32_MAX},
};

START_TEST(a_faulty_header_is_refused)
{
    struct evidence_rpm_header h;
    const size_t n = build();

    put_number(bytes + 8 + (size_t)16 * faults[_i].entry + faults[_i].at, faults[_i].value);
    ck_assert(!evidence_rpm_read(&h, bytes, n));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("evidence_rpm");
    TCase *t = unit_case(s, "tags");

    tcase_add_loop_test(t, a_license_tag_is_an_expression, 0,
                        sizeof understood / sizeof *understood);
    tcase_add_loop_test(t, an_unclear_tag_has_a_reason, 0, sizeof reasons / sizeof *reasons);
    tcase_add_test(t, a_tag_of_any_length_is_bounded);
    tcase_add_loop_test(t, a_merged_folder_is_one_folder, 0, sizeof paths / sizeof *paths);
    t = unit_case(s, "headers");
    tcase_add_test(t, a_header_has_a_name_and_files);
    tcase_add_test(t, a_header_has_exactly_its_bytes);
    tcase_add_loop_test(t, a_faulty_header_is_refused, 0, sizeof faults / sizeof *faults);
    return unit_run(s);
}
