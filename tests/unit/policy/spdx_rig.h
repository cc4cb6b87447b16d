/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* What the suites of licence expressions share: tables in files, and parsing with exact memory. */
#ifndef POEMD_TESTS_UNIT_POLICY_SPDX_RIG_H
#define POEMD_TESTS_UNIT_POLICY_SPDX_RIG_H

#include "policy/spdx/spdx.h"
#include "tests/support/unit.h"

#define RIG_COLUMNS 5

/* A line of a table, cut at its tabs; columns that it does not have are NULL. */
struct rig_row {
    int line;
    const char *columns[RIG_COLUMNS];
};

/* The rows of a file beside the suites, without its comments. Kept to the end of the process. */
const struct rig_row *rig_rows(const char *name, size_t *n);

/* spdx_parse from memory of just the text's size; the expression is the rig's own. */
enum spdx_outcome rig_parse(const char *text, size_t n, enum spdx_lookup lookup,
                            struct spdx_error *why);
const struct spdx *rig_expression(void);

/* Parses, or fails the test. */
const struct spdx *rig_must_parse(const char *text);

/* Of a text that must parse. */
const char *rig_canonical(const char *text);
enum spdx_compat rig_judge(const char *text, enum spdx_target target);

#endif
