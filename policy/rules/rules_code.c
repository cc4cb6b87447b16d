/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Judges the code that a party has mapped, file by file: whether each has evidence of its origin,
 * and whether all licences hold together. Pure.
 */
#include "policy/rules/rules_judge.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

/*
 * One file of the code, in the form of a party: it is known by path, digest and evidence alone.
 * Large: a pass over all files uses one, again and again.
 */
struct rules_code_file {
    struct peer peer;
    struct rules_known known;
    struct rules_counted counted;
};

static void rules_code_file_init(struct rules_code_file *f)
{
    peer_init_unknown(&f->peer, "not a process");
    f->known = (struct rules_known){
        .peer = &f->peer, .recital = RECITAL_MISSING, .recited = "", .declared = ""};
}

/* Counts the evidence of item i. */
static void rules_code_file_count(const struct rules *r, enum side party,
                                  const struct rules_mapped *m, size_t i, uint32_t today,
                                  struct rules_code_file *f)
{
    const struct peer_code_item *const item = &m->list->items[i];
    const bool file = item->kind == PEER_CODE_FILE;

    f->peer.unknown[PEER_EXE_PATH].why = "not a file with a known path";
    if (file && !item->unknown.why && strlen(item->path) < sizeof f->peer.exe.path) {
        memcpy(f->peer.exe.path, item->path, strlen(item->path) + 1);
        f->peer.exe.path_ours = item->path_ours;
        f->peer.unknown[PEER_EXE_PATH].why = NULL;
    }
    f->known.inspection = file ? m->found[i] : NULL;
    rules_count(r, party, &f->known, today, &f->counted);
}

/*
 * Returns the grade of the evidence of a file's origin: a package that contains it will do, even if
 * it names no licence that can be read.
 */
static enum evidence_grade rules_code_grade(const struct rules_counted *c,
                                            const struct inspection *in)
{
    const bool packaged = in && in->outcome == INSPECTION_OK && *in->evidence.package;

    return packaged && c->grade < EVIDENCE_PACKAGED ? EVIDENCE_PACKAGED : c->grade;
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

    rules_code_file_init(&f);
    rules_code_file_count(r, party, m, i, today, &f);
    e.grade = rules_code_grade(&f.counted, f.known.inspection);
    if (e.grade == f.counted.grade && f.counted.n > 0) {
        e.licence = f.counted.items[0].licence;
        e.name = f.counted.items[0].name;
        return e;
    }
    e.why = rules_code_why(&m->list->items[i], m->found[i]);
    if (e.grade != EVIDENCE_NONE) {
        e.name = f.known.inspection->evidence.package;
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

/* Writes that the party has an interpreter's evidence and no other. */
static void rules_code_write_interpreter(const char *interpreter, struct rules_step *s)
{
    s->taint |= TAINT_UNKNOWN;
    rules_write(s->text,
                "the %s executes an interpreter (%s): the program that it runs is not in the code "
                "that it has mapped",
                side_name(s->party), interpreter);
    rules_code_mend_interpreter(s->party, s);
}

/* Writes that all items meet the rule, or how many more than the one that was written do not. */
static void rules_code_write_result(const struct rules_code *rule, size_t n, size_t faults,
                                    struct rules_step *s)
{
    const size_t written = strlen(s->text);

    s->met = faults == 0;
    if (faults > 1) {
        snprintf(s->text + written, sizeof s->text - written, "; and %zu more", faults - 1);
    } else if (faults == 0) {
        rules_write(s->text,
                    "all code that the %s has mapped, %zu file%s, has evidence of grade \"%s\" or "
                    "higher",
                    side_name(rule->party), n, n == 1 ? "" : "s", evidence_grade_name(rule->least));
    }
}

void rules_code_check(const struct rules *r, const struct rules_code *rule,
                      const struct rules_known *k, uint32_t today, struct rules_step *s)
{
    struct rules_counted executable;
    struct rules_code_file f;
    size_t faults = 0;

    rules_count(r, rule->party, k, today, &executable);
    if (executable.interpreter && executable.grade < rule->least) {
        rules_code_write_interpreter(executable.interpreter, s);
        return;
    }
    if (!rules_code_is_known(k, s)) {
        return;
    }
    rules_code_file_init(&f);
    for (size_t i = 0; i < k->mapped->list->n; i++) {
        const bool own = rules_code_is_executable(k, &k->mapped->list->items[i]);
        const struct rules_counted *const c = own ? &executable : &f.counted;
        enum evidence_grade grade;

        if (!own) {
            rules_code_file_count(r, rule->party, k->mapped, i, today, &f);
        }
        grade = rules_code_grade(c, own ? k->inspection : f.known.inspection);
        if (grade == EVIDENCE_ASSIGNED) {
            s->taint |= TAINT_OVERRIDE;
        }
        if (grade < rule->least && faults++ == 0) {
            rules_code_write_fault(k->mapped, i, c, rule->least, s);
        }
    }
    rules_code_write_result(rule, k->mapped->list->n, faults, s);
}

/* ---- "covering code" ---- */

/* The results of all code so far. */
struct rules_code_judged {
    enum spdx_compat compat;                   /* the worst one, */
    size_t worst;                              /* its item, */
    struct rules_counted counted;              /* its evidence, */
    char why[RULES_TEXT_SIZE];                 /* and its reason */
    enum spdx_compat versions[RULES_VERSIONS]; /* of all code together, by version of the GPL */
};

/* Judges one file. Reads its licences once if they are compatible. */
static void rules_code_judge(const struct rules_licence *rule, const struct rules_counted *c,
                             size_t i, struct rules_code_judged *j)
{
    enum spdx_compat versions[RULES_VERSIONS];
    enum spdx_compat one = SPDX_COMPATIBLE;
    char why[RULES_TEXT_SIZE] = "";
    size_t ignored;

    if (rules_asks_either(rule)) {
        rules_judge_versions(c, versions);
        one = rules_judge_either(versions);
        for (int v = 0; v < RULES_VERSIONS; v++) {
            j->versions[v] = versions[v] < j->versions[v] ? versions[v] : j->versions[v];
        }
    }
    if (one != SPDX_COMPATIBLE || !rules_asks_either(rule)) {
        one = rules_judge_all(rule, c, &ignored, why);
    }
    if (one < j->compat) {
        j->compat = one;
        j->worst = i;
        j->counted = *c;
        memcpy(j->why, why, sizeof why);
    }
}

/* Writes that the licence of an item does not meet the rule, and why. */
static void rules_code_write_licence(const struct rules_known *k, const struct rules_code_judged *j,
                                     struct rules_step *s)
{
    const char *const name = j->counted.n > 0 ? j->counted.items[0].name : "";
    const char *const text = j->counted.n > 0 ? j->counted.items[0].licence : "";
    char shown[240];
    char licence[96];

    s->met = false;
    s->taint |= rules_licence_taint(text, j->compat, EVIDENCE_NONE);
    rules_code_show(&k->mapped->list->items[j->worst], shown, sizeof shown);
    log_escape(licence, sizeof licence, text, strlen(text));
    rules_write(s->text, "code that the %s has mapped: %.160s: %s, %s (%.60s): %.150s",
                side_name(s->party), shown, licence, evidence_grade_name(j->counted.grade), name,
                j->why);
    rules_write(s->mend, "use a %s without that file", side_name(s->party));
}

/* Writes that no version of the GPL is common to all code. */
static void rules_code_write_disagreement(struct rules_step *s)
{
    s->met = false;
    s->taint |= TAINT_INCOMPATIBLE;
    rules_write(s->text,
                "the %s and the code that it has mapped are not all compatible with one and the "
                "same version of the GPL",
                side_name(s->party));
    rules_write(s->mend, "use a %s whose code can be combined under one version of the GPL",
                side_name(s->party));
}

void rules_code_licence(const struct rules *r, const struct rules_licence *rule,
                        const struct rules_known *k, uint32_t today, const struct rules_counted *c,
                        struct rules_step *s)
{
    const struct rules_assign *const a = rules_assigned(r, rule->party, k);
    struct rules_code_judged j = {.compat = SPDX_COMPATIBLE};
    struct rules_code_file f;

    /* An assignment that names no file is about the party with all of its code. */
    if ((a && a->fact == RULES_FACTS) || !rules_code_is_known(k, s)) {
        return;
    }
    rules_judge_versions(c, j.versions);
    rules_code_file_init(&f);
    for (size_t i = 0; i < k->mapped->list->n; i++) {
        if (rules_code_is_executable(k, &k->mapped->list->items[i])) {
            continue;
        }
        rules_code_file_count(r, rule->party, k->mapped, i, today, &f);
        if (f.counted.grade < rule->least) {
            rules_code_write_fault(k->mapped, i, &f.counted, rule->least, s);
            return;
        }
        s->taint |= f.counted.grade == EVIDENCE_ASSIGNED ? TAINT_OVERRIDE : 0u;
        rules_code_judge(rule, &f.counted, i, &j);
    }
    if (j.compat != SPDX_COMPATIBLE) {
        rules_code_write_licence(k, &j, s);
    } else if (rules_asks_either(rule) && rules_judge_either(j.versions) != SPDX_COMPATIBLE) {
        rules_code_write_disagreement(s);
    }
}
