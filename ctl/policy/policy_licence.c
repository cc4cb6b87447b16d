/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The command poemctl policy licence: shows whether work under a licence expression can be combined
 * with a GPL program, term by term, each with its reason and a published source.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/members.h"
#include "policy/spdx/spdx.h"
#include "ctl/poemctl_json.h"
#include "ctl/policy/poemctl_policy.h"

#define FORMAT "poemd-licence/1"
#define NAME "policy licence"

/* Longest expression that is printed with a mark under its fault. */
#define MARKED_MAX 100u

struct options {
    bool json;
    int target; /* an enum spdx_target; -1: not a target */
    const char *expression;
};

static bool policy_licence_read_target(void *values, const char *text)
{
    struct options *const o = values;

    o->target = spdx_target_find(text);
    if (o->target < 0) {
        poemctl_error(NAME, "--with: GPL-2.0-only, GPL-2.0-or-later or GPL-3.0-or-later");
    }
    return o->target >= 0;
}

/* ---- invalid expressions ---- */

static json_t *policy_licence_fault_json(const char *expression, const struct spdx_error *why)
{
    char escaped[4 * LIMIT_SPDX_TEXT + 1];

    log_escape(escaped, sizeof escaped, expression, strlen(expression));
    return json_pack("{s:s, s:s, s:{s:s, s:I, s:I, s:s, s:s}}", "format", FORMAT, "expression",
                     escaped, "error", "name", spdx_outcome_name(why->outcome), "at",
                     (json_int_t)why->at, "length", (json_int_t)why->length, "text", why->text,
                     "hint", why->hint);
}

/* Prints the expression with a mark under the fault, if both fit a line and are printable. */
static void policy_licence_point(const char *expression, const struct spdx_error *why)
{
    const size_t n = strlen(expression);
    size_t marks = why->length > 0 ? why->length : 1;

    for (size_t i = 0; i < n; i++) {
        if (expression[i] < 0x20 || expression[i] > 0x7e) {
            return;
        }
    }
    if (n == 0 || n > MARKED_MAX) {
        return;
    }
    fprintf(stderr, "    %s\n    %*s", expression, (int)why->at, "");
    while (marks-- > 0) {
        fputc('^', stderr);
    }
    fputc('\n', stderr);
}

static int policy_licence_complain(const struct options *o, const struct spdx_error *why)
{
    poemctl_error(NAME, "column %zu: %s", why->at + 1, why->text);
    policy_licence_point(o->expression, why);
    if (why->hint[0]) {
        poemctl_error(NAME, "%s", why->hint);
    }
    return o->json
               ? poemctl_json(NAME, policy_licence_fault_json(o->expression, why), POEMCTL_USAGE)
               : POEMCTL_USAGE;
}

/* ---- valid expressions ---- */

/* Lists the notes of a term, one for each bit. */
static json_t *policy_licence_notes_json(unsigned notes)
{
    json_t *a = json_array();

    for (unsigned bit = 1; a && bit <= notes; bit <<= 1) {
        if ((notes & bit) != 0 &&
            json_array_append_new(a, json_string(spdx_note_text((enum spdx_note)bit))) < 0) {
            json_decref(a);
            return NULL;
        }
    }
    return a;
}

static json_t *policy_licence_term_json(const struct spdx *e, const struct spdx_verdict *v,
                                        size_t i)
{
    char term[SPDX_TERM_SIZE];
    struct spdx_reason r;

    spdx_term_text(e, i, term, sizeof term);
    spdx_reason(e, i, v->version, &r);
    return json_pack("{s:s, s:s, s:b, s:s?, s:s, s:s?, s:o}", "licence", term, "compatible",
                     spdx_compat_name(r.compat), "taken", v->parts[i] == SPDX_TAKEN, "taken_as",
                     r.taken_as, "why", r.why, "source", r.source[0] ? r.source : NULL, "notes",
                     policy_licence_notes_json(e->terms[i].notes));
}

static json_t *policy_licence_answer_json(const struct spdx *e, const struct spdx_verdict *v)
{
    static char canonical[SPDX_CANONICAL_SIZE];
    char whole[SPDX_WHOLE_SIZE];
    json_t *terms = json_array();

    for (size_t i = 0; terms && i < e->n_terms; i++) {
        if (json_array_append_new(terms, policy_licence_term_json(e, v, i)) < 0) {
            json_decref(terms);
            return NULL;
        }
    }
    spdx_canonical(e, canonical, sizeof canonical);
    return members_object((const struct member[]){
        {"format", json_string(FORMAT)},
        {"expression", json_string(canonical)},
        {"with", json_string(spdx_target_name(v->target))},
        {"compatible", json_string(spdx_compat_name(v->compat))},
        {"gpl_version", json_integer(v->version)},
        {"combination", json_string(spdx_whole_text(e, v->target, whole, sizeof whole))},
        {"decisive", json_integer((json_int_t)v->decisive)},
        {"terms", terms},
        {NULL, NULL},
    });
}

static void policy_licence_term_text(const struct spdx *e, const struct spdx_verdict *v, size_t i)
{
    static const char *const marks[] = {"no ", "?  ", "yes"};
    const struct spdx_term *t = &e->terms[i];
    char term[SPDX_TERM_SIZE];
    struct spdx_reason r;

    spdx_term_text(e, i, term, sizeof term);
    spdx_reason(e, i, v->version, &r);
    printf("  %s  %s%s\n", marks[r.compat], term,
           v->parts[i] == SPDX_TAKEN ? "" : "  (not chosen: another branch of its OR is)");
    if (r.taken_as) {
        printf("         taken as %s, which \"+\" permits\n", r.taken_as);
    }
    printf("         %s\n", r.why);
    if (r.source[0]) {
        printf("         %s\n", r.source);
    }
    for (unsigned bit = 1; bit <= t->notes; bit <<= 1) {
        if (t->notes & bit) {
            printf("         note: %s: %.*s\n", spdx_note_text((enum spdx_note)bit),
                   bit == SPDX_NOTE_DEPRECATED_ADD ? t->with.n : t->name.n,
                   e->text + (bit == SPDX_NOTE_DEPRECATED_ADD ? t->with.at : t->name.at));
        }
    }
}

static void policy_licence_answer_text(const struct spdx *e, const struct spdx_verdict *v)
{
    static char canonical[SPDX_CANONICAL_SIZE];
    char whole[SPDX_WHOLE_SIZE];

    spdx_canonical(e, canonical, sizeof canonical);
    printf("%s\n", canonical);
    printf("%s with %s%s\n\n",
           v->compat == SPDX_UNKNOWN ? "not known to be compatible" : spdx_compat_name(v->compat),
           spdx_target_name(v->target),
           v->target != SPDX_WITH_GPL_2_0_OR_LATER ? ""
           : v->version == 2                       ? ", by its version 2"
                                                   : ", by its version 3");
    for (size_t i = 0; i < e->n_terms; i++) {
        policy_licence_term_text(e, v, i);
    }
    printf("\n%s\n", spdx_whole_text(e, v->target, whole, sizeof whole));
}

static int policy_licence_main(int argc, char **argv)
{
    static struct spdx e;
    struct options o = {.target = SPDX_WITH_GPL_2_0_ONLY};
    char **const operands = poemctl_parse(&policy_licence, argc, argv, &o);
    struct spdx_error why;
    struct spdx_verdict v;
    int code;

    if (!operands) {
        return POEMCTL_USAGE;
    }
    o.expression = operands[0];
    if (spdx_parse(&e, o.expression, strlen(o.expression), SPDX_LISTED, &why) != SPDX_OK) {
        return policy_licence_complain(&o, &why);
    }
    spdx_judge(&e, (enum spdx_target)o.target, &v);
    code = v.compat == SPDX_COMPATIBLE ? POEMCTL_YES : POEMCTL_NO;
    if (o.json) {
        return poemctl_json(NAME, policy_licence_answer_json(&e, &v), code);
    }
    policy_licence_answer_text(&e, &v);
    return code;
}

static const struct cli_option options[] = {
    POEMCTL_JSON_OPTION(struct options, json),
    {"with", 0, "GPL-2.0-only|GPL-2.0-or-later|GPL-3.0-or-later",
     "the licence of the GPL program (GPL-2.0-only, QEMU's)", CLI_READ(policy_licence_read_target)},
    POEMCTL_END_OPTION,
};

const struct poemctl_command policy_licence = {
    .name = NAME,
    .synopsis = "[--json] [--with LICENCE] EXPRESSION",
    .what = "explain whether a licence is compatible with that of a GPL program",
    .manual = "poemctl-policy(1)",
    .options = options,
    .least = 1,
    .most = 1,
    .missing = "which licence?",
    .surplus = "one expression, in quotes: 'MIT OR GPL-2.0-only'",
    .run = policy_licence_main,
};
