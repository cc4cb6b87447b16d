/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The questions of poemctl policy: functions of the type poemctl_command. */
#ifndef POEMD_CTL_POLICY_POEMCTL_POLICY_H
#define POEMD_CTL_POLICY_POEMCTL_POLICY_H

#include "ctl/poemctl.h"

/*
 * Prints the question's synopsis, or all of them if question is NULL, to standard error. Returns
 * POEMCTL_USAGE.
 */
int policy_usage(const char *question);

poemctl_command policy_check_main;
poemctl_command policy_explain_main;
poemctl_command policy_licence_main;

#endif
