/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Starts processes and reads /proc. Knows nothing of poemd.
 */
#define _GNU_SOURCE
#include "tests/support/process.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/patience.h"

/* The child's half of a fork: it must not outlive the test, and not end by its rules either. */
static void die_with(pid_t parent)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent) {
        _exit(126);
    }
}

/* In the child: sets the environment and the fds. All others are closed by exec already. */
static void place_passed(const struct process_passed *p)
{
    int copies[16];
    char pid[16];
    char n[16];

    if (p->n > sizeof copies / sizeof *copies) {
        _exit(126);
    }
    for (unsigned i = 0; i < p->n; i++) {
        copies[i] = fcntl(p->fds[i], F_DUPFD_CLOEXEC, 3 + (int)p->n);
    }
    for (unsigned i = 0; i < p->n; i++) {
        if (dup2(copies[i], 3 + (int)i) < 0) {
            _exit(126);
        }
    }
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    snprintf(n, sizeof n, "%u", p->n);
    setenv("LISTEN_PID", pid, 1);
    setenv("LISTEN_FDS", n, 1);
    setenv("LISTEN_FDNAMES", p->names, 1);
}

static void run(const char *const argv[], int log_fd, int keep_fd,
                const struct process_passed *passed)
{
    const int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (null_fd < 0 || dup2(null_fd, 0) < 0 || dup2(log_fd, 1) < 0 || dup2(log_fd, 2) < 0 ||
        close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) < 0 ||
        (keep_fd >= 0 && fcntl(keep_fd, F_SETFD, 0) < 0)) {
        _exit(126);
    }
    if (passed) {
        place_passed(passed);
    }
    execvp(argv[0], (char *const *)(uintptr_t)argv);
    dprintf(2, "%s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

pid_t process_start(const char *const argv[], int log_fd, int keep_fd)
{
    return process_start_passed(argv, log_fd, keep_fd, NULL);
}

pid_t process_start_passed(const char *const argv[], int log_fd, int keep_fd,
                           const struct process_passed *passed)
{
    const pid_t parent = getpid();
    const pid_t pid = fork();

    ck_assert_msg(pid >= 0, "fork: %s", strerror(errno));
    if (pid == 0) {
        die_with(parent);
        run(argv, log_fd, keep_fd, passed);
    }
    return pid;
}

pid_t process_fork(void (*fn)(void *arg), void *arg)
{
    const pid_t parent = getpid();
    const pid_t pid = fork();

    ck_assert_msg(pid >= 0, "fork: %s", strerror(errno));
    if (pid == 0) {
        die_with(parent);
        fn(arg);
        _exit(0);
    }
    return pid;
}

int process_wait(pid_t pid)
{
    struct pollfd p = {.events = POLLIN};
    int status = 0;
    int n;

    p.fd = (int)syscall(SYS_pidfd_open, pid, 0);
    ck_assert_msg(p.fd >= 0, "pidfd_open: %s", strerror(errno));
    n = poll(&p, 1, patience_ms());
    close(p.fd);
    ck_assert_msg(n == 1, "process %d does not end", (int)pid);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return status;
}

/* Opens a file of the process's in /proc. NULL: it is gone. */
static FILE *open_proc(pid_t pid, const char *what)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, what);
    return fopen(path, "re");
}

bool process_gone(pid_t pid)
{
    FILE *f = open_proc(pid, "stat");
    char state = 'X';

    if (!f) {
        return true;
    }
    /* The name in brackets may hold anything, but of a program under test holds no bracket. */
    if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1) {
        state = 'X';
    }
    fclose(f);
    return state == 'Z' || state == 'X';
}

size_t process_children(pid_t pid, pid_t *out, size_t room)
{
    char what[48];
    FILE *f;
    size_t n = 0;
    int child;

    snprintf(what, sizeof what, "task/%d/children", (int)pid);
    f = open_proc(pid, what);
    if (!f) {
        return 0;
    }
    while (fscanf(f, "%d", &child) == 1) {
        if (n < room) {
            out[n] = child;
        }
        n++;
    }
    fclose(f);
    return n;
}

bool process_status(pid_t pid, const char *name, char *out, size_t size)
{
    FILE *f = open_proc(pid, "status");
    const size_t n = strlen(name);
    char line[256];
    bool found = false;

    while (f && !found && fgets(line, sizeof line, f)) {
        found = strncmp(line, name, n) == 0 && line[n] == ':';
    }
    if (f) {
        fclose(f);
    }
    if (found) {
        line[strcspn(line, "\n")] = '\0';
        snprintf(out, size, "%s", line + n + 1 + strspn(line + n + 1, " \t"));
    }
    return found;
}

uid_t process_uid(pid_t pid)
{
    char ids[128];

    return process_status(pid, "Uid", ids, sizeof ids) ? (uid_t)strtoul(ids, NULL, 10) : (uid_t)-1;
}

long process_anon_kib(pid_t pid)
{
    FILE *f = open_proc(pid, "status");
    char line[128];
    long kib = 0;

    if (!f) {
        return 0;
    }
    while (fgets(line, sizeof line, f)) {
        if (sscanf(line, "RssAnon: %ld kB", &kib) == 1) {
            break;
        }
    }
    fclose(f);
    return kib;
}

/* What the child of process_limit_fds does. */
struct limit {
    pid_t pid;
    struct rlimit limit;
};

/*
 * Root may set the limits of other users' processes by a capability that containers lack; the same
 * user always may.
 */
static void set_limit(void *arg)
{
    const struct limit *const l = arg;
    FILE *const f = open_proc(l->pid, "status");
    unsigned uid = 0;
    unsigned gid = 0;
    char line[128];

    while (f && fgets(line, sizeof line, f)) {
        (void)(sscanf(line, "Uid: %u", &uid) + sscanf(line, "Gid: %u", &gid));
    }
    if (!f || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0 ||
        prlimit(l->pid, RLIMIT_NOFILE, &l->limit, NULL) < 0) {
        _exit(1);
    }
    fclose(f);
}

rlim_t process_limit_fds(pid_t pid, rlim_t soft)
{
    struct limit l = {.pid = pid};
    FILE *const f = open_proc(pid, "limits");
    unsigned long old = 0;
    unsigned long hard = 0;
    char line[128];

    ck_assert_ptr_nonnull(f);
    while (fgets(line, sizeof line, f)) {
        if (sscanf(line, "Max open files %lu %lu", &old, &hard) == 2) {
            break;
        }
    }
    fclose(f);
    ck_assert_uint_gt(hard, 0);
    l.limit = (struct rlimit){.rlim_cur = soft, .rlim_max = hard};
    ck_assert_int_eq(process_wait(process_fork(set_limit, &l)), 0);
    return old;
}
