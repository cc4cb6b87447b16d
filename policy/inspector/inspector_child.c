/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Starts an inspector's process. The parent, which has the necessary rights, opens all files here
 * and passes them as fds.
 */
#define _GNU_SOURCE
#include "policy/inspector/inspector_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/confine/confine.h"
#include "base/sealed.h"
#include "base/sock.h"

#define FIRST_FD (INSPECTOR_START_FD + 1)

/* Temporary number of the program's fd between fork and exec, above all fds that are passed. */
#define EXE_FD (FIRST_FD + (int)INSPECTOR_FDS)

/* Adds an fd to the kit. Returns its number in the inspector. */
static int32_t inspector_child_hand_over_take(struct inspector_kit *k, int fd)
{
    k->fds[k->n_fds] = fd;
    return FIRST_FD + (int32_t)k->n_fds++;
}

/* Opens a folder for the kit. Returns -1 if it does not exist: it is not searched. */
static int32_t inspector_child_hand_over_folder(struct inspector_kit *k, const char *path,
                                                const char *otherwise)
{
    const char *name = path ? path : otherwise;
    int fd;

    if (name[0] == '\0') {
        return -1;
    }
    fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        log_info("inspector: %s: %s; going on without", name, strerror(errno));
        return -1;
    }
    return inspector_child_hand_over_take(k, fd);
}

static int inspector_child_hand_over_envelopes(struct inspector_kit *k,
                                               struct inspector_start *start,
                                               const struct inspector_settings *s)
{
    for (size_t i = 0; i < s->n_envelopes; i++) {
        const int fd = fcntl(s->envelopes[i].fd, F_DUPFD_CLOEXEC, 0);

        if (fd < 0) {
            return -errno;
        }
        start->envelope_fds[i] = inspector_child_hand_over_take(k, fd);
        memcpy(start->envelope_names[i], s->envelopes[i].name, sizeof start->envelope_names[i]);
    }
    start->n_envelopes = (uint32_t)s->n_envelopes;
    return 0;
}

static int inspector_seal_start(struct inspector_kit *k, const struct inspector_start *start)
{
    const struct sealed_part part = {start, sizeof *start};

    k->start_fd = sealed_new("poemd-inspector", &part, 1);
    return k->start_fd < 0 ? k->start_fd : 0;
}

int inspector_kit_init(struct inspector_kit *k, const struct inspector_settings *s)
{
    struct inspector_start start;
    int err;

    *k = (struct inspector_kit){.exe_fd = -1, .start_fd = -1};
    if (s->n_keys > INSPECTOR_KEYS || s->n_envelopes > INSPECTOR_ENVELOPES) {
        return -E2BIG;
    }
    memset(&start, 0, sizeof start);
    start.log_level = log_level_get();
    start.uid = s->uid;
    start.gid = s->gid;
    start.dpkg_fd = inspector_child_hand_over_folder(k, s->dpkg_dir, "/var/lib/dpkg");
    start.doc_fd = inspector_child_hand_over_folder(k, s->doc_dir, "/usr/share/doc");
    start.n_keys = (uint32_t)s->n_keys;
    for (size_t i = 0; i < s->n_keys; i++) {
        start.keys[i] = s->keys[i];
    }
    err = inspector_child_hand_over_envelopes(k, &start, s);
    if (!err) {
        k->exe_fd = fcntl(s->exe_fd, F_DUPFD_CLOEXEC, 0);
        err = k->exe_fd < 0 ? -errno : inspector_seal_start(k, &start);
    }
    return err;
}

void inspector_kit_deinit(struct inspector_kit *k)
{
    sock_close(&k->exe_fd);
    sock_close(&k->start_fd);
    while (k->n_fds > 0) {
        sock_close(&k->fds[--k->n_fds]);
    }
}

/* ---- in the child, between fork and exec ---- */

/* Duplicates fd to a number above all assigned ones. */
static int inspector_child_aside(int fd)
{
    return fcntl(fd, F_DUPFD_CLOEXEC, EXE_FD + 1);
}

static bool inspector_child_place(int fd, int number)
{
    return fd >= 0 && dup2(fd, number) == number;
}

static void inspector_child_child(const struct inspector_kit *k, int channel_fd)
{
    char *argv[] = {INSPECTOR_NAME, INSPECTOR_ARG, NULL};
    int fds[INSPECTOR_FDS];
    int exe_fd;
    int start_fd;
    sigset_t none;

    channel_fd = inspector_child_aside(channel_fd);
    start_fd = inspector_child_aside(k->start_fd);
    exe_fd = inspector_child_aside(k->exe_fd);
    for (unsigned i = 0; i < k->n_fds; i++) {
        fds[i] = inspector_child_aside(k->fds[i]);
    }
    if (!inspector_child_place(channel_fd, INSPECTOR_CHANNEL_FD) ||
        !inspector_child_place(start_fd, INSPECTOR_START_FD)) {
        _exit(127);
    }
    for (unsigned i = 0; i < k->n_fds; i++) {
        if (!inspector_child_place(fds[i], FIRST_FD + (int)i)) {
            _exit(127);
        }
    }
    if (exe_fd < 0 || dup3(exe_fd, EXE_FD, O_CLOEXEC) < 0) {
        _exit(127);
    }
    close_range((unsigned)FIRST_FD + k->n_fds, EXE_FD - 1, 0);
    closefrom(EXE_FD + 1);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    fexecve(EXE_FD, argv, confine_environment());
    _exit(127);
}

int inspector_start(const struct inspector_kit *k, pid_t *pid, int *channel_fd, int *pidfd)
{
    int pair[2];
    int err = 0;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
        return -errno;
    }
    *pid = fork();
    if (*pid == 0) {
        inspector_child_child(k, pair[1]);
    }
    if (*pid < 0) {
        err = -errno;
    } else {
        *pidfd = (int)syscall(SYS_pidfd_open, *pid, 0);
        err = *pidfd < 0 ? -errno : sock_nonblock(pair[0]);
    }
    close(pair[1]);
    if (!err) {
        *channel_fd = pair[0];
        return 0;
    }
    close(pair[0]);
    if (*pid > 0) {
        kill(*pid, SIGKILL);
        (void)waitpid(*pid, NULL, 0);
        sock_close(pidfd);
    }
    *pid = -1;
    return err;
}
