/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The command poemctl trace. */
#include "ctl/trace/poemctl_trace.h"

/* In the order of the help: capturing first, then reading, then replaying. */
static const struct poemctl_command *const actions[] = {
    &trace_start,  &trace_stop, &trace_dump,  &trace_list,   &trace_inject,
    &trace_show,   &trace_lint, &trace_stats, &trace_export, &trace_extract,
    &trace_replay, &trace_diff, NULL,
};

const struct poemctl_command poemctl_trace = {
    .name = "trace",
    .what = "capture messages, read them, replay them",
    .manual = "poemctl-trace(1)",
    .actions = actions,
};
