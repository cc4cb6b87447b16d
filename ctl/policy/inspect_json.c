/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Prints the findings of poemctl inspect as JSON. An unknown fact is null, and "unknown" has the
 * reason. A builder returns NULL if memory runs out, and json_pack then fails too.
 */
#include <string.h>

#include "base/text/date.h"
#include "base/text/hex.h"
#include "base/log.h"
#include "base/members.h"
#include "ctl/policy/inspect.h"

static json_t *inspect_json_escaped(const char *text)
{
    char out[4 * PEER_PATH_MAX];

    return json_string(log_escape(out, sizeof out, text, strlen(text)));
}

static json_t *inspect_json_text(const struct peer *p, enum peer_fact f, const char *value)
{
    return peer_knows(p, f) ? inspect_json_escaped(value) : json_null();
}

static json_t *inspect_json_number(const struct peer *p, enum peer_fact f, uint64_t value)
{
    return peer_knows(p, f) ? json_integer((json_int_t)value) : json_null();
}

static json_t *inspect_json_hex(const void *p, size_t n)
{
    char digits[2 * INSPECTION_SHA256_SIZE + 1];

    return n > 0 ? json_string(hex_text(p, n, digits)) : json_null();
}

static json_t *inspect_json_groups(const struct peer *p)
{
    json_t *a;

    if (!peer_knows(p, PEER_GROUPS)) {
        return json_null();
    }
    a = json_array();
    for (unsigned i = 0; a && i < p->n_groups; i++) {
        if (json_array_append_new(a, json_integer(p->groups[i])) < 0) {
            json_decref(a);
            return NULL;
        }
    }
    return a;
}

static json_t *inspect_json_process(const struct peer *p)
{
    return members_object(
        (const struct member[]){{"pid", inspect_json_number(p, PEER_PID, (uint64_t)p->pid)},
                                {"pid_sure", json_boolean(p->pid_sure)},
                                {"start_ticks", inspect_json_number(p, PEER_START, p->start_ticks)},
                                {"uid", inspect_json_number(p, PEER_UID, p->uid)},
                                {"gid", inspect_json_number(p, PEER_GID, p->gid)},
                                {"groups", inspect_json_groups(p)},
                                {"label", inspect_json_text(p, PEER_LABEL, p->label)},
                                {"cgroup", inspect_json_text(p, PEER_CGROUP, p->cgroup)},
                                {"unit", inspect_json_text(p, PEER_UNIT, p->unit)},
                                {"vm", inspect_json_text(p, PEER_VM, p->vm)},
                                {NULL, NULL}});
}

static json_t *inspect_json_file_id(const struct peer *p)
{
    const struct peer_file_id *id = &p->exe.id;

    if (!peer_knows(p, PEER_EXE_ID)) {
        return json_null();
    }
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "device_major", (json_int_t)id->dev_major,
                     "device_minor", (json_int_t)id->dev_minor, "inode", (json_int_t)id->inode,
                     "size", (json_int_t)id->size, "mtime_ns", (json_int_t)id->mtime, "ctime_ns",
                     (json_int_t)id->ctime);
}

/* The entry of the executable in the list of IMA; null if it is in none. */
static json_t *inspect_json_ima(const struct inspection *r)
{
    return r->ima_entry > 0 ? json_pack("{s:I, s:I}", "entry", (json_int_t)r->ima_entry, "pcr",
                                        (json_int_t)r->ima_pcr)
                            : json_null();
}

static json_t *inspect_json_executable(const struct inspect *i)
{
    const struct inspection *r = &i->inspection;
    const bool read = r->outcome == INSPECTION_OK;
    char verity[PEER_VERITY_TEXT_SIZE];

    return json_pack(
        "{s:o, s:b, s:b, s:o, s:o, s:o, s:o}", "path",
        inspect_json_text(&i->peer, PEER_EXE_PATH, i->peer.exe.path), "path_ours",
        i->peer.exe.path_ours, "deleted", i->peer.exe.deleted, "file",
        inspect_json_file_id(&i->peer), "sha256",
        read ? inspect_json_hex(r->sha256, sizeof r->sha256) : json_null(), "fs_verity",
        i->peer.exe.verity.size > 0 ? json_string(peer_verity_text(&i->peer.exe.verity, verity))
                                    : json_null(),
        "ima", inspect_json_ima(r));
}

static json_t *inspect_json_date(uint32_t date)
{
    char text[DATE_SIZE];

    return date ? json_string(date_text(date, text)) : json_null();
}

static json_t *inspect_json_item(const struct evidence_item *item)
{
    const bool is_signed = item->grade == EVIDENCE_SIGNED;
    const struct evidence_signature *s = &item->signature;
    const struct member members[] = {
        {"grade", json_string(evidence_grade_name(item->grade))},
        {"source", json_string(evidence_source_name(item->source))},
        {"licence", json_string(item->licence)},
        {"name", json_string(item->name)},
        {"detail", json_string(item->detail)},
        {"key", is_signed ? inspect_json_hex(s->key, sizeof s->key) : &members_omitted},
        {"envelope",
         is_signed ? inspect_json_hex(s->envelope, sizeof s->envelope) : &members_omitted},
        {"issued", is_signed ? inspect_json_date(s->issued) : &members_omitted},
        {"expires", is_signed ? inspect_json_date(s->expires) : &members_omitted},
        {NULL, NULL}};

    return members_object(members);
}

static json_t *inspect_json_evidence(const struct evidence *e)
{
    json_t *a = json_array();

    for (uint32_t i = 0; a && i < e->n; i++) {
        if (json_array_append_new(a, inspect_json_item(&e->items[i])) < 0) {
            json_decref(a);
            return NULL;
        }
    }
    return a;
}

static json_t *inspect_json_files(const struct evidence *e)
{
    json_t *a = json_array();

    for (uint32_t i = 0; a && i < e->n_files; i++) {
        const struct evidence_files *f = &e->files[i];
        const enum evidence_place place = (enum evidence_place)f->place;
        json_t *o =
            json_pack("{s:s, s:s, s:I, s:b, s:s, s:s}", "files", f->files, "licence", f->licence,
                      "line", (json_int_t)f->line, "counts", place == EVIDENCE_PLACE_SOURCE,
                      "place", evidence_place_name(place), "why", evidence_place_why(place));

        if (json_array_append_new(a, o) < 0) {
            json_decref(a);
            return NULL;
        }
    }
    return a;
}

static int inspect_json_add_unknown(json_t *a, const char *what, const char *why)
{
    return json_array_append_new(a, json_pack("{s:s, s:s}", "what", what, "why", why));
}

/* Lists all facts that could not be determined. */
static json_t *inspect_json_unknown(const struct inspect *i)
{
    const struct evidence *e = &i->inspection.evidence;
    json_t *a = json_array();
    char why[256];
    int err = a ? 0 : -1;

    for (int f = 0; !err && f < PEER_FACTS; f++) {
        const bool of_file = f >= PEER_EXE_PATH;

        if ((i->process || of_file) && !peer_knows(&i->peer, (enum peer_fact)f)) {
            err = inspect_json_add_unknown(a, peer_fact_name((enum peer_fact)f),
                                           peer_why(&i->peer, (enum peer_fact)f, why, sizeof why));
        }
    }
    if (!err && i->inspection.outcome != INSPECTION_OK) {
        err = inspect_json_add_unknown(a, "inspection", inspection_text(i->inspection.outcome));
    }
    for (uint32_t k = 0; !err && k < e->n_unknown; k++) {
        err = inspect_json_add_unknown(a, evidence_source_name(e->unknowns[k].source),
                                       e->unknowns[k].why);
    }
    if (err) {
        json_decref(a);
        return NULL;
    }
    return a;
}

/* Lists the code that a process has mapped. */
static json_t *inspect_json_code(const struct inspect *i)
{
    static const struct rules none;
    json_t *a = i->process && i->found ? json_array() : json_null();

    for (size_t k = 0; i->process && i->found && k < i->code.n; k++) {
        const struct peer_code_item *const item = &i->code.items[k];
        const struct rules_code_evidence e =
            rules_code_evidence(&none, SIDE_BACKEND, &i->mapped, k, date_today());

        (void)json_array_append_new(
            a, json_pack("{s:o, s:s, s:s, s:s, s:s, s:s*}", "path",
                         *item->path ? inspect_json_escaped(item->path) : json_null(), "kind",
                         peer_code_kind_text(item->kind), "grade", evidence_grade_name(e.grade),
                         "licence", e.licence, "name", e.name, "why", e.why));
    }
    return a;
}

json_t *inspect_json(const struct inspect *i)
{
    const struct evidence *const e = &i->inspection.evidence;

    return members_object((const struct member[]){
        {"format", json_string("poemd-inspect/1")},
        {"inspected", inspect_json_escaped(i->what)},
        {"process", i->process ? inspect_json_process(&i->peer) : json_null()},
        {"executable", inspect_json_executable(i)},
        {"evidence", inspect_json_evidence(e)},
        {"files", inspect_json_files(e)},
        {"files_cut", json_boolean(e->files_cut)},
        {"envelopes_other", members_number(i->inspection.envelopes_other)},
        {"cut", json_boolean(e->cut)},
        {"unknown", inspect_json_unknown(i)},
        {"code", inspect_json_code(i)},
        {NULL, NULL},
    });
}
