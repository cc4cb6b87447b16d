/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Judges the code that a party has mapped, file by file: whether each has evidence of its licence,
 * and whether all licences hold together. Pure.
 */
#include "policy/rules/rules_judge.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

/* One file of the code, in the form of a party: it is known by path, digest and evidence alone. */
struct rules_code_file {
    struct peer peer;
    struct rules_known known;
    struct rules_counted counted;
};

static void rules_code_file_count(const struct rules *r, enum side party,
                                  const struct rules_mapped *m, size_t i, uint32_t today,
                                  struct rules_code_file *f)
{
    const struct peer_code_item *const item = &m->list->items[i];

    peer_init_unknown(&f->peer, "not a process");
    if (item->kind == PEER_CODE_FILE && !item->unknown.why &&
        strlen(item->path) < sizeof f->peer.exe.path) {
        memcpy(f->peer.exe.path, item->path, strlen(item->path) + 1);
        f->peer.exe.path_ours = item->path_ours;
        f->peer.unknown[PEER_EXE_PATH].why = NULL;
    }
    f->known = (struct rules_known){.peer = &f->peer,
                                    .inspection = item->kind == PEER_CODE_FILE ? m->found[i] : NULL,
                                    .recital = RECITAL_MISSING,
                                    .recited = "",
                                    .declared = ""};
    rules_count(r, party, &f->known, today, &f->counted);
}

/* Returns why a file has no evidence. */
static const char *rules_code_why(const struct peer_code_item *item, const struct inspection *in)
{
    if (item->kind != PEER_CODE_FILE) {
        return peer_code_kind_text(item->kind);
    }
    if (item->unknown.why) {
        return item->unknown.why;
    }
    if (!in || in->outcome != INSPECTION_OK) {
        return in ? inspection_text(in->outcome) : "it was not inspected";
    }
    return in->evidence.n_unknown > 0 ? in->evidence.unknowns[0].why
                                      : "no package owns it, and no envelope is about it";
}

struct rules_code_evidence rules_code_evidence(const struct rules *r, enum side party,
                                               const struct rules_mapped *m, size_t i,
                                               uint32_t today)
{
    struct rules_code_evidence e = {.licence = "", .name = ""};
    struct rules_code_file f;

    rules_code_file_count(r, party, m, i, today, &f);
    e.grade = f.counted.grade;
    if (f.counted.n > 0) {
        e.licence = f.counted.items[0].licence;
        e.name = f.counted.items[0].name;
    } else {
        e.why = rules_code_why(&m->list->items[i], m->found[i]);
    }
    return e;
}

/* ---- what is wrong with an item ---- */

/* Writes what the item is: its path, or its addresses and kind. */
static void rules_code_show(const struct peer_code_item *item, char *out, size_t size)
{
    char path[160];

    log_escape(path, sizeof path, item->path, strlen(item->path));
    if (item->kind == PEER_CODE_FILE) {
        snprintf(out, size, "%s", *path ? path : "a file without a name");
    } else {
        snprintf(out, size, "code at 0x%" PRIx64 "-0x%" PRIx64 "%s%s%s", item->start, item->end,
                 *path ? " (" : "", path, *path ? ")" : "");
    }
}

/* Writes the reason of a rule that item i does not meet, for want of evidence of a grade. */
static void rules_code_write_fault(const struct rules_mapped *m, size_t i,
                                   const struct rules_counted *c, enum evidence_grade least,
                                   struct rules_step *s)
{
    const struct peer_code_item *const item = &m->list->items[i];
    char shown[240];

    s->met = false;
    rules_code_show(item, shown, sizeof shown);
    if (item->kind != PEER_CODE_FILE) {
        s->taint |= TAINT_UNKNOWN;
        rules_write(s->text, "the %s executes %s, which is %s: no evidence covers it",
                    side_name(s->party), shown, peer_code_kind_text(item->kind));
        rules_write(s->mend, "use a %s that executes only code of installed files",
                    side_name(s->party));
        return;
    }
    if (c->grade == EVIDENCE_NONE) {
        s->taint |= TAINT_UNKNOWN;
        rules_write(s->text, "the %s has mapped code without evidence of its licence: %s: %.120s",
                    side_name(s->party), shown, rules_code_why(item, m->found[i]));
    } else {
        s->taint |= TAINT_UNSIGNED;
        rules_write(s->text, "the %s has mapped code with evidence of grade \"%s\" only: %s",
                    side_name(s->party), evidence_grade_name(c->grade), shown);
    }
    rules_write(s->mend,
                "use a %s without that file, install it from its package, sign an envelope for it "
                "(poemctl attest), or \"assign licence EXPRESSION to %s exe %s\"; required: grade "
                "\"%s\" or higher",
                side_name(s->party), side_name(s->party), shown, evidence_grade_name(least));
}

/* Returns true if there is a list to be judged; otherwise the step has the reason. */
static bool rules_code_is_known(const struct rules_known *k, struct rules_step *s)
{
    const char *const why = !k->mapped ? "nothing has looked at it" : k->mapped->list->unknown.why;
    const int error = k->mapped ? k->mapped->list->unknown.error : 0;

    if (!why) {
        return true;
    }
    s->met = false;
    s->taint |= TAINT_UNKNOWN;
    rules_write(s->text, "the code that the %s has mapped is unknown: %s%s%s%s",
                side_name(s->party), why, error ? " (" : "", error ? strerror(error) : "",
                error ? ")" : "");
    rules_write(s->mend,
                "remove the cause; poemd.conf(5) has the rights and limits under \"code\"");
    return false;
}

/* Returns whether the item is the party's executable itself, which is judged with the party. */
static bool rules_code_is_executable(const struct rules_known *k, const struct peer_code_item *item)
{
    return item->kind == PEER_CODE_FILE && !item->unknown.why && peer_knows(k->peer, PEER_EXE_ID) &&
           peer_file_id_same(&item->id, &k->peer->exe.id);
}

void rules_code_mend_interpreter(enum side party, struct rules_step *s)
{
    rules_write(s->mend,
                "use a %s that is a program of its own, \"assign licence EXPRESSION to %s exe "
                "PATH\", or sign an envelope for this executable (poemctl attest)",
                side_name(party), side_name(party));
}

/* ---- the statement "code" ---- */

void rules_code_check(const struct rules *r, const struct rules_code *rule,
                      const struct rules_known *k, uint32_t today, struct rules_step *s)
{
    const char *const who = side_name(rule->party);
    struct rules_counted c;
    struct rules_code_file f;
    size_t faults = 0;

    rules_count(r, rule->party, k, today, &c);
    if (c.interpreter && c.grade < rule->least) {
        s->taint |= TAINT_UNKNOWN;
        rules_write(s->text,
                    "the %s executes an interpreter (%s): the program that it runs is not in the "
                    "code that it has mapped",
                    who, c.interpreter);
        rules_code_mend_interpreter(rule->party, s);
        return;
    }
    if (!rules_code_is_known(k, s)) {
        return;
    }
    for (size_t i = 0; i < k->mapped->list->n; i++) {
        const bool own = rules_code_is_executable(k, &k->mapped->list->items[i]);

        rules_code_file_count(r, rule->party, k->mapped, i, today, &f);
        if ((own ? c.grade : f.counted.grade) == EVIDENCE_ASSIGNED) {
            s->taint |= TAINT_OVERRIDE;
        }
        if ((own ? c.grade : f.counted.grade) < rule->least && faults++ == 0) {
            rules_code_write_fault(k->mapped, i, own ? &c : &f.counted, rule->least, s);
        }
    }
    if (faults > 1) {
        const size_t n = strlen(s->text);

        snprintf(s->text + n, sizeof s->text - n, "; and %zu more", faults - 1);
    } else if (faults == 0) {
        s->met = true;
        rules_write(s->text,
                    "all code that the %s has mapped, %zu file%s, has evidence of grade "
                    "\"%s\" or higher",
                    who, k->mapped->list->n, k->mapped->list->n == 1 ? "" : "s",
                    evidence_grade_name(rule->least));
    }
}

/* ---- "covering code" ---- */

/* Judges the executable and all files by a rule. Returns the worst result; *worst is its item. */
static enum spdx_compat rules_code_judge(const struct rules *r, const struct rules_licence *rule,
                                         const struct rules_known *k, uint32_t today,
                                         const struct rules_counted *c, size_t *worst,
                                         char why[RULES_TEXT_SIZE])
{
    const struct peer_code *const list = k->mapped->list;
    enum spdx_compat all;
    size_t ignored;

    *worst = list->n;
    all = rules_judge_all(rule, c, &ignored, why);
    for (size_t i = 0; i < list->n; i++) {
        struct rules_code_file f;
        char text[RULES_TEXT_SIZE];
        enum spdx_compat one;

        if (rules_code_is_executable(k, &list->items[i])) {
            continue;
        }
        rules_code_file_count(r, rule->party, k->mapped, i, today, &f);
        one = rules_judge_all(rule, &f.counted, &ignored, text);
        if (one < all) {
            all = one;
            *worst = i;
            memcpy(why, text, sizeof text);
        }
    }
    return all;
}

/* Returns whether one version of the GPL can be that of the executable and of all files. */
static bool rules_code_agrees(const struct rules *r, const struct rules_licence *rule,
                              const struct rules_known *k, uint32_t today,
                              const struct rules_counted *c)
{
    char why[RULES_TEXT_SIZE];
    size_t worst;

    if (rule->kind != RULES_COMPATIBLE || rule->target != SPDX_WITH_GPL_2_0_OR_LATER) {
        return true;
    }
    for (int i = 0; i < RULES_VERSIONS; i++) {
        struct rules_licence one = *rule;

        one.target = rules_versions[i];
        if (rules_code_judge(r, &one, k, today, c, &worst, why) == SPDX_COMPATIBLE) {
            return true;
        }
    }
    return false;
}

/* Writes that the licence of item i does not meet the rule, and why. */
static void rules_code_write_licence(const struct rules *r, const struct rules_licence *rule,
                                     const struct rules_known *k, uint32_t today, size_t i,
                                     const char *why, struct rules_step *s)
{
    const struct rules_code_evidence e = rules_code_evidence(r, rule->party, k->mapped, i, today);
    char shown[240];
    char licence[96];

    rules_code_show(&k->mapped->list->items[i], shown, sizeof shown);
    log_escape(licence, sizeof licence, e.licence, strlen(e.licence));
    rules_write(s->text, "code that the %s has mapped: %.160s: %s, %s (%.60s): %.150s",
                side_name(rule->party), shown, licence, evidence_grade_name(e.grade), e.name, why);
    rules_write(s->mend, "use a %s without that file", side_name(rule->party));
}

void rules_code_licence(const struct rules *r, const struct rules_licence *rule,
                        const struct rules_known *k, uint32_t today, const struct rules_counted *c,
                        struct rules_step *s)
{
    const struct rules_assign *const a = rules_assigned(r, rule->party, k);
    char why[RULES_TEXT_SIZE];
    enum spdx_compat all;
    size_t worst;

    /* An assignment that names no file is about the party with all of its code. */
    if ((a && a->fact == RULES_FACTS) || !rules_code_is_known(k, s)) {
        return;
    }
    for (size_t i = 0; i < k->mapped->list->n; i++) {
        struct rules_code_file f;

        rules_code_file_count(r, rule->party, k->mapped, i, today, &f);
        if (f.counted.grade < rule->least &&
            !rules_code_is_executable(k, &k->mapped->list->items[i])) {
            rules_code_write_fault(k->mapped, i, &f.counted, rule->least, s);
            return;
        }
    }
    all = rules_code_judge(r, rule, k, today, c, &worst, why);
    if (all != SPDX_COMPATIBLE && worst < k->mapped->list->n) {
        s->met = false;
        s->taint |= rules_licence_taint(
            rules_code_evidence(r, rule->party, k->mapped, worst, today).licence, all,
            EVIDENCE_NONE);
        rules_code_write_licence(r, rule, k, today, worst, why, s);
    } else if (!rules_code_agrees(r, rule, k, today, c)) {
        s->met = false;
        s->taint |= TAINT_INCOMPATIBLE;
        rules_write(
            s->text,
            "the %s and the code that it has mapped are not all compatible with one and the "
            "same version of the GPL",
            side_name(rule->party));
        rules_write(s->mend, "use a %s whose code can be combined under one version of the GPL",
                    side_name(rule->party));
    }
}
