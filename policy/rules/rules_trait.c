/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Judges rules on properties of a party. Pure. */
#include <string.h>

#include "base/log.h"
#include "policy/rules/rules_judge.h"

/* ---- contradictions ---- */

bool rules_trait_contradicted(const struct rules_licence *rule, const struct rules_known *k,
                              struct rules_step *s)
{
    const char *const who = side_name(s->party);
    struct rules_contradiction by;
    char recited[128];
    char other[128];

    if (!rules_contradicts_itself(k, &by)) {
        return false;
    }
    s->met = false;
    s->taint |= rules_worse_taint(rule, k->recited, by.licence);
    log_escape(recited, sizeof recited, k->recited, strlen(k->recited));
    log_escape(other, sizeof other, by.licence, strlen(by.licence));
    rules_write(s->text, "contradiction: the %s recites under %s, but %s %s", who, recited, by.how,
                other);
    rules_write(s->mend, "use a %s that %s the licence it recites under", who, by.how);
    return true;
}

static void rules_trait_check_consistent(const struct rules *r, const struct rules_known *k,
                                         struct rules_step *s)
{
    const char *const who = side_name(s->party);
    const bool recited = k->recital == RECITAL_OK && *k->recited;

    s->about = RULES_ABOUT_CONSISTENCY;
    if (rules_assigned(r, s->party, k)) {
        s->met = true;
        s->taint = TAINT_OVERRIDE;
        rules_write(s->text, "the operator has assigned a licence to the %s, whatever it states",
                    who);
    } else if (rules_trait_contradicted(&rules_any_version, k, s)) {
        return;
    } else if (recited && (!k->inspection || k->inspection->outcome != INSPECTION_OK)) {
        s->taint = TAINT_UNKNOWN;
        rules_write(s->text, "the package of the %s, which recites, is unknown: %s", who,
                    k->inspection ? inspection_text(k->inspection->outcome) : "not inspected");
        rules_write(s->mend, "use a %s with an executable that can be inspected", who);
    } else {
        s->met = true;
        rules_write(s->text,
                    recited ? "neither declaration nor package of the %s contradict its recital"
                            : "no recital of the %s could be contradicted",
                    who);
    }
}

void rules_trait_check(const struct rules *r, const struct rules_trait *rule,
                       const struct rules_known *k, struct rules_step *s)
{
    switch (rule->kind) {
    case RULES_CONSISTENT:
        rules_trait_check_consistent(r, k, s);
        break;
    }
}
