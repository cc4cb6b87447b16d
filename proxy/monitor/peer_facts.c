/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Gathers the facts for a verdict, and writes them in the form of a record. Decides nothing itself.
 */
#include "proxy/monitor/peer_facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "audit/audit_log.h"

/* One party. */
struct side {
    struct peer_facts *peer_facts;
    struct peer peer;
    uint64_t request;                    /* under way at the inspector, or 0 */
    const struct inspection *inspection; /* held; NULL if none was made */
};

struct peer_facts {
    struct inspector *inspector;
    uint32_t route;
    struct side sides[RULES_PARTIES];
    bool heard;
    struct ipc_evidence evidence;
    peer_facts_fn *fn;
    void *arg;
};

static void peer_facts_notify_when_whole(struct peer_facts *q)
{
    if (q->heard && !q->sides[RULES_CLIENT].request && !q->sides[RULES_BACKEND].request) {
        q->fn(q->arg);
    }
}

static void peer_facts_on_inspected(const struct inspection *r, void *arg)
{
    struct side *s = arg;

    s->request = 0;
    s->inspection = inspection_hold(r);
    peer_facts_notify_when_whole(s->peer_facts);
}

/* urgent: a rule depends on the party's executable; otherwise its contents are only recorded. */
static void peer_facts_begin(struct peer_facts *q, struct side *s, int fd, pid_t pid, bool urgent,
                             unsigned timeout_ms)
{
    struct inspector_asker who = {.uid = (uid_t)-1, .route = q->route, .late = !urgent};
    const struct inspection *known;

    s->peer_facts = q;
    if (fd < 0) {
        peer_init_unknown(&s->peer, "nothing asks for it");
        return;
    }
    if (pid) {
        peer_init_pid(&s->peer, pid, true);
    } else {
        peer_init(&s->peer, fd);
    }
    if (!q->inspector) {
        return;
    }
    known = inspector_look(q->inspector, &s->peer.exe);
    if (known) {
        s->inspection = inspection_hold(known);
        return;
    }
    if (peer_knows(&s->peer, PEER_UID)) {
        who.uid = s->peer.uid;
    }
    /* For a record, the first half of the time must do: no verdict may be delayed for it. */
    s->request =
        inspector_ask(q->inspector, &s->peer.exe, &who, urgent ? timeout_ms : timeout_ms / 2 + 1,
                      peer_facts_on_inspected, s);
}

struct peer_facts *peer_facts_new(struct inspector *inspector, const struct rules *rules,
                                  uint32_t route, int client_fd, int backend_fd, pid_t backend_pid,
                                  unsigned timeout_ms, peer_facts_fn *fn, void *arg)
{
    struct peer_facts *q = calloc(1, sizeof *q);

    if (!q) {
        return NULL;
    }
    q->inspector = inspector;
    q->route = route;
    q->fn = fn;
    q->arg = arg;
    peer_facts_begin(q, &q->sides[RULES_CLIENT], client_fd, 0,
                     rules_ask_executable(rules, RULES_CLIENT), timeout_ms);
    peer_facts_begin(q, &q->sides[RULES_BACKEND], backend_fd, backend_pid,
                     rules_ask_executable(rules, RULES_BACKEND), timeout_ms);
    return q;
}

void peer_facts_free(struct peer_facts *q)
{
    if (!q) {
        return;
    }
    for (int i = 0; i < RULES_PARTIES; i++) {
        if (q->sides[i].request) {
            inspector_forget(q->inspector, q->sides[i].request);
        }
        inspection_release(q->sides[i].inspection);
        peer_deinit(&q->sides[i].peer);
    }
    free(q);
}

void peer_facts_heard(struct peer_facts *q, const struct ipc_evidence *e)
{
    q->heard = true;
    q->evidence = *e;
    peer_facts_notify_when_whole(q);
}

/* Returns the facts about a party in the form that the rules take; refers to q. */
static struct rules_known peer_facts_known_of(const struct peer_facts *q, enum rules_party party)
{
    const struct side *s = &q->sides[party];
    const struct ipc_heard *h = &q->evidence.heard[party];

    return (struct rules_known){.peer = &s->peer,
                                .inspection = s->inspection,
                                .recital = (enum recital_outcome)h->recital,
                                .recited = h->recited,
                                .declared = h->declared,
                                .via = party == RULES_BACKEND ? &q->evidence.via : NULL};
}

void peer_facts_decide(const struct peer_facts *q, const struct rules *rules,
                       struct rules_date today, struct rules_verdict *out)
{
    const struct rules_known known[RULES_PARTIES] = {
        [RULES_CLIENT] = peer_facts_known_of(q, RULES_CLIENT),
        [RULES_BACKEND] = peer_facts_known_of(q, RULES_BACKEND),
    };

    rules_decide(rules, known, today, out);
}

const struct rules_assign *peer_facts_assigned(const struct peer_facts *q,
                                               const struct rules *rules, enum rules_party party)
{
    const struct rules_known known = peer_facts_known_of(q, party);
    /* A backend's licence always matters (rules_decide). */
    bool matters = party == RULES_BACKEND;

    for (size_t i = 0; i < rules->n_licence; i++) {
        matters = matters || rules->licence[i].party == party;
    }
    return matters ? rules_assigned(rules, party, &known) : NULL;
}

/* ---- as a record ---- */

static json_t *peer_facts_text(const char *s)
{
    return audit_text(s, strlen(s));
}

/* Puts a known fact into "to" under a name, or its reason into unknown. */
static void peer_facts_put_in(json_t *to, json_t *unknown, const struct peer *p, enum peer_fact f,
                              const char *name, json_t *value)
{
    char why[256];

    if (peer_knows(p, f)) {
        (void)json_object_set_new(to, name, value);
        return;
    }
    json_decref(value);
    (void)json_object_set_new(unknown, peer_fact_name(f),
                              peer_facts_text(peer_why(p, f, why, sizeof why)));
}

static void peer_facts_put(json_t *party, const struct peer *p, enum peer_fact f, json_t *value)
{
    peer_facts_put_in(party, json_object_get(party, "unknown"), p, f, peer_fact_name(f), value);
}

static void peer_facts_put_facts(json_t *party, const struct peer *p)
{
    json_t *groups = json_array();

    for (unsigned i = 0; peer_knows(p, PEER_GROUPS) && i < p->n_groups; i++) {
        (void)json_array_append_new(groups, json_integer(p->groups[i]));
    }
    peer_facts_put(party, p, PEER_PID, json_integer(p->pid));
    peer_facts_put(party, p, PEER_PIDNS, json_string("ours"));
    peer_facts_put(party, p, PEER_START, json_integer((json_int_t)p->start_ticks));
    peer_facts_put(party, p, PEER_UID, json_integer(p->uid));
    peer_facts_put(party, p, PEER_GID, json_integer(p->gid));
    peer_facts_put(party, p, PEER_GROUPS, groups);
    if (p->n_groups_unmapped > 0) {
        (void)json_object_set_new(
            json_object_get(party, "unknown"), "groups",
            json_sprintf("unknown: our user namespace does not map %u more", p->n_groups_unmapped));
    }
    peer_facts_put(party, p, PEER_LABEL, peer_facts_text(p->label));
    peer_facts_put(party, p, PEER_UNIT, peer_facts_text(p->unit));
}

/* The executable: the kernel's facts, and the inspector's results. */
static json_t *peer_facts_exe_of(json_t *party, const struct side *s)
{
    const struct peer_exe *e = &s->peer.exe;
    json_t *unknown = json_object_get(party, "unknown");
    char digest[2 * INSPECTION_SHA256_SIZE + 1];
    json_t *o = json_object();

    peer_facts_put_in(o, unknown, &s->peer, PEER_EXE_PATH, "path", peer_facts_text(e->path));
    peer_facts_put_in(o, unknown, &s->peer, PEER_EXE_PATH, "deleted", json_boolean(e->deleted));
    peer_facts_put_in(o, unknown, &s->peer, PEER_EXE_ID, "file",
                      json_pack("{s:I,s:I,s:I,s:I}", "major", (json_int_t)e->id.dev_major, "minor",
                                (json_int_t)e->id.dev_minor, "inode", (json_int_t)e->id.inode,
                                "size", (json_int_t)e->id.size));
    if (s->inspection && s->inspection->outcome == INSPECTION_OK) {
        hex_text(s->inspection->sha256, INSPECTION_SHA256_SIZE, digest);
        (void)json_object_set_new(o, "sha256", json_string(digest));
    } else {
        (void)json_object_set_new(
            unknown, "sha256",
            json_string(s->inspection ? inspection_text(s->inspection->outcome) : "not looked at"));
    }
    return o;
}

static void peer_facts_add_item(json_t *list, enum rules_party party, enum evidence_grade grade,
                                enum evidence_source source, const char *licence, const char *name,
                                const char *detail)
{
    if (*licence) {
        (void)json_array_append_new(
            list, json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "of", rules_party_name(party), "grade",
                            evidence_grade_name(grade), "source", evidence_source_name(source),
                            "licence", licence, "name", name, "detail", detail));
    }
}

static void peer_facts_add_evidence(json_t *list, const struct peer_facts *q,
                                    const struct rules *rules, enum rules_party party)
{
    const struct rules_known known = peer_facts_known_of(q, party);
    const struct rules_assign *assigned = rules_assigned(rules, party, &known);
    const struct side *s = &q->sides[party];
    const struct ipc_heard *h = &q->evidence.heard[party];

    peer_facts_add_item(list, party, EVIDENCE_DECLARED, EVIDENCE_FROM_DECLARATION, h->declared, "",
                        "");
    peer_facts_add_item(list, party, EVIDENCE_RECITED, EVIDENCE_FROM_RECITAL, h->recited, "", "");
    if (assigned) {
        peer_facts_add_item(list, party, EVIDENCE_ASSIGNED, EVIDENCE_FROM_OPERATOR,
                            assigned->licence, "", "");
    }
    if (!s->inspection || s->inspection->outcome != INSPECTION_OK) {
        return;
    }
    for (uint32_t i = 0; i < s->inspection->evidence.n; i++) {
        const struct evidence_item *it = &s->inspection->evidence.items[i];

        peer_facts_add_item(list, party, it->grade, it->source, it->licence, it->name, it->detail);
    }
}

const struct peer *peer_facts_peer(const struct peer_facts *q, enum rules_party party)
{
    return &q->sides[party].peer;
}

json_t *peer_facts_evidence(const struct peer_facts *q, const struct rules *rules)
{
    json_t *list = json_array();

    peer_facts_add_evidence(list, q, rules, RULES_CLIENT);
    peer_facts_add_evidence(list, q, rules, RULES_BACKEND);
    return list;
}

bool peer_facts_contradiction(const struct peer_facts *q, enum rules_party party, char *out,
                              size_t size)
{
    const struct rules_known known = peer_facts_known_of(q, party);

    if (!rules_contradicts_itself(&known)) {
        return false;
    }
    snprintf(out, size, "it recites under %s, and declares %s", known.recited, known.declared);
    return true;
}

/* The servers behind a backend that is itself a broker, as that broker reports them. */
static json_t *peer_facts_via(const struct recital_via *via)
{
    json_t *list = json_array();

    for (unsigned i = 0; i < via->n; i++) {
        const struct recital_hop *hop = &via->hops[i];
        char by[2 * RECITAL_IDENTITY_SIZE + 1];

        hex_text(hop->by.bytes, RECITAL_IDENTITY_SIZE, by);
        (void)json_array_append_new(list, json_pack("{s:s,s:b,s:s}", "by", by, "recited",
                                                    hop->recited, "licence", hop->licence));
    }
    return list;
}

json_t *peer_facts_party(const struct peer_facts *q, enum rules_party party)
{
    const struct side *s = &q->sides[party];
    const struct ipc_heard *h = &q->evidence.heard[party];
    char contradiction[2 * RECITAL_LICENCE_MAX + 64];
    json_t *o = json_pack("{s:{}}", "unknown");

    if (!o) {
        return NULL;
    }
    peer_facts_put_facts(o, &s->peer);
    (void)json_object_set_new(o, "exe", peer_facts_exe_of(o, s));
    (void)json_object_set_new(o, "recital",
                              json_string(recital_text((enum recital_outcome)h->recital)));
    if (peer_facts_contradiction(q, party, contradiction, sizeof contradiction)) {
        (void)json_object_set_new(o, "contradiction", json_string(contradiction));
    }
    if (party == RULES_BACKEND && q->evidence.via.n > 0) {
        (void)json_object_set_new(o, "via", peer_facts_via(&q->evidence.via));
    }
    return o;
}
