/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The rules of a route, one after the other: each is met or not, and says why. Pure.
 *
 * A verdict is made of the same steps that an explanation shows.
 */
#include "policy/rules.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"

/* What one rule comes to. */
struct step {
    struct rules_step told;
    uint32_t taint; /* what it means where it is not met, or all the same */
    char mend[RULES_TEXT_SIZE];
};

typedef void step_fn(const struct step *s, void *arg);

struct walk {
    const struct rules *rules;
    const struct rules_known *known;
    step_fn *fn;
    void *arg;
};

const char *rules_party_name(enum rules_party p)
{
    return p == RULES_CLIENT ? "client" : "backend";
}

const char *verdict_name(enum verdict v)
{
    switch (v) {
    case VERDICT_ALLOW:
        return "allow";
    case VERDICT_TAINTED:
        return "allow-tainted";
    case VERDICT_DENY:
        return "deny";
    }
    return "?";
}

static void say(char out[RULES_TEXT_SIZE], const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void say(char out[RULES_TEXT_SIZE], const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(out, RULES_TEXT_SIZE, fmt, ap);
    va_end(ap);
}

/* ---- who the parties are ---- */

static const char *const fact_words[RULES_FACTS] = {"user",   "group", "exe",
                                                    "digest", "label", "unit"};

/* Which of a peer's facts a rule goes by. */
static const enum peer_fact fact_of[RULES_FACTS] = {
    [RULES_USER] = PEER_UID,      [RULES_GROUP] = PEER_GID,   [RULES_EXE] = PEER_EXE_PATH,
    [RULES_DIGEST] = PEER_EXE_ID, [RULES_LABEL] = PEER_LABEL, [RULES_UNIT] = PEER_UNIT,
};

static bool has_digest(const struct rules_known *k)
{
    return k->inspection && k->inspection->outcome == INSPECTION_OK;
}

static void digest_text(const struct inspection *i, char out[2 * INSPECTION_SHA256_SIZE + 1])
{
    for (size_t n = 0; n < INSPECTION_SHA256_SIZE; n++) {
        snprintf(out + 2 * n, 3, "%02x", i->sha256[n]);
    }
}

static bool in_groups(const struct peer *p, gid_t id)
{
    if (peer_knows(p, PEER_GID) && p->gid == id) {
        return true;
    }
    for (unsigned i = 0; peer_knows(p, PEER_GROUPS) && i < p->n_groups; i++) {
        if (p->groups[i] == id) {
            return true;
        }
    }
    return false;
}

/* Whether the party is the one that a fact and its value name. What is unknown is nobody. */
static bool is_named(const struct rules_known *k, enum rules_fact fact, uid_t id, const char *text)
{
    const struct peer *p = k->peer;
    char digest[2 * INSPECTION_SHA256_SIZE + 1];

    switch (fact) {
    case RULES_USER:
        return peer_knows(p, PEER_UID) && p->uid == id;
    case RULES_GROUP:
        return in_groups(p, id);
    case RULES_EXE:
        return peer_knows(p, PEER_EXE_PATH) && p->exe.path_ours && !p->exe.deleted &&
               strcmp(p->exe.path, text) == 0;
    case RULES_DIGEST:
        if (!has_digest(k)) {
            return false;
        }
        digest_text(k->inspection, digest);
        return strcmp(digest, text) == 0;
    case RULES_LABEL:
        return peer_knows(p, PEER_LABEL) && strcmp(p->label, text) == 0;
    case RULES_UNIT:
        return peer_knows(p, PEER_UNIT) && strcmp(p->unit, text) == 0;
    case RULES_FACTS:
        break;
    }
    return true;
}

/* The party's own value of a fact, for people. */
static void show_fact(const struct rules_known *k, enum rules_fact fact, char *out, size_t size)
{
    const struct peer *p = k->peer;
    char digest[2 * INSPECTION_SHA256_SIZE + 1];
    const char *text = fact == RULES_EXE ? p->exe.path : fact == RULES_LABEL ? p->label : p->unit;

    if (fact == RULES_DIGEST) {
        if (has_digest(k)) {
            digest_text(k->inspection, digest);
            snprintf(out, size, "%s", digest);
        } else {
            snprintf(out, size, "unknown: %s",
                     k->inspection ? inspection_text(k->inspection->outcome) : "not looked at");
        }
    } else if (!peer_knows(p, fact_of[fact])) {
        peer_why(p, fact_of[fact], out, size);
    } else if (fact == RULES_USER || fact == RULES_GROUP) {
        snprintf(out, size, "%u", fact == RULES_USER ? (unsigned)p->uid : (unsigned)p->gid);
    } else {
        log_escape(out, size, text, strlen(text));
    }
}

static void check_allow(const struct walk *w, enum rules_party party, enum rules_fact fact)
{
    const struct rules_known *k = &w->known[party];
    struct step s = {.told = {.party = party}, .taint = TAINT_IDENTITY};
    char own[160];
    size_t n = 0;

    for (size_t i = 0; i < w->rules->n_allow; i++) {
        const struct rules_allow *a = &w->rules->allow[i];

        if (a->party != party || a->fact != fact) {
            continue;
        }
        if (n++ == 0) {
            s.told.line = a->line;
        }
        if (is_named(k, fact, a->id, a->text)) {
            s.told.met = true;
            s.told.line = a->line;
            break;
        }
    }
    if (n == 0) {
        return;
    }
    show_fact(k, fact, own, sizeof own);
    say(s.told.text, "the %s's %s %s \"allow %s %s\": it is %s", rules_party_name(party),
        fact_words[fact], s.told.met ? "is named by" : "is none of those of",
        rules_party_name(party), fact_words[fact], own);
    say(s.mend, "a %s of the named %s, or an \"allow\" that names this one",
        rules_party_name(party), fact_words[fact]);
    w->fn(&s, w->arg);
}

static void check_recital(const struct walk *w, enum rules_party party)
{
    struct step s = {.told = {.party = party}, .taint = TAINT_RECITAL};

    if (!w->rules->demand_recital[party]) {
        return;
    }
    s.told.line = w->rules->demand_line[party];
    s.told.met = w->known[party].recital == RECITAL_OK;
    say(s.told.text, "the rule \"demand recital from %s\" is %s: %s", rules_party_name(party),
        s.told.met ? "met" : "not met", recital_text(w->known[party].recital));
    say(s.mend, "a %s that recites the poem", rules_party_name(party));
    w->fn(&s, w->arg);
}

/* ---- licences ---- */

/* The evidence that counts: all items of the highest grade there is. */
struct counted {
    enum evidence_grade grade;
    size_t n;
    struct {
        const char *licence;
        const char *source;
        const char *name;
    } items[EVIDENCE_ITEMS + 1];
};

static void count(struct counted *c, enum evidence_grade grade, const char *source,
                  const char *licence, const char *name)
{
    if (!*licence || grade < c->grade) {
        return;
    }
    if (grade > c->grade) {
        c->grade = grade;
        c->n = 0;
    }
    c->items[c->n].licence = licence;
    c->items[c->n].source = source;
    c->items[c->n].name = name;
    c->n++;
}

static void count_party(const struct walk *w, enum rules_party party, struct counted *c)
{
    const struct rules_known *k = &w->known[party];

    *c = (struct counted){.grade = EVIDENCE_NONE};
    count(c, EVIDENCE_DECLARED, "declaration", k->declared, "");
    if (k->recital == RECITAL_OK) {
        count(c, EVIDENCE_RECITED, "recital", k->recited, "");
    }
    for (uint32_t i = 0; has_digest(k) && i < k->inspection->evidence.n; i++) {
        const struct evidence_item *e = &k->inspection->evidence.items[i];

        count(c, e->grade, evidence_source_name(e->source), e->licence, e->name);
    }
    for (size_t i = 0; i < w->rules->n_assign; i++) {
        const struct rules_assign *a = &w->rules->assign[i];

        /* The first that names the party: several would contradict or repeat each other. */
        if (a->party == party && is_named(k, a->fact, 0, a->text)) {
            count(c, EVIDENCE_ASSIGNED, "operator", a->licence, "");
            break;
        }
    }
}

/* How a licence fares by a rule; why is filled in. */
static enum spdx_compat judge(const struct rules_licence *rule, const char *licence,
                              char why[RULES_TEXT_SIZE])
{
    struct spdx expression;
    struct spdx_error error;
    struct spdx_verdict v;

    if (spdx_parse(&expression, licence, strlen(licence), SPDX_ANY, &error) != SPDX_OK) {
        say(why, "no SPDX expression: %s", error.text);
        return SPDX_UNKNOWN;
    }
    if (rule->kind == RULES_OSI_APPROVED) {
        const enum spdx_compat c = spdx_osi_approved(&expression);

        say(why, "%s",
            c == SPDX_COMPATIBLE     ? "approved by the OSI"
            : c == SPDX_INCOMPATIBLE ? "not approved by the OSI"
                                     : "not known to be approved by the OSI");
        return c;
    }
    spdx_judge(&expression, rule->target, &v);
    spdx_verdict_text(&v, &expression, why, RULES_TEXT_SIZE);
    return v.compat;
}

/* The worst of what counts; which item that is. */
static enum spdx_compat judge_all(const struct rules_licence *rule, const struct counted *c,
                                  size_t *worst, char why[RULES_TEXT_SIZE])
{
    enum spdx_compat all = SPDX_UNKNOWN;

    *worst = 0;
    say(why, "no evidence of its licence");
    for (size_t i = 0; i < c->n; i++) {
        char text[RULES_TEXT_SIZE];
        const enum spdx_compat one = judge(rule, c->items[i].licence, text);

        if (i == 0 || one < all) {
            all = one;
            *worst = i;
            memcpy(why, text, sizeof text);
        }
    }
    return all;
}

static uint32_t taint_of(enum spdx_compat compat, const struct counted *c)
{
    uint32_t taint = 0;

    if (compat != SPDX_COMPATIBLE) {
        taint |= compat == SPDX_INCOMPATIBLE ? TAINT_PROPRIETARY : TAINT_UNKNOWN;
    }
    if (c->grade == EVIDENCE_DECLARED || c->grade == EVIDENCE_RECITED) {
        taint |= TAINT_UNSIGNED;
    }
    if (c->grade == EVIDENCE_ASSIGNED) {
        taint |= TAINT_OVERRIDE;
    }
    return taint;
}

static void check_licence(const struct walk *w, const struct rules_licence *rule)
{
    struct step s = {.told = {.party = rule->party, .line = rule->line}};
    const char *party = rules_party_name(rule->party);
    char why[RULES_TEXT_SIZE];
    char licence[128];
    struct counted c;
    enum spdx_compat compat;
    size_t worst;

    count_party(w, rule->party, &c);
    compat = judge_all(rule, &c, &worst, why);
    s.taint = taint_of(compat, &c);
    s.told.met = compat == SPDX_COMPATIBLE && c.grade >= rule->least;
    if (c.n == 0) {
        say(s.told.text, "nothing is known of the %s's licence", party);
    } else {
        log_escape(licence, sizeof licence, c.items[worst].licence, strlen(c.items[worst].licence));
        say(s.told.text, "licence of %s: %s, %s (%s%s%s): %.200s", party, licence,
            evidence_grade_name(c.grade), c.items[worst].source, *c.items[worst].name ? " " : "",
            c.items[worst].name, why);
    }
    if (c.grade < rule->least) {
        say(s.mend, "evidence of its licence that is %s or better",
            evidence_grade_name(rule->least));
        s.taint |= c.n == 0 ? TAINT_UNKNOWN : TAINT_UNSIGNED;
    } else {
        say(s.mend, "a licence that is %s%s",
            rule->kind == RULES_OSI_APPROVED ? "approved by the OSI" : "compatible with ",
            rule->kind == RULES_OSI_APPROVED ? "" : spdx_target_name(rule->target));
    }
    w->fn(&s, w->arg);
}

/* ---- all of them ---- */

static void walk(const struct walk *w)
{
    for (int p = 0; p < RULES_PARTIES; p++) {
        for (int f = 0; f < RULES_FACTS; f++) {
            check_allow(w, (enum rules_party)p, (enum rules_fact)f);
        }
        check_recital(w, (enum rules_party)p);
    }
    for (size_t i = 0; i < w->rules->n_licence; i++) {
        check_licence(w, &w->rules->licence[i]);
    }
}

static bool not_after(struct rules_date a, struct rules_date b)
{
    if (a.year != b.year) {
        return a.year < b.year;
    }
    return a.month != b.month ? a.month < b.month : a.day <= b.day;
}

struct deciding {
    struct rules_verdict *out;
    bool failed;
    bool spoke; /* a licence rule has told why it passes */
};

static void take(const struct step *s, void *arg)
{
    struct deciding *d = arg;

    d->out->taint |= s->told.met ? s->taint & (TAINT_UNSIGNED | TAINT_OVERRIDE) : s->taint;
    if (d->failed || (s->told.met && d->spoke)) {
        return;
    }
    d->failed = !s->told.met;
    d->spoke = true;
    d->out->party = s->told.party;
    d->out->line = s->told.line;
    memcpy(d->out->why, s->told.text, sizeof d->out->why);
    if (!s->told.met) {
        memcpy(d->out->mend, s->mend, sizeof d->out->mend);
    }
}

/* What a device that was looked at is tainted by where no rule asks for its licence. */
static uint32_t unasked_taint(const struct walk *w)
{
    static const struct rules_licence gpl = {
        .party = RULES_BACKEND, .kind = RULES_COMPATIBLE, .target = SPDX_WITH_GPL_2_0_OR_LATER};
    char why[RULES_TEXT_SIZE];
    struct counted c;
    size_t worst;

    for (size_t i = 0; i < w->rules->n_licence; i++) {
        if (w->rules->licence[i].party == RULES_BACKEND) {
            return 0;
        }
    }
    if (!w->known[RULES_BACKEND].inspection) {
        return 0;
    }
    count_party(w, RULES_BACKEND, &c);
    return taint_of(judge_all(&gpl, &c, &worst, why), &c);
}

/* What a broker says of those behind it: less than a recital is inherited. */
static uint32_t via_taint(const struct recital_via *via)
{
    for (unsigned i = 0; via && i < via->n; i++) {
        if (!via->hops[i].recited) {
            return TAINT_INHERITED;
        }
    }
    return 0;
}

void rules_decide(const struct rules *r, const struct rules_known known[RULES_PARTIES],
                  struct rules_date today, struct rules_verdict *out)
{
    struct deciding d = {.out = out};
    const struct walk w = {.rules = r, .known = known, .fn = take, .arg = &d};

    *out = (struct rules_verdict){.verdict = VERDICT_ALLOW};
    say(out->why, "no rule speaks against it");
    walk(&w);
    out->taint |= unasked_taint(&w) | via_taint(known[RULES_BACKEND].via);
    if (d.failed && !r->otherwise_taint) {
        out->permissive = r->permissive_until.year != 0 && not_after(today, r->permissive_until);
        if (!out->permissive) {
            out->verdict = VERDICT_DENY;
            return;
        }
        out->taint |= TAINT_OVERRIDE;
    }
    out->verdict = out->taint ? VERDICT_TAINTED : VERDICT_ALLOW;
}

struct explaining {
    rules_step_fn *fn;
    void *arg;
};

static void tell(const struct step *s, void *arg)
{
    const struct explaining *e = arg;

    e->fn(&s->told, e->arg);
}

void rules_explain(const struct rules *r, const struct rules_known known[RULES_PARTIES],
                   rules_step_fn *fn, void *arg)
{
    struct explaining e = {fn, arg};
    const struct walk w = {.rules = r, .known = known, .fn = tell, .arg = &e};

    walk(&w);
}
