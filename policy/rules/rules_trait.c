/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Judges rules on properties of a party. Pure. */
#include <stdio.h>
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

/* ---- measurements ---- */

/* Writes why IMA does not vouch for the executable. */
static void rules_trait_write_ima(const struct rules_known *k, char *out, size_t size)
{
    const struct inspection *const i = k->inspection;

    snprintf(out, size, "%s",
             !i                            ? "it was not inspected"
             : i->outcome != INSPECTION_OK ? inspection_text(i->outcome)
                                           : inspection_ima_text((enum inspection_ima)i->ima));
}

static void rules_trait_check_measured(const struct rules_known *k, struct rules_step *s)
{
    const char *const who = side_name(s->party);
    const struct peer_verity *const verity = &k->peer->exe.verity;
    const struct inspection *const i = k->inspection;
    const char *const interpreter = rules_interpreter(k);
    char text[PEER_VERITY_TEXT_SIZE];
    char why[128];

    s->about = RULES_ABOUT_MEASURED;
    s->taint = TAINT_UNSIGNED;
    rules_write(s->mend,
                "enable fs-verity for the %s's executable (fsverity enable FILE), or have IMA "
                "measure executables with SHA-256 (ima_policy=tcb ima_hash=sha256)",
                who);
    if (interpreter) {
        rules_write(s->text,
                    "the %s executes an interpreter (%s): the program that it runs is not measured",
                    who, interpreter);
        rules_write(s->mend, "use a %s that is a program of its own", who);
    } else if (verity->size > 0) {
        s->met = true;
        rules_write(s->text, "the executable of the %s is measured by fs-verity, %s", who,
                    peer_verity_text(verity, text));
    } else if (i && i->outcome == INSPECTION_OK && i->ima == INSPECTION_IMA_LISTED) {
        s->met = true;
        rules_write(s->text, "the executable of the %s is measured by IMA, in entry %u of its list",
                    who, (unsigned)i->ima_entry);
    } else {
        rules_trait_write_ima(k, why, sizeof why);
        rules_write(s->text,
                    "the executable of the %s is not measured: it has no fs-verity digest, and %s",
                    who, why);
    }
    if (s->met) {
        s->taint = 0;
    }
}

void rules_trait_check(const struct rules *r, const struct rules_trait *rule,
                       const struct rules_known *k, struct rules_step *s)
{
    switch (rule->kind) {
    case RULES_CONSISTENT:
        rules_trait_check_consistent(r, k, s);
        break;
    case RULES_MEASURED:
        rules_trait_check_measured(k, s);
        break;
    }
}
