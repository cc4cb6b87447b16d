/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The questions of poemctl policy: actions of the command. */
#ifndef POEMD_CTL_POLICY_POEMCTL_POLICY_H
#define POEMD_CTL_POLICY_POEMCTL_POLICY_H

#include "ctl/poemctl.h"

extern const struct poemctl_command policy_check;
extern const struct poemctl_command policy_explain;
extern const struct poemctl_command policy_licence;

#endif
