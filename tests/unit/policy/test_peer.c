/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Facts about peers: the kernel's text in tables, then real processes: of two users, replaced and
 * deleted ones, dead ones, one in another mount namespace, one without rights that looks.
 *
 * This program is its own peer: run as "--peer SOCKET" it connects, says "here", and waits to be
 * hung up on.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sock.h"
#include "policy/peer/peer.h"
#include "policy/peer/peer_proc.h"
#include "policy/peer/peer_vm.h"
#include "tests/support/process.h"
#include "tests/support/unit.h"
#include "tests/unit/policy/peer_rig.h"

static struct peer peer;

/* ---- the kernel's text ---- */

START_TEST(a_process_cannot_name_its_start)
{
    const char *good = "12 (a) S 1 2 3 4 5 6 7) R 1 1 1 0 -1 4194560 1 0 0 0 1 2 3 4 20 0 1 0 "
                       "4711 1000 200 0";
    uint64_t ticks = 0;

    ck_assert(peer_proc_start(good, strlen(good), &ticks));
    ck_assert_uint_eq(ticks, 4711);
    ck_assert(!peer_proc_start("12 (a) R 1 2 3", 14, &ticks));
    ck_assert(!peer_proc_start("12 a R", 6, &ticks));
    ck_assert(!peer_proc_start("", 0, &ticks));
}
END_TEST

START_TEST(ids_are_the_effective_ones)
{
    const char *text = "Name:\tx\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nGroups:\t10 20 30 \nX:\t1\n";
    char many[4096] = "Uid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nGroups:\t";

    ck_assert_int_eq(peer_proc_ids(text, strlen(text), &peer), 0);
    ck_assert_uint_eq(peer.uid, 2);
    ck_assert_uint_eq(peer.gid, 6);
    ck_assert_uint_eq(peer.n_groups, 3);
    ck_assert_uint_eq(peer.groups[2], 30);
    for (unsigned i = 0; i < PEER_GROUPS_MAX; i++) {
        strcat(many, "7 ");
    }
    ck_assert_int_eq(peer_proc_ids(many, strlen(many), &peer), 0);
    ck_assert_uint_eq(peer.n_groups, PEER_GROUPS_MAX);
    strcat(many, "7 ");
    ck_assert_int_eq(peer_proc_ids(many, strlen(many), &peer), -ERANGE);
    ck_assert_int_eq(peer_proc_ids("Uid:\t1\n", 7, &peer), -EPROTO);
}
END_TEST

static const struct {
    const char *text;
    const char *cgroup; /* NULL: unknown */
    const char *unit;   /* NULL: none */
} cgroups[] = {
    {"0::/system.slice/nvme0.service\n", "/system.slice/nvme0.service", "nvme0.service"},
    {"0::/system.slice/system-a.slice/a@1.service/inner\n",
     "/system.slice/system-a.slice/a@1.service/inner", "a@1.service"},
    /* what a user makes in a unit of its own is not the unit */
    {"0::/user.slice/user-1000.slice/user@1000.service/app.slice/nvme0.service\n",
     "/user.slice/user-1000.slice/user@1000.service/app.slice/nvme0.service", "user@1000.service"},
    {"0::/user.slice/user-1000.slice/session-3.scope\n",
     "/user.slice/user-1000.slice/session-3.scope", "session-3.scope"},
    {"0::/machine/nvme0.service\n", "/machine/nvme0.service", NULL},
    {"12:pids:/x\n1:name=systemd:/system.slice/a.service\n0::/\n", "/system.slice/a.service",
     "a.service"},
    {"12:name=other:/system.slice/a.service\n0::/\n", "/", NULL},
    {"0::/init.scope\n", "/init.scope", "init.scope"},
    {"0::/.service\n", "/.service", NULL},
    {"0::\n", NULL, NULL},
    {"", NULL, NULL},
};

START_TEST(a_unit_is_the_first_that_is_no_slice)
{
    char cgroup[PEER_CGROUP_MAX];
    char unit[PEER_UNIT_MAX];
    const bool known = peer_proc_cgroup(cgroups[_i].text, strlen(cgroups[_i].text), cgroup);

    ck_assert_int_eq(known, cgroups[_i].cgroup != NULL);
    if (known) {
        ck_assert_str_eq(cgroup, cgroups[_i].cgroup);
        ck_assert_int_eq(peer_proc_unit(cgroup, unit), cgroups[_i].unit != NULL);
        if (cgroups[_i].unit) {
            ck_assert_str_eq(unit, cgroups[_i].unit);
        }
    }
}
END_TEST

#define ARGUMENTS(text) \
    { \
        text, sizeof text \
    }

/* Arguments, and the name that QEMU takes from them; NULL: none. */
static const struct {
    struct {
        const char *text;
        size_t n;
    } arguments;
    const char *name;
} command_lines[] = {
    {ARGUMENTS("qemu\0-name\0guest=web1,debug-threads=on"), "web1"},
    {ARGUMENTS("qemu\0--name\0web1"), "web1"},
    {ARGUMENTS("qemu\0-name\0web1,process=other"), "web1"},
    {ARGUMENTS("qemu\0-name\0process=other,guest=web1"), "web1"},
    {ARGUMENTS("qemu\0-name\0a,,b,,"), "a,b,"},
    {ARGUMENTS("qemu\0-name\0debug-threads=on,web1"), NULL},
    {ARGUMENTS("qemu\0-name\0web1\0-name\0guest=web2"), "web2"},
    {ARGUMENTS("qemu\0-name\0-name\0-name\0web1"), "web1"},
    {ARGUMENTS("qemu\0-name\0guest="), NULL},
    {ARGUMENTS("qemu\0-name"), NULL},
    {ARGUMENTS("-named\0web1"), NULL},
    /* the end of a long command line is not there */
    {{"qemu\0-name\0web1", 15}, NULL},
    {{"", 0}, NULL},
};

START_TEST(a_machine_is_named_by_the_command_line)
{
    char name[PEER_VM_MAX];

    ck_assert_int_eq(
        peer_vm_of_arguments(command_lines[_i].arguments.text, command_lines[_i].arguments.n, name),
        command_lines[_i].name != NULL);
    ck_assert_str_eq(name, command_lines[_i].name ? command_lines[_i].name : "");
}
END_TEST

START_TEST(a_machine_with_too_long_a_name_has_none)
{
    char text[PEER_VM_MAX + 16] = "q";
    char name[PEER_VM_MAX];

    strcpy(text + 2, "-name");
    memset(text + 8, 'x', PEER_VM_MAX - 1);
    ck_assert(peer_vm_of_arguments(text, sizeof text, name));
    ck_assert_uint_eq(strlen(name), PEER_VM_MAX - 1);
    text[8 + PEER_VM_MAX - 1] = 'x';
    ck_assert(!peer_vm_of_arguments(text, sizeof text, name));
}
END_TEST

/* A command line's name and a unit; the name that counts; NULL: none. */
static const struct {
    const char *given;
    const char *unit;
    const char *name;
    bool by_unit;
} machines[] = {
    {"web1", NULL, "web1", false},
    {NULL, "session-3.scope", NULL, false},
    {"web1", "spdk.service", "web1", false},
    {NULL, "machine-qemu\\x2d1\\x2dweb1.scope", "web1", true},
    {"web_1", "machine-qemu\\x2d12\\x2dweb1.scope", "web_1", false},
    {"web1", "machine-qemu\\x2d3\\x2dweb2.scope", "web2", true},
    {"web1.", "machine-qemu\\x2d3\\x2dweb1.scope", "web1.", false},
    {"web11", "machine-qemu\\x2d3\\x2dweb1.scope", "web1", true},
    {"a123456789b123456789c123456789d123456789e1234567890",
     "machine-qemu\\x2d1\\x2da123456789b123456789c123456789d123456789e123456.scope",
     "a123456789b123456789c123456789d123456789e1234567890", false},
    {NULL, "machine-qemu\\x2dweb1.scope", NULL, false},
    {NULL, "machine-qemu\\x2d1\\x2d.scope", NULL, false},
    {NULL, "machine-qemu\\x2d1\\x2dweb1.service", NULL, false},
    {NULL, "machine-lxc\\x2d1\\x2dweb1.scope", NULL, false},
};

START_TEST(a_machine_is_named_by_libvirt_if_the_process_names_another)
{
    static const struct peer_unknown none = {.why = "there is none"};
    struct peer_vm given = {.unknown = none};

    memset(&peer, 0, sizeof peer);
    peer.unknown[PEER_UNIT] = none;
    if (machines[_i].given) {
        given.unknown.why = NULL;
        snprintf(given.name, sizeof given.name, "%s", machines[_i].given);
    }
    if (machines[_i].unit) {
        peer.unknown[PEER_UNIT].why = NULL;
        snprintf(peer.unit, sizeof peer.unit, "%s", machines[_i].unit);
    }
    peer_vm_settle(&peer, &given);
    ck_assert_int_eq(peer_knows(&peer, PEER_VM), machines[_i].name != NULL);
    ck_assert_str_eq(peer.vm, machines[_i].name ? machines[_i].name : "");
    ck_assert_int_eq(peer.vm_by_unit, machines[_i].by_unit);
}
END_TEST

static void mount_line(struct peer_mount *m, const char *line)
{
    peer_mount_line(m, line, strlen(line));
}

START_TEST(a_mount_is_found_by_its_number_before_its_device)
{
    struct peer_mount m = {.id = 30, .dev_major = 0, .dev_minor = 50};

    mount_line(&m, "29 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw");
    ck_assert(!m.found_id && !m.found_dev);
    mount_line(&m, "31 1 0:50 / /a rw - fuse.sshfs x rw");
    ck_assert(m.found_dev && !m.found_id);
    ck_assert_str_eq(m.type, "fuse.sshfs");
    mount_line(&m, "30 1 0:51 / /b\\040-\\040fuse rw shared:2 master:1 - tmpfs tmpfs rw");
    ck_assert(m.found_id);
    ck_assert_str_eq(m.type, "tmpfs");
    mount_line(&m, "32 1 0:50 / /c rw - fuse y rw");
    ck_assert_str_eq(m.type, "tmpfs");
    mount_line(&m, "nonsense");
    mount_line(&m, "");
}
END_TEST

/* ---- real processes ---- */

static pid_t start_peer(const char *exe)
{
    const char *const argv[] = {exe, "--peer", unit_path("socket"), NULL};

    return process_start(argv, 2, -1);
}

/* Copies the program that runs, so that anybody may run it. */
static bool copy_self_to(const char *path)
{
    const int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    const int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
    char buf[65536];
    ssize_t n = -1;

    while (from >= 0 && to >= 0 && (n = read(from, buf, sizeof buf)) > 0) {
        if (write(to, buf, (size_t)n) != n) {
            break;
        }
    }
    close(from);
    close(to);
    return n == 0;
}

/* The same in the test's folder: its path to path. */
static void copy_self(const char *name, char path[256])
{
    snprintf(path, 256, "%s", unit_path(name));
    ck_assert(copy_self_to(path));
}

START_TEST(a_peer_is_known)
{
    const int listen_fd = peer_rig_listen();
    char exe[256];
    pid_t pid;
    int fd;
    struct peer_file_id id;

    copy_self("peer", exe);
    pid = start_peer(exe);
    fd = peer_rig_accept(listen_fd);
    peer_init(&peer, fd);
    peer_rig_must_know(&peer, PEER_PID);
    ck_assert_int_eq(peer.pid, pid);
    peer_rig_must_know(&peer, PEER_PIDFD);
    ck_assert(peer_alive(&peer));
    peer_rig_must_know(&peer, PEER_PIDNS);
    peer_rig_must_know(&peer, PEER_START);
    ck_assert_uint_gt(peer.start_ticks, 0);
    ck_assert_uint_eq(peer.uid, geteuid());
    ck_assert_uint_eq(peer.gid, getegid());
    peer_rig_must_know(&peer, PEER_GROUPS);
    peer_rig_must_know(&peer, PEER_EXE_PATH);
    ck_assert_str_eq(peer.exe.path, exe);
    ck_assert(peer.exe.path_ours);
    ck_assert(!peer.exe.deleted);
    peer_rig_must_know(&peer, PEER_EXE_FILE);
    peer_rig_must_execute(&peer, exe);
    ck_assert_int_eq(peer_file_id_get(peer.exe.fd, &id), 0);
    ck_assert(peer_file_id_same(&id, &peer.exe.id));
    peer_deinit(&peer);
    peer_deinit(&peer);
    peer_rig_end(fd, pid);
    close(listen_fd);
}
END_TEST

START_TEST(a_listener_is_known_by_who_called_listen)
{
    const int listen_fd = peer_rig_listen();
    const int fd = sock_connect(unit_path("socket"), true);

    ck_assert_int_ge(fd, 0);
    peer_init(&peer, fd);
    ck_assert_int_eq(peer.pid, getpid());
    ck_assert(peer_knows(&peer, PEER_EXE_FILE));
    peer_deinit(&peer);
    close(fd);
    close(listen_fd);
}
END_TEST

START_TEST(a_replaced_executable_is_the_one_that_runs)
{
    const int listen_fd = peer_rig_listen();
    char exe[256];
    pid_t pid;
    int fd;
    char old[256];
    struct stat st;
    int other;

    copy_self("peer", exe);
    pid = start_peer(exe);
    fd = peer_rig_accept(listen_fd);
    snprintf(old, sizeof old, "%s", unit_path("old"));
    ck_assert_int_eq(link(exe, old), 0);
    /* Replaced, as a package manager does it; the old file has another name yet. */
    other = open(unit_path("new"), O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
    ck_assert_int_ge(other, 0);
    close(other);
    ck_assert_int_eq(rename(unit_path("new"), exe), 0);
    peer_init(&peer, fd);
    ck_assert_str_eq(peer.exe.path, exe);
    ck_assert(peer.exe.deleted);
    peer_rig_must_know(&peer, PEER_EXE_FILE);
    peer_rig_must_execute(&peer, old);
    peer_deinit(&peer);
    /* Gone altogether: its bytes are there as long as it runs. */
    ck_assert_int_eq(unlink(old), 0);
    peer_init(&peer, fd);
    ck_assert(peer.exe.deleted);
    peer_rig_must_know(&peer, PEER_EXE_FILE);
    ck_assert_int_eq(fstat(peer.exe.fd, &st), 0);
    ck_assert_uint_eq(st.st_nlink, 0);
    ck_assert_int_gt(st.st_size, 0);
    peer_deinit(&peer);
    peer_rig_end(fd, pid);
    close(listen_fd);
}
END_TEST

static void be_nobodys_peer(void *arg)
{
    const gid_t groups[] = {7, 9};

    if (setgroups(2, groups) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
        setresuid(NOBODY, NOBODY, NOBODY) < 0) {
        _exit(2);
    }
    _exit(peer_rig_be(arg));
}

START_TEST(another_users_peer_is_that_users)
{
    char path[256];
    const int listen_fd = peer_rig_listen();
    pid_t pid;
    int fd;

    snprintf(path, sizeof path, "%s", unit_path("socket"));
    pid = process_fork(be_nobodys_peer, path);
    fd = peer_rig_accept(listen_fd);
    peer_init(&peer, fd);
    ck_assert_int_eq(peer.pid, pid);
    ck_assert_uint_eq(peer.uid, NOBODY);
    ck_assert_uint_eq(peer.gid, NOBODY);
    ck_assert_uint_eq(peer.n_groups, 2);
    ck_assert_uint_eq(peer.groups[0], 7);
    ck_assert_uint_eq(peer.groups[1], 9);
    peer_rig_must_know(&peer, PEER_EXE_FILE);
    peer_deinit(&peer);
    peer_rig_end(fd, pid);
    close(listen_fd);
}
END_TEST

static void look_without_rights(void *arg)
{
    char why[256];
    const int *fd = arg;

    REQUIRE(setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
            setresuid(NOBODY, NOBODY, NOBODY) == 0);
    peer_init(&peer, *fd);
    REQUIRE(peer_knows(&peer, PEER_PID) && peer_knows(&peer, PEER_UID) && peer.uid == 0);
    REQUIRE(peer_knows(&peer, PEER_START));
    REQUIRE(!peer_knows(&peer, PEER_EXE_PATH) && !peer_knows(&peer, PEER_EXE_FILE));
    REQUIRE(peer.exe.fd == -1);
    REQUIRE(peer.unknown[PEER_EXE_FILE].error == EACCES ||
            peer.unknown[PEER_EXE_FILE].error == EPERM);
    REQUIRE(strstr(peer_why(&peer, PEER_EXE_FILE, why, sizeof why), "unknown: "));
    peer_deinit(&peer);
}

START_TEST(without_rights_an_executable_is_unknown)
{
    int pair[2];

    /* The test's own process, root's, is the peer at both ends. */
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    ck_assert_int_eq(process_wait(process_fork(look_without_rights, &pair[0])), 0);
    close(pair[0]);
    close(pair[1]);
}
END_TEST

/* Makes getsockopt(SO_PEERPIDFD) fail, as before Linux 6.5. */
static void forget_peerpidfd(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getsockopt, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 77, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOPROTOOPT),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {sizeof code / sizeof *code, code};

    REQUIRE(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    REQUIRE(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

static void look_on_an_old_kernel(void *arg)
{
    const int *fd = arg;

    forget_peerpidfd();
    peer_init(&peer, *fd);
    REQUIRE(peer_knows(&peer, PEER_PID) && peer.pid == getppid());
    REQUIRE(peer_knows(&peer, PEER_PIDFD) && peer_alive(&peer) && !peer.pid_sure);
    REQUIRE(peer_knows(&peer, PEER_EXE_FILE));
    peer_deinit(&peer);
}

START_TEST(without_peerpidfd_the_number_is_looked_at_twice)
{
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    ck_assert_int_eq(process_wait(process_fork(look_on_an_old_kernel, &pair[0])), 0);
    close(pair[0]);
    close(pair[1]);
}
END_TEST

START_TEST(of_the_dead_only_the_socket_speaks)
{
    const int listen_fd = peer_rig_listen();
    const pid_t pid = start_peer("/proc/self/exe");
    const int fd = peer_rig_accept(listen_fd);

    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    ck_assert(WIFSIGNALED(process_wait(pid)));
    peer_init(&peer, fd);
    ck_assert_int_eq(peer.pid, pid);
    ck_assert(peer_knows(&peer, PEER_UID));
    ck_assert(!peer_alive(&peer));
    ck_assert(!peer_knows(&peer, PEER_START));
    ck_assert(!peer_knows(&peer, PEER_CGROUP));
    ck_assert(!peer_knows(&peer, PEER_EXE_PATH));
    ck_assert(!peer_knows(&peer, PEER_EXE_FILE));
    ck_assert_int_eq(peer.exe.fd, -1);
    peer_deinit(&peer);
    close(fd);
    close(listen_fd);
}
END_TEST

START_TEST(what_is_no_unix_socket_has_no_peer)
{
    int fds[3];

    ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
    fds[2] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    for (int i = 0; i < 3; i += 2) {
        peer_init(&peer, fds[i]);
        for (int f = 0; f < PEER_FACTS; f++) {
            ck_assert_msg(!peer_knows(&peer, (enum peer_fact)f), "%s",
                          peer_fact_name((enum peer_fact)f));
        }
        peer_deinit(&peer);
    }
    close(fds[0]);
    close(fds[1]);
    close(fds[2]);
}
END_TEST

/* A peer whose executable lies on a file system that is mounted for it alone. */
struct elsewhere {
    char folder[256];
    char exe[300];
    char socket[256];
    const char *type;
    const char *options;
};

static void be_elsewhere(void *arg)
{
    const struct elsewhere *e = arg;

    REQUIRE(unshare(CLONE_NEWNS) == 0);
    REQUIRE(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    REQUIRE(mount("none", e->folder, e->type, 0, e->options) == 0);
    /* An empty one: the program is copied into it. */
    REQUIRE(access(e->exe, X_OK) == 0 || copy_self_to(e->exe));
    execl(e->exe, e->exe, "--peer", e->socket, NULL);
    _exit(4);
}

static int meet_elsewhere(struct elsewhere *e, int listen_fd, pid_t *pid)
{
    snprintf(e->folder, sizeof e->folder, "%s", unit_path("mount"));
    snprintf(e->exe, sizeof e->exe, "%s/peer", e->folder);
    snprintf(e->socket, sizeof e->socket, "%s", unit_path("socket"));
    ck_assert_int_eq(mkdir(e->folder, 0755), 0);
    *pid = process_fork(be_elsewhere, e);
    return peer_rig_accept(listen_fd);
}

START_TEST(a_path_of_another_namespace_is_not_ours)
{
    const int listen_fd = peer_rig_listen();
    struct elsewhere e = {.type = "tmpfs"};
    pid_t pid;
    const int fd = meet_elsewhere(&e, listen_fd, &pid);

    peer_init(&peer, fd);
    peer_rig_must_know(&peer, PEER_EXE_PATH);
    ck_assert(!peer.exe.path_ours);
    /* tmpfs asks nobody: it can be read. */
    peer_rig_must_know(&peer, PEER_EXE_FILE);
    peer_deinit(&peer);
    peer_rig_end(fd, pid);
    close(listen_fd);
}
END_TEST

START_TEST(a_file_system_that_could_keep_us_waiting_is_not_opened)
{
    const int listen_fd = peer_rig_listen();
    char options[1024];
    struct elsewhere e = {.type = "overlay", .options = options};
    pid_t pid;
    int fd;

    ck_assert_int_eq(mkdir(unit_path("lower"), 0755), 0);
    ck_assert_int_eq(mkdir(unit_path("other"), 0755), 0);
    copy_self("lower/peer", options);
    snprintf(options, sizeof options, "lowerdir=%s:%s", unit_path("lower"), unit_path("other"));
    fd = meet_elsewhere(&e, listen_fd, &pid);
    peer_init(&peer, fd);
    peer_rig_must_know(&peer, PEER_EXE_PATH);
    ck_assert(!peer.exe.path_ours);
    peer_rig_must_know(&peer, PEER_EXE_ID);
    ck_assert(!peer_knows(&peer, PEER_EXE_FILE));
    ck_assert_int_eq(peer.exe.fd, -1);
    peer_deinit(&peer);
    peer_rig_end(fd, pid);
    close(listen_fd);
}
END_TEST

START_TEST(a_process_is_known_by_its_number)
{
    const int listen_fd = peer_rig_listen();
    const pid_t pid = start_peer("/proc/self/exe");
    const int fd = peer_rig_accept(listen_fd);

    peer_init_pid(&peer, pid, true);
    ck_assert_int_eq(peer.pid, pid);
    ck_assert(peer.pid_sure && peer_alive(&peer));
    ck_assert_uint_eq(peer.uid, geteuid());
    peer_rig_must_know(&peer, PEER_GROUPS);
    peer_rig_must_know(&peer, PEER_EXE_FILE);
    ck_assert(!peer_knows(&peer, PEER_LABEL));
    peer_rig_end(fd, pid);
    ck_assert(!peer_alive(&peer));
    peer_deinit(&peer);
    peer_init_pid(&peer, pid, true);
    ck_assert(!peer_knows(&peer, PEER_PID));
    ck_assert_int_eq(peer.unknown[PEER_PID].error, ESRCH);
    peer_deinit(&peer);
    close(listen_fd);
}
END_TEST

int main(int argc, char **argv)
{
    Suite *s;
    TCase *tc;

    if (argc == 3 && strcmp(argv[1], "--peer") == 0) {
        return peer_rig_be(argv[2]);
    }
    s = suite_create("peer");
    tc = unit_case(s, "text");
    tcase_add_test(tc, a_process_cannot_name_its_start);
    tcase_add_test(tc, ids_are_the_effective_ones);
    tcase_add_loop_test(tc, a_unit_is_the_first_that_is_no_slice, 0,
                        (int)(sizeof cgroups / sizeof *cgroups));
    tcase_add_loop_test(tc, a_machine_is_named_by_the_command_line, 0,
                        (int)(sizeof command_lines / sizeof *command_lines));
    tcase_add_test(tc, a_machine_with_too_long_a_name_has_none);
    tcase_add_loop_test(tc, a_machine_is_named_by_libvirt_if_the_process_names_another, 0,
                        (int)(sizeof machines / sizeof *machines));
    tcase_add_test(tc, a_mount_is_found_by_its_number_before_its_device);
    tc = unit_case(s, "processes");
    tcase_add_test(tc, a_peer_is_known);
    tcase_add_test(tc, a_listener_is_known_by_who_called_listen);
    tcase_add_test(tc, a_replaced_executable_is_the_one_that_runs);
    tcase_add_test(tc, of_the_dead_only_the_socket_speaks);
    tcase_add_test(tc, what_is_no_unix_socket_has_no_peer);
    tcase_add_test(tc, a_process_is_known_by_its_number);
    tcase_add_test(tc, without_peerpidfd_the_number_is_looked_at_twice);
    /* Becoming others, and mounting, takes root. */
    if (geteuid() == 0) {
        tcase_add_test(tc, another_users_peer_is_that_users);
        tcase_add_test(tc, without_rights_an_executable_is_unknown);
        tcase_add_test(tc, a_path_of_another_namespace_is_not_ours);
        tcase_add_test(tc, a_file_system_that_could_keep_us_waiting_is_not_opened);
    }
    return unit_run(s);
}
