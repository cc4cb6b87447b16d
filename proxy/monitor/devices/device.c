/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Between fork and exec: what a device may have, and no more; and its guard.
 *
 * A device must not outlive the monitor, however that ends: it may hold a guest's memory. SIGKILL
 * at the monitor's death reaches it alone, not what it has forked. So each device has a guard, a
 * process that only waits for the monitor's death (SIGKILL as well, which the kernel sends):
 *
 *   if the monitor may make pid namespaces   the guard is init of a namespace in which the device
 *       runs: with it the kernel kills all that is in there, whatever groups it has made. The
 * device is the monitor's own child all the same, and has a number in the monitor's namespace. Its
 *       number inside is the guard's outside, so that no two devices have the same.
 *   otherwise   the guard kills the device's process group.
 *
 * The guard has the device's user, no fd, no capability, and a copy of the monitor's memory that
 * only root can look into.
 */
#define _GNU_SOURCE
#include "proxy/monitor/devices/device.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/confine/confine.h"
#include "base/log.h"
#include "base/sock.h"

/* Where the status pipe is until the program is executed. */
#define STATUS_FD (DEVICE_SOCKET_FD + 1)

/* ---- in the child ---- */

static void __attribute__((noreturn)) device_fail(int status_fd, enum device_step step)
{
    const struct device_fault f = {.step = (int)step, .err = errno};

    /* A pipe takes so few bytes at once; without them the exit status tells that it failed. */
    (void)!write(status_fd, &f, sizeof f);
    _exit(127);
}

static void device_reset_signals(void)
{
    sigset_t none;

    /* Those that are caught go back by themselves; those that are ignored do not. */
    for (int sig = 1; sig < NSIG; sig++) {
        (void)signal(sig, SIG_DFL);
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* A copy out of the way of all numbers that are given out. */
static int device_aside(int fd)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, STATUS_FD + 1);
}

static bool device_place_fds(int socket_fd, int output_fd, int status_fd)
{
    const int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    const int input = device_aside(null_fd);

    socket_fd = device_aside(socket_fd);
    output_fd = device_aside(output_fd);
    status_fd = device_aside(status_fd);
    if (input < 0 || socket_fd < 0 || output_fd < 0 || status_fd < 0 || dup2(input, 0) < 0 ||
        dup2(output_fd, 1) < 0 || dup2(output_fd, 2) < 0 || dup2(socket_fd, DEVICE_SOCKET_FD) < 0 ||
        dup3(status_fd, STATUS_FD, O_CLOEXEC) < 0) {
        return false;
    }
    closefrom(STATUS_FD + 1);
    return true;
}

/*
 * By system calls: the C library's functions wait for every thread that it knows of, and in a child
 * of clone3 it still knows of the monitor's audit thread, which is not there.
 */
static bool device_change_user(const struct device_plan *p)
{
    return syscall(SYS_setgroups, p->n_groups, p->groups) == 0 &&
           syscall(SYS_setresgid, p->gid, p->gid, p->gid) == 0 &&
           syscall(SYS_setresuid, p->uid, p->uid, p->uid) == 0;
}

/*
 * Asks for SIG at the monitor's death. False: it could not be asked for, or the monitor is dead
 * already: then nobody reads the pipe. (A parent outside of the pid namespace has no number here.)
 */
static bool device_follows_monitor(int sig, int status_fd)
{
    struct pollfd p = {.fd = status_fd};

    return prctl(PR_SET_PDEATHSIG, sig, 0, 0, 0) == 0 && poll(&p, 1, 0) == 0;
}

static void __attribute__((noreturn))
device_child(const struct device_plan *p, int socket_fd, int output_fd, int status_fd)
{
    char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    char *environment[] = {path, NULL};

    device_reset_signals();
    if (!device_place_fds(socket_fd, output_fd, status_fd)) {
        device_fail(status_fd, DEVICE_SET_UP);
    }
    if (setpgid(0, 0) < 0 || setrlimit(RLIMIT_NOFILE, &p->nofile) < 0 || chdir("/") < 0) {
        device_fail(STATUS_FD, DEVICE_SET_UP);
    }
    if (p->become && !device_change_user(p)) {
        device_fail(STATUS_FD, DEVICE_BECOME);
    }
    /* A change of user takes the first back: so it comes last. */
    if (!device_follows_monitor(SIGKILL, STATUS_FD) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
        device_fail(STATUS_FD, DEVICE_SET_UP);
    }
    execve(p->argv[0], p->argv, environment);
    device_fail(STATUS_FD, DEVICE_EXECUTE);
}

/* ---- in the guard ---- */

/*
 * Waits for the monitor's death. group: the device, whose process group is then killed; 0: the
 * kernel kills all that are left in the namespace.
 */
static void __attribute__((noreturn))
device_guard(const struct device_plan *p, pid_t group, int status_fd)
{
    sigset_t all;
    int sig;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    /* None is caught; as init of a namespace it then gets no signal from inside. */
    for (sig = 1; sig < NSIG; sig++) {
        (void)signal(sig, SIG_DFL);
    }
    /* What is left in the namespace is collected by the kernel. */
    (void)signal(SIGCHLD, SIG_IGN);
    (void)prctl(PR_SET_NAME, "poemd-guard", 0, 0, 0);
    (void)setpgid(0, 0);
    (void)confine_drop_capabilities();
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if ((p->become && !device_change_user(p)) || chdir("/") < 0 ||
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
        !device_follows_monitor(group ? SIGUSR1 : SIGKILL, status_fd)) {
        _exit(127);
    }
    closefrom(0);
    sigemptyset(&all);
    sigaddset(&all, SIGUSR1);
    while (sigwait(&all, &sig) != 0 || !group) {
    }
    kill(-group, SIGKILL);
    _exit(0);
}

/* ---- in the monitor ---- */

struct ends {
    int socket_fds[2]; /* ours, the device's */
    int output_fds[2]; /* for reading, for writing */
    int status_fds[2];
};

static void device_close_both(int fds[2])
{
    sock_close(&fds[0]);
    sock_close(&fds[1]);
}

static int device_make_ends(struct ends *e)
{
    *e = (struct ends){{-1, -1}, {-1, -1}, {-1, -1}};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, e->socket_fds) < 0 ||
        pipe2(e->output_fds, O_CLOEXEC) < 0 || pipe2(e->status_fds, O_CLOEXEC) < 0) {
        return -errno;
    }
    if (sock_nonblock(e->socket_fds[0]) < 0 || sock_nonblock(e->output_fds[0]) < 0 ||
        sock_nonblock(e->status_fds[0]) < 0) {
        return -EIO;
    }
    return 0;
}

/* A process with this number in its own pid namespace, if that can be had. As fork. */
static pid_t device_fork_as(pid_t number)
{
    const struct clone_args args = {
        .exit_signal = SIGCHLD, .set_tid = (uint64_t)(uintptr_t)&number, .set_tid_size = 1};
    const pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);

    return pid < 0 ? fork() : pid;
}

static pid_t device_fork_guard(const struct device_plan *plan, pid_t group, const struct ends *e)
{
    const pid_t pid = fork();

    if (pid == 0) {
        device_guard(plan, group, e->status_fds[1]);
    }
    return pid;
}

/*
 * Forks the guard and the device into a new pid namespace. 0, d having both; or -errno: then there
 * is neither. *apart: whether a namespace could be made.
 */
static int device_fork_apart(struct device *d, const struct device_plan *plan, const struct ends *e,
                             bool *apart)
{
    int own_fd = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
    int err = 0;

    *apart = own_fd >= 0 && unshare(CLONE_NEWPID) == 0;
    if (!*apart) {
        sock_close(&own_fd);
        return -EPERM;
    }
    d->guard_pid = device_fork_guard(plan, 0, e);
    err = d->guard_pid < 0 ? -errno : 0;
    if (!err) {
        d->pid = device_fork_as(d->guard_pid);
        err = d->pid < 0 ? -errno : 0;
    }
    if (!err && d->pid == 0) {
        device_child(plan, e->socket_fds[1], e->output_fds[1], e->status_fds[1]);
    }
    if (setns(own_fd, CLONE_NEWPID) < 0) {
        /* Nothing takes this right away meanwhile. A worker is never to be born in there. */
        log_error("cannot return to the pid namespace: %s", strerror(errno));
        abort();
    }
    sock_close(&own_fd);
    return err;
}

/* The same without a namespace. */
static int device_fork_beside(struct device *d, const struct device_plan *plan,
                              const struct ends *e)
{
    d->pid = fork();
    if (d->pid == 0) {
        device_child(plan, e->socket_fds[1], e->output_fds[1], e->status_fds[1]);
    }
    if (d->pid < 0) {
        return -errno;
    }
    d->guard_pid = device_fork_guard(plan, d->pid, e);
    return d->guard_pid < 0 ? -errno : 0;
}

/* Ends what was begun, and waits for it: SIGKILL takes no time. */
static void device_undo(struct device *d)
{
    const pid_t pids[] = {d->pid, d->guard_pid};

    for (size_t i = 0; i < sizeof pids / sizeof *pids; i++) {
        if (pids[i] > 0) {
            kill(pids[i], SIGKILL);
            (void)waitpid(pids[i], NULL, 0);
        }
    }
    d->pid = d->guard_pid = -1;
}

int device_start(struct device *d, const struct device_plan *plan)
{
    struct ends e;
    bool apart = false;
    int err = device_make_ends(&e);

    *d = (struct device){
        .pid = -1, .guard_pid = -1, .socket_fd = -1, .output_fd = -1, .status_fd = -1};
    if (!err) {
        err = device_fork_apart(d, plan, &e, &apart);
        if (err && !apart) {
            err = device_fork_beside(d, plan, &e);
        }
    }
    if (err) {
        device_undo(d);
        device_close_both(e.socket_fds);
        device_close_both(e.output_fds);
        device_close_both(e.status_fds);
        return err;
    }
    /* Here, too: it may be signalled as a group before it has come so far. */
    (void)setpgid(d->pid, d->pid);
    d->socket_fd = e.socket_fds[0];
    d->output_fd = e.output_fds[0];
    d->status_fd = e.status_fds[0];
    close(e.socket_fds[1]);
    close(e.output_fds[1]);
    close(e.status_fds[1]);
    return 0;
}
