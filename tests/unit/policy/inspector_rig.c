/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The inspector's rig: bad inspectors, which this program becomes by a name of its own, and a loop
 * with a patience.
 */
#define _GNU_SOURCE
#include "tests/unit/policy/inspector_rig.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/confine/confine.h"
#include "base/fdset.h"
#include "base/sock.h"
#include "policy/inspector/inspector_channel.h"
#include "tests/support/patience.h"
#include "tests/support/unit.h"

/* An inspector has no environment: by the name of its program, a copy of this one, it is bad. */
#define BAD "/inspector-that-is-"

/* ---- bad inspectors ---- */

static struct inspector_msg msg;

static void say(uint32_t type)
{
    msg.type = type;
    if (sock_send(INSPECTOR_CHANNEL_FD, &msg, sizeof msg, NULL, 0) != sizeof msg) {
        _exit(5);
    }
}

/* The path of the next question, its file closed. */
static const char *hear(void)
{
    static char path[PEER_PATH_MAX];
    struct fdset fds;
    ssize_t n;

    fdset_init(&fds);
    n = sock_recv(INSPECTOR_CHANNEL_FD, &msg, sizeof msg, &fds, 0);
    fdset_close(&fds);
    if (n != sizeof msg) {
        _exit(0);
    }
    if (msg.type == INSPECTOR_TIDY) {
        return hear();
    }
    memcpy(path, msg.u.question.path, sizeof path);
    memset(&msg.u, 0, sizeof msg.u);
    return path;
}

static bool refused(const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd >= 0) {
        close(fd);
    }
    return fd < 0;
}

/* A taken-over inspector tries what it must not be able to do. Ready only where all failed. */
static int be_shut_in(void)
{
    static struct inspector_start start;
    const bool root = geteuid() == 0;
    pid_t child;

    if (pread(INSPECTOR_START_FD, &start, sizeof start, 0) != sizeof start ||
        inspector_sandbox(&start) < 0) {
        return 6;
    }
    /* The sanitizers keep files for their reports. */
    if (!confine_keeps_eyes() && (!refused("/etc/passwd") || !refused("/proc/self/exe") ||
                                  !refused("/proc/self/fd/0") || !refused("/"))) {
        return 7;
    }
    child = fork();
    if (child >= 0 || setuid(0) == 0 || (root && kill(getppid(), 0) == 0)) {
        return 8;
    }
    memset(&msg, 0, sizeof msg);
    say(INSPECTOR_READY);
    (void)hear();
    return 0;
}

static int be_bad(const char *how)
{
    const struct rlimit little = {1 << 20, 1 << 20};

    if (strcmp(how, "shut-in") == 0) {
        return be_shut_in();
    }
    if (strcmp(how, "no-memory") == 0) {
        (void)setrlimit(RLIMIT_AS, &little);
        return inspector_main();
    }
    if (strcmp(how, "never-ready") == 0) {
        (void)hear();
        return 0;
    }
    say(INSPECTOR_READY);
    if (strcmp(how, "ready-twice") == 0) {
        say(INSPECTOR_READY);
    }
    for (;;) {
        const char *path = hear();

        if (strcmp(how, "hang") == 0) {
            pause();
        } else if (strcmp(how, "poison") == 0 && strstr(path, "poison")) {
            raise(SIGKILL);
        } else if (strcmp(how, "other-job") == 0) {
            msg.job++;
        } else if (strcmp(how, "assigned") == 0) {
            evidence_add(&msg.u.answer.evidence, EVIDENCE_ASSIGNED, EVIDENCE_FROM_OPERATOR, "MIT",
                         "I", "say so");
        } else if (strcmp(how, "outcome") == 0) {
            msg.u.answer.outcome = INSPECTION_OUTCOMES;
        } else if (strcmp(how, "ima") == 0) {
            msg.u.answer.ima = INSPECTION_IMA_LISTED;
        } else if (strcmp(how, "short") == 0) {
            (void)send(INSPECTOR_CHANNEL_FD, &msg, sizeof msg - 1, 0);
        } else if (strcmp(how, "exit-after") == 0) {
            say(INSPECTOR_ANSWER);
            return 0;
        }
        say(INSPECTOR_ANSWER);
    }
}

/* ---- the rig ---- */

struct event_base *base;
struct inspector *inspector;
struct inspector_settings settings;
struct inspection answer;
unsigned answers;
struct peer_exe exe;
struct inspector_asker asker;

static void set_up(void)
{
    base = event_base_new();
    ck_assert_ptr_nonnull(base);
    settings = (struct inspector_settings){.base = base,
                                           .exe_fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC),
                                           .uid = 65534,
                                           .gid = 65534,
                                           .dpkg_dir = "",
                                           .doc_dir = "",
                                           .rpm_dir = "",
                                           .ima_dir = ""};
    ck_assert_int_ge(settings.exe_fd, 0);
    exe.fd = -1;
    asker = (struct inspector_asker){.uid = 1000, .route = 1};
    answers = 0;
}

static void tear_down(void)
{
    inspector_free(inspector);
    inspector = NULL;
    event_base_free(base);
    close(settings.exe_fd);
    sock_close(&exe.fd);
}

/* Has the inspector start from a copy of this program with that name. */
static void inspector_rig_rename(const char *bad)
{
    char path[256];
    struct stat st;
    int fd;

    snprintf(path, sizeof path, "%s%s%s", unit_folder(), BAD, bad);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fstat(settings.exe_fd, &st), 0);
    while (lseek(fd, 0, SEEK_CUR) < st.st_size) {
        ck_assert_int_gt(sendfile(fd, settings.exe_fd, NULL, (size_t)st.st_size), 0);
    }
    ck_assert_int_eq(close(fd), 0);
    close(settings.exe_fd);
    settings.exe_fd = open(path, O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(settings.exe_fd, 0);
}

void start(const char *bad)
{
    if (bad) {
        inspector_rig_rename(bad);
    }
    ck_assert_int_eq(inspector_new(&inspector, &settings), 0);
}

static void on_patience(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    ck_abort_msg("nothing happens");
}

/* Runs the loop until so many answers have come in all. */
void await(unsigned n)
{
    struct timeval tv = {.tv_sec = patience_ms() / 1000};
    struct event *end = evtimer_new(base, on_patience, NULL);

    event_add(end, &tv);
    while (answers < n) {
        ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
    }
    event_free(end);
}

void await_ready(void)
{
    struct timeval tv = {.tv_sec = patience_ms() / 1000};
    struct event *end = evtimer_new(base, on_patience, NULL);

    event_add(end, &tv);
    while (!inspector_ready(inspector)) {
        ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
    }
    event_free(end);
}

void on_done(const struct inspection *r, void *arg)
{
    (void)arg;
    answer = *r;
    answers++;
}

void take_file(const char *path)
{
    sock_close(&exe.fd);
    memset(exe.path, 0, sizeof exe.path);
    snprintf(exe.path, sizeof exe.path, "%s", path);
    exe.fd = open(path, O_RDONLY | O_CLOEXEC);
    ck_assert_msg(exe.fd >= 0, "%s: %s", path, strerror(errno));
    ck_assert_int_eq(peer_file_id_get(exe.fd, &exe.id), 0);
}

enum inspection_outcome inspect(unsigned timeout_ms)
{
    const unsigned before = answers;

    ck_assert_uint_ne(inspector_ask(inspector, &exe, &asker, timeout_ms, on_done, NULL), 0);
    ck_assert_uint_eq(answers, before);
    await(before + 1);
    return answer.outcome;
}

void assert_inspected(const char *path)
{
    take_file(path);
    ck_assert_str_eq(inspection_text(inspect(60000)), inspection_text(INSPECTION_OK));
}

void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "we");

    ck_assert_msg(f && fputs(text, f) >= 0 && fclose(f) == 0, "%s", path);
}

TCase *inspector_case(Suite *s, const char *name)
{
    TCase *tc = unit_case(s, name);

    tcase_add_checked_fixture(tc, set_up, tear_down);
    return tc;
}

void inspector_rig_main(int argc, char **argv)
{
    char path[256] = "";
    const char *how;

    (void)!readlink("/proc/self/exe", path, sizeof path - 1);
    how = strstr(path, BAD);
    how = how ? how + sizeof BAD - 1 : NULL;
    if (argc > 1 && strcmp(argv[1], INSPECTOR_ARG) == 0) {
        exit(how ? be_bad(how) : inspector_main());
    }
}
