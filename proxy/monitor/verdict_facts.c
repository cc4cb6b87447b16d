/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Shortens a verdict's record to the part worth keeping. Pure. */
#include "proxy/monitor/verdict_facts.h"

#include <string.h>

#include "policy/evidence/evidence.h"

static int verdict_facts_grade_of(const json_t *item)
{
    const char *name = json_string_value(json_object_get(item, "grade"));

    return name ? evidence_grade_find(name) : -1;
}

static bool verdict_facts_same(const json_t *a, const json_t *b, const char *member)
{
    return json_equal(json_object_get(a, member), json_object_get(b, member));
}

/* Returns true if other evidence of the same party has a higher grade. */
static bool verdict_facts_outdone(const json_t *item, const json_t *all)
{
    const json_t *other;
    size_t i;

    json_array_foreach(all, i, other)
    {
        if (verdict_facts_same(item, other, "of") &&
            verdict_facts_grade_of(other) > verdict_facts_grade_of(item)) {
            return true;
        }
    }
    return false;
}

static json_t *verdict_facts_licences(const json_t *evidence)
{
    static const char *const members[] = {"of", "grade", "source", "licence"};
    json_t *list = json_array();
    const json_t *item;
    size_t i;

    json_array_foreach(evidence, i, item)
    {
        json_t *o = verdict_facts_outdone(item, evidence) ? NULL : json_object();

        for (size_t k = 0; o && k < sizeof members / sizeof *members; k++) {
            (void)json_object_set(o, members[k], json_object_get(item, members[k]));
        }
        if (o) {
            (void)json_array_append_new(list, o);
        }
    }
    return list;
}

char *verdict_facts_text(const json_t *record)
{
    static const char *const members[] = {"verdict", "rule", "permissive", "client", "backend"};
    json_t *o = record ? json_object() : NULL;
    char *text;

    for (size_t i = 0; o && i < sizeof members / sizeof *members; i++) {
        (void)json_object_set(o, members[i], json_object_get(record, members[i]));
    }
    if (o) {
        (void)json_object_set_new(o, "licences",
                                  verdict_facts_licences(json_object_get(record, "evidence")));
    }
    text = o ? json_dumps(o, JSON_COMPACT) : NULL;
    json_decref(o);
    return text;
}
