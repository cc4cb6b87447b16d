/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What is left to a relay worker, the inspector, the tracer and the exporter of a running poemd:
 * the kernel is asked on their behalf. And docs/THREATS' table of all processes, compared with
 * /proc.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/daemon/inject.h"
#include "tests/daemon/rig.h"
#include "tests/support/patience.h"
#include "tests/support/peer.h"
#include "tests/support/process.h"
#include "tests/support/unit.h"

/* ---- the processes ---- */

enum kind { KEEPER, MONITOR, WORKER, INSPECTOR, TRACER, EXPORTER, GUARD, DEVICE, KINDS };

static const struct {
    const char *shown; /* in docs/THREATS */
    const char *comm;
} kinds[KINDS] = {
    [KEEPER] = {"keeper", "poemd-keeper"},       [MONITOR] = {"monitor", "poemd-monitor"},
    [WORKER] = {"relay worker", "poemd-worker"}, [INSPECTOR] = {"inspector", "poemd-inspect"},
    [TRACER] = {"tracer", "poemd-tracer"},       [EXPORTER] = {"exporter", "poemd-exporter"},
    [GUARD] = {"device's guard", "poemd-guard"}, [DEVICE] = {"device", "sleep"},
};

struct sandbox_rig {
    struct rig rig;
    pid_t pids[KINDS];
};

static void sandbox_name(pid_t pid, char out[32])
{
    if (!process_status(pid, "Name", out, 32)) {
        out[0] = '\0';
    }
}

/* Fills in those that are there. Whether all are, with their rights given up. */
static bool sandbox_find(struct sandbox_rig *s)
{
    pid_t pids[RIG_WORKERS];
    const size_t n = rig_workers(&s->rig, pids);
    char name[32];
    char mode[8];
    bool all = true;

    memset(s->pids, 0, sizeof s->pids);
    s->pids[KEEPER] = s->rig.daemon;
    s->pids[MONITOR] = rig_monitor(&s->rig);
    for (size_t i = 0; i < n && i < RIG_WORKERS; i++) {
        sandbox_name(pids[i], name);
        for (int k = WORKER; k < KINDS; k++) {
            if (strcmp(name, kinds[k].comm) == 0) {
                s->pids[k] = pids[i];
            }
        }
    }
    for (int k = WORKER; k < KINDS; k++) {
        all = all && s->pids[k] > 0 &&
              (k > EXPORTER || (process_status(s->pids[k], "Seccomp", mode, sizeof mode) &&
                                strcmp(mode, "2") == 0));
    }
    return all;
}

/* A poemd that has one process of each kind. */
/* more: statements of route r. */
static void sandbox_configure(struct sandbox_rig *s, const char *statements, const char *more)
{
    rig_configure(&s->rig,
                  "workers 1\nmetrics unix %s\n%s\n"
                  "route r {\nlisten %s\nbackend %s\nrecite to client never\n%s"
                  "allow client user %u\ntrace %s\n}\n"
                  "route s {\nlisten %s\nbackend spawn \"/bin/sleep 3600 %%fd\"\n}\n",
                  unit_path("m.sock"), statements, s->rig.listen, s->rig.backend, more,
                  (unsigned)geteuid(), unit_path("trace"), unit_path("s.sock"));
}

static void sandbox_start(struct sandbox_rig *s, const char *statements)
{
    const struct patience patience = patience_begin();

    rig_init(&s->rig);
    sandbox_configure(s, statements, "");
    rig_launch(&s->rig);
    while (!sandbox_find(s)) {
        ck_assert_msg(patience_again(&patience), "not all processes come up");
    }
}

static void sandbox_stop(struct sandbox_rig *s)
{
    rig_terminate(&s->rig);
    rig_deinit(&s->rig);
}

/* Why a test cannot be made here, or NULL. */
static const char *sandbox_cannot(void)
{
    return rig_wrapped()        ? "valgrind makes calls of its own"
           : geteuid() != 0     ? "only root can look into them"
           : !inject_possible() ? "it is written for x86-64"
                                : NULL;
}

/* ---- calls ---- */

/* Arguments that stand for something of the moment. */
#define OTHER (UINT64_MAX - 1)       /* another of the broker's processes */
#define THE_MONITOR (UINT64_MAX - 2) /* the monitor */
#define PASSWD (UINT64_MAX - 3)      /* "/etc/passwd" */
#define ROOM (UINT64_MAX - 4)        /* 256 bytes of zeros */
#define ITSELF (UINT64_MAX - 5)      /* its own pid */

static const struct {
    const char *what;
    long number;
    uint64_t args[6];
} calls[] = {
    {"an IPv4 socket", SYS_socket, {AF_INET, SOCK_STREAM}},
    {"an IPv6 socket", SYS_socket, {AF_INET6, SOCK_DGRAM}},
    {"a UNIX socket", SYS_socket, {AF_UNIX, SOCK_STREAM}},
    {"a netlink socket", SYS_socket, {AF_NETLINK, SOCK_RAW}},
    {"a packet socket", SYS_socket, {AF_PACKET, SOCK_RAW}},
    {"a vsock socket", SYS_socket, {AF_VSOCK, SOCK_STREAM}},
    {"an ALG socket", SYS_socket, {AF_ALG, SOCK_SEQPACKET}},
    {"a pair of other sockets", SYS_socketpair, {AF_TIPC, SOCK_STREAM, 0, ROOM}},
    {"a listening socket", SYS_listen, {3, 1}},
    {"a connection", SYS_connect, {3, ROOM, 16}},
    {"userfaultfd", SYS_userfaultfd, {1}},
    {"io_uring", SYS_io_uring_setup, {4, ROOM}},
    {"a key ring", SYS_keyctl, {KEYCTL_GET_KEYRING_ID, (uint64_t)KEY_SPEC_SESSION_KEYRING, 1}},
    {"a key", SYS_add_key, {ROOM, ROOM, ROOM, 1, (uint64_t)KEY_SPEC_PROCESS_KEYRING}},
    {"bpf", SYS_bpf, {0, ROOM, 64}},
    {"performance counters", SYS_perf_event_open, {ROOM, 0, (uint64_t)-1, (uint64_t)-1, 0}},
    {"memory to be written and executed",
     SYS_mmap,
     {0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1}},
    {"memory made executable", SYS_mprotect, {ROOM, 4096, PROT_READ | PROT_EXEC}},
    {"... with a key", SYS_pkey_mprotect, {ROOM, 4096, PROT_READ | PROT_EXEC, 0}},
    {"a file in memory", SYS_memfd_create, {ROOM, 0}},
    {"secret memory", SYS_memfd_secret, {0}},
    {"locked memory", SYS_mlockall, {MCL_FUTURE}},
    {"shared memory", SYS_shmget, {IPC_PRIVATE, 4096, 0600}},
    {"a message queue", SYS_msgget, {IPC_PRIVATE, 0600}},
    {"a signal to another process", SYS_kill, {OTHER, 0}},
    {"a signal to the monitor", SYS_kill, {THE_MONITOR, 0}},
    {"a signal to itself", SYS_kill, {ITSELF, 0}},
    {"a signal to another's thread", SYS_tgkill, {OTHER, OTHER, SIGABRT}},
    {"a queued signal", SYS_rt_sigqueueinfo, {THE_MONITOR, 0, ROOM}},
    {"another's pidfd", SYS_pidfd_open, {THE_MONITOR, 0}},
    {"another's fd", SYS_pidfd_getfd, {3, 0, 0}},
    {"another's memory", SYS_process_vm_readv, {OTHER, ROOM, 1, ROOM, 1, 0}},
    {"to trace another", SYS_ptrace, {PTRACE_SEIZE, OTHER, 0, 0}},
    {"to be traced", SYS_ptrace, {PTRACE_TRACEME, 0, 0, 0}},
    {"to compare with another", SYS_kcmp, {OTHER, THE_MONITOR, 0, 0, 0}},
    {"another's limits", SYS_prlimit64, {OTHER, RLIMIT_NOFILE, 0, ROOM}},
    {"its own limits", SYS_prlimit64, {0, RLIMIT_NPROC, ROOM, 0}},
    {"a process", SYS_fork, {0}},
    {"a process by vfork", SYS_vfork, {0}},
    {"a thread", SYS_clone, {CLONE_VM | CLONE_THREAD | CLONE_SIGHAND, 0, 0, 0, 0}},
    {"a process by clone3", SYS_clone3, {ROOM, 64}},
    {"a program", SYS_execve, {PASSWD, 0, 0}},
    {"a program by fd", SYS_execveat, {3, ROOM, 0, 0, AT_EMPTY_PATH}},
    {"a namespace", SYS_unshare, {CLONE_NEWUTS | CLONE_NEWUSER}},
    {"another's namespace", SYS_setns, {3, 0}},
    {"a file", SYS_openat, {(uint64_t)AT_FDCWD, PASSWD, O_RDONLY}},
    {"a file by open", SYS_open, {PASSWD, O_RDONLY}},
    {"a new file", SYS_creat, {PASSWD, 0600}},
    {"a file's name", SYS_unlink, {PASSWD}},
    {"a file by its handle", SYS_open_by_handle_at, {3, ROOM, O_RDONLY}},
    {"to watch files", SYS_inotify_init1, {0}},
    {"to watch all files", SYS_fanotify_init, {0, 0}},
    {"a mount", SYS_mount, {ROOM, PASSWD, ROOM, 0, 0}},
    {"a file system", SYS_fsopen, {ROOM, 0}},
    {"another root", SYS_chroot, {PASSWD}},
    {"another user", SYS_setresuid, {0, 0, 0}},
    {"capabilities", SYS_capset, {ROOM, ROOM}},
    {"prctl", SYS_prctl, {PR_SET_DUMPABLE, 1}},
    {"another personality", SYS_personality, {0x0400000}},
    {"another filter", SYS_seccomp, {1, 0, 0}},
    {"a segment of code", SYS_modify_ldt, {1, ROOM, 16}},
    {"ports", SYS_ioperm, {0x60, 1, 1}},
    {"a module", SYS_finit_module, {3, ROOM, 0}},
    {"the clock", SYS_clock_settime, {0, ROOM}},
    {"the host's name", SYS_sethostname, {ROOM, 1}},
    {"a terminal's input", SYS_ioctl, {2, TIOCSTI, ROOM}},
    {"signals of a file", SYS_fcntl, {3, F_SETOWN, THE_MONITOR}},
};

static uint64_t sandbox_argument(struct injection *j, const struct sandbox_rig *s, uint64_t a)
{
    static const char zeros[256];
    static const char passwd[] = "/etc/passwd";
    const pid_t other = j->pid == s->pids[WORKER] ? s->pids[TRACER] : s->pids[WORKER];

    switch (a) {
    case OTHER:
        return (uint64_t)other;
    case THE_MONITOR:
        return (uint64_t)s->pids[MONITOR];
    case ITSELF:
        return (uint64_t)j->pid;
    case PASSWD:
        return inject_bytes(j, 0, passwd, sizeof passwd);
    case ROOM:
        return inject_bytes(j, 1, zeros, sizeof zeros);
    default:
        return a;
    }
}

static long sandbox_call(struct injection *j, const struct sandbox_rig *s, long number,
                         const uint64_t given[6])
{
    uint64_t args[6];

    for (int i = 0; i < 6; i++) {
        args[i] = sandbox_argument(j, s, given[i]);
    }
    return inject_call(j, number, args);
}

/* In a build with sanitizers more is allowed, and then refused for other reasons, or harmless. */
static bool sandbox_refuses(long r)
{
    return r == -ENOSYS || r == -ENOMEM || (!rig_measurable() && r < 0);
}

/* What a list lets through and something else refuses: the inspector reads files, but not these. */
static bool sandbox_refused_else(enum kind kind, long number, long r)
{
    return kind == INSPECTOR && number == SYS_openat && (r == -ENOENT || r == -EACCES);
}

/* What the sanitizers' own list lets through, as base/confine/filter_tools.c names it. */
static bool sandbox_tools_may(long number)
{
    static const long may[] = {SYS_openat, SYS_open,      SYS_prctl, SYS_kill,
                               SYS_tgkill, SYS_prlimit64, SYS_fcntl};
    bool listed = false;

    for (size_t i = 0; i < sizeof may / sizeof *may; i++) {
        listed = listed || number == may[i];
    }
    return listed && !rig_measurable();
}

START_TEST(a_taken_over_process_can_do_nothing)
{
    static const enum kind confined[] = {WORKER, INSPECTOR, TRACER, EXPORTER};
    const char *const cannot = sandbox_cannot();
    struct sandbox_rig s;
    struct injection j;
    struct pair p;

    if (cannot) {
        printf("skipped: a_taken_over_process_can_do_nothing: %s\n", cannot);
        return;
    }
    sandbox_start(&s, "");
    inject_begin(&j, s.pids[confined[_i]]);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        const long r = sandbox_call(&j, &s, calls[i].number, calls[i].args);

        ck_assert_msg(sandbox_refuses(r) || sandbox_tools_may(calls[i].number) ||
                          sandbox_refused_else(confined[_i], calls[i].number, r),
                      "%s: %s: returned %ld", kinds[confined[_i]].shown, calls[i].what, r);
    }
    inject_end(&j);
    /* It has lost nothing by it. */
    rig_session(&s.rig, peer_qemu_json, "{}", &p);
    pair_ping(&p);
    pair_close(&p);
    sandbox_stop(&s);
}
END_TEST

/* Memory is bounded, if not by the filter: of 8 GiB nothing is had. */
START_TEST(a_taken_over_process_has_bounded_memory)
{
    static const enum kind confined[] = {WORKER, INSPECTOR, TRACER, EXPORTER};
    static const uint64_t args[6] = {0, 8ull << 30, PROT_READ | PROT_WRITE,
                                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, (uint64_t)-1};
    const char *const cannot = sandbox_cannot();
    struct sandbox_rig s;
    struct injection j;

    if (cannot || !rig_measurable()) {
        printf("skipped: a_taken_over_process_has_bounded_memory: %s\n",
               cannot ? cannot : "the sanitizers' shadow memory is larger than any bound");
        return;
    }
    sandbox_start(&s, "");
    inject_begin(&j, s.pids[confined[_i]]);
    ck_assert_int_eq(inject_call(&j, SYS_mmap, args), -ENOMEM);
    inject_end(&j);
    sandbox_stop(&s);
}
END_TEST

/* Fds of sessions whose device may be replaced, if the limit of this machine has room for them. */
static void expect_room_for_held(const struct rlimit *before, const struct rlimit *after)
{
    struct rlimit own;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &own), 0);
    if (own.rlim_max >= 65536) {
        ck_assert_uint_eq(after->rlim_cur - before->rlim_cur, 2 * 8 * LIMIT_SETUP_FDS);
    }
    ck_assert_uint_eq(after->rlim_max, before->rlim_max);
}

/* A reload with more sessions whose maps and fds are kept gives a running worker room for them. */
START_TEST(a_reload_raises_the_bounds_as_far_as_it_needs)
{
    struct sandbox_rig s;
    struct rlimit before;
    struct rlimit before_fds;
    struct rlimit after;
    bool may;

    if (sandbox_cannot() || !rig_measurable()) {
        printf("skipped: a_reload_raises_the_bounds_as_far_as_it_needs: %s\n",
               sandbox_cannot() ? sandbox_cannot() : "the sanitizers' shadow memory has no bound");
        return;
    }
    sandbox_start(&s, "");
    may = prlimit(s.pids[WORKER], RLIMIT_AS, NULL, &before) == 0 &&
          prlimit(s.pids[WORKER], RLIMIT_NOFILE, NULL, &before_fds) == 0;
    sandbox_configure(&s, "", "sessions 8\ndma withhold\non backend loss hold 10s\n");
    ck_assert_int_eq(kill(s.rig.daemon, SIGHUP), 0);
    if (!may) {
        /* Without CAP_SYS_RESOURCE it says so. */
        rig_await_log(&s.rig, "cannot raise the limit of address space", NULL, 0);
        sandbox_stop(&s);
        return;
    }
    rig_await_log(&s.rig, "reloaded", NULL, 0);
    ck_assert_uint_lt(before.rlim_cur, before.rlim_max);
    ck_assert_int_eq(prlimit(s.pids[WORKER], RLIMIT_AS, NULL, &after), 0);
    ck_assert_uint_eq(after.rlim_cur - before.rlim_cur, 2 * 8 * LIMIT_MEMORY_PER_DMA_SESSION);
    ck_assert_uint_eq(after.rlim_max, before.rlim_max);
    ck_assert_int_eq(prlimit(s.pids[WORKER], RLIMIT_NOFILE, NULL, &after), 0);
    expect_room_for_held(&before_fds, &after);
    sandbox_stop(&s);
}
END_TEST

/* A call of the x32 ABI ends the process that makes it. */
START_TEST(another_abi_is_fatal)
{
    static const uint64_t none[6];
    const char *const cannot = sandbox_cannot();
    struct sandbox_rig s;
    struct injection j;

    if (cannot) {
        printf("skipped: another_abi_is_fatal: %s\n", cannot);
        return;
    }
    sandbox_start(&s, "");
    inject_begin(&j, s.pids[WORKER]);
    ck_assert_int_eq(inject_call(&j, SYS_getpid | 0x40000000, none), -ESRCH);
    ck_assert_int_eq(j.ended, SIGSYS);
    inject_end(&j);
    rig_await_log(&s.rig, "was killed by signal 31", NULL, 0);
    sandbox_stop(&s);
}
END_TEST

/* At log level debug the log names what was refused. */
START_TEST(a_refused_call_is_named)
{
    static const uint64_t args[6] = {AF_INET, SOCK_STREAM};
    const char *const cannot = sandbox_cannot();
    struct sandbox_rig s;
    struct injection j;

    if (cannot) {
        printf("skipped: a_refused_call_is_named: %s\n", cannot);
        return;
    }
    sandbox_start(&s, "log-level debug");
    inject_begin(&j, s.pids[WORKER]);
    inject_leave_with(&j, SYS_socket, args);
    rig_await_log(&s.rig, "worker: system call 41 (socket) refused", NULL, 0);
    sandbox_stop(&s);
}
END_TEST

/* ---- users ---- */

static void sandbox_be(void *arg)
{
    const uid_t *const uid = arg;

    if (setresuid(*uid, *uid, *uid) == 0) {
        for (;;) {
            pause();
        }
    }
}

/* A named user that something else is, too, is warned of, with that process's name. */
START_TEST(a_user_that_others_are_is_warned_of)
{
    uid_t uid = 64804;
    struct sandbox_rig s;
    char text[128];
    pid_t other;

    if (geteuid() != 0) {
        puts("skipped: a_user_that_others_are_is_warned_of: only root can change the user");
        return;
    }
    other = process_fork(sandbox_be, &uid);
    while (process_uid(other) != uid) {
        ck_assert(!process_gone(other));
    }
    rig_init(&s.rig);
    rig_configure(&s.rig, "workers 1\nuser 64804\nroute r {\nlisten %s\nbackend %s\n}\n",
                  s.rig.listen, s.rig.backend);
    rig_launch(&s.rig);
    snprintf(text, sizeof text, "workers run as user \"64804\", as does pid=%d", (int)other);
    rig_await_log(&s.rig, text, NULL, 0);
    ck_assert_int_eq(kill(other, SIGKILL), 0);
    (void)process_wait(other);
    sandbox_stop(&s);
}
END_TEST

/* ---- the table ---- */

static bool sandbox_line_is(pid_t pid, const char *name, const char *value)
{
    char found[64];

    return process_status(pid, name, found, sizeof found) && strcmp(found, value) == 0;
}

/* "root", or "its own": no other kind has it, nor an account. */
static const char *sandbox_user(const struct sandbox_rig *s, int kind)
{
    const uid_t uid = process_uid(s->pids[kind]);

    if (uid == 0) {
        return "root";
    }
    for (int k = 0; k < KINDS; k++) {
        /* A guard has its device's. */
        if (k != kind && k + kind != GUARD + DEVICE && process_uid(s->pids[k]) == uid) {
            return "shared";
        }
    }
    return getpwuid(uid) ? "account" : kind == GUARD ? "device's" : "its own";
}

/* Which of its namespaces are not the monitor's. */
static void sandbox_namespaces(const struct sandbox_rig *s, int kind, char *out, size_t size)
{
    static const char *const names[] = {"cgroup", "ipc", "mnt", "net", "pid", "user", "uts"};
    size_t at = 0;

    out[0] = '\0';
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[64];
        struct stat its;
        struct stat ours;

        snprintf(path, sizeof path, "/proc/%d/ns/%s", (int)s->pids[kind], names[i]);
        ck_assert_int_eq(stat(path, &its), 0);
        snprintf(path, sizeof path, "/proc/%d/ns/%s", (int)s->pids[MONITOR], names[i]);
        ck_assert_int_eq(stat(path, &ours), 0);
        if (its.st_ino != ours.st_ino) {
            at += (size_t)snprintf(out + at, size - at, "%s%s", at ? " " : "", names[i]);
        }
    }
    if (at == 0) {
        snprintf(out, size, "-");
    }
}

static const char *sandbox_root(pid_t pid)
{
    char path[64];
    DIR *dir;
    int n = 0;

    snprintf(path, sizeof path, "/proc/%d/root", (int)pid);
    dir = opendir(path);
    ck_assert_ptr_nonnull(dir);
    while (readdir(dir)) {
        n++;
    }
    closedir(dir);
    return n == 2 ? "empty" : "host's";
}

/* A hard limit of /proc/PID/limits, by the name that it has there. */
static void sandbox_hard_limit(pid_t pid, const char *name, char out[32])
{
    char path[64];
    char line[160];
    FILE *f;

    snprintf(path, sizeof path, "/proc/%d/limits", (int)pid);
    f = fopen(path, "re");
    ck_assert_ptr_nonnull(f);
    out[0] = '\0';
    while (fgets(line, sizeof line, f)) {
        if (strncmp(line, name, strlen(name)) == 0) {
            ck_assert_int_eq(sscanf(line + strlen(name), "%*s %31s", out), 1);
        }
    }
    fclose(f);
}

/* "0", "yes" for another bound of its own, "*": as poemd was started with. */
static const char *sandbox_limit(const struct sandbox_rig *s, int kind, const char *name)
{
    char ours[32];
    char its[32];

    sandbox_hard_limit(s->pids[MONITOR], name, ours);
    sandbox_hard_limit(s->pids[kind], name, its);
    return strcmp(its, "0") == 0 ? "0" : strcmp(its, ours) == 0 ? "*" : "yes";
}

static const char *sandbox_environment(pid_t pid)
{
    char path[64];
    char bytes[4096];
    ssize_t n;
    int fd;

    snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    n = read(fd, bytes, sizeof bytes);
    close(fd);
    return n == 0 ? "none"
           : n > 5 && memcmp(bytes, "PATH=", 5) == 0 &&
                   memchr(bytes, '\0', (size_t)n) == bytes + n - 1
               ? "PATH"
               : "*";
}

/* A line of the table, as docs/THREATS has it. */
static void sandbox_row(const struct sandbox_rig *s, int kind, char *out, size_t size)
{
    static const char none[] = "0000000000000000";
    const pid_t pid = s->pids[kind];
    char spaces[64];

    sandbox_namespaces(s, kind, spaces, sizeof spaces);
    snprintf(out, size, "  %-14s  %-8s  %-4s  %-6s  %-6s  %-6s  %-6s  %-6s  %-6s  %-5s  %s",
             kinds[kind].shown, sandbox_user(s, kind),
             sandbox_line_is(pid, "CapEff", none) ? "none" : "*",
             sandbox_line_is(pid, "CapBnd", none) ? "empty" : "*",
             sandbox_line_is(pid, "NoNewPrivs", "1") ? "yes" : "-",
             sandbox_line_is(pid, "Seccomp", "2") ? "yes" : "-", sandbox_root(pid),
             sandbox_limit(s, kind, "Max processes"), sandbox_limit(s, kind, "Max address space"),
             sandbox_environment(pid), spaces);
}

static char *sandbox_threats(void)
{
    static char text[65536];
    const int fd = open(THREATS, O_RDONLY | O_CLOEXEC);
    const ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

    ck_assert_msg(n > 0, "%s cannot be read", THREATS);
    close(fd);
    text[n] = '\0';
    return text;
}

/* Whether poemd may do here what the table says of one that may. */
static bool sandbox_may_all(void)
{
    const pid_t pid = fork();
    int status;

    if (pid == 0) {
        _exit(unshare(CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS |
                      CLONE_NEWCGROUP) < 0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return status == 0;
}

START_TEST(the_table_of_processes_is_true)
{
    struct sandbox_rig s;
    char row[256];

    if (rig_wrapped() || geteuid() != 0 || !rig_measurable() || !sandbox_may_all()) {
        puts("skipped: the_table_of_processes_is_true: it is that of root, without sanitizers");
        return;
    }
    sandbox_start(&s, "");
    for (int k = 0; k < KINDS; k++) {
        sandbox_row(&s, k, row, sizeof row);
        ck_assert_msg(strstr(sandbox_threats(), row), "docs/THREATS has not:\n%s", row);
    }
    sandbox_stop(&s);
}
END_TEST

int main(void)
{
    Suite *const suite = suite_create("daemon: what its processes may do");
    TCase *const tc = rig_case(suite, "sandbox");

    tcase_add_loop_test(tc, a_taken_over_process_can_do_nothing, 0, 3);
    tcase_add_loop_test(tc, a_taken_over_process_has_bounded_memory, 0, 3);
    tcase_add_test(tc, a_reload_raises_the_bounds_as_far_as_it_needs);
    tcase_add_test(tc, another_abi_is_fatal);
    tcase_add_test(tc, a_refused_call_is_named);
    tcase_add_test(tc, a_user_that_others_are_is_warned_of);
    tcase_add_test(tc, the_table_of_processes_is_true);
    return unit_run(suite);
}
