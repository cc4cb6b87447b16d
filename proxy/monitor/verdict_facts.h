/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The part of a session's verdict that the monitor keeps for later requests: one line of JSON,
 * since a relaying session must be small.
 */
#ifndef POEMD_PROXY_MONITOR_VERDICT_FACTS_H
#define POEMD_PROXY_MONITOR_VERDICT_FACTS_H

#include <jansson.h>

#include "policy/rules/rules.h"

/* A verdict, and what it was made of. */
struct verdict_facts {
    enum verdict verdict;
    const json_t *record; /* as in the audit log, or NULL */
};

/*
 * Shortens a verdict's record (FORMAT.audit; borrowed, may be NULL): "verdict", "rule",
 * "permissive", "client" and "backend" as they are, and as "licences" the evidence of each party's
 * highest grade, with "of", "grade", "source" and "licence". The caller frees the text. Returns
 * NULL without a record, or if out of memory.
 */
char *verdict_facts_text(const json_t *record) __attribute__((warn_unused_result));

#endif
