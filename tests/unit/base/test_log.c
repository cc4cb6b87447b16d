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
    return unit_run(s);
}
