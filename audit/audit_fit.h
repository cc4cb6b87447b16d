/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Records that would be longer than a line may be: FORMAT.audit, section 2. Pure.
 */
#ifndef POEMD_AUDIT_AUDIT_FIT_H
#define POEMD_AUDIT_AUDIT_FIT_H

#include <jansson.h>
#include <stddef.h>

/*
 * The record's members as the log writes them (to be freed) in at most max bytes; NULL without
 * memory, or with *too_long where not even the shortest form fits. Where they are longer, the
 * longest lists and texts are cut in o itself, and "omitted" beside each has how much is missing.
 */
char *audit_fit(json_t *o, size_t max, int *too_long) __attribute__((warn_unused_result));

#endif
