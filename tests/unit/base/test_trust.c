/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Who else can change what is found at a path, and sockets whose file somebody swaps: with real
 * folders, links and users.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/sock.h"
#include "base/trust.h"
#include "tests/support/process.h"
#include "tests/support/unit.h"

#define SOMEBODY 12345

static struct trust_fault fault;

static void make_file(const char *path, mode_t mode)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    close(fd);
    ck_assert_int_eq(chmod(path, mode), 0);
}

static void make_folder(const char *path, mode_t mode)
{
    ck_assert_int_eq(mkdir(path, 0700), 0);
    ck_assert_int_eq(chmod(path, mode), 0);
}

/* The test's own folder lies in /tmp, which is sticky. */
START_TEST(what_is_ours_alone)
{
    make_folder(unit_path("d"), 0755);
    make_file(unit_path("d/f"), 0644);
    ck_assert_int_eq(symlink("d/f", unit_path("link")), 0);
    ck_assert_int_eq(trust_look(unit_path("d/f"), &fault), 0);
    ck_assert_int_eq(trust_look(unit_path("d/../d/./f"), &fault), 0);
    ck_assert_int_eq(trust_look(unit_path("link"), &fault), 0);
    ck_assert_int_eq(trust_look("/", &fault), 0);
    ck_assert_int_eq(trust_look(unit_path("none"), &fault), -ENOENT);
    ck_assert_int_eq(trust_look(unit_path("d/f/g"), &fault), -ENOTDIR);
    ck_assert_int_eq(trust_look_folder(unit_path("none"), &fault), 0);
    ck_assert_int_eq(trust_look_folder(unit_path("none/none"), &fault), -ENOENT);
}
END_TEST

START_TEST(relative_paths_begin_here)
{
    ck_assert_int_eq(chdir(unit_folder()), 0);
    make_file("f", 0644);
    make_folder("open", 0777);
    make_file("open/f", 0600);
    ck_assert_int_eq(trust_look("f", &fault), 0);
    ck_assert_int_eq(trust_look("open/f", &fault), 1);
    ck_assert_str_eq(fault.path, unit_path("open"));
    ck_assert_int_eq(trust_look_folder("none", &fault), 0);
    ck_assert_int_eq(chdir("open"), 0);
    ck_assert_int_eq(trust_look_folder("none", &fault), 1);
    ck_assert_int_eq(chdir("/"), 0);
}
END_TEST

static const struct {
    mode_t folder;
    mode_t file;
    int folder_gid; /* -1: ours */
    bool is_fault;
    bool of_file;
    enum trust_why why;
} modes[] = {
    {0755, 0644, -1, false, false, TRUST_OTHER_OWNER},
    {0777, 0600, -1, true, false, TRUST_EVERYBODY},
    {0733, 0600, -1, true, false, TRUST_EVERYBODY},
    {01777, 0600, -1, false, false, TRUST_OTHER_OWNER},
    {0775, 0600, SOMEBODY, true, false, TRUST_GROUP},
    {0775, 0600, 0, false, false, TRUST_OTHER_OWNER},
    {01775, 0600, SOMEBODY, false, false, TRUST_OTHER_OWNER},
    {0755, 0666, -1, true, true, TRUST_EVERYBODY},
    {01777, 0602, -1, true, true, TRUST_EVERYBODY},
    /* Sticky means nothing on a file. */
    {0755, 01666, -1, true, true, TRUST_EVERYBODY},
};

START_TEST(modes_of_folders_and_files)
{
    char text[64];

    make_folder(unit_path("d"), 0700);
    make_file(unit_path("d/f"), modes[_i].file);
    if (modes[_i].folder_gid >= 0 &&
        chown(unit_path("d"), (uid_t)-1, (gid_t)modes[_i].folder_gid)) {
        return; /* it takes root */
    }
    ck_assert_int_eq(chmod(unit_path("d"), modes[_i].folder), 0);
    ck_assert_int_eq(trust_look(unit_path("d/f"), &fault), modes[_i].is_fault);
    if (modes[_i].is_fault) {
        ck_assert_str_eq(fault.path, unit_path(modes[_i].of_file ? "d/f" : "d"));
        ck_assert_int_eq(fault.why, modes[_i].why);
        ck_assert_ptr_nonnull(strstr(trust_text(&fault, text, sizeof text), "can write to it"));
    }
    ck_assert_int_eq(trust_look_folder(unit_path("d/f"), &fault),
                     modes[_i].is_fault && !modes[_i].of_file);
}
END_TEST

/* A folder, a file and a link of another user's, each alone, wherever it stands on the path. */
START_TEST(what_another_user_owns)
{
    static const char *const theirs[] = {"d", "d/f", "link"};
    char text[64];

    make_folder(unit_path("d"), 0755);
    make_file(unit_path("d/f"), 0644);
    ck_assert_int_eq(symlink("d/f", unit_path("link")), 0);
    ck_assert_int_eq(lchown(unit_path(theirs[_i]), SOMEBODY, (gid_t)-1), 0);
    ck_assert_int_eq(trust_look(unit_path("link"), &fault), 1);
    ck_assert_str_eq(fault.path, unit_path(theirs[_i]));
    ck_assert_int_eq(fault.why, TRUST_OTHER_OWNER);
    ck_assert_uint_eq(fault.uid, SOMEBODY);
    ck_assert_str_eq(trust_text(&fault, text, sizeof text), "user 12345 owns it");
    ck_assert(trust_is_other(SOMEBODY));
    ck_assert(!trust_is_other(0) && !trust_is_other(geteuid()));
}
END_TEST

START_TEST(links_without_end)
{
    char name[32];
    char target[32] = ".";

    ck_assert_int_eq(symlink("loop", unit_path("loop")), 0);
    ck_assert_int_eq(trust_look(unit_path("loop"), &fault), -ELOOP);
    /* As many as the kernel follows, and one more. */
    for (int i = 1; i <= 41; i++) {
        snprintf(name, sizeof name, "l%d", i);
        ck_assert_int_eq(symlink(target, unit_path(name)), 0);
        snprintf(target, sizeof target, "%s", name);
    }
    ck_assert_int_eq(trust_look(unit_path("l40"), &fault), 0);
    ck_assert_int_eq(trust_look(unit_path("l41"), &fault), -ELOOP);
}
END_TEST

/* ---- the file of a socket ---- */

static int bind_here(const char *path)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(fd, 0);
    snprintf(sun.sun_path, sizeof sun.sun_path, "%s", path);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&sun, sizeof sun), 0);
    return fd;
}

static void must_be(const char *path, mode_t mode, uid_t uid)
{
    struct stat st;

    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, mode);
    ck_assert_uint_eq(st.st_uid, uid);
}

/* Before it is settled, a link to a file or another socket stands in the socket's place. */
START_TEST(a_socket_that_is_swapped)
{
    const int fd = bind_here(unit_path("s"));
    struct stat st;
    int other = -1;

    ck_assert_int_eq(rename(unit_path("s"), unit_path("moved")), 0);
    if (_i) {
        other = bind_here(unit_path("victim"));
        ck_assert_int_eq(link(unit_path("victim"), unit_path("s")), 0);
        ck_assert_int_eq(chmod(unit_path("victim"), 0600), 0);
    } else {
        make_file(unit_path("victim"), 0600);
        ck_assert_int_eq(symlink("victim", unit_path("s")), 0);
    }
    ck_assert_int_eq(sock_file_settle(fd, unit_path("s"), 0666, SOMEBODY, (gid_t)-1), 0);
    must_be(unit_path("victim"), 0600, 0);
    must_be(unit_path("moved"), 0666, SOMEBODY);
    ck_assert_int_eq(sock_file_stat(fd, unit_path("s"), &st), 0);
    ck_assert_uint_eq(st.st_uid, SOMEBODY);
    close(fd);
    if (other >= 0) {
        close(other);
    }
}
END_TEST

/* Without CAP_NET_ADMIN the path is all there is: only where nobody else can change it. */
static void settle_as_somebody(void *arg)
{
    const char *folder = arg;
    char path[256];
    struct stat st;
    int fd;

    if (setgroups(0, NULL) || setgid(SOMEBODY) || setuid(SOMEBODY)) {
        _exit(2);
    }
    snprintf(path, sizeof path, "%s/ours/s", folder);
    fd = sock_listen(path, 0640, SOMEBODY, SOMEBODY, 1);
    if (fd < 0 || sock_file_stat(fd, path, &st) < 0 || !S_ISSOCK(st.st_mode) ||
        (st.st_mode & 0777) != 0640) {
        _exit(3);
    }
    snprintf(path, sizeof path, "%s/open/s", folder);
    if (sock_listen(path, 0640, SOMEBODY, SOMEBODY, 1) != -EPERM || access(path, F_OK) == 0) {
        _exit(4);
    }
    /* The mode alone needs nothing but the socket's birth. */
    fd = sock_listen(path, 0640, (uid_t)-1, (gid_t)-1, 1);
    if (fd < 0 || lstat(path, &st) < 0 || (st.st_mode & 0777) != 0640) {
        _exit(5);
    }
}

START_TEST(without_rights_the_folder_decides)
{
    char folder[256];

    snprintf(folder, sizeof folder, "%s", unit_folder());
    ck_assert_int_eq(chmod(unit_path(".."), 0711), 0);
    ck_assert_int_eq(chmod(folder, 0711), 0);
    make_folder(unit_path("ours"), 0755);
    ck_assert_int_eq(chown(unit_path("ours"), SOMEBODY, SOMEBODY), 0);
    make_folder(unit_path("open"), 0777);
    ck_assert_int_eq(process_wait(process_fork(settle_as_somebody, folder)), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("trust");
    TCase *tc = unit_case(s, "paths");

    tcase_add_test(tc, what_is_ours_alone);
    tcase_add_test(tc, relative_paths_begin_here);
    tcase_add_loop_test(tc, modes_of_folders_and_files, 0, (int)(sizeof modes / sizeof *modes));
    tcase_add_test(tc, links_without_end);
    /* Files of several users take root. */
    if (geteuid() == 0) {
        tcase_add_loop_test(tc, what_another_user_owns, 0, 3);
        tc = unit_case(s, "sockets");
        tcase_add_loop_test(tc, a_socket_that_is_swapped, 0, 2);
        tcase_add_test(tc, without_rights_the_folder_decides);
    }
    return unit_run(s);
}
