/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The command line of poemd: what it becomes, what it answers and with which status, and that the
 * manual and the example agree with it.
 */
#define _GNU_SOURCE
#include "proxy/config/options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proxy/config/config_words.h"
#include "tests/support/unit.h"

#define WORDS 16

/* One reading of a command line, and what it printed. */
struct run {
    struct options o;
    enum options_outcome outcome;
    char *out;
    char *err;
};

/* Reads "poemd" and the words after it, up to a NULL. */
static struct run run(const char *word, ...)
{
    char *argv[WORDS + 2] = {(char[]){"poemd"}};
    int argc = 1;
    struct run r = {.out = NULL};
    size_t out_n;
    size_t err_n;
    FILE *out = open_memstream(&r.out, &out_n);
    FILE *err = open_memstream(&r.err, &err_n);
    va_list ap;

    ck_assert(out && err);
    va_start(ap, word);
    for (; word; word = va_arg(ap, const char *)) {
        ck_assert_int_le(argc, WORDS);
        argv[argc++] = strdup(word);
    }
    va_end(ap);
    r.outcome = options_read(&r.o, argc, argv, out, err);
    fclose(out);
    fclose(err);
    for (int i = 1; i < argc; i++) {
        free(argv[i]);
    }
    return r;
}

static void done(struct run *r)
{
    options_deinit(&r->o);
    free(r->out);
    free(r->err);
}

/* It must have ended with this status and these texts in what it printed. */
static void must_say(struct run *r, enum options_status status, const char *out, const char *err)
{
    ck_assert_int_eq(r->outcome, OPTIONS_DONE);
    ck_assert_msg(r->o.status == status && strstr(r->out, out) && strstr(r->err, err),
                  "status %d, out: %s, err: %s; not %d, \"%s\", \"%s\"", (int)r->o.status, r->out,
                  r->err, (int)status, out, err);
    ck_assert((*out == '\0') == (r->out[0] == '\0'));
    ck_assert((*err == '\0') == (r->err[0] == '\0'));
    done(r);
}

static const char *file(const char *text)
{
    const char *path = unit_path("poemd.conf");
    FILE *f = fopen(path, "w");

    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    ck_assert_int_eq(fclose(f), 0);
    return path;
}

/* ---- what it becomes ---- */

START_TEST(one_route_with_all_that_goes_with_it)
{
    struct run r = run("--listen", "/run/edu.sock", "--backend=/run/b", "--mode", "0660", "--owner",
                       "12", "--group", "root", "--wait-backend", "3s", NULL);
    const struct config_route *route = &r.o.config.routes[0];

    ck_assert_int_eq(r.outcome, OPTIONS_RUN);
    ck_assert_str_eq(r.err, "");
    ck_assert_uint_eq(r.o.config.n_routes, 1);
    ck_assert_str_eq(route->name, "edu");
    ck_assert_str_eq(route->listen, "/run/edu.sock");
    ck_assert_str_eq(route->backend, "/run/b");
    ck_assert_uint_eq(route->mode, 0660);
    ck_assert_uint_eq(route->owner, 12);
    ck_assert_uint_eq(route->group, 0);
    ck_assert_uint_eq(route->wait_backend_ms, 3000);
    ck_assert_uint_eq(route->answer_ms, 4500);
    ck_assert_uint_ge(r.o.config.workers, 1);
    ck_assert_int_eq(r.o.ready_fd, -1);
    done(&r);
}
END_TEST

START_TEST(relative_paths_begin_in_the_working_folder)
{
    char listen[256];
    char backend[256];
    struct run r;

    ck_assert_int_eq(chdir(unit_folder()), 0);
    snprintf(listen, sizeof listen, "%s/a.sock", unit_folder());
    snprintf(backend, sizeof backend, "%s/x/b", unit_folder());
    r = run("--listen", "././a.sock", "--backend", "x/b", NULL);
    ck_assert_int_eq(r.outcome, OPTIONS_RUN);
    ck_assert_str_eq(r.o.config.routes[0].listen, listen);
    ck_assert_str_eq(r.o.config.routes[0].backend, backend);
    done(&r);
    ck_assert_int_eq(chdir("/"), 0);
    r = run("--listen", "a", "--backend", "/a", NULL);
    must_say(&r, STATUS_USAGE, "", "the socket that the route listens on");
}
END_TEST

START_TEST(a_control_socket_for_either)
{
    const char *path = file("control /run/c mode 0660 group 7\n"
                            "route a {\nlisten /a\nbackend /b\n}\n");
    struct run r = run("--config", path, "--control", "/run/d", NULL);

    ck_assert_int_eq(r.outcome, OPTIONS_RUN);
    ck_assert_str_eq(r.o.config.control.path, "/run/d");
    ck_assert_uint_eq(r.o.config.control.mode, 0660);
    ck_assert_uint_eq(r.o.config.control.group, 7);
    done(&r);
    ck_assert_int_eq(chdir("/"), 0);
    r = run("--listen", "/a", "--backend", "/b", "--control", "./c", NULL);
    ck_assert_int_eq(r.outcome, OPTIONS_RUN);
    ck_assert_str_eq(r.o.config.control.path, "/c");
    ck_assert_uint_eq(r.o.config.control.mode, 0600);
    done(&r);
    r = run("--listen", "/a", "--backend", "/b", "--control", "a", NULL);
    must_say(&r, STATUS_USAGE, "", "the path of a socket of route \"a\"");
    r = run("--config", path, "--control", "/a/", NULL);
    must_say(&r, STATUS_USAGE, "", "names a folder");
}
END_TEST

START_TEST(the_command_line_has_the_last_word)
{
    const char *path = file("workers 3\nuser daemon\nlog-level error\n"
                            "route a {\nlisten /a\nbackend /b\n}\n");
    struct run r = run("--config", path, NULL);

    ck_assert_int_eq(r.outcome, OPTIONS_RUN);
    ck_assert_uint_eq(r.o.config.workers, 3);
    ck_assert_int_eq(r.o.config.log_level, LOG_ERROR);
    done(&r);
    r = run("--config", path, "--workers", "5", "--user", "77", "--log-level", "debug", NULL);
    ck_assert_int_eq(r.outcome, OPTIONS_RUN);
    ck_assert_uint_eq(r.o.config.workers, 5);
    ck_assert_uint_eq(r.o.config.worker.uid, 77);
    ck_assert_int_eq(r.o.config.log_level, LOG_DEBUG);
    done(&r);
}
END_TEST

START_TEST(takes_the_ready_fd)
{
    int pipe_fds[2];
    char number[16];
    struct run r;

    ck_assert_int_eq(pipe(pipe_fds), 0);
    snprintf(number, sizeof number, "%d", pipe_fds[1]);
    r = run("--listen", "/a", "--backend", "/b", "--ready-fd", number, NULL);
    ck_assert_int_eq(r.outcome, OPTIONS_RUN);
    ck_assert_int_eq(r.o.ready_fd, pipe_fds[1]);
    ck_assert_int_eq(fcntl(pipe_fds[1], F_GETFD), FD_CLOEXEC);
    done(&r);
    ck_assert_int_eq(fcntl(pipe_fds[1], F_GETFD), -1);
    close(pipe_fds[0]);
    r = run("--listen", "/a", "--backend", "/b", "--ready-fd", number, NULL);
    must_say(&r, STATUS_USAGE, "", "--ready-fd: ");
}
END_TEST

/* ---- answers ---- */

START_TEST(checks)
{
    char expected[512];
    const char *good = file("route a {\nlisten /a\nbackend /b\n}\n"
                            "route b {\nlisten /c\nbackend /b\n}\n");
    struct run r = run("--check", "--config", good, NULL);

    snprintf(expected, sizeof expected, "%s: ok, 2 routes\n", good);
    ck_assert_str_eq(r.out, expected);
    must_say(&r, STATUS_YES, expected, "");
    r = run("--check", "--listen", "/a", "--backend", "/b", NULL);
    must_say(&r, STATUS_YES, "command line: ok, 1 route\n", "");
}
END_TEST

START_TEST(check_and_start_tell_the_same_errors)
{
    char expected[512];
    const char *bad = file("worker 2\nroute a {\nlisten /a\nbackend b\n}\n");
    struct run r = run("--check", "--config", bad, NULL);

    snprintf(expected, sizeof expected,
             "%s:1:1: error: unknown word \"worker\"\n    hint: did you mean \"workers\"?\n%s:4:9: "
             "error: \"b\" is not an absolute path\n    hint: a path begins with \"/\"\n",
             bad, bad);
    ck_assert_str_eq(r.err, expected);
    must_say(&r, STATUS_NO, "", expected);
    r = run("--config", bad, NULL);
    ck_assert_str_eq(r.err, expected);
    must_say(&r, STATUS_FAILED, "", expected);
}
END_TEST

START_TEST(a_file_that_cannot_be_read)
{
    struct run r = run("--check", "--config", unit_path("none"), NULL);

    must_say(&r, STATUS_FAILED, "", "none: No such file or directory\n");
}
END_TEST

START_TEST(help_and_version)
{
    struct run r = run("--help", NULL);
    char name[64];

    for (size_t i = 0; options_name(i); i++) {
        snprintf(name, sizeof name, "\n  --%s ", options_name(i));
        ck_assert_msg(strstr(r.out, name) != NULL, "--help lacks %s", name);
    }
    must_say(&r, STATUS_YES, "usage: poemd", "");
    r = run("--version", NULL);
    must_say(&r, STATUS_YES, "poemd ", "");
}
END_TEST

/* ---- what is wrong ---- */

static const struct {
    const char *words[6];
    const char *err;
} wrongs[] = {
    {{NULL}, "nothing to serve\n    hint: --listen PATH"},
    {{"--listen", "/a"}, "--listen needs a --backend"},
    {{"--backend", "/a"}, "nothing to serve"},
    {{"--config", "f", "--listen", "/a"}, "exclude each other"},
    {{"--config", "f", "--backend", "/a"}, "--backend goes with --listen"},
    {{"--config", "f", "--mode", "0600"}, "--mode goes with --listen"},
    {{"--config", "f", "--owner", "0"}, "--owner goes with --listen"},
    {{"--config", "f", "--group", "0"}, "--group goes with --listen"},
    {{"--config", "f", "--wait-backend", "0"}, "--wait-backend goes with --listen"},
    {{"--listen", "/a", "--listen", "/a"}, "--listen is given twice"},
    {{"--check", "--check"}, "--check is given twice"},
    {{"--lisen", "/a"}, "unknown option --lisen\n    hint: did you mean --listen?"},
    {{"--check=yes"}, "unknown option --check=yes"},
    {{"--nothing-like-it"}, "unknown option --nothing-like-it\n    hint: poemd --help"},
    {{"--check", "-xy"}, "unknown option -xy"},
    {{"--\x1b[31m"}, "unknown option --\\x1b[31m"},
    {{"--check", "--listen"}, "--listen requires a value"},
    {{"stray"}, "unexpected argument \"stray\""},
    {{"--listen", "/a", "--backend", "/b", "--", "x"}, "unexpected argument \"x\""},
    {{"--workers", "0"}, "--workers: 0 is out of range\n    hint: 1 to 64"},
    {{"--mode", "9"}, "--mode: \"9\" is not the mode"},
    {{"--wait-backend", "5s"}, "--wait-backend: 5s is out of range\n    hint: 0 to 4s"},
    {{"--log-level", "loud"}, "--log-level: \"loud\" is not a log level"},
    {{"--ready-fd", "x"}, "--ready-fd: \"x\" is not a number"},
    {{"--listen", "/a/", "--backend", "/b"}, "\"/a/\" names a folder"},
    {{"--listen", "", "--backend", "/b"}, "\"\" is not an absolute path"},
    {{"--listen", "@foo", "--backend", "/b"},
     "--listen: \"@foo\" is not a path\n    hint: abstract"},
    {{"--listen", "fd:3", "--backend", "/b"},
     "--listen: \"fd:3\" is not a path\n    hint: give a socket"},
    {{"--listen", "unix:x.sock", "--backend", "/b"}, "\"unix:x.sock\" is not a path"},
    {{"--listen", "unix:/x", "--backend", "/b"}, "\"unix:/x\" is not a path"},
    {{"--listen", "a\nb", "--backend", "/b"}, "is not a path\n    hint: a socket's path must not"},
    {{"--listen", "/a", "--backend", "@b"}, "--backend: \"@b\" is not a path"},
    {{"--listen", "/a", "--backend", "vsock:2:1"}, "--backend: \"vsock:2:1\" is not a path"},
    {{"--config", "f", "--control", "unix:c"}, "--control: \"unix:c\" is not a path"},
    {{"--listen", "/a", "--backend", "/a"}, "the socket that the route listens on"},
    {{"--listen", "/a", "--backend", "/b", "--user", "root"}, "workers cannot run as root"},
    {{"--listen", "/a", "--backend", "/b", "--owner", "no-such-user"}, "there is no user"},
    {{"--listen", "/a", "--backend", "/b", "--group", "no-such-group"}, "there is no group"},
};

START_TEST(a_wrong_command_line_is_2)
{
    const char *const *w = wrongs[_i].words;
    struct run r = run(w[0], w[1], w[2], w[3], w[4], w[5], NULL);

    must_say(&r, STATUS_USAGE, "", wrongs[_i].err);
}
END_TEST

/* ---- the manual and the example ---- */

static char *read_source(const char *name)
{
    char path[512];
    char *text = calloc(1, 65536);
    FILE *f;

    snprintf(path, sizeof path, SOURCE_DIR "/%s", name);
    f = fopen(path, "r");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_lt(fread(text, 1, 65535, f), 65535);
    fclose(f);
    return text;
}

/* Each option of the table has its entry, and the page has no other. */
START_TEST(the_manual_has_every_option)
{
    char *page = read_source("docs/man/poemd.8");
    size_t n = 0;
    size_t entries = 0;

    for (; options_name(n); n++) {
        char entry[64];
        const char *at;

        snprintf(entry, sizeof entry, "\n.It Fl Fl %s", options_name(n));
        at = strstr(page, entry);
        ck_assert_msg(at && strchr(" \n", at[strlen(entry)]), "poemd(8) lacks --%s",
                      options_name(n));
    }
    for (const char *at = page; (at = strstr(at, "\n.It Fl Fl ")); at++) {
        entries++;
    }
    ck_assert_uint_eq(entries, n);
    free(page);
}
END_TEST

/* Said or commented out. */
START_TEST(the_example_shows_every_word)
{
    char *text = read_source("contrib/poemd.conf.example");

    for (size_t i = 0; i < config_word_count(); i++) {
        ck_assert_msg(strstr(text, config_word_at(i)->word) != NULL, "the example lacks \"%s\"",
                      config_word_at(i)->word);
    }
    free(text);
}
END_TEST

START_TEST(the_example_is_right)
{
    struct run r = run("--check", "--config", SOURCE_DIR "/contrib/poemd.conf.example", NULL);

    must_say(&r, STATUS_YES, ": ok, 3 routes\n", "");
}
END_TEST

/* With every comment that holds a statement taken off, but for names that a machine may lack. */
START_TEST(the_example_is_right_with_all_that_is_commented_out)
{
    char *text = read_source("contrib/poemd.conf.example");
    const char *path;
    char *line = text;
    FILE *f;
    struct run r;

    path = unit_path("all.conf");
    f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    for (char *next; line; line = next) {
        const char *word = line + strspn(line, " ");

        next = strchr(line, '\n');
        if (next) {
            *next++ = '\0';
        }
        fprintf(f, "%s\n", word[0] == '#' && word[1] != ' ' ? word + 1 : line);
    }
    fclose(f);
    free(text);
    r = run("--check", "--config", path, NULL);
    must_say(&r, STATUS_YES, ": ok, 3 routes\n", "");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("options");
    TCase *tc = unit_case(s, "becomes");

    tcase_add_test(tc, one_route_with_all_that_goes_with_it);
    tcase_add_test(tc, relative_paths_begin_in_the_working_folder);
    tcase_add_test(tc, the_command_line_has_the_last_word);
    tcase_add_test(tc, a_control_socket_for_either);
    tcase_add_test(tc, takes_the_ready_fd);
    tc = unit_case(s, "answers");
    tcase_add_test(tc, checks);
    tcase_add_test(tc, check_and_start_tell_the_same_errors);
    tcase_add_test(tc, a_file_that_cannot_be_read);
    tcase_add_test(tc, help_and_version);
    tcase_add_loop_test(tc, a_wrong_command_line_is_2, 0, (int)(sizeof wrongs / sizeof *wrongs));
    tc = unit_case(s, "manual");
    tcase_add_test(tc, the_manual_has_every_option);
    tcase_add_test(tc, the_example_shows_every_word);
    tcase_add_test(tc, the_example_is_right);
    tcase_add_test(tc, the_example_is_right_with_all_that_is_commented_out);
    return unit_run(s);
}
