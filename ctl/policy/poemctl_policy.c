/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The command poemctl policy. */
#include "ctl/policy/poemctl_policy.h"

static const struct poemctl_command *const actions[] = {&policy_check, &policy_explain,
                                                        &policy_licence, NULL};

const struct poemctl_command poemctl_policy = {
    .name = "policy",
    .what = "find useless rules, explain a verdict or a licence",
    .manual = "poemctl-policy(1)",
    .actions = actions,
};
