/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * How long an inspector takes, without the time in which it was ready to run and had no CPU: on a
 * busy machine its turn comes late without its fault. Reads clocks and /proc.
 */
#ifndef POEMD_POLICY_INSPECTOR_INSPECTOR_PACE_H
#define POEMD_POLICY_INSPECTOR_INSPECTOR_PACE_H

#include <stdint.h>
#include <sys/types.h>

struct inspector_pace {
    int64_t begun_ms;   /* when it was asked */
    unsigned waited_ms; /* since then, without a CPU */
    uint64_t waited_ns; /* of the process's life, when it was last looked at */
};

/* It is asked something now. Zeroed for a process that is only being started. */
void inspector_pace_begin(struct inspector_pace *p, pid_t pid);

/* Milliseconds for which it had no CPU since this, or _begin, was called last. */
unsigned inspector_pace_waited(struct inspector_pace *p, pid_t pid);

/* Milliseconds that it has taken since _begin. */
unsigned inspector_pace_took(struct inspector_pace *p, pid_t pid);

#endif
