/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The log's lines and escapes: nothing foreign may forge a line, drive a terminal or overrun. */
#define _GNU_SOURCE
#include "base/log.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/support/unit.h"

/* ---- escaping ---- */

START_TEST(plain_text_stays)
{
    char out[128];

    ck_assert_str_eq(log_escape(out, sizeof out, "/run/poemd/nvme0.sock ~!'[]", 27),
                     "/run/poemd/nvme0.sock ~!'[]");
    ck_assert_str_eq(log_escape(out, sizeof out, "", 0), "");
}
END_TEST

START_TEST(every_byte_comes_out_as_one_or_four)
{
    for (int b = 0; b < 256; b++) {
        const unsigned char in = (unsigned char)b;
        const bool plain = b >= 0x20 && b < 0x7f && b != '"' && b != '\\';
        char want[8];
        char out[8];

        if (plain) {
            snprintf(want, sizeof want, "%c", b);
        } else {
            snprintf(want, sizeof want, "\\x%02x", (unsigned)b);
        }
        ck_assert_str_eq(log_escape(out, sizeof out, &in, 1), want);
    }
}
END_TEST

START_TEST(what_does_not_fit_ends_in_dots)
{
    char out[64];

    ck_assert_str_eq(log_escape(out, 6, "abcde", 5), "abcde");
    ck_assert_str_eq(log_escape(out, 6, "abcdef", 6), "ab...");
    /* An escape is whole or not there. */
    ck_assert_str_eq(log_escape(out, 5, "\n", 1), "\\x0a");
    ck_assert_str_eq(log_escape(out, 4, "\n", 1), "...");
    ck_assert_str_eq(log_escape(out, 6, "a\nb", 3), "a...");
    ck_assert_str_eq(log_escape(out, 9, "a\nbcdef", 7), "a\\x0a...");
}
END_TEST

START_TEST(never_past_its_room)
{
    unsigned char in[300];

    for (size_t i = 0; i < sizeof in; i++) {
        in[i] = (unsigned char)i;
    }
    for (size_t size = 1; size < 200; size++) {
        char out[256];

        memset(out, '#', sizeof out);
        log_escape(out, size, in, sizeof in);
        ck_assert_uint_lt(strlen(out), size);
        ck_assert_int_eq(out[size], '#');
    }
}
END_TEST

/* ---- lines ---- */

/* Lets standard error go to a memfd while it is told, and returns what was written. */
static int capture_begin(int *saved_fd)
{
    const int fd = memfd_create("log", MFD_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    *saved_fd = dup(STDERR_FILENO);
    ck_assert_int_ge(*saved_fd, 0);
    ck_assert_int_ge(dup2(fd, STDERR_FILENO), 0);
    return fd;
}

static void capture_end(int fd, int saved_fd, char *out, size_t size)
{
    ssize_t n;

    ck_assert_int_ge(dup2(saved_fd, STDERR_FILENO), 0);
    close(saved_fd);
    n = pread(fd, out, size - 1, 0);
    ck_assert_int_ge(n, 0);
    out[n] = '\0';
    close(fd);
}

START_TEST(a_line_names_session_route_and_leg)
{
    const struct log_subject about = {.session = 7, .route = "nvme0", .leg = "backend"};
    char text[4096];
    int saved_fd;
    int fd;

    log_init("poemd", LOG_INFO);
    fd = capture_begin(&saved_fd);
    log_line(LOG_WARNING, &about, "%d bytes", 16);
    log_info("no subject");
    log_debug("not told");
    capture_end(fd, saved_fd, text, sizeof text);
    ck_assert_str_eq(text, "poemd: warning: session=7 route=nvme0 leg=backend: 16 bytes\n"
                           "poemd: info: no subject\n");
}
END_TEST

START_TEST(a_route_cannot_forge_a_line)
{
    const struct log_subject about = {.route =
                                          "a\npoemd: info: session=1 route=b: ended \x1b[2J\"\\"};
    char text[4096];
    int saved_fd;
    int fd;

    log_init("poemd", LOG_INFO);
    fd = capture_begin(&saved_fd);
    log_line(LOG_INFO, &about, "x");
    capture_end(fd, saved_fd, text, sizeof text);
    ck_assert_ptr_eq(strchr(text, '\n'), text + strlen(text) - 1);
    ck_assert_ptr_null(strchr(text, '\x1b'));
    ck_assert_ptr_null(strchr(text, '"'));
    ck_assert_ptr_nonnull(strstr(text, "route=a\\x0apoemd: info"));
}
END_TEST

START_TEST(a_long_line_is_cut_and_still_a_line)
{
    char huge[8000];
    char text[16000];
    int saved_fd;
    int fd;

    memset(huge, 'x', sizeof huge - 1);
    huge[sizeof huge - 1] = '\0';
    log_init("poemd", LOG_INFO);
    fd = capture_begin(&saved_fd);
    log_info("%s", huge);
    log_info("next");
    capture_end(fd, saved_fd, text, sizeof text);
    ck_assert_uint_eq(strlen(text), 2048 + strlen("poemd: info: next\n"));
    ck_assert_int_eq(text[2047], '\n');
    ck_assert_str_eq(text + 2048, "poemd: info: next\n");
}
END_TEST

START_TEST(levels_have_names)
{
    ck_assert_int_eq(log_level_find("error"), LOG_ERROR);
    ck_assert_int_eq(log_level_find("warning"), LOG_WARNING);
    ck_assert_int_eq(log_level_find("info"), LOG_INFO);
    ck_assert_int_eq(log_level_find("debug"), LOG_DEBUG);
    ck_assert_int_eq(log_level_find("Info"), -1);
    ck_assert_int_eq(log_level_find(""), -1);
    log_init("poemd", LOG_DEBUG);
    ck_assert_int_eq(log_level_get(), LOG_DEBUG);
}
END_TEST

/* ---- a standard error that is full ---- */

/* Fills it, so that not one byte more fits. The flags of the open file are as they were. */
static void fill(int fd)
{
    const int flags = fcntl(fd, F_GETFL);
    char bytes[4096];
    size_t n = sizeof bytes;

    memset(bytes, '#', sizeof bytes);
    ck_assert_int_eq(fcntl(fd, F_SETFL, flags | O_NONBLOCK), 0);
    while (n > 0) {
        n = write(fd, bytes, n) < 0 ? n / 2 : n;
    }
    ck_assert_int_eq(fcntl(fd, F_SETFL, flags), 0);
}

/* A pipe, and a socket as a service manager gives it. */
static void open_sink(bool is_socket, int ends[2])
{
    ck_assert_int_eq(is_socket ? socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends)
                               : pipe2(ends, O_CLOEXEC),
                     0);
}

static void drain(int fd)
{
    char bytes[4096];

    ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    while (read(fd, bytes, sizeof bytes) > 0) {
    }
}

/* Nobody reads it: no line waits. When there is room again, it is said how many were lost. */
START_TEST(a_full_one_is_not_waited_for)
{
    const int saved_fd = dup(STDERR_FILENO);
    char text[256];
    ssize_t n;
    int ends[2];

    open_sink(_i, ends);
    ck_assert_int_ge(dup2(ends[1], STDERR_FILENO), 0);
    log_init("poemd", LOG_INFO);
    fill(STDERR_FILENO);
    for (int i = 0; i < 3; i++) {
        log_info("line %d", i);
    }
    log_catch_up();
    drain(ends[0]);
    log_catch_up();
    log_info("again");
    ck_assert_int_ge(dup2(saved_fd, STDERR_FILENO), 0);
    ck_assert_int_eq(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);
    n = read(ends[0], text, sizeof text - 1);
    ck_assert_int_gt(n, 0);
    text[n] = '\0';
    ck_assert_str_eq(text, "poemd: warning: 3 lines were lost\npoemd: info: again\n");
    close(ends[0]);
    close(ends[1]);
    close(saved_fd);
}
END_TEST

/* Opened anew: O_NONBLOCK is of our own open file, and of nobody else's. */
START_TEST(an_own_one)
{
    const int saved_fd = dup(STDERR_FILENO);
    int ours;
    int ends[2];

    open_sink(_i, ends);
    ck_assert_int_ge(dup2(ends[1], STDERR_FILENO), 0);
    log_init("poemd", LOG_INFO);
    log_own();
    ours = fcntl(STDERR_FILENO, F_GETFL) & O_NONBLOCK;
    ck_assert_int_ge(dup2(saved_fd, STDERR_FILENO), 0);
    /* A socket cannot be opened anew, and need not be. */
    ck_assert_int_eq(ours, _i ? 0 : O_NONBLOCK);
    ck_assert_int_eq(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);
    close(ends[0]);
    close(ends[1]);
    close(saved_fd);
}
END_TEST

/* ---- forms ---- */

/* A socket that stands for the journal's; lines are read from the fd that is returned. */
static int journal_of(const char *path)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    snprintf(sun.sun_path, sizeof sun.sun_path, "%s", path);
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&sun, sizeof sun), 0);
    return fd;
}

static void journal_expect(int fd, const char *wanted)
{
    char text[4096];
    const ssize_t n = recv(fd, text, sizeof text - 1, MSG_DONTWAIT);

    ck_assert_int_gt(n, 0);
    text[n] = '\0';
    ck_assert_str_eq(text, wanted);
}

/* Standard error as a service has it: a stream, and its identity in the environment. */
struct service {
    int saved_fd;
    int pair[2];
};

static void service_begin(struct service *v, const char *journal)
{
    char stream[64];
    struct stat st;

    v->saved_fd = dup(STDERR_FILENO);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, v->pair), 0);
    ck_assert_int_eq(fstat(v->pair[0], &st), 0);
    snprintf(stream, sizeof stream, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    ck_assert_int_eq(setenv("JOURNAL_STREAM", stream, 1), 0);
    ck_assert_int_eq(dup2(v->pair[0], STDERR_FILENO), STDERR_FILENO);
    log_init("poemd", LOG_INFO);
    log_to_journal(journal);
}

static void service_end(struct service *v)
{
    ck_assert_int_eq(dup2(v->saved_fd, STDERR_FILENO), STDERR_FILENO);
    log_init("poemd", LOG_INFO);
    ck_assert_int_eq(unsetenv("JOURNAL_STREAM"), 0);
    close(v->saved_fd);
    close(v->pair[0]);
    close(v->pair[1]);
}

START_TEST(the_journal_gets_fields)
{
    const struct log_subject about = {.session = 7,
                                      .route = "a\nb",
                                      .vm = "w",
                                      .leg = "client",
                                      .verdict = "deny",
                                      .taint = "LR",
                                      .message_id = "5c9b1f0de6a44a0f8d8e3a5a3c1c7f21"};
    const char *const path = unit_path("journal");
    const int journal_fd = journal_of(path);
    struct service v;

    service_begin(&v, path);
    log_line_from("f", LOG_WARNING, &about, "denied: %d", 1);
    log_line_from("g", LOG_ERROR, NULL, "text");
    log_line_from("g", LOG_ERROR, NULL, "%s", "two lines\nPOEMD_VERDICT=allow\n");
    /* As each process that inherits it does. */
    log_init("poemd", LOG_INFO);
    log_dress();
    log_line_from("h", LOG_INFO, NULL, "again");
    service_end(&v);
    journal_expect(journal_fd,
                   "PRIORITY=4\nSYSLOG_IDENTIFIER=poemd\nCODE_FUNC=f\n"
                   "POEMD_SESSION=7\nPOEMD_ROUTE=a\\x0ab\nPOEMD_VM=w\nPOEMD_LEG=client\n"
                   "POEMD_VERDICT=deny\nPOEMD_TAINT=LR\n"
                   "MESSAGE_ID=5c9b1f0de6a44a0f8d8e3a5a3c1c7f21\n"
                   "MESSAGE=session=7 route=a\\x0ab vm=\"w\" leg=client: denied: 1\n");
    journal_expect(journal_fd, "PRIORITY=3\nSYSLOG_IDENTIFIER=poemd\nCODE_FUNC=g\nMESSAGE=text\n");
    /* No text adds a field. */
    journal_expect(journal_fd, "PRIORITY=3\nSYSLOG_IDENTIFIER=poemd\nCODE_FUNC=g\n"
                               "MESSAGE=two lines POEMD_VERDICT=allow \n");
    journal_expect(journal_fd, "PRIORITY=6\nSYSLOG_IDENTIFIER=poemd\nCODE_FUNC=h\nMESSAGE=again\n");
    close(journal_fd);
}
END_TEST

/* A process writes in vain meanwhile, as one does that cannot connect: the next beat mends it. */
START_TEST(a_journal_that_begins_anew_gets_the_next_line)
{
    const char *const path = unit_path("journal");
    int journal_fd = journal_of(path);
    char byte;
    struct service v;

    service_begin(&v, path);
    log_keep_journal(path);
    for (int i = 0; i < 2; i++) {
        close(journal_fd);
        ck_assert_int_eq(unlink(path), 0);
        ck_assert_int_lt(send(STDERR_FILENO, "", 1, MSG_NOSIGNAL), 0);
        log_line_from("f", LOG_INFO, NULL, "lost");
        journal_fd = journal_of(path);
        if (i == 0) {
            log_line_from("f", LOG_INFO, NULL, "again");
        } else {
            log_catch_up();
        }
        journal_expect(journal_fd,
                       "PRIORITY=4\nSYSLOG_IDENTIFIER=poemd\nMESSAGE=1 lines were lost\n");
    }
    log_keep_journal(NULL);
    service_end(&v);
    ck_assert_int_lt(recv(journal_fd, &byte, 1, MSG_DONTWAIT), 0);
    close(journal_fd);
}
END_TEST

START_TEST(a_stream_that_is_not_the_journals_stays)
{
    const char *const path = unit_path("journal");
    const int journal_fd = journal_of(path);
    char byte;

    ck_assert_int_eq(setenv("JOURNAL_STREAM", "1:2", 1), 0);
    log_to_journal(path);
    log_debug("not written");
    ck_assert_int_lt(recv(journal_fd, &byte, 1, MSG_DONTWAIT), 0);
    ck_assert_int_eq(unsetenv("JOURNAL_STREAM"), 0);
    close(journal_fd);
}
END_TEST

/* What is written to a new standard error meanwhile, in a daemon's form. */
static void dressed(int fd, int read_fd, char text[256])
{
    const int saved = dup(STDERR_FILENO);
    ssize_t n;

    ck_assert_int_eq(dup2(fd, STDERR_FILENO), STDERR_FILENO);
    log_init("poemd", LOG_INFO);
    log_dress();
    log_line_from("f", LOG_ERROR, &(struct log_subject){.session = 7}, "text");
    ck_assert_int_eq(dup2(saved, STDERR_FILENO), STDERR_FILENO);
    log_init("poemd", LOG_INFO);
    close(saved);
    n = read(read_fd, text, 255);
    ck_assert_int_gt(n, 0);
    text[n] = '\0';
}

START_TEST(a_line_in_a_file_begins_with_the_time)
{
    const char *const path = unit_path("file");
    const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const int read_fd = open(path, O_RDONLY | O_CLOEXEC);
    char text[256];
    int used = 0;

    dressed(fd, read_fd, text);
    ck_assert_int_eq(
        sscanf(text, "%*4d-%*2d-%*2dT%*2d:%*2d:%*2d.%*3dZ poemd: error: session=7: text%n", &used),
        0);
    ck_assert_str_eq(text + used, "\n");
    close(fd);
    close(read_fd);
}
END_TEST

START_TEST(a_terminal_gets_the_time_and_a_colour)
{
    const int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    char name[64];
    char text[256];
    int tty_fd;
    int used = 0;

    ck_assert_int_eq(grantpt(fd), 0);
    ck_assert_int_eq(unlockpt(fd), 0);
    ck_assert_int_eq(ptsname_r(fd, name, sizeof name), 0);
    tty_fd = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    dressed(tty_fd, fd, text);
    ck_assert_int_eq(
        sscanf(text, "%*2d:%*2d:%*2d \x1b[1;31merror\x1b[0m: session=7: text%n", &used), 0);
    ck_assert_str_eq(text + used, "\r\n");
    close(fd);
    close(tty_fd);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("log");
    TCase *tc = unit_case(s, "escape");

    tcase_add_test(tc, plain_text_stays);
    tcase_add_test(tc, every_byte_comes_out_as_one_or_four);
    tcase_add_test(tc, what_does_not_fit_ends_in_dots);
    tcase_add_test(tc, never_past_its_room);
    tc = unit_case(s, "lines");
    tcase_add_test(tc, a_line_names_session_route_and_leg);
    tcase_add_test(tc, a_route_cannot_forge_a_line);
    tcase_add_test(tc, a_long_line_is_cut_and_still_a_line);
    tcase_add_test(tc, levels_have_names);
    tcase_add_loop_test(tc, a_full_one_is_not_waited_for, 0, 2);
    tcase_add_loop_test(tc, an_own_one, 0, 2);
    tc = unit_case(s, "forms");
    tcase_add_test(tc, the_journal_gets_fields);
    tcase_add_test(tc, a_journal_that_begins_anew_gets_the_next_line);
    tcase_add_test(tc, a_stream_that_is_not_the_journals_stays);
    tcase_add_test(tc, a_line_in_a_file_begins_with_the_time);
    tcase_add_test(tc, a_terminal_gets_the_time_and_a_colour);
    return unit_run(s);
}
