/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * "compatible with client" and "compatible with backend": makes a rule about versions of the GPL
 * from the licence that the other party's own evidence gives. Pure.
 */
#include <string.h>

#include "base/log.h"
#include "policy/rules/rules_judge.h"

/* The other party's licence with each version of the GPL. */
struct with_other {
    enum side party;
    struct rules_counted counted;
    enum spdx_compat compat[RULES_VERSIONS]; /* version 2, version 3 */
};

/* Makes the step one about the other party, whose licence keeps the rule from being applied. */
static bool rules_with_fault(const struct with_other *o, const struct rules_licence *rule,
                             struct rules_step *s, uint32_t taint, const char *fault)
{
    const char *who = side_name(o->party);
    char licence[128] = "";

    s->party = o->party;
    s->met = false;
    s->taint = taint;
    if (o->counted.n > 0) {
        s->cause = (struct rules_cause){.grade = o->counted.grade,
                                        .licence = o->counted.items[0].licence,
                                        .source = o->counted.items[0].source,
                                        .name = o->counted.items[0].name};
        log_escape(licence, sizeof licence, s->cause.licence, strlen(s->cause.licence));
    }
    rules_write(s->text,
                "the rule \"licence of %s compatible with %s\": the licence of the %s%s%s%s",
                side_name(rule->party), who, who, *licence ? ", " : "", licence, fault);
    rules_write(s->mend, "provide evidence of grade \"%s\" or higher for the %s's licence",
                evidence_grade_name(rule->least), who);
    return false;
}

/* If no version of the GPL will do, only the same licence is known to. */
static void rules_with_same(const struct with_other *o, struct rules_licence *out)
{
    out->kind = RULES_SAME;
    out->same = o->counted.n == 1 ? o->counted.items[0].licence : "";
}

bool rules_with_resolve(const struct rules *r, const struct rules_known known[SIDES],
                        uint32_t today, const struct rules_licence *rule, struct rules_licence *out,
                        struct rules_step *s)
{
    struct with_other o = {.party = side_other(rule->party)};
    const struct rules_known *k = &known[o.party];
    struct rules_contradiction by;

    *out = *rule;
    rules_count(r, o.party, k, today, &o.counted);
    rules_judge_versions(&o.counted, o.compat);
    if (o.counted.n == 0) {
        return rules_with_fault(&o, rule, s, TAINT_UNKNOWN, " is unknown");
    }
    if (o.counted.grade < rule->least) {
        return rules_with_fault(&o, rule, s, TAINT_UNSIGNED,
                                ", is known by too low a grade of evidence");
    }
    if (o.counted.grade != EVIDENCE_ASSIGNED && rules_contradicts_itself(k, &by)) {
        return rules_with_fault(&o, rule, s, TAINT_UNKNOWN,
                                " is unknown: its recital is contradicted");
    }
    out->kind = RULES_COMPATIBLE;
    if (o.compat[0] == SPDX_COMPATIBLE && o.compat[1] == SPDX_COMPATIBLE) {
        out->target = SPDX_WITH_GPL_2_0_OR_LATER;
    } else if (o.compat[0] == SPDX_COMPATIBLE || o.compat[1] == SPDX_COMPATIBLE) {
        out->target = rules_versions[o.compat[0] == SPDX_COMPATIBLE ? 0 : 1];
    } else if (o.compat[0] == SPDX_UNKNOWN || o.compat[1] == SPDX_UNKNOWN) {
        return rules_with_fault(&o, rule, s, TAINT_UNKNOWN, " is not known to be compatible");
    } else {
        rules_with_same(&o, out);
    }
    return true;
}
