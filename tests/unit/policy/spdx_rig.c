/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
#define _GNU_SOURCE
#include "tests/unit/policy/spdx_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MAX 1000

static struct spdx expression;

static void cut(struct rig_row *row, char *line)
{
    for (size_t i = 0; i < RIG_COLUMNS && line; i++) {
        row->columns[i] = strsep(&line, "\t");
    }
}

const struct rig_row *rig_rows(const char *name, size_t *n)
{
    struct rig_row *rows = calloc(ROWS_MAX, sizeof *rows);
    char path[512];
    char *line = NULL;
    size_t size = 0;
    ssize_t length;
    FILE *f;

    snprintf(path, sizeof path, "%s/tests/unit/policy/%s", SOURCE_DIR, name);
    f = fopen(path, "r");
    if (!rows || !f) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    *n = 0;
    for (int at = 1; (length = getline(&line, &size, f)) > 0; at++) {
        line[length - 1] = '\0';
        if (line[0] != '#' && *n < ROWS_MAX) {
            rows[*n].line = at;
            cut(&rows[(*n)++], strdup(line));
        }
    }
    free(line);
    fclose(f);
    return rows;
}

enum spdx_outcome rig_parse(const char *text, size_t n, enum spdx_lookup lookup,
                            struct spdx_error *why)
{
    char *const copy = malloc(n > 0 ? n : 1);
    enum spdx_outcome o;

    ck_assert_ptr_nonnull(copy);
    memcpy(copy, text, n);
    memset(why, 0, sizeof *why);
    o = spdx_parse(&expression, copy, n, lookup, why);
    free(copy);
    ck_assert_int_eq(why->outcome, o);
    return o;
}

const struct spdx *rig_expression(void)
{
    return &expression;
}

const struct spdx *rig_must_parse(const char *text)
{
    struct spdx_error why;

    ck_assert_msg(rig_parse(text, strlen(text), SPDX_LISTED, &why) == SPDX_OK, "%s: %s", text,
                  why.text);
    return &expression;
}

const char *rig_canonical(const char *text)
{
    static char out[SPDX_CANONICAL_SIZE];
    const size_t n = spdx_canonical(rig_must_parse(text), out, sizeof out);

    ck_assert_uint_eq(n, strlen(out));
    return out;
}

enum spdx_compat rig_judge(const char *text, enum spdx_target target)
{
    struct spdx_verdict v;

    spdx_judge(rig_must_parse(text), target, &v);
    ck_assert_int_eq(v.target, target);
    return v.compat;
}
