/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Shortens records that exceed a line: FORMAT.audit, section 2. Pure. */
#ifndef POEMD_AUDIT_AUDIT_FIT_H
#define POEMD_AUDIT_AUDIT_FIT_H

#include <jansson.h>
#include <stddef.h>

/*
 * Returns the record's members as the log writes them, in at most max bytes; the caller frees the
 * text. If they are longer, the longest lists and texts are cut in o itself, and "omitted" beside
 * each gives the amount removed. Returns NULL if out of memory, or with *too_long set if even the
 * shortest form does not fit.
 */
char *audit_fit(json_t *o, size_t max, int *too_long) __attribute__((warn_unused_result));

#endif
