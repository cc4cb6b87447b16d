/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Sorts evidence by its source, and writes it as SPDX 2.3 knows it. That version has no NONE or
 * NOASSERTION within an expression and no AdditionRef-, and a DocumentRef- needs a document that
 * the log does not name.
 */
#define _GNU_SOURCE
#include "ctl/bom/bom_licence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/bom/bom_log.h"
#include "policy/spdx/spdx.h"

/* ---- kinds of evidence ---- */

/* Sources by which a party states its own licence, and those that are the operator's. */
static const struct {
    const char *source;
    bool own;
} sources[] = {{"declaration", true}, {"recital", true}, {"operator", false}};

static bool bom_licence_is_own(const json_t *item)
{
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        if (strcmp(bom_log_text(item, "source"), sources[i].source) == 0) {
            return sources[i].own;
        }
    }
    return false;
}

static bool bom_licence_is_found(const json_t *item)
{
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        if (strcmp(bom_log_text(item, "source"), sources[i].source) == 0) {
            return false;
        }
    }
    return true;
}

static bool bom_licence_is_of(const json_t *party, const json_t *item, enum bom_licence kind)
{
    switch (kind) {
    case BOM_DECLARED:
        return bom_licence_is_own(item);
    case BOM_OBSERVED:
        return bom_licence_is_found(item);
    case BOM_CONCLUDED:
        return json_is_true(json_object_get(item, "counts")) &&
               !json_object_get(party, "incomplete");
    }
    return false;
}

json_t *bom_licence_items(const json_t *party, enum bom_licence kind)
{
    json_t *const list = json_array();
    json_t *item;
    size_t i;

    json_array_foreach(json_object_get(party, "evidence"), i, item)
    {
        if (bom_licence_is_of(party, item, kind) && json_array_append(list, item) < 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* ---- expressions ---- */

/* Too large for the stack. Filled by bom_licence_parse only. */
static struct spdx parsed;

/* Parses a text to `parsed`. Returns false if SPDX 2.3 has no such expression. */
static bool bom_licence_parse(const char *text)
{
    struct spdx_error why;

    if (spdx_parse(&parsed, text, strlen(text), SPDX_LISTED, &why) != SPDX_OK) {
        return false;
    }
    for (size_t i = 0; i < parsed.n_terms; i++) {
        const struct spdx_term *const t = &parsed.terms[i];

        if ((t->kind != SPDX_LICENCE && t->kind != SPDX_REFERENCE) ||
            (t->with.n > 0 && t->addition < 0) ||
            (t->kind == SPDX_REFERENCE && parsed.text[t->name.at] == 'D')) {
            return false;
        }
    }
    return true;
}

bool bom_licence_is_listed(const char *text)
{
    return bom_licence_parse(text) && parsed.n_terms == 1 && parsed.terms[0].kind == SPDX_LICENCE &&
           !parsed.terms[0].plus && parsed.terms[0].with.n == 0;
}

/* Adds the references of `parsed`, whose texts no record has. */
static bool bom_licence_add_references(json_t *texts)
{
    bool ok = true;

    for (size_t i = 0; i < parsed.n_terms; i++) {
        const struct spdx_term *const t = &parsed.terms[i];
        char name[LIMIT_SPDX_TEXT + 1];

        if (t->kind == SPDX_REFERENCE) {
            snprintf(name, sizeof name, "%.*s", (int)t->name.n, parsed.text + t->name.at);
            ok = json_object_set_new(texts, name,
                                     json_string("The evidence names this licence, and does not "
                                                 "include its text.")) == 0 &&
                 ok;
        }
    }
    return ok;
}

char *bom_licence_expression(const char *text, json_t *texts)
{
    char canonical[SPDX_CANONICAL_SIZE];
    char id[33];
    char *name;

    if (bom_licence_parse(text)) {
        spdx_canonical(&parsed, canonical, sizeof canonical);
        return bom_licence_add_references(texts) ? strdup(canonical) : NULL;
    }
    bom_log_id(text, strlen(text), id);
    if (asprintf(&name, "LicenseRef-poemd-%.16s", id) < 0) {
        return NULL;
    }
    if (json_object_set_new(texts, name, json_string(text)) < 0) {
        free(name);
        return NULL;
    }
    return name;
}

/* Adds an operand, each once. */
static bool bom_licence_add_operand(json_t *operands, const char *text, json_t *texts)
{
    char *const expression = bom_licence_expression(text, texts);
    const bool ok = expression && json_object_set_new(operands, expression, json_true()) == 0;

    free(expression);
    return ok;
}

char *bom_licence_join(const json_t *items, json_t *texts)
{
    json_t *const operands = json_object();
    char *text = NULL;
    size_t size;
    FILE *const f = open_memstream(&text, &size);
    bool ok = operands && f;
    const char *operand;
    const char *join = "";
    const json_t *item;
    json_t *value;
    size_t i;

    json_array_foreach(items, i, item)
    {
        ok = ok && bom_licence_add_operand(operands, bom_log_text(item, "licence"), texts);
    }
    json_object_foreach(operands, operand, value)
    {
        const bool apart = json_object_size(operands) > 1 && strstr(operand, " OR ");

        ok = ok && fprintf(f, "%s%s%s%s", join, apart ? "(" : "", operand, apart ? ")" : "") > 0;
        join = " AND ";
    }
    ok = ok && (json_object_size(operands) > 0 || fputs("NOASSERTION", f) >= 0);
    json_decref(operands);
    if ((f && fclose(f) != 0) || !ok) {
        free(text);
        return NULL;
    }
    return text;
}
