/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Command lines of devices that are started: how they are split, and each limit. */
#include <stdio.h>
#include <string.h>

#include "proxy/config/command.h"
#include "tests/support/unit.h"

#define WORDS 6

static const struct {
    const char *text;
    const char *words[WORDS]; /* NULL ends them */
} goods[] = {
    {"/a %fd", {"/a", "17"}},
    {" \t/a\t --fd  %fd \t", {"/a", "--fd", "17"}},
    {"/a --fd=%fd -v", {"/a", "--fd=17", "-v"}},
    {"/a%fd", {"/a17"}},
    {"/a 100%% %fd%%fd", {"/a", "100%", "17%fd"}},
    {"/a 'b c' \"d  e\" %fd", {"/a", "b c", "d  e", "17"}},
    {"/a 'b\"c' \"d'e\" %fd", {"/a", "b\"c", "d'e", "17"}},
    {"/a b'c d'e\"f g\"h %fd", {"/a", "bc def gh", "17"}},
    {"/a '' %fd \"\"", {"/a", "", "17", ""}},
    {"/a '%fd'", {"/a", "17"}},
    {"'/a b/c' %fd", {"/a b/c", "17"}},
    /* no shell: nothing else means anything */
    {"/a $HOME *;|>&`x`~ b\\ c %fd", {"/a", "$HOME", "*;|>&`x`~", "b\\", "c", "17"}},
    {"/\xc3\xa9 %fd", {"/\xc3\xa9", "17"}},
};
#define GOODS ((int)(sizeof goods / sizeof *goods))

START_TEST(words_and_quotes)
{
    struct value_fault f;
    struct command c;
    size_t n = 0;

    ck_assert_msg(command_read(&c, goods[_i].text, 17, &f), "%s: %s", goods[_i].text, f.text);
    while (n < WORDS && goods[_i].words[n]) {
        ck_assert_uint_lt(n, c.n);
        ck_assert_str_eq(c.argv[n], goods[_i].words[n]);
        n++;
    }
    ck_assert_uint_eq(c.n, n);
    ck_assert_ptr_null(c.argv[n]);
}
END_TEST

/* "/a %fd" and so many words more. */
static bool reads(unsigned more, struct value_fault *f)
{
    char text[1024] = "/a %fd";
    struct command c;

    for (unsigned i = 0; i < more; i++) {
        strcat(text, " b");
    }
    return command_read(&c, text, 17, f);
}

START_TEST(as_many_words_as_fit)
{
    struct value_fault f;

    ck_assert(reads(COMMAND_WORDS - 2, &f));
    ck_assert(!reads(COMMAND_WORDS - 1, &f));
    ck_assert_str_eq(f.text, "the command has too many words");
}
END_TEST

/* A line of the configuration bounds it; whoever reads a longer text is told so. */
START_TEST(as_long_as_a_line)
{
    char text[sizeof((struct command *)NULL)->text + 2] = "/a %fd ";
    struct value_fault f;
    struct command c;
    const size_t head = strlen(text);

    memset(text + head, 'b', sizeof text - head - 1);
    ck_assert(!command_read(&c, text, 17, &f));
    ck_assert_str_eq(f.text, "the command is too long");
    /* "%fd" becomes one byte shorter, and a NUL ends the last word. */
    text[sizeof c.text] = '\0';
    ck_assert(command_read(&c, text, 17, &f));
    ck_assert_str_eq(c.argv[2], text + head);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("command");
    TCase *tc = unit_case(s, "command");

    tcase_add_loop_test(tc, words_and_quotes, 0, GOODS);
    tcase_add_test(tc, as_many_words_as_fit);
    tcase_add_test(tc, as_long_as_a_line);
    return unit_run(s);
}
