/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What the monitor keeps of a session's verdict, for whoever asks about the session later: one
 * line of JSON, since a session that relays is to be small.
 */
#ifndef POEMD_PROXY_MONITOR_VERDICT_FACTS_H
#define POEMD_PROXY_MONITOR_VERDICT_FACTS_H

#include <jansson.h>

/*
 * Of a verdict's record (FORMAT.audit; borrowed, NULL: there is none): "verdict", "rule",
 * "permissive", "client" and "backend" as they are, and as "licences" the evidence of each party's
 * highest grade, with "of", "grade", "source" and "licence". The caller frees it; NULL without
 * memory.
 */
char *verdict_facts_text(const json_t *record) __attribute__((warn_unused_result));

#endif
