/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Packs facts, which are mostly the unused ends of texts: runs of zeros are left out. */
#include "proxy/monitor/facts/kept_facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handshake/recital.h"

/* An inspection that found nothing, of which the evidence's room is not worth keeping. */
struct kept_facts_failure {
    enum inspection_outcome outcome; /* INSPECTION_OK: there was none */
    int error;
};

struct kept_facts {
    const struct inspection *inspections[SIDES]; /* held; NULL: none was successful */
    struct kept_facts_failure failures[SIDES];
    size_t n;
    unsigned char packed[]; /* n bytes: for each run its head and its bytes */
};

/* All else of the facts. */
struct kept_facts_whole {
    struct kept_facts_side {
        struct peer peer;
        enum recital_outcome recital;
        char recited[RECITAL_LICENCE_MAX + 1];
        char declared[RECITAL_LICENCE_MAX + 1];
    } sides[SIDES];
    bool has_via;
    struct recital_via via;
};

/* The facts as they are tried. */
struct kept_facts_trial {
    struct kept_facts_whole whole;
    struct inspection inspections[SIDES];
};

/* A run of zeros, and the bytes behind it. */
struct kept_facts_run {
    uint32_t zeros;
    uint32_t bytes;
};

/* Returns the number of zeros at p, at most n. */
static size_t kept_facts_zeros(const unsigned char *p, size_t n)
{
    size_t zeros = 0;

    while (zeros < n && p[zeros] == 0) {
        zeros++;
    }
    return zeros;
}

/* Returns the number of bytes at p before a run of zeros that is worth a head of its own. */
static size_t kept_facts_bytes(const unsigned char *p, size_t n)
{
    size_t i = 0;

    while (i < n) {
        const size_t zeros = kept_facts_zeros(p + i, n - i);

        if (zeros > sizeof(struct kept_facts_run) || i + zeros == n) {
            return i;
        }
        i += zeros + 1;
    }
    return n;
}

/* Packs n bytes to out, or only counts if that is NULL. Returns the packed size. */
static size_t kept_facts_pack(const unsigned char *p, size_t n, unsigned char *out)
{
    size_t size = 0;

    for (size_t i = 0; i < n;) {
        struct kept_facts_run run;
        size_t zeros = kept_facts_zeros(p + i, n - i);
        size_t bytes = kept_facts_bytes(p + i + zeros, n - i - zeros);

        run = (struct kept_facts_run){(uint32_t)zeros, (uint32_t)bytes};
        if (out) {
            memcpy(out + size, &run, sizeof run);
            memcpy(out + size + sizeof run, p + i + zeros, bytes);
        }
        size += sizeof run + bytes;
        i += zeros + bytes;
    }
    return size;
}

static void kept_facts_unpack(const struct kept_facts *k, struct kept_facts_whole *w)
{
    unsigned char *to = (unsigned char *)w;
    struct kept_facts_run run;

    memset(w, 0, sizeof *w);
    for (size_t i = 0; i < k->n; i += sizeof run + run.bytes) {
        memcpy(&run, k->packed + i, sizeof run);
        to += run.zeros;
        memcpy(to, k->packed + i + sizeof run, run.bytes);
        to += run.bytes;
    }
}

/*
 * Copies the facts about a process, member by member: what lies between and behind them is not
 * part of the facts, and may be anything.
 */
static void kept_facts_take_peer(struct peer *to, const struct peer *p)
{
    for (int i = 0; i < PEER_FACTS; i++) {
        to->unknown[i].error = p->unknown[i].error;
        to->unknown[i].why = p->unknown[i].why;
    }
    to->pid = p->pid;
    to->pid_sure = p->pid_sure;
    to->start_ticks = p->start_ticks;
    to->uid = p->uid;
    to->gid = p->gid;
    to->n_groups = p->n_groups;
    to->n_groups_unmapped = p->n_groups_unmapped;
    memcpy(to->groups, p->groups, p->n_groups * sizeof *to->groups);
    snprintf(to->label, sizeof to->label, "%s", p->label);
    snprintf(to->cgroup, sizeof to->cgroup, "%s", p->cgroup);
    snprintf(to->unit, sizeof to->unit, "%s", p->unit);
    snprintf(to->vm, sizeof to->vm, "%s", p->vm);
    to->vm_by_unit = p->vm_by_unit;
    to->exe.id = p->exe.id;
    to->exe.verity.size = p->exe.verity.size;
    to->exe.verity.algorithm = p->exe.verity.algorithm;
    memcpy(to->exe.verity.digest, p->exe.verity.digest, p->exe.verity.size);
    snprintf(to->exe.path, sizeof to->exe.path, "%s", p->exe.path);
    to->exe.path_ours = p->exe.path_ours;
    to->exe.deleted = p->exe.deleted;
    /* The process and its file are another matter: only facts are kept. */
    to->pidfd = -1;
    to->exe.fd = -1;
}

static void kept_facts_take_via(struct recital_via *to, const struct recital_via *via)
{
    to->n = via->n;
    for (unsigned i = 0; i < via->n; i++) {
        to->hops[i].by = via->hops[i].by;
        to->hops[i].recited = via->hops[i].recited;
        snprintf(to->hops[i].licence, sizeof to->hops[i].licence, "%s", via->hops[i].licence);
    }
}

static void kept_facts_take(struct kept_facts_whole *w, const struct rules_known known[SIDES])
{
    for (int i = 0; i < SIDES; i++) {
        struct kept_facts_side *const s = &w->sides[i];

        kept_facts_take_peer(&s->peer, known[i].peer);
        s->recital = known[i].recital;
        snprintf(s->recited, sizeof s->recited, "%s", known[i].recited);
        snprintf(s->declared, sizeof s->declared, "%s", known[i].declared);
    }
    w->has_via = known[SIDE_BACKEND].via != NULL;
    if (w->has_via) {
        kept_facts_take_via(&w->via, known[SIDE_BACKEND].via);
    }
}

static void kept_facts_hold(struct kept_facts *k, enum side party, const struct inspection *r)
{
    k->inspections[party] = r && r->outcome == INSPECTION_OK ? inspection_hold(r) : NULL;
    k->failures[party] = r ? (struct kept_facts_failure){r->outcome, r->error}
                           : (struct kept_facts_failure){INSPECTION_OK, 0};
}

/* Copies the inspection of a party to out. Returns false if there was none. */
static bool kept_facts_inspection(const struct kept_facts *k, enum side party,
                                  struct inspection *out)
{
    const struct kept_facts_failure *const f = &k->failures[party];

    if (k->inspections[party]) {
        *out = *k->inspections[party];
        return true;
    }
    *out = (struct inspection){.outcome = f->outcome, .error = f->error};
    return f->outcome != INSPECTION_OK;
}

struct kept_facts *kept_facts_new(const struct rules_known known[SIDES])
{
    struct kept_facts_whole *const w = calloc(1, sizeof *w);
    struct kept_facts *k = NULL;
    size_t n;

    if (!w) {
        return NULL;
    }
    kept_facts_take(w, known);
    n = kept_facts_pack((const unsigned char *)w, sizeof *w, NULL);
    k = malloc(sizeof *k + n);
    if (k) {
        k->n = kept_facts_pack((const unsigned char *)w, sizeof *w, k->packed);
        for (int i = 0; i < SIDES; i++) {
            kept_facts_hold(k, (enum side)i, known[i].inspection);
        }
    }
    free(w);
    return k;
}

void kept_facts_free(struct kept_facts *k)
{
    for (int i = 0; k && i < SIDES; i++) {
        inspection_release(k->inspections[i]);
    }
    free(k);
}

/* Returns true if the signature of a kept item still counts. */
static bool kept_facts_trusted(const struct config *c, const struct evidence_signature *s)
{
    bool trusted = false;

    for (size_t i = 0; i < c->n_trusted; i++) {
        trusted = trusted || memcmp(c->trusted[i].key.fingerprint, s->key, sizeof s->key) == 0;
    }
    return trusted && !inspector_revocation(c->revoked, c->n_revoked, s->key) &&
           !inspector_revocation(c->revoked, c->n_revoked, s->envelope);
}

/* Removes signed evidence that config does not trust. */
static void kept_facts_drop_signed(struct evidence *e, const struct config *config)
{
    for (uint32_t i = 0; i < e->n;) {
        if (e->items[i].grade != EVIDENCE_SIGNED ||
            kept_facts_trusted(config, &e->items[i].signature)) {
            i++;
            continue;
        }
        memmove(&e->items[i], &e->items[i + 1], (e->n - i - 1) * sizeof *e->items);
        e->n--;
        evidence_add_unknown(e, EVIDENCE_FROM_ENVELOPE, 0,
                             "its key or its envelope is trusted no longer");
    }
}

/* Returns the facts of a party, in the form that rules take; they refer to trial. */
static struct rules_known kept_facts_known(const struct kept_facts *k,
                                           struct kept_facts_trial *trial, enum side party,
                                           const struct config *config)
{
    const struct kept_facts_whole *const w = &trial->whole;
    struct inspection *const inspection = &trial->inspections[party];
    const bool inspected = kept_facts_inspection(k, party, inspection);

    if (inspected) {
        kept_facts_drop_signed(&inspection->evidence, config);
    }
    return (struct rules_known){.peer = &w->sides[party].peer,
                                .inspection = inspected ? inspection : NULL,
                                .recital = w->sides[party].recital,
                                .recited = w->sides[party].recited,
                                .declared = w->sides[party].declared,
                                .via = party == SIDE_BACKEND && w->has_via ? &w->via : NULL};
}

/* Returns what rules ask of a party that was not found out, or NULL. Static. */
static const char *kept_facts_lacks(const struct kept_facts *k, const struct rules *rules,
                                    enum side party)
{
    if (rules_ask_code(rules, party)) {
        return "the code that it has mapped is not kept";
    }
    if (rules_ask_executable(rules, party) && !k->inspections[party] &&
        k->failures[party].outcome == INSPECTION_OK) {
        return "its executable was not inspected when the session began";
    }
    return NULL;
}

enum kept_verdict kept_facts_try(const struct kept_facts *k, const struct rules *rules,
                                 const struct config *config, uint32_t today,
                                 char why[RULES_TEXT_SIZE])
{
    struct kept_facts_trial *const trial = k ? malloc(sizeof *trial) : NULL;
    struct rules_known known[SIDES];
    struct rules_verdict v;

    if (!trial) {
        snprintf(why, RULES_TEXT_SIZE, "no facts about the session were kept");
        return KEPT_NOT_KNOWN;
    }
    kept_facts_unpack(k, &trial->whole);
    for (int i = 0; i < SIDES; i++) {
        const char *const lacks = kept_facts_lacks(k, rules, (enum side)i);

        if (lacks) {
            snprintf(why, RULES_TEXT_SIZE, "%s: %s", side_name((enum side)i), lacks);
            free(trial);
            return KEPT_NOT_KNOWN;
        }
        known[i] = kept_facts_known(k, trial, (enum side)i, config);
    }
    rules_decide(rules, known, today, &v);
    snprintf(why, RULES_TEXT_SIZE, "%s", v.why);
    free(trial);
    return v.verdict == VERDICT_DENY ? KEPT_WOULD_DENY : KEPT_WOULD_PASS;
}
