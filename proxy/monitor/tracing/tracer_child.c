/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Forks and executes the tracer's process. */
#include "proxy/monitor/tracing/tracer_child.h"

#include "base/helper/helper_child.h"

/* NOLINTNEXTLINE(readability-non-const-parameter): the child's start writes it. */
pid_t tracer_child_start(const struct tracer_start *start, int *pidfd, int *channel_fd)
{
    const struct helper_child_plan plan = {.name = TRACER_NAME, .arg = TRACER_ARG, .pidfd = pidfd};

    return helper_child_start_sealed(&plan, start, sizeof *start, channel_fd);
}
