/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* What the keeper asks of the kernel for itself, and gives up. */
#ifndef POEMD_PROXY_KEEPER_KEEPER_RIGHTS_H
#define POEMD_PROXY_KEEPER_KEEPER_RIGHTS_H

struct keeper_monitor_plan;

/*
 * Makes this process the one to which the kernel gives the children of processes that die below it;
 * the last that it kills if memory runs out, if it may; with room for as many fds as it may have;
 * and without effective capabilities but CAP_KILL. The monitor's own limits are those that this
 * process was started with, and noted in the plan. (The monitor would inherit a filter of system
 * calls, or an empty permitted set.) Returns 0 or -errno.
 */
int keeper_rights_set(struct keeper_monitor_plan *p) __attribute__((warn_unused_result));

/* Gives these limits back, before another program is executed; and takes them again. */
void keeper_rights_return(const struct keeper_monitor_plan *p);
void keeper_rights_again(const struct keeper_monitor_plan *p);

#endif
