/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Forks and executes the tracer's process. */
#define _GNU_SOURCE
#include "proxy/monitor/tracing/tracer_child.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/helper/helper_child.h"
#include "base/sealed.h"
#include "base/sock.h"

/* NOLINTNEXTLINE(readability-non-const-parameter): the child's start writes it. */
pid_t tracer_child_start(const struct tracer_start *start, int *pidfd, int *channel_fd)
{
    const struct sealed_part part = {start, sizeof *start};
    int start_fd = sealed_new("poemd-tracer", &part, 1);
    int exe_fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    pid_t pid = start_fd < 0 ? start_fd : exe_fd < 0 ? -errno : 0;

    if (pid == 0) {
        const struct helper_child_plan plan = {.name = TRACER_NAME,
                                               .arg = TRACER_ARG,
                                               .exe_fd = exe_fd,
                                               .fds = &start_fd,
                                               .n_fds = 1,
                                               .pidfd = pidfd};

        pid = helper_child_start(&plan, channel_fd);
    }
    if (start_fd >= 0) {
        close(start_fd);
    }
    sock_close(&exe_fd);
    return pid;
}
