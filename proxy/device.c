/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Between fork and exec: what a device may have, and no more. */
#define _GNU_SOURCE
#include "proxy/device.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/sock.h"

/* Where the status pipe is until the program is executed. */
#define STATUS_FD (DEVICE_SOCKET_FD + 1)

/* ---- in the child ---- */

static void __attribute__((noreturn)) fail(int status_fd, enum device_step step)
{
    const struct device_fault f = {.step = (int)step, .err = errno};

    /* A pipe takes so few bytes at once; without them the exit status tells that it failed. */
    (void)!write(status_fd, &f, sizeof f);
    _exit(127);
}

static void reset_signals(void)
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
static int aside(int fd)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, STATUS_FD + 1);
}

static bool place_fds(int socket_fd, int output_fd, int status_fd)
{
    const int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    const int input = aside(null_fd);

    socket_fd = aside(socket_fd);
    output_fd = aside(output_fd);
    status_fd = aside(status_fd);
    if (input < 0 || socket_fd < 0 || output_fd < 0 || status_fd < 0 || dup2(input, 0) < 0 ||
        dup2(output_fd, 1) < 0 || dup2(output_fd, 2) < 0 || dup2(socket_fd, DEVICE_SOCKET_FD) < 0 ||
        dup3(status_fd, STATUS_FD, O_CLOEXEC) < 0) {
        return false;
    }
    closefrom(STATUS_FD + 1);
    return true;
}

static bool change_user(const struct device_plan *p)
{
    return setgroups(p->n_groups, p->groups) == 0 && setresgid(p->gid, p->gid, p->gid) == 0 &&
           setresuid(p->uid, p->uid, p->uid) == 0;
}

static void __attribute__((noreturn))
child(const struct device_plan *p, pid_t monitor, int socket_fd, int output_fd, int status_fd)
{
    char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    char *environment[] = {path, NULL};

    reset_signals();
    if (!place_fds(socket_fd, output_fd, status_fd)) {
        fail(status_fd, DEVICE_SET_UP);
    }
    if (setpgid(0, 0) < 0 || setrlimit(RLIMIT_NOFILE, &p->nofile) < 0 || chdir("/") < 0) {
        fail(STATUS_FD, DEVICE_SET_UP);
    }
    if (p->become && !change_user(p)) {
        fail(STATUS_FD, DEVICE_BECOME);
    }
    /* A change of user takes this back: so it comes last. */
    if (prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) < 0 || getppid() != monitor) {
        fail(STATUS_FD, DEVICE_SET_UP);
    }
    execve(p->argv[0], p->argv, environment);
    fail(STATUS_FD, DEVICE_EXECUTE);
}

/* ---- in the monitor ---- */

struct ends {
    int socket_fds[2]; /* ours, the device's */
    int output_fds[2]; /* for reading, for writing */
    int status_fds[2];
};

static void close_both(int fds[2])
{
    sock_close(&fds[0]);
    sock_close(&fds[1]);
}

static int make_ends(struct ends *e)
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

int device_start(struct device *d, const struct device_plan *plan)
{
    const pid_t monitor = getpid();
    struct ends e;
    int err = make_ends(&e);

    *d = (struct device){.pid = -1, .socket_fd = -1, .output_fd = -1, .status_fd = -1};
    if (!err) {
        d->pid = fork();
        err = d->pid < 0 ? -errno : 0;
    }
    if (!err && d->pid == 0) {
        child(plan, monitor, e.socket_fds[1], e.output_fds[1], e.status_fds[1]);
    }
    if (err) {
        close_both(e.socket_fds);
        close_both(e.output_fds);
        close_both(e.status_fds);
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
