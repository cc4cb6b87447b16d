/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Bytes as hexadecimal text and back. */
#include "base/text/hex.h"

#include "tests/support/unit.h"

START_TEST(there_and_back)
{
    const unsigned char bytes[] = {0x00, 0x09, 0x0a, 0x7f, 0x80, 0xff};
    unsigned char back[sizeof bytes];
    char text[2 * sizeof bytes + 1];

    ck_assert_str_eq(hex_text(bytes, sizeof bytes, text), "00090a7f80ff");
    ck_assert(hex_read(text, back, sizeof back));
    ck_assert_mem_eq(back, bytes, sizeof bytes);
}
END_TEST

static const char *const wrong[] = {"", "0", "0g", "g0", "0A", "A0", " 0", "0 ", "-1", "0x"};

START_TEST(only_lower_case_digits)
{
    unsigned char out[1];

    ck_assert_msg(!hex_read(wrong[_i], out, sizeof out), "\"%s\"", wrong[_i]);
}
END_TEST

int main(void)
{
    Suite *const suite = suite_create("hex");
    TCase *const tc = unit_case(suite, "hex");

    tcase_add_test(tc, there_and_back);
    tcase_add_loop_test(tc, only_lower_case_digits, 0, (int)(sizeof wrong / sizeof *wrong));
    return unit_run(suite);
}
