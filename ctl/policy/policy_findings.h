/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Statements of a policy that can never matter: what nobody can meet, what others say already, what
 * nothing asks for. A configuration that has them is well-formed, and not what its author meant.
 */
#ifndef POEMD_CTL_POLICY_POLICY_FINDINGS_H
#define POEMD_CTL_POLICY_POLICY_FINDINGS_H

#include "proxy/config/config.h"

struct policy_finding {
    const char *route; /* NULL: outside of all routes */
    unsigned line;     /* of the statement, or else of its route; 0: unknown */
    char text[400];    /* printable ASCII */
};

typedef void policy_finding_fn(const struct policy_finding *f, void *arg);

/*
 * Calls fn for each finding, by route and kind. c has been loaded. Looks at the executables that
 * are named: a process's is never a symbolic link, and has a digest. today: UTC.
 */
void policy_findings(const struct config *c, struct rules_date today, policy_finding_fn *fn,
                     void *arg);

#endif
