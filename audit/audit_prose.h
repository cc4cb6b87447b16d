/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Records as sentences, for people. Pure. */
#ifndef POEMD_AUDIT_AUDIT_PROSE_H
#define POEMD_AUDIT_AUDIT_PROSE_H

#include <jansson.h>
#include <stddef.h>

#include "audit/audit_line.h"

/* Maximum size of a record as prose: two paths and two reasons, each cut if it is longer. */
#define AUDIT_PROSE_MAX 4096u

/*
 * Writes a record, a whole line of the log as JSON, as one or two sentences of printable ASCII;
 * returns out. No member is assumed to exist, or to be harmless.
 */
const char *audit_prose(const json_t *record, char out[AUDIT_PROSE_MAX]);

#endif
