/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Measures how long an inspector takes, without the time in which it was ready to run and had no
 * CPU: on a busy machine a late answer is not its fault. Reads clocks and /proc.
 */
#ifndef POEMD_POLICY_INSPECTOR_INSPECTOR_PACE_H
#define POEMD_POLICY_INSPECTOR_INSPECTOR_PACE_H

#include <stdint.h>
#include <sys/types.h>

struct inspector_pace {
    int64_t begun_ms;   /* start of the current question */
    unsigned waited_ms; /* time since then without a CPU */
    uint64_t waited_ns; /* over the process's life, at the last measurement */
};

/* Starts measuring a question. For a process that is still being started, *p is zeroed. */
void inspector_pace_begin(struct inspector_pace *p, pid_t pid);

/* Returns the milliseconds without a CPU since the last call of this function or of _begin. */
unsigned inspector_pace_waited(struct inspector_pace *p, pid_t pid);

/* Returns the milliseconds that the process has taken since _begin. */
unsigned inspector_pace_took(struct inspector_pace *p, pid_t pid);

#endif
