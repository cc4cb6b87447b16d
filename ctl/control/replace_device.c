/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Starts a device process, waits for its socket, and ends it. */
#define _GNU_SOURCE
#include "ctl/control/replace_device.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/sock.h"
#include "ctl/run/run_child.h"

/* How long a device may take to listen, and how often that is looked at. */
#define REPLACE_DEVICE_MS 10000
#define REPLACE_DEVICE_END_MS 2000
#define REPLACE_DEVICE_LOOK_MS 20

/* The exit status of a program that cannot be executed, as in a shell. */
#define REPLACE_DEVICE_CANNOT 127

/* In the new process: never returns. */
static void replace_device_become(const char *command)
{
    const int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (setsid() >= 0 && null_fd >= 0 && dup2(null_fd, STDIN_FILENO) >= 0 &&
        dup2(STDERR_FILENO, STDOUT_FILENO) >= 0) {
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    }
    fprintf(stderr, "poemctl: replace: cannot start a shell: %s\n", strerror(errno));
    _exit(REPLACE_DEVICE_CANNOT);
}

pid_t replace_device_start(const char *command)
{
    const pid_t pid = fork();

    if (pid < 0) {
        return -errno;
    }
    if (pid == 0) {
        replace_device_become(command);
    }
    return pid;
}

int replace_device_connect(pid_t pid, const char *path)
{
    const struct timespec look = {.tv_nsec = REPLACE_DEVICE_LOOK_MS * 1000000L};

    for (int ms = 0; ms < REPLACE_DEVICE_MS; ms += REPLACE_DEVICE_LOOK_MS) {
        const int fd = sock_connect(path, false);

        if (fd >= 0 || (fd != -ENOENT && fd != -ECONNREFUSED)) {
            return fd;
        }
        if (waitpid(pid, NULL, WNOHANG) == pid) {
            return -ECHILD;
        }
        nanosleep(&look, NULL);
    }
    return -ETIMEDOUT;
}

void replace_device_end(pid_t pid)
{
    kill(-pid, SIGTERM);
    if (run_child_wait_for(pid, REPLACE_DEVICE_END_MS) == -ETIMEDOUT) {
        kill(-pid, SIGKILL);
        (void)run_child_wait(pid);
    }
}
