/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The actions of poemctl trace. */
#ifndef POEMD_CTL_TRACE_POEMCTL_TRACE_H
#define POEMD_CTL_TRACE_POEMCTL_TRACE_H

#include "ctl/poemctl.h"

extern const struct poemctl_command trace_diff;
extern const struct poemctl_command trace_dump;
extern const struct poemctl_command trace_export;
extern const struct poemctl_command trace_extract;
extern const struct poemctl_command trace_inject;
extern const struct poemctl_command trace_lint;
extern const struct poemctl_command trace_list;
extern const struct poemctl_command trace_replay;
extern const struct poemctl_command trace_show;
extern const struct poemctl_command trace_start;
extern const struct poemctl_command trace_stats;
extern const struct poemctl_command trace_stop;

/* The option --filter. */
#define TRACE_FILTER_OPTION(type, member) \
    { \
        .name = "filter", .value = "FILTER", .help = "only messages that match this filter", \
        CLI_TEXT(type, member) \
    }

#endif
