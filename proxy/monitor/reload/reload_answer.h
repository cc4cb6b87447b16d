/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The result of a reload, as a list of objects, each with one member:
 *
 *   reload       first: "outcome" ("reloaded", "would reload", "wrong", "failed"), "file", "old"
 *                and "new" (digests, or null), "why" if it has failed
 *   error        "line", "column" (0: without a place), "text", "hint"
 *   errors       how many there are, if more than are listed
 *   warning      a text
 *   difference   "route" (null: outside of routes), "change" ("added", "gone" or "changed"),
 *                "words"
 *   session      one that the new rules deny, or cannot be tried on: "number", "route", "verdict"
 *                ("deny" or "unknown"), "why", "end" ("no", "ended" or "ending")
 */
#ifndef POEMD_PROXY_MONITOR_RELOAD_RELOAD_ANSWER_H
#define POEMD_PROXY_MONITOR_RELOAD_RELOAD_ANSWER_H

#include "proxy/monitor/reload/reload_state.h"

/* Begins the answer with this outcome; why may be NULL. */
void reload_answer_begin(struct reload *r, const char *outcome, const char *why,
                         const struct generation *old, const char *new_digest);

/* Adds the job's errors and warnings. */
void reload_answer_faults(struct reload *r, const struct reload_job *j);

/* Adds the differences between two configurations. */
void reload_answer_differences(struct reload *r, const struct config *before,
                               const struct config *after);

/* Adds an object with this one member; takes value. */
void reload_answer_add(struct reload *r, const char *name, json_t *value);

#endif
