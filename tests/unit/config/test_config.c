/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The configuration language: what good files mean, each limit at its value and one past it, and
 * that the manual knows every word.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "proxy/config/config_where.h"
#include "proxy/config/config_words.h"
#include "proxy/config/preset.h"
#include "tests/support/unit.h"
#include "tests/unit/config/parsed.h"

/* ---- good files ---- */

START_TEST(everything_said)
{
    struct parsed x = parse_good("# a comment\n"
                                 "workers 3\n"
                                 "\n"
                                 "user poemd   # another\n"
                                 "max-sessions 4096\n"
                                 "log-level debug\n"
                                 "handshake-timeout 2s\n"
                                 "orphan-timeout 20s\n"
                                 "route nvme0 {\n"
                                 "    listen /run/p/n.sock group kvm mode 0660 owner 17\n"
                                 "    backend /run/s/n.sock\n"
                                 "    sessions 5\n"
                                 "    wait-backend 1500ms\n"
                                 "    handshake-timeout 4s\n"
                                 "    drain-timeout 1m\n"
                                 "    stall-timeout 60m\n"
                                 "    answer-after 9s\n"
                                 "    on backend loss hold 30s\n"
                                 "    busy-poll 50us\n"
                                 "}\n");
    const struct config_route *r = &x.c.routes[0];

    ck_assert_uint_eq(x.c.workers, 3);
    ck_assert_str_eq(x.c.user, "poemd");
    ck_assert_uint_eq(x.c.user_at.line, 4);
    ck_assert_uint_eq(x.c.user_at.column, 6);
    ck_assert_uint_eq(x.c.max_sessions, 4096);
    ck_assert_int_eq(x.c.log_level, LOG_DEBUG);
    ck_assert_uint_eq(x.c.n_routes, 1);
    ck_assert_str_eq(r->name, "nvme0");
    ck_assert_uint_eq(r->at.line, 9);
    ck_assert_uint_eq(x.c.orphan_ms, 20000);
    ck_assert_str_eq(r->listen, "/run/p/n.sock");
    ck_assert_str_eq(r->backend, "/run/s/n.sock");
    ck_assert_uint_eq(r->mode, 0660);
    ck_assert_str_eq(r->owner_name, "17");
    ck_assert_str_eq(r->group_name, "kvm");
    ck_assert_uint_eq(r->hold_ms, 30000);
    ck_assert(config_route_mappable(r) == CONFIG_MAPPABLE_STRIP);
    ck_assert_uint_eq(r->sessions, 5);
    ck_assert_uint_eq(r->wait_backend_ms, 1500);
    ck_assert_uint_eq(r->handshake_ms, 4000);
    ck_assert_uint_eq(r->drain_ms, 60000);
    ck_assert_uint_eq(r->stall_ms, 3600000);
    ck_assert_uint_eq(r->answer_ms, 9000);
    ck_assert_uint_eq(r->busy_poll_us, 50);
    let_go(&x);
}
END_TEST

START_TEST(defaults)
{
    struct parsed x = parse_good(ROUTE);
    const struct config_route *r = &x.c.routes[0];

    ck_assert_uint_eq(x.c.workers, 0);
    ck_assert_ptr_null(x.c.user);
    ck_assert_uint_eq(x.c.max_sessions, 1024);
    ck_assert_int_eq(x.c.log_level, LOG_INFO);
    ck_assert_uint_eq(r->mode, 0600);
    ck_assert(r->owner == (uid_t)-1 && r->group == (gid_t)-1);
    ck_assert_uint_eq(r->sessions, 1);
    ck_assert_uint_eq(r->wait_backend_ms, 0);
    ck_assert_uint_eq(r->handshake_ms, 4000);
    ck_assert_uint_eq(r->drain_ms, 5000);
    ck_assert_uint_eq(r->stall_ms, 30000);
    ck_assert_uint_eq(r->answer_ms, 4500);
    ck_assert_uint_eq(r->busy_poll_us, 0);
    ck_assert_uint_eq(x.c.orphan_ms, 30000);
    let_go(&x);
}
END_TEST

START_TEST(words_of_dma)
{
    struct parsed x = parse_good("route a {\nlisten /l\nbackend /b\ndma withhold\n"
                                 "dma max-bytes 3G\ndma max-maps 7\ndma ranges 0x1000-0x1fff\n"
                                 "dma ranges 0-18446744073709551615\n}\n"
                                 "route b {\nlisten /m\nbackend /c\ndma pass\n}\n"
                                 "route c {\nlisten /n\nbackend /d\n}\n");
    const struct dma_settings *dma = &x.c.routes[0].dma;

    ck_assert_uint_eq(dma->withhold, 1);
    ck_assert_uint_eq(dma->max_bytes, UINT64_C(3) << 30);
    ck_assert_uint_eq(dma->max_maps, 7);
    ck_assert_uint_eq(dma->n_ranges, 2);
    ck_assert(dma->ranges[0].first == 0x1000 && dma->ranges[0].last == 0x1fff);
    ck_assert(dma->ranges[1].first == 0 && dma->ranges[1].last == UINT64_MAX);
    ck_assert(session_settings_check_dma(dma));
    ck_assert(!session_settings_check_dma(&x.c.routes[1].dma));
    ck_assert(!session_settings_check_dma(&x.c.routes[2].dma));
    let_go(&x);
}
END_TEST

START_TEST(a_route_has_the_handshake_of_all_wherever_that_stands)
{
    struct parsed x = parse_good("route a {\nlisten /a\nbackend /x\n}\n"
                                 "route b {\nlisten /b\nbackend /x\nhandshake-timeout 1ms\n}\n"
                                 "handshake-timeout 3s\n");

    ck_assert_uint_eq(x.c.routes[0].handshake_ms, 3000);
    ck_assert_uint_eq(x.c.routes[1].handshake_ms, 1);
    let_go(&x);
}
END_TEST

START_TEST(routes_keep_their_order)
{
    struct parsed x = parse_good("route b {\nlisten /b\nbackend /x\n}\n"
                                 "route a {\nlisten /a\nbackend /x\n}\n"
                                 "route c.d_E-9 {\nlisten /c\nbackend /a\n}\n");

    ck_assert_uint_eq(x.c.n_routes, 3);
    ck_assert_str_eq(x.c.routes[0].name, "b");
    ck_assert_str_eq(x.c.routes[1].name, "a");
    ck_assert_str_eq(x.c.routes[2].name, "c.d_E-9");
    let_go(&x);
}
END_TEST

START_TEST(strings_and_spaces)
{
    struct parsed x = parse_good("\t route\t\"a\"  { # {\n"
                                 "listen \"/run/a b\\\"c\\\\d#{};\xc3\xa9\" # a comment {\n"
                                 "  backend \"/b\"\t\n"
                                 "  }#"); /* no newline at the end */

    ck_assert_str_eq(x.c.routes[0].name, "a");
    ck_assert_str_eq(x.c.routes[0].listen, "/run/a b\"c\\d#{};\xc3\xa9");
    let_go(&x);
}
END_TEST

/* A preset's statements stand where it is named, by the lines of their own file. */
START_TEST(a_preset_s_statements_are_the_route_s)
{
    struct parsed x = parse_good(
        "route a {\nlisten /l\nbackend /b\nlicence of client osi-approved\npreset osi-open-source\n"
        "licence of backend compatible with GPL-3.0-or-later\npermissive until 2030-01-01\n}\n"
        "route b {\npreset audit-only\nlisten /m\nbackend /b\n}\n"
        "route c {\nlisten /n\nbackend /b\n}\n");
    const struct config_route *r = &x.c.routes[0];
    char place[CONFIG_WHERE_SIZE];

    ck_assert_uint_eq(r->n_licence, 4);
    ck_assert_uint_eq(r->licence[0].at.line, 4);
    ck_assert_str_eq(config_where_preset_of(r->licence[1].at.line), "osi-open-source");
    ck_assert_uint_eq(r->licence[1].party, SIDE_BACKEND);
    ck_assert_uint_eq(r->licence[1].grade, EVIDENCE_PACKAGED - EVIDENCE_DECLARED);
    ck_assert_uint_eq(r->licence[2].party, SIDE_CLIENT);
    ck_assert_uint_eq(r->licence[3].at.line, 6);
    ck_assert_ptr_null(config_where_preset_of(r->licence[3].at.line));
    ck_assert_uint_eq(r->otherwise, CONFIG_OTHERWISE_DENY);
    ck_assert_str_eq(config_where_preset_of(r->otherwise_at.line), "osi-open-source");
    ck_assert_uint_eq(r->permissive_at.line, 7);
    ck_assert_str_eq(config_where(&x.c, r->permissive_at.line, place), "line 7");
    ck_assert_uint_eq(x.c.routes[1].otherwise, CONFIG_OTHERWISE_TAINT);
    ck_assert_uint_eq(x.c.routes[1].n_licence, 1);
    ck_assert_uint_eq(x.c.routes[2].n_licence, 0);
    ck_assert_uint_eq(x.c.routes[2].preset, PRESET_NONE);
    let_go(&x);
}
END_TEST

/* The line that is told of is the statement's in the file that people can read. */
START_TEST(a_preset_s_lines_are_its_file_s)
{
    struct parsed x = parse_good(IN_ROUTE("preset gpl-only"));
    const unsigned line = x.c.routes[0].licence[0].at.line;
    FILE *f = fopen(SOURCE_DIR "/contrib/presets/gpl-only.conf", "r");
    char text[256];
    char place[CONFIG_WHERE_SIZE];
    char expected[CONFIG_WHERE_SIZE];

    ck_assert_ptr_nonnull(f);
    for (unsigned i = 0; i < config_where_line(line); i++) {
        ck_assert_ptr_nonnull(fgets(text, sizeof text, f));
    }
    fclose(f);
    ck_assert_ptr_nonnull(strstr(text, " licence of backend compatible with GPL-2.0-only "));
    snprintf(expected, sizeof expected, "preset gpl-only, line %u", config_where_line(line));
    ck_assert_str_eq(config_where(&x.c, line, place), expected);
    let_go(&x);
}
END_TEST

/* ---- limits ---- */

/* The text with n letters in place of its "%s". */
static char *filled(const char *format, size_t n)
{
    char *letters = malloc(n + 1);
    char *out = NULL;

    ck_assert_ptr_nonnull(letters);
    memset(letters, 'x', n);
    letters[n] = '\0';
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    ck_assert_int_ge(asprintf(&out, format, letters), 0);
#pragma GCC diagnostic pop
    free(letters);
    return out;
}

static void at_limit_and_past(const char *format, size_t limit, struct config_place at,
                              const char *error)
{
    for (size_t n = limit; n <= limit + 1; n++) {
        char *text = filled(format, n);
        struct parsed x = parse(text);

        ck_assert_int_eq(x.r, n == limit ? 0 : -EINVAL);
        if (n > limit) {
            ck_assert_uint_eq(x.e.total, 1);
            ck_assert_uint_eq(x.e.error[0].at.line, at.line);
            ck_assert_uint_eq(x.e.error[0].at.column, at.column);
            ck_assert_ptr_nonnull(strstr(x.e.error[0].text, error));
        }
        free(text);
        let_go(&x);
    }
}

START_TEST(lengths)
{
    at_limit_and_past("route %s {\nlisten /l\nbackend /b\n}\n", LIMIT_NAME,
                      (struct config_place){1, 7}, "the name is too long: 65 bytes");
    at_limit_and_past("route a {\nlisten /%s\nbackend /b\n}\n", 106, (struct config_place){2, 8},
                      "too long for a socket: 108 bytes");
    at_limit_and_past("route a {\nlisten /l\nbackend \"/%s\"\n}\n", 106,
                      (struct config_place){3, 9}, "too long for a socket: 108 bytes");
    at_limit_and_past(ROUTE "user %s\n", LIMIT_NAME, (struct config_place){5, 6},
                      "not a user or group");
    at_limit_and_past(ROUTE "#%s", LIMIT_CONFIG_LINE - 1,
                      (struct config_place){5, LIMIT_CONFIG_LINE + 1}, "the line is too long");
    at_limit_and_past("#%s\n" ROUTE, LIMIT_CONFIG_LINE - 1,
                      (struct config_place){1, LIMIT_CONFIG_LINE + 1}, "the line is too long");
}
END_TEST

static const struct {
    const char *good;
    const char *bad;
} bounds[] = {
    {ROUTE "workers 1\n", ROUTE "workers 0\n"},
    {ROUTE "workers 64\n", ROUTE "workers 65\n"},
    {ROUTE "max-sessions 1\n", ROUTE "max-sessions 0\n"},
    {ROUTE "max-sessions 65536\n", ROUTE "max-sessions 65537\n"},
    {"max-sessions 65536\n" IN_ROUTE("sessions 65536"),
     "max-sessions 65536\n" IN_ROUTE("sessions 65537")},
    {"max-sessions 7\n" IN_ROUTE("sessions 7"), "max-sessions 7\n" IN_ROUTE("sessions 8")},
    {IN_ROUTE("sessions 1"), IN_ROUTE("sessions 0")},
    {ROUTE "handshake-timeout 1ms\n", ROUTE "handshake-timeout 0\n"},
    {ROUTE "handshake-timeout 10m\n", ROUTE "handshake-timeout 600001ms\n"},
    {ROUTE "orphan-timeout 1s\n", ROUTE "orphan-timeout 999ms\n"},
    {ROUTE "orphan-timeout 60m\n", ROUTE "orphan-timeout 3600001ms\n"},
    {ROUTE "orphan-timeout 30s\n", ROUTE "orphan-timeout never\n"},
    {IN_ROUTE("handshake-timeout 1ms"), IN_ROUTE("handshake-timeout 0ms")},
    {IN_ROUTE("handshake-timeout 600000ms"), IN_ROUTE("handshake-timeout 11m")},
    {IN_ROUTE("wait-backend 4s"), IN_ROUTE("wait-backend 4001ms")},
    {IN_ROUTE("wait-backend 10m\nhandshake-timeout 10m"),
     IN_ROUTE("wait-backend 600001ms\nhandshake-timeout 10m")},
    {IN_ROUTE("wait-backend 0"), IN_ROUTE("wait-backend 00000000000000000000000000")},
    {IN_ROUTE("drain-timeout 0"), IN_ROUTE("drain-timeout -1s")},
    {IN_ROUTE("stall-timeout 1ms"), IN_ROUTE("stall-timeout 0")},
    {IN_ROUTE("busy-poll 0"), IN_ROUTE("busy-poll 0s")},
    {IN_ROUTE("busy-poll 1us"), IN_ROUTE("busy-poll 1")},
    {IN_ROUTE("busy-poll 1ms"), IN_ROUTE("busy-poll 2ms")},
    {IN_ROUTE("busy-poll 1000us"), IN_ROUTE("busy-poll 1001us")},
    {IN_ROUTE("stall-timeout 60m"), IN_ROUTE("stall-timeout 3600001ms")},
    {IN_ROUTE("answer-after 1ms"), IN_ROUTE("answer-after 0")},
    {IN_ROUTE("answer-after 60m"), IN_ROUTE("answer-after 3600001ms")},
    {IN_ROUTE("on backend loss end"), IN_ROUTE("on backend")},
    {IN_ROUTE("on backend loss hold 1ms"), IN_ROUTE("on backend loss hold 0")},
    {IN_ROUTE("on backend loss hold 86400000ms"), IN_ROUTE("on backend loss hold 86400001ms")},
    {IN_ROUTE("on backend loss hold 30s"), IN_ROUTE("on backend loss hold 30s loss end")},
    {IN_ROUTE("on backend loss end"), IN_ROUTE("on client loss end")},
    {IN_ROUTE("mappable pass"), IN_ROUTE("mappable")},
    {IN_ROUTE("on backend loss hold 30s\nmappable strip"),
     IN_ROUTE("on backend loss hold 30s\nmappable pass")},
    {IN_ROUTE("assist nvme"), IN_ROUTE("assist ahci")},
    {IN_ROUTE("assist none"), IN_ROUTE("assist")},
    {IN_ROUTE("mappable adopt /m"), IN_ROUTE("mappable adopt m")},
    {IN_ROUTE("sessions 1\nmappable adopt /m"), IN_ROUTE("sessions 2\nmappable adopt /m")},
    {IN_ROUTE("on backend loss hold 1s\nmappable adopt /m"),
     IN_ROUTE("mappable strip\nmappable adopt /m")},
    {IN_ROUTE("answer-after never"), IN_ROUTE("answer-after Never")},
    {IN_ROUTE("drain-timeout 1m"), IN_ROUTE("drain-timeout 60001ms")},
    {IN_ROUTE("dma max-bytes 1"), IN_ROUTE("dma max-bytes 0")},
    {IN_ROUTE("dma max-bytes 8388608T"), IN_ROUTE("dma max-bytes 8388609T")},
    {IN_ROUTE("dma max-bytes 9223372036854775808"), IN_ROUTE("dma max-bytes 9223372036854775809")},
    {IN_ROUTE("dma max-maps 1"), IN_ROUTE("dma max-maps 0")},
    {IN_ROUTE("dma max-maps 65536"), IN_ROUTE("dma max-maps 65537")},
    {IN_ROUTE("dma ranges 5-5"), IN_ROUTE("dma ranges 5-4")},
    {IN_ROUTE("dma ranges 0x0-0xffffffffffffffff"), IN_ROUTE("dma ranges 0-18446744073709551616")},
    {"route a {\nlisten /l mode 0777\nbackend /b\n}\n",
     "route a {\nlisten /l mode 1000\nbackend /b\n}\n"},
};

START_TEST(numbers)
{
    struct parsed good = parse_good(bounds[_i].good);
    struct parsed bad = parse(bounds[_i].bad);

    ck_assert_int_eq(bad.r, -EINVAL);
    ck_assert_uint_eq(bad.e.total, 1);
    let_go(&good);
    let_go(&bad);
}
END_TEST

START_TEST(file_size)
{
    const size_t n = LIMIT_CONFIG_FILE;
    char *text = malloc(n + 1);
    struct parsed x;

    ck_assert_ptr_nonnull(text);
    memset(text, '\n', n + 1);
    for (size_t i = 0; i < strlen(ROUTE); i++) {
        text[i] = ROUTE[i];
    }
    x = parse_bytes(text, n);
    ck_assert_int_eq(x.r, 0);
    let_go(&x);
    x = parse_bytes(text, n + 1);
    ck_assert_int_eq(x.r, -EINVAL);
    ck_assert_str_eq(x.e.error[0].text, "the file is too large");
    let_go(&x);
    free(text);
}
END_TEST

START_TEST(depth)
{
    char text[256] = ROUTE;

    for (unsigned i = 1; i <= LIMIT_CONFIG_DEPTH + 1; i++) {
        char more[sizeof text];
        struct parsed x;

        strcat(text, "x {\n");
        strcpy(more, text);
        for (unsigned k = 0; k < i; k++) {
            strcat(more, "}\n");
        }
        x = parse(more);
        /* The first is unknown; those in it are skipped. */
        ck_assert_uint_eq(x.e.total, i <= LIMIT_CONFIG_DEPTH ? 1 : 2);
        if (i > LIMIT_CONFIG_DEPTH) {
            ck_assert_uint_eq(x.e.error[1].at.line, 4 + i);
            ck_assert_str_eq(x.e.error[1].text, "more than 8 nested blocks");
        }
        let_go(&x);
    }
}
END_TEST

START_TEST(routes)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    struct parsed x;

    ck_assert_ptr_nonnull(f);
    for (unsigned i = 0; i < LIMIT_ROUTES; i++) {
        fprintf(f, "route r%u {\nlisten /l%u\nbackend /b\n}\n", i, i);
    }
    ck_assert_int_eq(fflush(f), 0);
    x = parse_bytes(text, n);
    ck_assert_int_eq(x.r, 0);
    ck_assert_uint_eq(x.c.n_routes, LIMIT_ROUTES);
    let_go(&x);
    fputs("route more {\nlisten /l\nbackend /b\n}\n", f);
    fclose(f);
    x = parse_bytes(text, n);
    ck_assert_int_eq(x.r, -EINVAL);
    ck_assert_uint_eq(x.e.total, 1);
    ck_assert_str_eq(x.e.error[0].text, "more than 4096 routes");
    ck_assert_uint_eq(x.e.error[0].at.line, LIMIT_ROUTES * 4 + 1);
    let_go(&x);
    free(text);
}
END_TEST

START_TEST(the_longest_statement)
{
    char text[LIMIT_CONFIG_LINE + 1];
    struct parsed x;

    for (size_t i = 0; i < LIMIT_CONFIG_LINE; i++) {
        text[i] = i % 2 ? ' ' : 'x';
    }
    text[LIMIT_CONFIG_LINE] = '\0';
    x = parse(text);
    ck_assert_uint_eq(x.e.total, 1);
    ck_assert_str_eq(x.e.error[0].text, "unknown word \"x\"");
    let_go(&x);
}
END_TEST

/* ---- the manual ---- */

/* Lines of the page that begin with prefix and go on with a space, a newline or nothing. */
static unsigned lines_with(const char *page, const char *prefix)
{
    unsigned n = 0;

    for (const char *at = page; (at = strstr(at, prefix)); at += strlen(prefix)) {
        n += (at == page || at[-1] == '\n') && strchr(" \n", at[strlen(prefix)]) ? 1 : 0;
    }
    return n;
}

static unsigned rows_of(const char *word)
{
    unsigned n = 0;

    for (size_t i = 0; i < config_word_count(); i++) {
        n += strcmp(config_word_at(i)->word, word) == 0 ? 1 : 0;
    }
    return n;
}

START_TEST(every_statement_stands_in_the_manual)
{
    static char page[1 << 17];
    FILE *f = fopen(SOURCE_DIR "/docs/man/poemd.conf.5", "r");
    char line[128];

    ck_assert_ptr_nonnull(f);
    page[fread(page, 1, sizeof page - 1, f)] = '\0';
    fclose(f);
    for (size_t i = 0; i < config_word_count(); i++) {
        const struct config_word *row = config_word_at(i);

        snprintf(line, sizeof line, ".It Ic %s", row->word);
        unsigned n = lines_with(page, line);
        snprintf(line, sizeof line, ".It Xo\n.Ic %s", row->word);
        n += lines_with(page, line);
        ck_assert_msg(n >= rows_of(row->word), "poemd.conf(5) lacks \"%s\"", row->word);
        for (size_t k = 0; k < CONFIG_ARGS && row->args[k].name; k++) {
            if (row->args[k].keyword) {
                snprintf(line, sizeof line, ".Op Cm %s", row->args[k].keyword);
                ck_assert_msg(lines_with(page, line) > 0, "poemd.conf(5) lacks \"%s\"", line);
            }
        }
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("config");
    TCase *tc = unit_case(s, "good");

    tcase_add_test(tc, everything_said);
    tcase_add_test(tc, defaults);
    tcase_add_test(tc, words_of_dma);
    tcase_add_test(tc, a_route_has_the_handshake_of_all_wherever_that_stands);
    tcase_add_test(tc, routes_keep_their_order);
    tcase_add_test(tc, strings_and_spaces);
    tcase_add_test(tc, a_preset_s_statements_are_the_route_s);
    tcase_add_test(tc, a_preset_s_lines_are_its_file_s);
    tc = unit_case(s, "limits");
    tcase_add_test(tc, lengths);
    tcase_add_loop_test(tc, numbers, 0, COUNT(bounds));
    tcase_add_test(tc, file_size);
    tcase_add_test(tc, depth);
    tcase_add_test(tc, routes);
    tcase_add_test(tc, the_longest_statement);
    tc = unit_case(s, "manual");
    tcase_add_test(tc, every_statement_stands_in_the_manual);
    return unit_run(s);
}
