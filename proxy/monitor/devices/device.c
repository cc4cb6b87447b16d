/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A device's process between fork and exec: what it inherits, and its guard.
 *
 * A device must not outlive the keeper, however that ends, since it may hold a guest's memory. The
 * parent-death signal (SIGKILL) reaches only the device, not its own children. So each device has a
 * guard: a process that only waits for the keeper's death, of which the kernel informs it by a
 * signal as well. (Without a keeper, as in tests, the monitor's death counts.)
 *
 *   If the monitor may create pid namespaces, the guard is init of a namespace in which the
 *   device runs: when it dies, the kernel kills everything in there, whatever process groups the
 *   device has made. The device is still the keeper's own child, and has a pid in the monitor's
 *   namespace. Its pid inside equals the guard's pid outside, so no two devices have the same one.
 *
 * Otherwise, the guard kills the device's process group.
 *
 * The guard has the device's user, no fd, no capability, and a copy of the monitor's memory that
 * only root can look into.
 */
#define _GNU_SOURCE
#include "proxy/monitor/devices/device.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
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
#include "base/helper/sibling.h"
#include "base/log.h"
#include "base/sock.h"

/* The numbers of the status pipe and of the parent's pidfd until the program is executed. */
#define STATUS_FD (DEVICE_SOCKET_FD + 1)
#define PARENT_FD (DEVICE_SOCKET_FD + 2)

/* ---- in the child ---- */

static void __attribute__((noreturn)) device_fail(int status_fd, enum device_step step)
{
    const struct device_fault f = {.step = (int)step, .err = errno};

    /* A pipe takes these few bytes at once; if it does not, the exit status reports the failure. */
    (void)!write(status_fd, &f, sizeof f);
    _exit(127);
}

static void device_reset_signals(void)
{
    sigset_t none;

    /* exec resets signals that are caught, but not those that are ignored. */
    for (int sig = 1; sig < NSIG; sig++) {
        (void)signal(sig, SIG_DFL);
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Duplicates fd above all numbers that the device gets. */
static int device_aside(int fd)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, PARENT_FD + 1);
}

static bool device_place_fds(int socket_fd, int output_fd, int status_fd, int parent_fd)
{
    const int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    const int input = device_aside(null_fd);

    socket_fd = device_aside(socket_fd);
    output_fd = device_aside(output_fd);
    status_fd = device_aside(status_fd);
    parent_fd = parent_fd >= 0 ? device_aside(parent_fd) : status_fd;
    if (input < 0 || socket_fd < 0 || output_fd < 0 || status_fd < 0 || dup2(input, 0) < 0 ||
        dup2(output_fd, 1) < 0 || dup2(output_fd, 2) < 0 || dup2(socket_fd, DEVICE_SOCKET_FD) < 0 ||
        dup3(status_fd, STATUS_FD, O_CLOEXEC) < 0 || dup3(parent_fd, PARENT_FD, O_CLOEXEC) < 0) {
        return false;
    }
    closefrom(PARENT_FD + 1);
    return true;
}

/*
 * Changes the user by system calls: the C library's functions wait for every thread they know of,
 * and in a child of clone3 they still know the monitor's audit thread, which does not exist there.
 */
static bool device_change_user(const struct device_plan *p)
{
    return syscall(SYS_setgroups, p->n_groups, p->groups) == 0 &&
           syscall(SYS_setresgid, p->gid, p->gid, p->gid) == 0 &&
           syscall(SYS_setresuid, p->uid, p->uid, p->uid) == 0;
}

/*
 * Requests the signal sig at the parent's death. Returns false if that failed, or if the parent is
 * dead already, which watch_fd shows: its pidfd or, if this is the monitor, the status pipe, which
 * has lost its reader then. (A parent outside the pid namespace has no pid here.)
 */
static bool device_follows(int sig, int watch_fd)
{
    struct pollfd p = {.fd = watch_fd, .events = POLLIN};

    return prctl(PR_SET_PDEATHSIG, sig, 0, 0, 0) == 0 && poll(&p, 1, 0) == 0;
}

static void __attribute__((noreturn))
device_child(const struct device_plan *p, int socket_fd, int output_fd, int status_fd)
{
    char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    char *environment[] = {path, NULL};

    device_reset_signals();
    if (!device_place_fds(socket_fd, output_fd, status_fd, p->parent_fd)) {
        device_fail(status_fd, DEVICE_SET_UP);
    }
    if (setpgid(0, 0) < 0 || setrlimit(RLIMIT_NOFILE, &p->nofile) < 0 || chdir("/") < 0) {
        device_fail(STATUS_FD, DEVICE_SET_UP);
    }
    if (p->become && !device_change_user(p)) {
        device_fail(STATUS_FD, DEVICE_BECOME);
    }
    /* A change of user cancels the parent-death signal, so this comes last. */
    if (!device_follows(SIGKILL, PARENT_FD) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
        device_fail(STATUS_FD, DEVICE_SET_UP);
    }
    execve(p->argv[0], p->argv, environment);
    device_fail(STATUS_FD, DEVICE_EXECUTE);
}

/* ---- in the guard ---- */

/*
 * Waits for the parent's death. group is the device, whose process group is killed then; if it is
 * 0, the kernel kills everything left in the namespace.
 */
static void __attribute__((noreturn))
device_guard(const struct device_plan *p, pid_t group, int status_fd)
{
    sigset_t all;
    int sig;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    /* Init of a namespace gets no signal from inside for which it has no handler. */
    for (sig = 1; sig < NSIG; sig++) {
        (void)signal(sig, SIG_DFL);
    }
    /* The kernel collects the processes left in the namespace. */
    (void)signal(SIGCHLD, SIG_IGN);
    (void)prctl(PR_SET_NAME, "poemd-guard", 0, 0, 0);
    (void)setpgid(0, 0);
    (void)confine_drop_capabilities();
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if ((p->become && !device_change_user(p)) || chdir("/") < 0 ||
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
        !device_follows(group ? SIGUSR1 : SIGKILL, p->parent_fd >= 0 ? p->parent_fd : status_fd)) {
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

static pid_t device_fork(const struct device_plan *plan, int *pidfd)
{
    return plan->sibling ? sibling_fork(pidfd) : fork();
}

static int device_fork_guard(struct device *d, const struct device_plan *plan, pid_t group,
                             const struct ends *e)
{
    d->guard_pid = device_fork(plan, &d->guard_pidfd);
    if (d->guard_pid == 0) {
        device_guard(plan, group, e->status_fds[1]);
    }
    return d->guard_pid < 0 ? -errno : 0;
}

/*
 * Forks the guard and the device into a new pid namespace. Returns 0 with both in d, or -errno;
 * device_undo ends what exists then. Sets *apart if a namespace could be created.
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
    err = device_fork_guard(d, plan, 0, e);
    if (!err) {
        d->pid = plan->sibling ? sibling_fork_as(d->guard_pid, &d->pidfd) : fork();
        err = d->pid < 0 ? -errno : 0;
    }
    if (!err && d->pid == 0) {
        device_child(plan, e->socket_fds[1], e->output_fds[1], e->status_fds[1]);
    }
    if (setns(own_fd, CLONE_NEWPID) < 0) {
        /*
         * Nothing revokes this right meanwhile. A worker must never be forked inside the namespace.
         */
        log_error("cannot return to the pid namespace: %s", strerror(errno));
        abort();
    }
    sock_close(&own_fd);
    return err;
}

/* Forks both without a namespace. */
static int device_fork_beside(struct device *d, const struct device_plan *plan,
                              const struct ends *e)
{
    d->pid = device_fork(plan, &d->pidfd);
    if (d->pid == 0) {
        device_child(plan, e->socket_fds[1], e->output_fds[1], e->status_fds[1]);
    }
    if (d->pid < 0) {
        return -errno;
    }
    return device_fork_guard(d, plan, d->pid, e);
}

/* Kills the processes started so far, and waits for those that are its own children. */
static void device_undo(struct device *d, const struct device_plan *plan)
{
    const pid_t pids[] = {d->pid, d->guard_pid};

    for (size_t i = 0; i < sizeof pids / sizeof *pids; i++) {
        if (pids[i] > 0) {
            kill(pids[i], SIGKILL);
            if (!plan->sibling) {
                (void)waitpid(pids[i], NULL, 0);
            }
        }
    }
    d->pid = d->guard_pid = -1;
    sock_close(&d->pidfd);
    sock_close(&d->guard_pidfd);
}

int device_start(struct device *d, const struct device_plan *plan)
{
    struct ends e;
    bool apart = false;
    int err = device_make_ends(&e);

    *d = (struct device){.pid = -1,
                         .guard_pid = -1,
                         .pidfd = -1,
                         .guard_pidfd = -1,
                         .socket_fd = -1,
                         .output_fd = -1,
                         .status_fd = -1};
    if (!err) {
        err = device_fork_apart(d, plan, &e, &apart);
        if (err && !apart) {
            err = device_fork_beside(d, plan, &e);
        }
    }
    if (err) {
        device_undo(d, plan);
        device_close_both(e.socket_fds);
        device_close_both(e.output_fds);
        device_close_both(e.status_fds);
        return err;
    }
    /* Also here: the monitor may signal the group before the child has called setpgid. */
    (void)setpgid(d->pid, d->pid);
    d->socket_fd = e.socket_fds[0];
    d->output_fd = e.output_fds[0];
    d->status_fd = e.status_fds[0];
    close(e.socket_fds[1]);
    close(e.output_fds[1]);
    close(e.status_fds[1]);
    return 0;
}
