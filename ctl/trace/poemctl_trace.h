/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The actions of poemctl trace: functions of the type poemctl_command, which get their own name as
 * argv[0].
 *
 * A new action is a row in poemctl_trace.c, a declaration here, its source and libraries in
 * CMakeLists.txt, and a section in poemctl-trace(1). It reports errors with poemctl_error("trace
 * ACTION", …), and a wrong command line with trace_usage("ACTION").
 */
#ifndef POEMD_CTL_TRACE_POEMCTL_TRACE_H
#define POEMD_CTL_TRACE_POEMCTL_TRACE_H

#include "ctl/poemctl.h"

/*
 * Prints the action's synopsis, or all of them if action is NULL, to standard error. Returns
 * POEMCTL_USAGE.
 */
int trace_usage(const char *action);

/* ---- the actions ---- */

poemctl_command trace_diff_main;
poemctl_command trace_dump_main;
poemctl_command trace_export_main;
poemctl_command trace_extract_main;
poemctl_command trace_list_main;
poemctl_command trace_replay_main;
poemctl_command trace_lint_main;
poemctl_command trace_show_main;
poemctl_command trace_start_main;
poemctl_command trace_stats_main;
poemctl_command trace_stop_main;

#endif
