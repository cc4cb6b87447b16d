/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Evaluates the rules once; writes the facts in the form of records. */
#include "proxy/monitor/facts/verdict_facts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audit/audit_log.h"
#include "base/text/date.h"
#include "base/text/hex.h"
#include "base/limits.h"
#include "base/members.h"
#include "proxy/config/config_where.h"
#include "proxy/monitor/facts/facts_pack.h"

void verdict_facts_init(struct verdict_facts *f, const struct config *config,
                        const struct rules *rules, const struct rules_known known[SIDES],
                        uint32_t today)
{
    memset(f, 0, sizeof *f);
    f->today = today;
    f->config = config;
    f->rules = rules;
    rules_decide(rules, known, today, &f->verdict);
    for (int i = 0; i < SIDES; i++) {
        const enum side party = (enum side)i;

        f->parties[i].known = known[i];
        f->parties[i].assigned = rules_assigned(rules, party, &known[i]);
        f->parties[i].contradicts =
            rules_contradicts_itself(&known[i], &f->parties[i].contradiction);
    }
}

void verdict_facts_deinit(struct verdict_facts *f)
{
    for (int i = 0; i < SIDES; i++) {
        json_decref(f->parties[i].json);
    }
    json_decref(f->evidence);
    json_decref(f->code);
}

const char *verdict_facts_contradiction(const struct verdict_facts *f, enum side party,
                                        char out[VERDICT_FACTS_CONTRADICTION])
{
    const struct verdict_facts_party *const p = &f->parties[party];

    if (!p->contradicts) {
        return NULL;
    }
    snprintf(out, VERDICT_FACTS_CONTRADICTION, "it recites under %s, but %s %.256s",
             p->known.recited, p->contradiction.how, p->contradiction.licence);
    return out;
}

/* ---- in the form of records ---- */

static json_t *verdict_facts_string(const char *s)
{
    return audit_text(s, strlen(s));
}

/* Puts a known fact into "to" under a name, or its reason into unknown. */
static void verdict_facts_put_in(json_t *to, json_t *unknown, const struct peer *p,
                                 enum peer_fact f, const char *name, json_t *value)
{
    char why[256];

    if (peer_knows(p, f)) {
        (void)json_object_set_new(to, name, value);
        return;
    }
    json_decref(value);
    (void)json_object_set_new(unknown, peer_fact_name(f),
                              verdict_facts_string(peer_why(p, f, why, sizeof why)));
}

static void verdict_facts_put(json_t *party, const struct peer *p, enum peer_fact f, json_t *value)
{
    verdict_facts_put_in(party, json_object_get(party, "unknown"), p, f, peer_fact_name(f), value);
}

static void verdict_facts_put_facts(json_t *party, const struct peer *p)
{
    json_t *groups = json_array();

    for (unsigned i = 0; peer_knows(p, PEER_GROUPS) && i < p->n_groups; i++) {
        (void)json_array_append_new(groups, json_integer(p->groups[i]));
    }
    verdict_facts_put(party, p, PEER_PID, json_integer(p->pid));
    verdict_facts_put(party, p, PEER_PIDNS, json_string("ours"));
    verdict_facts_put(party, p, PEER_START, json_integer((json_int_t)p->start_ticks));
    verdict_facts_put(party, p, PEER_UID, json_integer(p->uid));
    verdict_facts_put(party, p, PEER_GID, json_integer(p->gid));
    verdict_facts_put(party, p, PEER_GROUPS, groups);
    if (p->n_groups_unmapped > 0) {
        (void)json_object_set_new(
            json_object_get(party, "unknown"), "groups",
            json_sprintf("unknown: our user namespace does not map %u more", p->n_groups_unmapped));
    }
    verdict_facts_put(party, p, PEER_LABEL, verdict_facts_string(p->label));
    verdict_facts_put(party, p, PEER_UNIT, verdict_facts_string(p->unit));
}

/* The executable: the kernel's facts, and the inspector's results. */
static json_t *verdict_facts_exe_of(json_t *party, const struct rules_known *k)
{
    const struct peer_exe *e = &k->peer->exe;
    json_t *unknown = json_object_get(party, "unknown");
    char digest[2 * INSPECTION_SHA256_SIZE + 1];
    char verity[PEER_VERITY_TEXT_SIZE];
    json_t *o = json_object();

    verdict_facts_put_in(o, unknown, k->peer, PEER_EXE_PATH, "path", verdict_facts_string(e->path));
    verdict_facts_put_in(o, unknown, k->peer, PEER_EXE_PATH, "deleted", json_boolean(e->deleted));
    verdict_facts_put_in(o, unknown, k->peer, PEER_EXE_ID, "file",
                         json_pack("{s:I,s:I,s:I,s:I}", "major", (json_int_t)e->id.dev_major,
                                   "minor", (json_int_t)e->id.dev_minor, "inode",
                                   (json_int_t)e->id.inode, "size", (json_int_t)e->id.size));
    if (k->inspection && k->inspection->outcome == INSPECTION_OK) {
        hex_text(k->inspection->sha256, INSPECTION_SHA256_SIZE, digest);
        (void)json_object_set_new(o, "sha256", json_string(digest));
    } else {
        (void)json_object_set_new(
            unknown, "sha256",
            json_string(k->inspection ? inspection_text(k->inspection->outcome) : "not inspected"));
    }
    if (k->inspection && k->inspection->ima == INSPECTION_IMA_LISTED) {
        (void)json_object_set_new(o, "ima",
                                  json_pack("{s:I,s:I}", "entry",
                                            (json_int_t)k->inspection->ima_entry, "pcr",
                                            (json_int_t)k->inspection->ima_pcr));
    }
    if (e->verity.size > 0) {
        (void)json_object_set_new(o, "verity", json_string(peer_verity_text(&e->verity, verity)));
    }
    return o;
}

/* The evidence of a party's licence, while it is listed. */
struct verdict_facts_list {
    json_t *to;
    enum side party;
    struct rules_counted counted;
};

static json_t *verdict_facts_item(const struct verdict_facts_list *l, enum evidence_grade grade,
                                  enum evidence_source source, const char *licence,
                                  const char *name, const char *detail)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:b}", "of", side_name(l->party), "grade",
                     evidence_grade_name(grade), "source", evidence_source_name(source), "licence",
                     licence, "name", name, "detail", detail, "counts",
                     rules_counted_has(&l->counted, licence));
}

static void verdict_facts_add_statement(const struct verdict_facts_list *l,
                                        enum evidence_grade grade, enum evidence_source source,
                                        const char *licence)
{
    if (*licence) {
        (void)json_array_append_new(l->to, verdict_facts_item(l, grade, source, licence, "", ""));
    }
}

/* Adds the signature behind a signed item. */
static void verdict_facts_add_signature(json_t *item, const struct evidence_signature *s)
{
    char digits[2 * EVIDENCE_SHA256_SIZE + 1];
    char date[DATE_SIZE];

    (void)json_object_set_new(item, "key", json_string(hex_text(s->key, sizeof s->key, digits)));
    (void)json_object_set_new(item, "envelope",
                              json_string(hex_text(s->envelope, sizeof s->envelope, digits)));
    if (s->issued) {
        (void)json_object_set_new(item, "issued", json_string(date_text(s->issued, date)));
    }
    if (s->expires) {
        (void)json_object_set_new(item, "expires", json_string(date_text(s->expires, date)));
    }
}

/* Adds the files of a package that decide about its licence, and those set apart. */
static void verdict_facts_add_files(json_t *item, const struct evidence *e)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < e->n_files; i++) {
        const struct evidence_files *f = &e->files[i];

        (void)json_array_append_new(
            list, json_pack("{s:s,s:s,s:s}", "files", f->files, "licence", f->licence, "place",
                            evidence_place_name((enum evidence_place)f->place)));
    }
    (void)json_object_set_new(item, "files", list);
    if (e->files_cut) {
        (void)json_object_set_new(item, "files_cut", json_true());
    }
}

static void verdict_facts_add_evidence(json_t *list, const struct verdict_facts *f, enum side party)
{
    const struct verdict_facts_party *p = &f->parties[party];
    const struct rules_known *k = &p->known;
    struct verdict_facts_list l = {.to = list, .party = party};

    rules_count(f->rules, party, k, f->today, &l.counted);
    verdict_facts_add_statement(&l, EVIDENCE_DECLARED, EVIDENCE_FROM_DECLARATION, k->declared);
    verdict_facts_add_statement(&l, EVIDENCE_RECITED, EVIDENCE_FROM_RECITAL, k->recited);
    if (p->assigned) {
        verdict_facts_add_statement(&l, EVIDENCE_ASSIGNED, EVIDENCE_FROM_OPERATOR,
                                    p->assigned->licence);
    }
    if (l.counted.partial && p->json) {
        (void)json_object_set_new(p->json, "incomplete", json_string(l.counted.partial));
    }
    if (!k->inspection || k->inspection->outcome != INSPECTION_OK) {
        return;
    }
    for (uint32_t i = 0; i < k->inspection->evidence.n; i++) {
        const struct evidence_item *it = &k->inspection->evidence.items[i];
        json_t *item;

        if (evidence_expired(it, f->today)) {
            continue;
        }
        item = verdict_facts_item(&l, it->grade, it->source, it->licence, it->name, it->detail);
        if (item && it->grade == EVIDENCE_SIGNED) {
            verdict_facts_add_signature(item, &it->signature);
        }
        if (item && it->source == EVIDENCE_FROM_DPKG && k->inspection->evidence.n_files > 0) {
            verdict_facts_add_files(item, &k->inspection->evidence);
        }
        (void)json_array_append_new(list, item);
    }
}

/* Adds to unknown why statements that have expired are no evidence. */
static void verdict_facts_put_expired(json_t *unknown, const struct verdict_facts *f,
                                      enum side party)
{
    const struct inspection *in = f->parties[party].known.inspection;

    for (uint32_t i = 0; in && in->outcome == INSPECTION_OK && i < in->evidence.n; i++) {
        const struct evidence_item *it = &in->evidence.items[i];
        char why[EVIDENCE_DETAIL_SIZE];

        if (evidence_expired(it, f->today)) {
            (void)json_object_set_new(unknown, evidence_source_name(it->source),
                                      json_string(evidence_expired_text(it, why)));
        }
    }
}

/* The servers behind a backend that is itself a broker, as that broker reports them. */
static json_t *verdict_facts_via(const struct recital_via *via)
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

/* Puts the name of a client's virtual machine, and where it comes from. */
static void verdict_facts_put_vm(json_t *party, const struct peer *p)
{
    verdict_facts_put(party, p, PEER_VM, verdict_facts_string(p->vm));
    if (peer_knows(p, PEER_VM)) {
        (void)json_object_set_new(party, "vm-by",
                                  json_string(p->vm_by_unit ? "unit" : "command-line"));
    }
}

static json_t *verdict_facts_party(const struct verdict_facts *f, enum side party)
{
    const struct rules_known *const k = &f->parties[party].known;
    char contradiction[VERDICT_FACTS_CONTRADICTION];
    json_t *o = json_pack("{s:{}}", "unknown");

    if (!o) {
        return NULL;
    }
    verdict_facts_put_facts(o, k->peer);
    if (party == SIDE_CLIENT) {
        verdict_facts_put_vm(o, k->peer);
    }
    (void)json_object_set_new(o, "exe", verdict_facts_exe_of(o, k));
    verdict_facts_put_expired(json_object_get(o, "unknown"), f, party);
    (void)json_object_set_new(o, "recital", json_string(recital_text(k->recital)));
    if (verdict_facts_contradiction(f, party, contradiction)) {
        (void)json_object_set_new(o, "contradiction", json_string(contradiction));
    }
    if (k->via && k->via->n > 0) {
        (void)json_object_set_new(o, "via", verdict_facts_via(k->via));
    }
    return o;
}

/* ---- mapped code ---- */

/* Bytes of each text about a mapped file. */
#define CODE_TEXT 200u

static json_t *verdict_facts_cut(const char *s)
{
    const size_t n = strlen(s);

    return audit_text(s, n < CODE_TEXT ? n : CODE_TEXT);
}

static json_t *verdict_facts_code_item(const struct peer_code_item *item,
                                       const struct rules_code_evidence *e)
{
    char at[48];

    snprintf(at, sizeof at, "0x%" PRIx64 "-0x%" PRIx64, item->start, item->end);
    return members_object((const struct member[]){
        {"path", *item->path ? verdict_facts_cut(item->path) : &members_omitted},
        {"at", item->kind == PEER_CODE_FILE ? &members_omitted : json_string(at)},
        {"grade", json_string(evidence_grade_name(e->grade))},
        {"licence", *e->licence ? verdict_facts_cut(e->licence) : &members_omitted},
        {"name", *e->name ? verdict_facts_cut(e->name) : &members_omitted},
        {"why", e->why ? verdict_facts_cut(e->why) : &members_omitted},
        {NULL, NULL}});
}

/* Lists items without evidence, and then those with evidence, as long as there is room. */
static json_t *verdict_facts_code_items(const struct verdict_facts *f, enum side party)
{
    const struct rules_mapped *const m = f->parties[party].known.mapped;
    json_t *const without = json_array();
    json_t *const with = json_array();
    json_t *item;
    size_t k;

    for (size_t i = 0; i < m->list->n && json_array_size(without) < LIMIT_CODE_RECORDED; i++) {
        const struct rules_code_evidence e = rules_code_evidence(f->rules, party, m, i, f->today);
        json_t *const list = e.grade == EVIDENCE_NONE ? without : with;

        if (json_array_size(list) < LIMIT_CODE_RECORDED) {
            (void)json_array_append_new(list, verdict_facts_code_item(&m->list->items[i], &e));
        }
    }
    json_array_foreach(with, k, item)
    {
        if (json_array_size(without) < LIMIT_CODE_RECORDED) {
            (void)json_array_append(without, item);
        }
    }
    json_decref(with);
    return without;
}

static json_t *verdict_facts_code_of(const struct verdict_facts *f, enum side party)
{
    const struct peer_code *const list = f->parties[party].known.mapped->list;

    return members_object((const struct member[]){
        {"count", json_integer((json_int_t)list->n)},
        {"unknown", list->unknown.why ? json_string(list->unknown.why) : &members_omitted},
        {"mapped", verdict_facts_code_items(f, party)},
        {NULL, NULL}});
}

static json_t *verdict_facts_code(const struct verdict_facts *f)
{
    json_t *o = NULL;

    for (int i = 0; i < SIDES; i++) {
        if (f->parties[i].known.mapped) {
            o = o ? o : json_object();
            (void)json_object_set_new(o, side_name((enum side)i),
                                      verdict_facts_code_of(f, (enum side)i));
        }
    }
    return o;
}

bool verdict_facts_describe(struct verdict_facts *f)
{
    f->code = verdict_facts_code(f);
    f->evidence = json_array();
    for (int i = 0; i < SIDES; i++) {
        f->parties[i].json = verdict_facts_party(f, (enum side)i);
        verdict_facts_add_evidence(f->evidence, f, (enum side)i);
        if (!f->parties[i].json) {
            return false;
        }
    }
    return f->evidence != NULL;
}

/* The evidence by which the rule decided; NULL if there was none. */
static json_t *verdict_facts_cause(const struct rules_cause *c)
{
    return c->grade == EVIDENCE_NONE
               ? NULL
               : json_pack("{s:s,s:s,s:s,s:s}", "grade", evidence_grade_name(c->grade), "source",
                           c->source, "licence", c->licence, "name", c->name);
}

json_t *verdict_facts_rule(const struct verdict_facts *f)
{
    const struct rules_verdict *const v = &f->verdict;

    return json_pack(
        "{s:i,s:s*,s:s*,s:s*,s:o*,s:s,s:s*}", "line", (int)config_where_line(v->line), "preset",
        config_where_preset_of(v->line), "file", config_where_file_of(f->config, v->line), "of",
        v->decided ? side_name(v->party) : NULL, "evidence", verdict_facts_cause(&v->cause), "why",
        v->why, "mend", *v->mend ? v->mend : NULL);
}

json_t *verdict_facts_taints(const uint32_t taint_of[SIDES])
{
    char client[TAINT_COUNT + 1];
    char backend[TAINT_COUNT + 1];

    return json_pack("{s:s,s:s}", side_name(SIDE_CLIENT), taint_text(taint_of[SIDE_CLIENT], client),
                     side_name(SIDE_BACKEND), taint_text(taint_of[SIDE_BACKEND], backend));
}

/* ---- the part that is kept ---- */

static json_t *verdict_facts_licences(const json_t *evidence)
{
    static const char *const members[] = {"of", "grade", "source", "licence"};
    json_t *list = json_array();
    const json_t *item;
    size_t i;

    json_array_foreach(evidence, i, item)
    {
        json_t *o = json_is_true(json_object_get(item, "counts")) ? json_object() : NULL;

        for (size_t k = 0; o && k < sizeof members / sizeof *members; k++) {
            (void)json_object_set(o, members[k], json_object_get(item, members[k]));
        }
        if (o) {
            (void)json_array_append_new(list, o);
        }
    }
    return list;
}

char *verdict_facts_text(const struct verdict_facts *f)
{
    json_t *o = NULL;
    char *text;

    if (f->evidence) {
        o = json_pack("{s:s,s:o,s:b,s:O*,s:O*,s:o}", "verdict",
                      rules_verdict_name(f->verdict.verdict), "rule", verdict_facts_rule(f),
                      "permissive", f->verdict.permissive, "client", f->parties[SIDE_CLIENT].json,
                      "backend", f->parties[SIDE_BACKEND].json, "licences",
                      verdict_facts_licences(f->evidence));
    }
    text = facts_pack(o);
    json_decref(o);
    return text;
}
