/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The lists of IMA, in lines as the kernel writes them: no kernel with IMA is needed. The first two
 * are those of the kernel's documentation.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text/hex.h"
#include "policy/evidence/evidence_ima.h"
#include "tests/support/unit.h"

#define HASH "91f34b5c671d73504b274a919661cf80dab1e127"
#define DIGITS "efdd249edec97caf9328a4a01baa99b7d660d1afc2e118b69137081c9b689954"
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

static const struct {
    const char *line;
    bool is_entry;
    bool has_sha256;
    uint32_t pcr;
} lines[] = {
    {"10 " HASH " ima-ng sha1:1801e1be3e65ef1eaa5c16617bec8f1274eaf6b3 boot_aggregate", true, false,
     10},
    {"10 8b1683287f61f96e5448f40bdef6df32be86486a ima-ng sha256:" DIGITS " /init", true, true, 10},
    /* templates */
    {"10 " HASH " ima-sig sha256:" DIGITS " /usr/bin/x 030204531f402500", true, true, 10},
    {"10 " HASH " ima-sig sha256:" DIGITS " /usr/bin/x ", true, true, 10},
    {"10 " HASH " ima-ngv2 ima:sha256:" DIGITS " /usr/bin/x", true, true, 10},
    {"10 " HASH " ima-sigv2 ima:sha256:" DIGITS " /usr/bin/x ", true, true, 10},
    {"10 " HASH " ima-modsig sha256:" DIGITS " /x   ", true, true, 10},
    {"10 " HASH " evm-sig sha256:" DIGITS " /x 02 security.ima 18 04 0 0 33261", true, true, 10},
    {" 9 " HASH " ima-ng sha256:" DIGITS " /x", true, true, 9},
    {"10 " DIGITS " ima-ng sha256:" DIGITS " /x", true, true, 10},
    {"10 " HASH " ima-ng sha256:" DIGITS " /a_b_(deleted)", true, true, 10},
    /* entries without a digest to compare */
    {"10 " HASH " ima-ng sha512:" DIGITS DIGITS " /x", true, false, 10},
    {"10 " HASH " ima-ng sha256:" ZEROS " /violation", true, false, 10},
    {"10 " HASH " ima-ngv2 verity:sha256:" DIGITS " /x", true, false, 10},
    {"10 " HASH " ima-ngv2 sha256:" DIGITS " /x", true, false, 10},
    {"10 " HASH " ima-ng ima:sha256:" DIGITS " /x", true, false, 10},
    {"10 " HASH " ima " HASH " /x", true, false, 10},
    {"10 " HASH " ima-buf sha256:" DIGITS " kexec-cmdline 726f6f74", true, false, 10},
    {"10 " HASH " d-ng|n-ng sha256:" DIGITS " /x", true, false, 10},
    {"10 " HASH " ima-ng sha256:" DIGITS, true, false, 10}, /* cut */
    {"10 " HASH " ima-ng sha256:" DIGITS "0 /x", true, false, 10},
    {"10 " HASH " ima-ng sha256:E" DIGITS " /x", true, false, 10},
    /* parts of a name with line feeds, in which spaces are underscores */
    {"10_" HASH "_ima-ng_sha256:" DIGITS "_/usr/bin/qemu", false, false, 0},
    {"10\t" HASH "\tima-ng\tsha256:" DIGITS "\t/usr/bin/qemu", false, false, 0},
    {"10 " HASH, false, false, 0},
    {"10 " HASH " sha256:" DIGITS " 3082", false, false, 0},
    {"", false, false, 0},
    {"/usr/bin/x", false, false, 0},
    /* other lines */
    {"10  " HASH " ima-ng sha256:" DIGITS " /x", false, false, 0},
    {"  9 " HASH " ima-ng sha256:" DIGITS " /x", false, false, 0},
    {"-1 " HASH " ima-ng sha256:" DIGITS " /x", false, false, 0},
    {"1000 " HASH " ima-ng sha256:" DIGITS " /x", false, false, 0},
    {"10 " HASH "0 ima-ng sha256:" DIGITS " /x", false, false, 0},
    {"10 91f34b ima-ng sha256:" DIGITS " /x", false, false, 0},
};

START_TEST(a_line_is_an_entry_or_not)
{
    struct evidence_ima_entry e;
    uint8_t digest[EVIDENCE_SHA256_SIZE];

    ck_assert(hex_read(DIGITS, digest, sizeof digest));
    ck_assert_int_eq(evidence_ima_read(&e, lines[_i].line, strlen(lines[_i].line)),
                     lines[_i].is_entry);
    ck_assert_int_eq(e.has_sha256, lines[_i].has_sha256);
    if (lines[_i].is_entry) {
        ck_assert_uint_eq(e.pcr, lines[_i].pcr);
    }
    if (e.has_sha256) {
        ck_assert_mem_eq(e.sha256, digest, sizeof digest);
    }
}
END_TEST

static void on_entry(const struct evidence_ima_entry *e, void *arg)
{
    *(unsigned *)arg += e->has_sha256 ? 1 : 1000;
}

/* Whole, and byte by byte; a line without its end is not read yet. */
START_TEST(a_list_is_read_in_any_pieces)
{
    const size_t rows = sizeof lines / sizeof *lines;
    unsigned want = 0;
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);

    ck_assert_ptr_nonnull(f);
    for (size_t i = 0; i < rows; i++) {
        fprintf(f, "%s\n", lines[i].line);
        want += lines[i].has_sha256 ? 1 : lines[i].is_entry ? 1000 : 0;
    }
    fprintf(f, "%s", lines[1].line);
    fclose(f);
    for (size_t piece = 1; piece < 400; piece += piece < 8 ? 1 : 97) {
        static struct evidence_ima_reader r;
        unsigned found = 0;

        memset(&r, 0, sizeof r);
        for (size_t at = 0; at < size; at += piece) {
            evidence_ima_feed(&r, text + at, size - at < piece ? size - at : piece, on_entry,
                              &found);
        }
        ck_assert_uint_eq(found, want);
        evidence_ima_feed(&r, "\n", 1, on_entry, &found);
        ck_assert_uint_eq(found, want + 1);
    }
    free(text);
}
END_TEST

/* Signatures and names may be of any length. */
START_TEST(a_long_line_is_read_by_its_beginning)
{
    static const char head[] = "10 " HASH " ima-sig sha256:" DIGITS " /";
    static struct evidence_ima_reader r;
    unsigned found = 0;

    memset(&r, 0, sizeof r);
    evidence_ima_feed(&r, head, sizeof head - 1, on_entry, &found);
    for (int i = 0; i < 100000; i++) {
        evidence_ima_feed(&r, "a name ", 7, on_entry, &found);
    }
    ck_assert_uint_eq(found, 0);
    evidence_ima_feed(&r, "\n", 1, on_entry, &found);
    ck_assert_uint_eq(found, 1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("evidence_ima");
    TCase *tc = unit_case(s, "lists");

    tcase_add_loop_test(tc, a_line_is_an_entry_or_not, 0, sizeof lines / sizeof *lines);
    tcase_add_test(tc, a_list_is_read_in_any_pieces);
    tcase_add_test(tc, a_long_line_is_read_by_its_beginning);
    return unit_run(s);
}
