/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Peers in other namespaces than ours, and a broker in a user namespace that maps only some: the
 * kernel's text in tables, then real processes.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy/peer/peer.h"
#include "policy/peer/peer_proc.h"
#include "tests/support/process.h"
#include "tests/support/unit.h"
#include "tests/unit/policy/peer_rig.h"

static struct peer peer;

START_TEST(a_map_of_all_ids)
{
    static const struct {
        const char *text;
        bool all;
    } rows[] = {
        {"         0          0 4294967295\n", true},
        {"0 0 65534\n65534 65534 4294901761\n", true},
        {"0 0 4294967294\n", false},
        {"0 1000 1\n", false},
        {"0 0 65536\n65536 0 1\n", false},
        {"", false},
        {"0 0\n", false},
        {"0 0 4294967296\n", false},
        {"x", false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_assert_msg(peer_proc_maps_all(rows[i].text, strlen(rows[i].text)) == rows[i].all, "%s",
                      rows[i].text);
    }
}
END_TEST

START_TEST(a_pidfds_namespaces)
{
    static const struct {
        const char *text;
        bool read;
        pid_t pid;
        unsigned levels;
    } rows[] = {
        {"pos:\t0\nflags:\t02\nPid:\t4711\nNSpid:\t4711\n", true, 4711, 1},
        {"Pid:\t4711\nNSpid:\t4711\t1\n", true, 4711, 2},
        {"Pid:\t4711\nNSpid:\t4711\t12\t3\n", true, 4711, 3},
        {"Pid:\t0\nNSpid:\t0\n", true, 0, 1},
        {"Pid:\t-1\nNSpid:\t-1\n", true, -1, 0},
        {"Pid:\t4711\n", true, 4711, 1},
        {"Pid:\t4294967295\n", false, 0, 0},
        {"pos:\t0\nNSpid:\t1\n", false, 0, 0},
        {"", false, 0, 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        pid_t pid = 0;
        unsigned levels = 0;

        ck_assert_msg(peer_proc_pidns(rows[i].text, strlen(rows[i].text), &pid, &levels) ==
                          rows[i].read,
                      "%s", rows[i].text);
        ck_assert(!rows[i].read || (pid == rows[i].pid && levels == rows[i].levels));
    }
}
END_TEST

/* In a user namespace that maps nobody but its maker, and a pid namespace, as any user can. */
static void be_in_a_pid_namespace(void *arg)
{
    int status;
    pid_t pid;

    REQUIRE(unshare(CLONE_NEWUSER | CLONE_NEWPID) == 0);
    pid = fork();
    if (pid == 0) {
        _exit(peer_rig_be(arg));
    }
    REQUIRE(waitpid(pid, &status, 0) == pid);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 5);
}

START_TEST(of_a_peer_in_another_pid_namespace_senders_are_not_known)
{
    const int listen_fd = peer_rig_listen();
    char path[256];
    char why[256];
    pid_t pid;
    int fd;

    snprintf(path, sizeof path, "%s", unit_path("socket"));
    pid = process_fork(be_in_a_pid_namespace, path);
    fd = peer_rig_accept(listen_fd);

    peer_init(&peer, fd);
    ck_assert(!peer_knows(&peer, PEER_PIDNS));
    peer_why(&peer, PEER_PIDNS, why, sizeof why);
    ck_assert_ptr_nonnull(strstr(why, "pid namespace other than ours"));
    /* The rest is the kernel's own word: as known as of any other peer. */
    peer_rig_must_know(&peer, PEER_PID);
    ck_assert(peer.pid_sure);
    peer_rig_must_know(&peer, PEER_UID);
    ck_assert_uint_eq(peer.uid, geteuid());
    peer_rig_must_know(&peer, PEER_EXE_FILE);
    peer_rig_must_execute(&peer, "/proc/self/exe");
    peer_deinit(&peer);
    peer_rig_end(fd, pid);
    close(listen_fd);
}
END_TEST

static void write_map(pid_t pid, const char *file, const char *text)
{
    char path[64];
    int fd;

    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

/* What one process looks at from a user namespace, which the test maps. */
struct looker {
    int socket_fd;
    int ready[2];
    int mapped[2];
    bool all;
};

static void look_from_a_user_namespace(void *arg)
{
    struct looker *l = arg;
    char byte;

    REQUIRE(unshare(CLONE_NEWUSER) == 0);
    REQUIRE(write(l->ready[1], "r", 1) == 1);
    REQUIRE(read(l->mapped[0], &byte, 1) == 1);
    peer_init(&peer, l->socket_fd);
    /* The peer is user 65534, in groups 65534 and 7. */
    REQUIRE(peer_knows(&peer, PEER_UID) == l->all);
    REQUIRE(peer_knows(&peer, PEER_GID) == l->all);
    REQUIRE(peer_knows(&peer, PEER_GROUPS));
    REQUIRE(peer.n_groups == (l->all ? 2u : 1u) && peer.groups[0] == 7);
    REQUIRE(peer.n_groups_unmapped == (l->all ? 0u : 1u));
    REQUIRE(peer_uid_mapped(0) && peer_gid_mapped(7));
    REQUIRE(peer_uid_mapped(NOBODY) == l->all);
    /* It is in the machine's own pid namespace, as we are. */
    REQUIRE(peer_knows(&peer, PEER_PIDNS));
    peer_deinit(&peer);
}

static void be_nobody_of_seven(void *arg)
{
    const gid_t groups[] = {7, NOBODY};

    REQUIRE(setgroups(2, groups) == 0 && setgid(NOBODY) == 0 && setuid(NOBODY) == 0);
    _exit(peer_rig_be(arg));
}

/* Whether the map is of a few, nobody's number among them, or of all. */
START_TEST(who_is_not_mapped_is_not_known)
{
    static const char *const maps[] = {"0 0 1000\n65534 65534 1\n", "0 0 4294967295\n"};
    const int listen_fd = peer_rig_listen();
    struct looker l = {.all = _i == 1};
    char path[256];
    pid_t looking;
    pid_t pid;
    char byte;

    snprintf(path, sizeof path, "%s", unit_path("socket"));
    pid = process_fork(be_nobody_of_seven, path);
    l.socket_fd = peer_rig_accept(listen_fd);

    ck_assert_int_eq(pipe2(l.ready, O_CLOEXEC), 0);
    ck_assert_int_eq(pipe2(l.mapped, O_CLOEXEC), 0);
    looking = process_fork(look_from_a_user_namespace, &l);
    ck_assert_int_eq(read(l.ready[0], &byte, 1), 1);
    write_map(looking, "uid_map", maps[_i]);
    write_map(looking, "gid_map", maps[_i]);
    ck_assert_int_eq(write(l.mapped[1], "m", 1), 1);
    ck_assert_int_eq(process_wait(looking), 0);
    for (int i = 0; i < 2; i++) {
        close(l.ready[i]);
        close(l.mapped[i]);
    }
    peer_rig_end(l.socket_fd, pid);
    close(listen_fd);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("peer_namespace");
    TCase *tc = unit_case(s, "text");

    tcase_add_test(tc, a_map_of_all_ids);
    tcase_add_test(tc, a_pidfds_namespaces);
    tc = unit_case(s, "processes");
    tcase_add_test(tc, of_a_peer_in_another_pid_namespace_senders_are_not_known);
    /* Mapping several users takes root. */
    if (geteuid() == 0) {
        tcase_add_loop_test(tc, who_is_not_mapped_is_not_known, 0, 2);
    }
    return unit_run(s);
}
