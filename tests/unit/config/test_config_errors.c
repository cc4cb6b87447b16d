/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Every error of the configuration language with its exact place, and what becomes of many errors.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "tests/support/unit.h"
#include "tests/unit/config/parsed.h"

/* A route whose third line has this behind "backend spawn". */
#define SPAWN(s) "route a {\nlisten /l\nbackend spawn " s "\n}\n"

static const struct wrong wrongs[] = {
    /* characters */
    {ROUTE "\x01", 5, 1, "control character", "tab"},
    {ROUTE "# \x7f", 5, 3, "control character", "tab"},
    {ROUTE "# \xc2\x85", 5, 3, "control character", "tab"},
    {ROUTE "user \"a\x1b\"", 5, 8, "control character", "tab"},
    {ROUTE "workers 2\r\n", 5, 10, "carriage return", "CR LF"},
    {ROUTE "# \xff", 5, 3, "invalid UTF-8", "UTF-8"},
    {ROUTE "# \xc0\x80", 5, 3, "invalid UTF-8", "UTF-8"},
    {ROUTE "# \xed\xa0\x80", 5, 3, "invalid UTF-8", "UTF-8"},
    {ROUTE "# \xf4\x90\x80\x80", 5, 3, "invalid UTF-8", "UTF-8"},
    {ROUTE "# \xe2\x82", 5, 3, "invalid UTF-8", "UTF-8"},
    {ROUTE "user \xc3\xa9", 5, 6, "needs quotes", "ASCII"},
    {ROUTE "user a'b", 5, 7, "needs quotes", "double quotes"},
    {ROUTE "user a\\b", 5, 7, "needs quotes", "double quotes"},
    {ROUTE "user a#b", 5, 7, "# inside a word", "space"},
    {ROUTE "workers 2;", 5, 10, "unexpected ;", "line"},
    {ROUTE "user a\"b\"", 5, 7, "missing space", ""},
    {ROUTE "user \"a\"b", 5, 9, "missing space", ""},
    {ROUTE "user \"a\\n\"", 5, 8, "unknown escape", "\\\""},
    {ROUTE "user \"a\\", 5, 8, "unknown escape", "\\\""},
    {ROUTE "user \"ab", 5, 6, "unterminated", "same line"},
    {ROUTE "user \"ab\nworkers 2", 5, 6, "unterminated", "same line"},
    {"route a{\nlisten /l\n}\n" ROUTE, 1, 8, "missing space", ""},
    {"route a{ \t\nlisten /l\n}\n" ROUTE, 1, 8, "missing space", ""},
    /* words */
    {ROUTE "worker 2", 5, 1, "unknown word \"worker\"", "did you mean \"workers\"?"},
    {ROUTE "  wrokers 2", 5, 3, "unknown word \"wrokers\"", "did you mean \"workers\"?"},
    {ROUTE "frobnicate", 5, 1, "unknown word", "allowed here: workers, user, max-sessions"},
    {ROUTE "\"\"", 5, 1, "unknown word \"\"", "allowed here"},
    {ROUTE "\"\xc3\xa9\"", 5, 1, "unknown word \"\\xc3\\xa9\"", "allowed here"},
    {ROUTE "listen /x", 5, 1, "unexpected \"listen\"", "in a route block"},
    {IN_ROUTE("workers 2"), 4, 1, "unexpected \"workers\"", "outside of blocks"},
    {IN_ROUTE("route b {\nlisten /c\n}"), 4, 1, "unexpected \"route\"", "outside of blocks"},
    {IN_ROUTE("wait-bakcend 2s"), 4, 1, "unknown word", "did you mean \"wait-backend\"?"},
    {ROUTE "workers 2\nworkers 2", 6, 1, "duplicate \"workers\"", "line 5"},
    {ROUTE "workers x", 5, 9, "\"x\" is not a number", "1 to 64"},
    {IN_ROUTE("backend /c"), 4, 1, "duplicate \"backend\"", "line 3"},
    {ROUTE "workers", 5, 8, "missing NUMBER after \"workers\"", "workers NUMBER"},
    {ROUTE "workers  # 3", 5, 8, "missing NUMBER after \"workers\"", "workers NUMBER"},
    {ROUTE "workers 1 2", 5, 11, "unexpected argument \"2\"", "workers NUMBER"},
    {"route a {\nlisten /l mdoe 0600\nbackend /b\n}", 2, 11, "unknown word \"mdoe\"",
     "did you mean \"mode\"?"},
    {"route a {\nlisten /l 0600\nbackend /b\n}", 2, 11, "unknown word \"0600\"",
     "listen PATH [mode MODE] [owner USER] [group GROUP]"},
    {"route a {\nlisten /l mode\nbackend /b\n}", 2, 15, "missing MODE after \"mode\"",
     "listen PATH"},
    {"route a {\nlisten\nbackend /b\n}", 2, 7, "missing PATH after \"listen\"", "listen PATH"},
    {"route a {\nlisten /l mode 0600 mode 0660\nbackend /b\n}", 2, 21, "duplicate \"mode\"", ""},
    /* the client's memory */
    {IN_ROUTE("dma"), 4, 4, "missing HOW after \"dma\"", "dma HOW"},
    {IN_ROUTE("dma withold"), 4, 5, "unexpected \"withold\"", "\"withhold\""},
    {IN_ROUTE("dma pass\ndma withhold"), 5, 1, "duplicate \"dma\"", "line 4"},
    {IN_ROUTE("dma max-maps 1\ndma pass\ndma max-maps 1"), 6, 1, "duplicate \"dma max-maps\"",
     "line 4"},
    {IN_ROUTE("dma max-bytes 1\ndma max-bytes 1"), 5, 1, "duplicate \"dma max-bytes\"", "line 4"},
    {IN_ROUTE("dma max-bytes 1k"), 4, 15, "\"1k\" is not a size", "K, M, G or T"},
    {IN_ROUTE("dma max-bytes K"), 4, 15, "\"K\" is not a size", "K, M, G or T"},
    {IN_ROUTE("dma max-bytes 1KK"), 4, 15, "\"1KK\" is not a size", "K, M, G or T"},
    {IN_ROUTE("dma ranges 0x-5"), 4, 12, "is not a range of addresses", "FIRST-LAST"},
    {IN_ROUTE("dma ranges 0"), 4, 12, "is not a range of addresses", "FIRST-LAST"},
    {IN_ROUTE("dma ranges 0-1-2"), 4, 12, "is not a range of addresses", "FIRST-LAST"},
    {IN_ROUTE("dma ranges 0-1K"), 4, 12, "is not a range of addresses", "FIRST-LAST"},
    {ROUTE "dma pass", 5, 1, "unexpected \"dma\"", "in a route block"},
    /* a device that is started */
    {SPAWN("\"/bin/a\""), 3, 15, "does not contain \"%fd\"", "in quotes"},
    {SPAWN("\"/bin/a %fd %fd\""), 3, 15, "contains \"%fd\" more than once", "exactly once"},
    {SPAWN("\"/bin/a %%fd\""), 3, 15, "does not contain \"%fd\"", "exactly once"},
    {SPAWN("\"/bin/a %fd %s\""), 3, 15, "unknown sequence \"%s\"", "%% for a percent sign"},
    {SPAWN("\"/bin/a %fd %\""), 3, 15, "unknown sequence \"%\"", "%% for a percent sign"},
    {SPAWN("\"a %fd\""), 3, 15, "not begin with an absolute path", "/usr/lib"},
    {SPAWN("\"  \""), 3, 15, "not begin with an absolute path", "/usr/lib"},
    {SPAWN("\"/bin/a 'b %fd\""), 3, 15, "unclosed quote", "same character"},
    {SPAWN("\"/bin/a %fd\" user"), 3, 32, "missing USER after \"user\"",
     "backend spawn COMMAND [user USER] [group GROUP]"},
    {SPAWN("\"/bin/a %fd\" usr x"), 3, 28, "unknown word \"usr\"", "did you mean \"user\"?"},
    {SPAWN("\"/bin/a %fd\"\nbackend /b"), 4, 1, "duplicate \"backend\"", "line 3"},
    {IN_ROUTE("backend spawn \"/bin/a %fd\""), 4, 1, "duplicate \"backend\"", "line 3"},
    {SPAWN(""), 3, 14, "missing COMMAND after \"backend\"", "backend spawn COMMAND"},
    /* presets */
    {IN_ROUTE("preset gpl"), 4, 8, "unexpected \"gpl\"", "\"audit-only\", \"gpl-only\""},
    {IN_ROUTE("preset gpl-only\notherwise taint"), 5, 1, "duplicate \"otherwise\"",
     "the first is in preset gpl-only, line "},
    {IN_ROUTE("otherwise deny\n preset gpl-only"), 5, 9,
     "duplicate \"otherwise\": the preset has it, too", "line 4; a route cannot repeat"},
    {IN_ROUTE("preset gpl-only\npreset audit-only"), 5, 1, "duplicate \"preset\"", "line 4"},
    {ROUTE "preset gpl-only", 5, 1, "unexpected \"preset\"", "in a route block"},
    {IN_ROUTE("preset"), 4, 7, "missing NAME after \"preset\"", "preset NAME"},
    /* blocks */
    {ROUTE "workers 2 {\n}", 5, 11, "\"workers\" does not open a block", ""},
    {ROUTE "}", 5, 1, "without a block", "\"}\" too many"},
    {ROUTE "{\n}", 5, 1, "\"{\" without a statement", ""},
    {ROUTE "route b {\nlisten /c\nbackend /d", 5, 1, "unclosed block", "only \"}\""},
    {ROUTE "route b {", 5, 1, "unclosed block", "only \"}\""},
    {ROUTE "route b\n{\nlisten /c\nbackend /d\n}", 5, 8, "missing \"{\" after \"route\"",
     "route NAME {"},
    {ROUTE "route b\n", 5, 8, "missing \"{\" after \"route\"", "route NAME {"},
    {ROUTE "route b\nworkers 3\n", 5, 8, "missing \"{\" after \"route\"", "route NAME {"},
    {ROUTE "route {\nlisten /c\nbackend /d\n}", 5, 6, "missing NAME after \"route\"",
     "route NAME {"},
    {ROUTE "route b { listen /c\nbackend /d\n}", 5, 11, "\"{\" must end its line", "own"},
    {ROUTE "route b { }", 5, 11, "\"{\" must end its line", "own"},
    {ROUTE "route b { {\n}\n}", 5, 11, "\"{\" must end its line", "own"},
    {ROUTE "route b {\nlisten /c\nbackend /d }", 7, 12, "\"}\" must stand alone", ""},
    {ROUTE "route b {\nlisten /c\nbackend /d\n} workers 2", 8, 3, "\"}\" must stand alone", ""},
    {ROUTE "route b {\nlisten /c\nbackend /d\n};", 8, 2, "unexpected ;", ""},
    {ROUTE "rout b {\nlisten /c\nfoo {\n}\n}\n", 5, 1, "unknown word \"rout\"", "\"route\"?"},
    {ROUTE "route b {\nlisten /c\nbackend /d\nfoo {\nbar {\n}\n}\n}\n", 8, 1,
     "unknown word \"foo\"", ""},
    {ROUTE "route b {\nbackend /d\n}", 5, 1, "this route has no \"listen\"", "listen PATH"},
    {ROUTE "route b {\nlisten /d\n}", 5, 1, "this route has no \"backend\"", "backend PATH"},
    {ROUTE "route b {\nlisen /c\n}", 6, 1, "unknown word \"lisen\"", "\"listen\"?"},
    /* values */
    {ROUTE "workers -1", 5, 9, "\"-1\" is not a number", "1 to 64"},
    {ROUTE "workers 0x2", 5, 9, "\"0x2\" is not a number", "1 to 64"},
    {ROUTE "workers \"\"", 5, 9, "\"\" is not a number", "1 to 64"},
    {ROUTE "workers 99999999999999999999999999", 5, 9, "out of range", "1 to 64"},
    {ROUTE "log-level loud", 5, 11, "\"loud\" is not a log level", "error, warning, info or debug"},
    {ROUTE "user a:b", 5, 6, "\"a:b\" is not a user or group", "number"},
    {ROUTE "user \"\"", 5, 6, "\"\" is not a user or group", "number"},
    {ROUTE "handshake-timeout 3", 5, 19, "\"3\" is not a duration", "500ms"},
    {ROUTE "handshake-timeout s", 5, 19, "\"s\" is not a duration", "500ms"},
    {ROUTE "handshake-timeout 3h", 5, 19, "\"3h\" is not a duration", "500ms"},
    {ROUTE "handshake-timeout 1.5s", 5, 19, "\"1.5s\" is not a duration", "500ms"},
    {ROUTE "handshake-timeout 99999999999999999999s", 5, 19, "out of range", "1ms to 600s"},
    {ROUTE "handshake-timeout 4294967296ms", 5, 19, "out of range", "1ms to 600s"},
    {ROUTE "handshake-timeout 71583m", 5, 19, "out of range", "1ms to 600s"},
    {"route a {\nlisten /l\nbackend /b\nbusy-poll 50\n}", 4, 11,
     "\"50\" is not a time in microseconds", "50us"},
    {"route a {\nlisten /l\nbackend /b\nbusy-poll us\n}", 4, 11,
     "\"us\" is not a time in microseconds", "50us"},
    {"route a {\nlisten /l\nbackend /b\nbusy-poll 99999999999999999999us\n}", 4, 11, "out of range",
     "0us to 1000us"},
    {"route a {\nlisten l\nbackend /b\n}", 2, 8, "\"l\" is not an absolute path", "\"/\""},
    {"route a {\nlisten \"\"\nbackend /b\n}", 2, 8, "\"\" is not an absolute path", "\"/\""},
    {"route a {\nlisten /l\nbackend /b/\n}", 3, 9, "\"/b/\" names a folder", "socket"},
    {"route a {\nlisten /l mode 066\nbackend /b/\n}", 3, 9, "\"/b/\" names a folder", "socket"},
    {"route a {\nlisten /l mode 66\nbackend /b\n}", 2, 16, "\"66\" is not the mode", "0660"},
    {"route a {\nlisten /l mode 0680\nbackend /b\n}", 2, 16, "\"0680\" is not the mode", "0660"},
    {"route a {\nlisten /l mode 00660\nbackend /b\n}", 2, 16, "\"00660\" is not the mode", "0660"},
    {"route a {\nlisten /l mode 1777\nbackend /b\n}", 2, 16, "\"1777\" is not the mode", "0777"},
    {"route a/b {\nlisten /l\nbackend /b\n}", 1, 7, "\"a/b\" is not a name", "letters"},
    {"route \"\" {\nlisten /l\nbackend /b\n}", 1, 7, "\"\" is not a name", "letters"},
    /* what must agree */
    {"", 0, 0, "there is no route", ""},
    {"# nothing\n", 0, 0, "there is no route", ""},
    {ROUTE "route b {\nlisten /c\nbackend /d\n}\nroute a {\nlisten /e\nbackend /f\n}", 9, 7,
     "duplicate route name \"a\"", "line 1"},
    {ROUTE "route b {\nlisten //./l\nbackend /d\n}", 6, 8, "another route listens on \"//./l\"",
     "line 2"},
    {"route a {\nlisten /l\nbackend /./l\n}", 3, 9, "the socket that the route listens on", ""},
    {"max-sessions 4\n" IN_ROUTE("sessions 5"), 5, 10,
     "cannot have 5 sessions if all routes together have 4", ""},
    {IN_ROUTE("wait-backend 3s\nhandshake-timeout 2s"), 4, 14,
     "longer than handshake-timeout (2000 ms)", ""},
    {"handshake-timeout 2s\n" IN_ROUTE("wait-backend 2001ms"), 5, 14,
     "longer than handshake-timeout", ""},
    {"route a {\nlisten @l\nbackend /b\n}", 2, 8, "\"@l\" is not a path", "abstract sockets"},
    {"route a {\nlisten /l\nbackend unix:/b\n}", 3, 9, "\"unix:/b\" is not a path", "./"},
    {IN_ROUTE("look again every 999ms"), 4, 18, "out of range", ""},
    {IN_ROUTE("look again every 86401s"), 4, 18, "out of range", ""},
    {IN_ROUTE("look again every 5s then deny"), 4, 26, "\"deny\"", ""},
    {ROUTE "control c", 5, 9, "\"c\" is not an absolute path", "\"/\""},
    {ROUTE "control /c mode 0604", 5, 17, "must not be accessible to all users",
     "0660 and a group"},
    {ROUTE "control /c mode 0602", 5, 17, "must not be accessible to all users",
     "0660 and a group"},
    {ROUTE "control /c mode 0601", 5, 17, "must not be accessible to all users",
     "0660 and a group"},
    {ROUTE "control //l", 5, 9, "the control socket has the path of a socket of route \"a\"",
     "another path"},
    {"control /./b\n" ROUTE, 1, 9, "the control socket has the path of a socket of route \"a\"",
     "another path"},
    {ROUTE "metrics unix //l", 5, 14,
     "the socket for metrics has the path of a socket of route \"a\"", "choose another path"},
    {ROUTE "control /c\nmetrics unix /c", 6, 14,
     "the socket for metrics has the path of the control socket", "choose another path"},
    {ROUTE "metrics localhost:9464", 5, 9, "\"localhost:9464\" is not an address and a port",
     "names are not looked up"},
    {ROUTE "metrics 127.0.0.1", 5, 9, "\"127.0.0.1\" is not an address and a port", ""},
    {ROUTE "metrics [::1]:9464\nmetrics unix /m", 6, 1, "duplicate \"metrics\"", "line 5"},
    {ROUTE "control /c\ncontrol /d", 6, 1, "duplicate \"control\"", "line 5"},
};

START_TEST(each_error_has_its_place)
{
    struct parsed x = parse(wrongs[_i].text);

    must_be_wrong(&x, &wrongs[_i]);
    let_go(&x);
}
END_TEST

START_TEST(a_nul_is_an_error_wherever_it_stands)
{
    /* In a string, a comment, behind a word, alone; the text ends after it. */
    static const char texts[][8] = {"user \"a", "# x", "user a", ""};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const size_t n = strlen(texts[i]);
        struct parsed x = parse_bytes(texts[i], n + 1);

        ck_assert_int_eq(x.r, -EINVAL);
        ck_assert_str_eq(x.e.error[0].text, "NUL byte");
        ck_assert_uint_eq(x.e.error[0].at.line, 1);
        ck_assert_uint_eq(x.e.error[0].at.column, n + 1);
        let_go(&x);
    }
}
END_TEST

START_TEST(all_errors_in_the_order_of_lines)
{
    struct parsed x =
        parse("route a {\nlisten /l\n}\nworker 2\nroute b {\nlisten x\nbackend /b\n}\n"
              "user a;\n");
    static const unsigned lines[] = {1, 4, 6, 9};

    ck_assert_int_eq(x.r, -EINVAL);
    ck_assert_uint_eq(x.e.total, 4);
    ck_assert_uint_eq(x.e.n, 4);
    for (size_t i = 0; i < 4; i++) {
        ck_assert_uint_eq(x.e.error[i].at.line, lines[i]);
    }
    let_go(&x);
}
END_TEST

START_TEST(as_many_errors_as_are_kept_and_more)
{
    char text[64 * 8] = "";
    struct parsed x;

    for (unsigned i = 0; i < CONFIG_ERRORS; i++) {
        strcat(text, "nonsense\n");
    }
    x = parse(text);
    ck_assert_uint_eq(x.e.n, CONFIG_ERRORS);
    ck_assert_uint_eq(x.e.total, CONFIG_ERRORS);
    let_go(&x);
    strcat(text, "nonsense\n");
    x = parse(text);
    ck_assert_uint_eq(x.e.n, CONFIG_ERRORS);
    ck_assert_uint_eq(x.e.total, CONFIG_ERRORS + 1);
    ck_assert_uint_eq(x.e.error[CONFIG_ERRORS - 1].at.line, CONFIG_ERRORS);
    let_go(&x);
}
END_TEST

/* That a route dials itself is found at the end, when there is no room any more. */
START_TEST(a_late_error_of_an_early_line_is_kept)
{
    char text[64 * 8] = "route a {\nlisten /l\nbackend /l\n}\n";
    char *out = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&out, &n);
    struct parsed x;

    ck_assert_ptr_nonnull(f);
    for (unsigned i = 0; i < CONFIG_ERRORS; i++) {
        strcat(text, "nonsense\n");
    }
    x = parse(text);
    ck_assert_uint_eq(x.e.total, CONFIG_ERRORS + 1);
    ck_assert_uint_eq(x.e.n, CONFIG_ERRORS);
    ck_assert_uint_eq(x.e.error[0].at.line, 3);
    ck_assert_uint_eq(x.e.error[1].at.line, 5);
    ck_assert_uint_eq(x.e.error[CONFIG_ERRORS - 1].at.line, 4 + CONFIG_ERRORS - 1);
    config_errors_print(&x.e, "f", f);
    fclose(f);
    ck_assert_ptr_nonnull(strstr(out, "\nf: 1 more error is not shown\n"));
    free(out);
    let_go(&x);
}
END_TEST

START_TEST(printed_as_compilers_do)
{
    struct parsed x = parse("worker\xc2\x80\nrout a {\n}\n");
    char *out = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&out, &n);

    ck_assert_ptr_nonnull(f);
    config_errors_add(&x.e, (struct config_place){0, 0}, NULL, "no place");
    config_errors_print(&x.e, "a\nb", f);
    fclose(f);
    ck_assert_str_eq(out, "a\\x0ab: error: no place\n"
                          "a\\x0ab:1:7: error: control character\n"
                          "    hint: only tab and newline are allowed\n"
                          "a\\x0ab:2:1: error: unknown word \"rout\"\n"
                          "    hint: did you mean \"route\"?\n");
    free(out);
    let_go(&x);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("config_errors");
    TCase *tc = unit_case(s, "errors");

    tcase_add_loop_test(tc, each_error_has_its_place, 0, COUNT(wrongs));
    tcase_add_test(tc, a_nul_is_an_error_wherever_it_stands);
    tcase_add_test(tc, all_errors_in_the_order_of_lines);
    tcase_add_test(tc, as_many_errors_as_are_kept_and_more);
    tcase_add_test(tc, a_late_error_of_an_early_line_is_kept);
    tcase_add_test(tc, printed_as_compilers_do);
    return unit_run(s);
}
