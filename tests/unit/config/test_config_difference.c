/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The difference of two configurations: each statement of the language is noticed when it comes,
 * goes or changes, and nothing else is.
 */
#include "proxy/config/config_difference.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/unit.h"
#include "tests/unit/config/parsed.h"

/* A statement, and the same with other values; of a route unless it stands in the file. */
static const struct {
    const char *word;
    bool of_file;
    const char *one;
    const char *other;
} cases[] = {
    {"workers", true, "workers 2", "workers 3"},
    {"user", true, "user 12", "user 13"},
    {"max-sessions", true, "max-sessions 10", "max-sessions 11"},
    {"log-level", true, "log-level debug", "log-level error"},
    {"handshake-timeout", true, "handshake-timeout 1s", "handshake-timeout 2s"},
    {"orphan-timeout", true, "orphan-timeout 10s", "orphan-timeout 20s"},
    {"control", true, "control /c", "control /c mode 0660"},
    {"metrics", true, "metrics 127.0.0.1:1", "metrics 127.0.0.1:2"},
    {"metrics unix", true, "metrics unix /m", "metrics unix /m mode 0660"},
    {"poem", true, "poem /p", "poem /q"},
    {"audit", true, "audit /a key /k", "audit /a key /k rotate 1"},
    {"on-audit-failure", true, "on-audit-failure taint", "on-audit-failure refuse"},
    {"trace-buffer", true, "trace-buffer 9", "trace-buffer 10"},
    {"trust-key", true, "trust-key /k", "trust-key /l"},
    {"envelope", true, "envelope /e", "envelope /e\nenvelope /f"},
    {"revoked", true, "revoked /r", "revoked /s"},
    {"listen", false, "listen /l", "listen /l mode 0660"},
    {"backend", false, "backend /b", "backend /c"},
    {"backend spawn", false, "backend spawn \"/bin/d %fd\"", "backend spawn \"/bin/e %fd\""},
    {"sessions", false, "sessions 2", "sessions 3"},
    {"wait-backend", false, "wait-backend 1s", "wait-backend 2s"},
    {"handshake-timeout", false, "handshake-timeout 3s", "handshake-timeout 2s"},
    {"drain-timeout", false, "drain-timeout 1s", "drain-timeout 2s"},
    {"stall-timeout", false, "stall-timeout 1s", "stall-timeout 2s"},
    {"busy-poll", false, "busy-poll 50us", "busy-poll 0"},
    {"answer-after", false, "answer-after 3s", "answer-after never"},
    {"on", false, "on backend loss hold 1s", "on backend loss hold 2s"},
    {"mappable", false, "mappable strip", "mappable pass"},
    {"assist", false, "assist nvme", "assist none"},
    {"mappable adopt", false, "mappable adopt /m", "mappable adopt /n"},
    {"recite", false, "recite to client never", "recite to client always"},
    {"demand", false, "demand recital from client", "demand recital from backend"},
    /* The statements of a preset differ with it. */
    {"preset", false, "preset gpl-only", "preset osi-open-source"},
    {"allow", false, "allow client user 1", "allow client user 2"},
    {"licence", false, "licence of client osi-approved evidence packaged",
     "licence of client osi-approved evidence signed"},
    {"code", false, "code of client packaged", "code of client signed"},
    {"executable", false, "executable of client measured", "executable of backend measured"},
    {"assign", false, "assign licence MIT to client", "assign licence MIT to backend"},
    {"same-process", false, "same-process taint", "same-process end"},
    {"look", false, "look again every 1m", "look again every 2m"},
    {"otherwise", false, "otherwise taint", "otherwise deny"},
    {"permissive", false, "permissive until 2030-01-01", "permissive until 2030-01-02"},
    {"trace", false, "trace /t", "trace /t payload 5"},
    {"dma", false, "dma withhold", "dma pass"},
    {"dma max-bytes", false, "dma max-bytes 1M", "dma max-bytes 2M"},
    {"dma max-maps", false, "dma max-maps 4", "dma max-maps 5"},
    {"inject", false, "inject allowed", "inject refused"},
    {"inject rule", false, "inject allowed\ninject rule drop", "inject allowed\ninject rule close"},
    {"dma ranges", false, "dma ranges 0-4095", "dma ranges 0-8191"},
};
#define CASES (sizeof cases / sizeof *cases)

/* The differences as "route.word ", with + and - for routes. */
struct heard {
    char text[512];
};

static void on_difference(const struct config_difference *d, void *arg)
{
    struct heard *const h = arg;
    const size_t n = strlen(h->text);
    char word[64] = "";

    if (d->kind == CONFIG_DIFFERENCE_WORD) {
        config_difference_word(d->word, word);
    }
    snprintf(h->text + n, sizeof h->text - n, "%s%s%s%s ",
             d->kind == CONFIG_DIFFERENCE_ADDED  ? "+"
             : d->kind == CONFIG_DIFFERENCE_GONE ? "-"
                                                 : "",
             d->route ? d->route : "", d->route && *word ? "." : "", word);
}

/* With more, the differences wanted are some of them. */
static void expect_differences(const char *before, const char *after, const char *wanted, bool more)
{
    struct parsed one = parse(before);
    struct parsed other = parse(after);
    struct heard h = {""};

    config_differences(&one.c, &other.c, on_difference, &h);
    ck_assert_msg(more ? strstr(h.text, wanted) != NULL : strcmp(h.text, wanted) == 0,
                  "\"%s\", not \"%s\", between\n%s\n%s", h.text, wanted, before, after);
    let_go(&one);
    let_go(&other);
}

static void expect_difference(const char *before, const char *after, const char *wanted)
{
    expect_differences(before, after, wanted, false);
}

/* A file with this statement; NULL: without. */
static const char *file_with(size_t i, const char *statement, char out[512])
{
    const bool of_file = cases[i].of_file;

    snprintf(out, 512, "%s\nroute a {\n%s\n}\n", of_file && statement ? statement : "",
             !of_file && statement ? statement : "");
    return out;
}

START_TEST(each_statement_is_noticed)
{
    const size_t i = (size_t)_i;
    /* These bring others with them. */
    const bool more =
        strcmp(cases[i].word, "preset") == 0 || strcmp(cases[i].word, "inject rule") == 0;
    char wanted[80];
    char a[512];
    char b[512];

    /* A default of all routes is their value, too. */
    snprintf(wanted, sizeof wanted, "%s%s%s ", cases[i].of_file ? "" : "a.", cases[i].word,
             cases[i].of_file && strcmp(cases[i].word, "handshake-timeout") == 0
                 ? " a.handshake-timeout"
                 : "");
    expect_differences(file_with(i, cases[i].one, a), file_with(i, cases[i].other, b), wanted,
                       more);
    expect_differences(file_with(i, cases[i].one, a), file_with(i, NULL, b), wanted, more);
    expect_differences(file_with(i, NULL, a), file_with(i, cases[i].one, b), wanted, more);
    expect_difference(file_with(i, cases[i].one, a), file_with(i, cases[i].one, b), "");
}
END_TEST

START_TEST(every_statement_of_the_language_is_tested)
{
    for (size_t w = 0; w < config_word_count(); w++) {
        const struct config_word *const row = config_word_at(w);
        char word[64];
        size_t found = 0;

        config_difference_word(row, word);
        for (size_t i = 0; i < CASES; i++) {
            found += strcmp(cases[i].word, word) == 0 &&
                     cases[i].of_file == (row->context == CONTEXT_FILE);
        }
        /* What is about the text itself shows in the routes that it makes. */
        ck_assert_msg(found == 1 || row->opens != CONTEXT_NONE || row->special != CONFIG_ORDINARY ||
                          row->context == CONTEXT_DEFAULTS,
                      "\"%s\" has %zu cases", word, found);
    }
}
END_TEST

START_TEST(routes_are_known_by_their_names)
{
    expect_difference("route a {\nlisten /a\n}\nroute b {\n}\n",
                      "# another order\nroute c {\n}\n\n\nroute a {\n  listen /a\n}\n", "+c -b ");
}
END_TEST

int main(void)
{
    Suite *const s = suite_create("config_difference");
    TCase *const tc = tcase_create("all");

    tcase_add_loop_test(tc, each_statement_is_noticed, 0, (int)CASES);
    tcase_add_test(tc, every_statement_of_the_language_is_tested);
    tcase_add_test(tc, routes_are_known_by_their_names);
    suite_add_tcase(s, tc);
    return unit_run(s);
}
