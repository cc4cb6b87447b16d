/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Finds statements of a policy that can never have an effect: rules that no process can meet, that
 * repeat others, or that no other rule makes use of. A configuration with such statements is
 * well-formed, but does not express its author's intention.
 */
#ifndef POEMD_CTL_POLICY_POLICY_FINDINGS_H
#define POEMD_CTL_POLICY_POLICY_FINDINGS_H

#include "proxy/config/config.h"

struct policy_finding {
    const char *route; /* NULL: outside all routes */
    unsigned line;     /* of the statement, or else of its route; 0: unknown */
    char text[400];    /* printable ASCII */
};

typedef void policy_finding_fn(const struct policy_finding *f, void *arg);

/*
 * Calls fn for each finding, by route and kind. c must be loaded. Reads the named executables,
 * since the kernel never reports a symbolic link as an executable, and to compare digests. today is
 * in UTC.
 */
void policy_findings(const struct config *c, uint32_t today, policy_finding_fn *fn, void *arg);

#endif
