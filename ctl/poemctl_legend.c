/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The meanings of letters and grades, of which the audit log has only the names. */
#include "ctl/poemctl_legend.h"

#include "base/members.h"
#include "policy/evidence/evidence.h"
#include "policy/rules/rules.h"

json_t *poemctl_legend(void)
{
    json_t *letters[TAINT_COUNT];
    json_t *grades[EVIDENCE_GRADES];

    for (unsigned i = 0; i < TAINT_COUNT; i++) {
        const char letter[2] = {taint_letter(i), '\0'};

        letters[i] = json_pack("{s:s, s:s, s:b}", "letter", letter, "meaning", taint_meaning(i),
                               "observation", (TAINT_OBSERVATIONS >> i & 1) != 0);
    }
    for (int i = 0; i < EVIDENCE_GRADES; i++) {
        const enum evidence_grade g = (enum evidence_grade)i;

        grades[i] = json_pack("{s:s, s:s}", "grade", evidence_grade_name(g), "meaning",
                              evidence_grade_meaning(g));
    }
    return members_object(
        (const struct member[]){{"letters", members_array(letters, TAINT_COUNT)},
                                {"grades", members_array(grades, EVIDENCE_GRADES)},
                                {NULL, NULL}});
}
