/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Keys and checkpoints as text: of all texts that mean the same, one is taken. */
#include "audit/audit_note.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text/base64.h"
#include "audit/audit_key.h"
#include "audit/audit_line.h"
#include "tests/support/unit.h"
#include "tests/unit/audit/audit_rig.h"

/* ---- base64 ---- */

START_TEST(base64_there_and_back)
{
    uint8_t bytes[70];
    uint8_t back[70];
    char text[BASE64_SIZE(70) + 1];

    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * 37 + 5);
    }
    for (size_t n = 0; n <= sizeof bytes; n++) {
        base64_write(bytes, n, text);
        ck_assert_uint_eq(strlen(text), BASE64_SIZE(n));
        ck_assert(base64_read(text, strlen(text), back, n));
        ck_assert_mem_eq(bytes, back, n);
    }
    /* RFC 4648, section 10. */
    base64_write("foobar", 6, text);
    ck_assert_str_eq(text, "Zm9vYmFy");
    base64_write("fooba", 5, text);
    ck_assert_str_eq(text, "Zm9vYmE=");
    base64_write("foob", 4, text);
    ck_assert_str_eq(text, "Zm9vYg==");
}
END_TEST

START_TEST(base64_in_one_way_only)
{
    static const struct {
        const char *text;
        size_t n;
    } wrong[] = {
        {"Zm9vYmE", 5},  {"Zm9vYmF=", 5}, {"Zm9vYh==", 4}, {"Zm9vYg=", 4}, {"Zm9vYg=A", 4},
        {"Zm9v Yg=", 5}, {"Zm9v\nYg", 5}, {"Zm9-", 3},     {"Zm9_", 3},    {"=m9v", 3},
        {"Zm9vYmFy", 5}, {"Zm9vYmFy", 7}, {"", 1},         {"Zm9v", 0},    {"Zm=v", 3},
    };
    uint8_t out[16];

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_msg(!base64_read(wrong[i].text, strlen(wrong[i].text), out, wrong[i].n),
                      "%s was taken", wrong[i].text);
    }
}
END_TEST

/* ---- keys ---- */

/* A key that the reference implementation of signed notes has in its own tests. */
static const char published[] =
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

START_TEST(a_published_key)
{
    char text[AUDIT_VKEY_MAX];
    struct audit_vkey k;

    ck_assert_int_eq(audit_vkey_read(&k, published, strlen(published)), 0);
    ck_assert_str_eq(k.name, "PeterNeumann");
    ck_assert_uint_eq(k.id[0], 0xc7);
    audit_vkey_write(&k, text);
    ck_assert_str_eq(text, published);
    snprintf(text, sizeof text, "%s\n", published);
    ck_assert_int_eq(audit_vkey_read(&k, text, strlen(text)), 0);
    snprintf(text, sizeof text, "%s\n\n", published);
    ck_assert_int_eq(audit_vkey_read(&k, text, strlen(text)), -EINVAL);
}
END_TEST

/* The id is of name and key: a change of either, or of the id, is seen. */
START_TEST(every_byte_of_a_key_counts)
{
    struct audit_vkey k;

    for (size_t i = 0; i < sizeof published - 1; i++) {
        char text[sizeof published];

        memcpy(text, published, sizeof text);
        text[i] = (char)(text[i] ^ 1);
        ck_assert_msg(audit_vkey_read(&k, text, strlen(text)) == -EINVAL, "byte %zu: %s", i, text);
        ck_assert_int_eq(audit_vkey_read(&k, published, i), -EINVAL);
    }
}
END_TEST

START_TEST(names_at_their_limits)
{
    static const char *const wrong[] = {"", "a b", "a+b", "a\nb", "\"", "\\", "\xc3\xa4"};
    char name[AUDIT_NAME_MAX + 2];

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert(!audit_name_ok(wrong[i], strlen(wrong[i])));
    }
    memset(name, 'x', sizeof name);
    ck_assert(audit_name_ok(name, AUDIT_NAME_MAX));
    ck_assert(!audit_name_ok(name, AUDIT_NAME_MAX + 1));
}
END_TEST

/* ---- checkpoints ---- */

static struct audit_key key;
static char note[AUDIT_NOTE_MAX];
static size_t note_n;

static void make_note(void)
{
    struct audit_tree t;
    struct audit_hash leaf;
    char why[512];
    int n;

    rig_keygen();
    ck_assert_int_eq(audit_key_load(&key, rig_key(), why, sizeof why), 0);
    audit_tree_init(&t);
    for (int i = 0; i < 12; i++) {
        ck_assert_int_eq(audit_hash_leaf(&i, sizeof i, &leaf), 0);
        ck_assert_int_eq(audit_tree_add(&t, &leaf), 0);
    }
    n = audit_checkpoint_write(&t, &key.vkey, key.pkey, note);
    ck_assert_int_gt(n, 0);
    note_n = (size_t)n;
    ck_assert_uint_eq(strlen(note), note_n);
}

START_TEST(a_checkpoint_there_and_back)
{
    struct audit_checkpoint c;

    make_note();
    ck_assert_int_eq(audit_checkpoint_read(&c, note, note_n, &key.vkey), AUDIT_NOTE_OK);
    ck_assert_str_eq(c.origin, RIG_NAME);
    ck_assert_uint_eq(c.size, 12);
    audit_key_deinit(&key);
}
END_TEST

START_TEST(every_byte_of_a_checkpoint_counts)
{
    make_note();
    for (size_t i = 0; i < note_n; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            struct audit_checkpoint c;

            note[i] = (char)(note[i] ^ (1 << bit));
            ck_assert_int_ne(audit_checkpoint_read(&c, note, note_n, &key.vkey), AUDIT_NOTE_OK);
            note[i] = (char)(note[i] ^ (1 << bit));
        }
    }
    for (size_t n = 0; n < note_n; n++) {
        struct audit_checkpoint c;

        ck_assert_int_ne(audit_checkpoint_read(&c, note, n, &key.vkey), AUDIT_NOTE_OK);
    }
    audit_key_deinit(&key);
}
END_TEST

/* What a witness has signed as well is still ours; what only others signed is not. */
START_TEST(others_may_sign_too)
{
    static const char others[] = "\xe2\x80\x94 witness.example/w1 jWbPPwAAAABkGFDLEZMHwQ==\n";
    struct audit_checkpoint c;
    struct audit_vkey stranger;
    char both[2 * AUDIT_NOTE_MAX];
    size_t body;

    make_note();
    body = (size_t)(strstr(note, "\n\n") + 2 - note);
    snprintf(both, sizeof both, "%.*s%s%s", (int)body, note, others, note + body);
    ck_assert_int_eq(audit_checkpoint_read(&c, both, strlen(both), &key.vkey), AUDIT_NOTE_OK);
    snprintf(both, sizeof both, "%s%s", note, others);
    ck_assert_int_eq(audit_checkpoint_read(&c, both, strlen(both), &key.vkey), AUDIT_NOTE_OK);
    snprintf(both, sizeof both, "%.*s%s", (int)body, note, others);
    ck_assert_int_eq(audit_checkpoint_read(&c, both, strlen(both), &key.vkey),
                     AUDIT_NOTE_OTHER_KEY);
    ck_assert_int_eq(audit_checkpoint_parse(&c, both, strlen(both)), AUDIT_NOTE_OK);
    ck_assert_int_eq(audit_vkey_read(&stranger, published, strlen(published)), 0);
    ck_assert_int_eq(audit_checkpoint_read(&c, note, note_n, &stranger), AUDIT_NOTE_OTHER_KEY);
    audit_key_deinit(&key);
}
END_TEST

START_TEST(what_is_no_checkpoint)
{
    static const char root[] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    static const char *const wrong[] = {
        "",
        "\n",
        "\n\n",
        "a\n1\n%s\n",
        "a\n1\n%s\n\n",
        "a\n1\n%s\n\n- a AAAA\n",
        "a\n1\n%s\n\n\xe2\x80\x94 a\n",
        "a\n1\n%s\n\n\xe2\x80\x94  AAAA\n",
        "a\n1\n%s\n\n\xe2\x80\x94 a AAAA",
        "a\n01\n%s\n\n\xe2\x80\x94 a AAAA\n",
        "a\n-1\n%s\n\n\xe2\x80\x94 a AAAA\n",
        "a\n\n%s\n\n\xe2\x80\x94 a AAAA\n",
        "a\n18446744073709551616\n%s\n\n\xe2\x80\x94 a AAAA\n",
        "\n1\n%s\n\n\xe2\x80\x94 a AAAA\n",
        "a\n1\n%s\r\n\n\xe2\x80\x94 a AAAA\n",
        "a\n1\n%s\n\nx\n\n\xe2\x80\x94 a AAAA\n",
    };
    static const char good[] = "a\n18446744073709551615\n%s\nmore\n\n\xe2\x80\x94 a AAAA\n";
    struct audit_checkpoint c;
    char text[256];

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const char *const at = strstr(wrong[i], "%s");

        snprintf(text, sizeof text, "%.*s%s%s",
                 (int)(at ? (size_t)(at - wrong[i]) : strlen(wrong[i])), wrong[i], at ? root : "",
                 at ? at + 2 : "");
        ck_assert_msg(audit_checkpoint_parse(&c, text, strlen(text)) == AUDIT_NOTE_MALFORMED,
                      "number %zu was taken", i);
    }
    snprintf(text, sizeof text, good, root);
    ck_assert_int_eq(audit_checkpoint_parse(&c, text, strlen(text)), AUDIT_NOTE_OK);
    ck_assert_uint_eq(c.size, UINT64_MAX);
}
END_TEST

/* A checkpoint's line is taken in the one form that the log writes. */
START_TEST(a_note_in_a_line)
{
    char line[2 * AUDIT_NOTE_MAX + AUDIT_HEAD_MAX];
    char back[AUDIT_NOTE_MAX];
    struct audit_head head;
    size_t n;

    make_note();
    n = audit_line_checkpoint(line, 12, "0123456789abcdef", note);
    ck_assert_uint_eq(strlen(line), n);
    ck_assert(audit_line_read(&head, line, n));
    ck_assert_ptr_null(head.time);
    ck_assert(audit_line_note(&head, back));
    ck_assert_str_eq(back, note);
    audit_key_deinit(&key);
}
END_TEST

/* ---- times ---- */

START_TEST(times)
{
    static const struct {
        struct timespec t;
        const char *text;
    } cases[] = {
        {{0, 0}, "1970-01-01T00:00:00.000000000Z"},
        {{951782399, 999999999}, "2000-02-28T23:59:59.999999999Z"},
        {{951782400, 1}, "2000-02-29T00:00:00.000000001Z"},
        {{253402300799, 0}, "9999-12-31T23:59:59.000000000Z"},
        {{253402300800, 0}, "9999-12-31T23:59:59.000000000Z"},
        {{-1, 0}, "1970-01-01T00:00:00.000000000Z"},
    };
    char text[AUDIT_TIME_SIZE + 1];

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        audit_line_time(&cases[i].t, text);
        ck_assert_str_eq(text, cases[i].text);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("audit_note");
    TCase *tc = unit_case(s, "texts");

    tcase_add_test(tc, base64_there_and_back);
    tcase_add_test(tc, base64_in_one_way_only);
    tcase_add_test(tc, a_published_key);
    tcase_add_test(tc, every_byte_of_a_key_counts);
    tcase_add_test(tc, names_at_their_limits);
    tcase_add_test(tc, times);
    tc = unit_case(s, "checkpoints");
    tcase_add_test(tc, a_checkpoint_there_and_back);
    tcase_add_test(tc, every_byte_of_a_checkpoint_counts);
    tcase_add_test(tc, others_may_sign_too);
    tcase_add_test(tc, what_is_no_checkpoint);
    tcase_add_test(tc, a_note_in_a_line);
    return unit_run(s);
}
