/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Reads the log three times: to verify it, for the rows, and for the proofs of their records. */
#define _GNU_SOURCE
#include "ctl/bom/bom_log.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/audit_proof.h"
#include "base/text/hex.h"
#include "base/members.h"

/* Bytes of a SHA-256 in an id. */
#define ID_SIZE 16u

const char *bom_log_text(const json_t *o, const char *key)
{
    const char *const s = json_string_value(json_object_get(o, key));

    return s ? s : "";
}

void bom_log_id(const char *text, size_t n, char out[33])
{
    uint8_t digest[SHA256_DIGEST_LENGTH];

    SHA256((const unsigned char *)text, n, digest);
    hex_text(digest, ID_SIZE, out);
}

static void bom_log_set(struct bom *b, json_t *row, const char *key, json_t *value)
{
    if (json_object_set_new(row, key, value) < 0) {
        b->failed = true;
    }
}

/* Copies a member of a record, if it exists. */
static void bom_log_copy(struct bom *b, json_t *row, const char *key, const json_t *from,
                         const char *member)
{
    json_t *const value = json_object_get(from, member);

    if (value) {
        bom_log_set(b, row, key, json_incref(value));
    }
}

/* ---- a record's rows ---- */

/* Where a record stands in the log. */
struct place {
    uint64_t seq;
    const char *time;
};

/* Identifies a row by the compact JSON of what distinguishes it; takes the reference. */
static bool bom_log_row_id(json_t *key, char out[33])
{
    char *const text = key ? json_dumps(key, JSON_COMPACT | JSON_SORT_KEYS) : NULL;

    if (text) {
        bom_log_id(text, strlen(text), out);
    }
    free(text);
    json_decref(key);
    return text != NULL;
}

/* Returns the row of this id, which may be new (takes `fresh`), or NULL if there is no room. */
static json_t *bom_log_row(struct bom *b, json_t *rows, const char *id, json_t *fresh)
{
    json_t *const row = json_object_get(rows, id);

    if (row || json_object_size(rows) >= BOM_ROWS) {
        json_decref(fresh);
        return row;
    }
    bom_log_set(b, rows, id, fresh);
    return json_object_get(rows, id);
}

/* Counts a session, and notes the record as the row's newest. */
static void bom_log_count(struct bom *b, json_t *row, const struct place *at)
{
    const json_int_t had = json_integer_value(json_object_get(row, "sessions"));

    if (had == 0) {
        bom_log_set(b, row, "first", members_number(at->seq));
    }
    bom_log_set(b, row, "sessions", json_integer(had + 1));
    bom_log_set(b, row, "record", members_number(at->seq));
    bom_log_set(b, row, "time", json_string(at->time));
}

/* Returns the items about one party, without their "of". */
static json_t *bom_log_evidence(const json_t *record, const char *role)
{
    json_t *const list = json_array();
    json_t *item;
    size_t i;

    json_array_foreach(json_object_get(record, "evidence"), i, item)
    {
        if (strcmp(bom_log_text(item, "of"), role) == 0) {
            json_t *const copy = json_copy(item);

            (void)json_object_del(copy, "of");
            (void)json_array_append_new(list, copy);
        }
    }
    return list;
}

/* Returns the executable's digest, or "" if it is unknown. */
static const char *bom_log_digest(const json_t *exe)
{
    const char *const text = bom_log_text(exe, "sha256");
    uint8_t digest[SHA256_DIGEST_LENGTH];

    return strlen(text) == 2 * sizeof digest && hex_read(text, digest, sizeof digest) ? text : "";
}

static json_t *bom_log_new_party(const json_t *party, json_t *evidence)
{
    const json_t *const exe = json_object_get(party, "exe");
    const char *const path = bom_log_text(exe, "path");
    const char *const slash = strrchr(path, '/');
    const char *const name = slash ? slash + 1 : path;
    json_t *const contradiction = json_object_get(party, "contradiction");
    json_t *const incomplete = json_object_get(party, "incomplete");

    return members_object((const struct member[]){
        {"name", json_string(*name ? name : "unknown")},
        {"path", json_string(path)},
        {"sha256", json_string(bom_log_digest(exe))},
        {"evidence", json_incref(evidence)},
        {"contradiction", contradiction ? json_incref(contradiction) : &members_omitted},
        {"incomplete", incomplete ? json_incref(incomplete) : &members_omitted},
        {"roles", json_object()},
        {NULL, NULL}});
}

/* Adds the party to its row. Returns its id in out, or false if there is no room. */
static bool bom_log_add_party(struct bom *b, const json_t *record, const char *role,
                              const struct place *at, char out[33])
{
    const json_t *const party = json_object_get(record, role);
    const json_t *const host = json_object_get(record, "host");
    json_t *const evidence = bom_log_evidence(record, role);
    json_t *const fresh = bom_log_new_party(party, evidence);
    json_t *row = NULL;

    json_decref(evidence);
    if (!fresh || !bom_log_row_id(json_incref(fresh), out)) {
        b->failed = true;
        json_decref(fresh);
        return false;
    }
    row = bom_log_row(b, b->parties, out, fresh);
    if (!row) {
        return false;
    }
    bom_log_set(b, json_object_get(row, "roles"), role, json_true());
    bom_log_copy(b, row, "pid", party, "pid");
    bom_log_copy(b, row, "uid", party, "uid");
    bom_log_copy(b, row, "distribution", host, "distribution");
    bom_log_copy(b, row, "taint", json_object_get(record, "taints"), role);
    bom_log_count(b, row, at);
    return true;
}

static json_t *bom_log_new_conversation(const json_t *record, const char *client,
                                        const char *backend)
{
    return members_object(
        (const struct member[]){{"client", json_string(client)},
                                {"backend", json_string(backend)},
                                {"route", json_string(bom_log_text(record, "route"))},
                                {"verdict", json_string(bom_log_text(record, "verdict"))},
                                {"records", json_array()},
                                {NULL, NULL}});
}

/* ---- open sessions ---- */

/* Writes a record's session as a key of b->open. */
static const char *bom_log_session(const json_t *record, char out[32])
{
    snprintf(out, 32, "%" JSON_INTEGER_FORMAT,
             json_integer_value(json_object_get(record, "session")));
    return out;
}

/* Notes the session's row. Only a log made to exhaust memory has more open sessions than fit. */
static void bom_log_open(struct bom *b, const json_t *record, json_t *row)
{
    char session[32];

    if (json_object_size(b->open) < BOM_ROWS) {
        bom_log_set(b, b->open, bom_log_session(record, session), json_incref(row));
    }
}

/* A verdict is about the executables that were found, which may have been replaced since. */
static void bom_log_changed(struct bom *b, const json_t *record)
{
    char session[32];
    json_t *const row = json_object_get(b->open, bom_log_session(record, session));
    const json_int_t had = json_integer_value(json_object_get(row, "executables_changed"));

    if (row) {
        bom_log_set(b, row, "executables_changed", json_integer(had + 1));
    }
}

static void bom_log_add_verdict(struct bom *b, const json_t *record, const struct place *at)
{
    char client[33];
    char backend[33];
    char id[33];
    json_t *fresh;
    json_t *row;
    json_t *records;

    if (!bom_log_add_party(b, record, "client", at, client) ||
        !bom_log_add_party(b, record, "backend", at, backend)) {
        b->left_out++;
        return;
    }
    fresh = bom_log_new_conversation(record, client, backend);
    if (!fresh || !bom_log_row_id(json_incref(fresh), id)) {
        b->failed = true;
        json_decref(fresh);
        return;
    }
    row = bom_log_row(b, b->conversations, id, fresh);
    if (!row) {
        b->left_out++;
        return;
    }
    bom_log_count(b, row, at);
    bom_log_copy(b, row, "session", record, "session");
    bom_log_copy(b, row, "taint", record, "taint");
    bom_log_copy(b, row, "of", json_object_get(record, "rule"), "of");
    bom_log_copy(b, row, "why", json_object_get(record, "rule"), "why");
    bom_log_copy(b, row, "client_pid", json_object_get(record, "client"), "pid");
    bom_log_copy(b, row, "backend_pid", json_object_get(record, "backend"), "pid");
    bom_log_open(b, record, row);
    records = json_object_get(row, "records");
    if (json_array_size(records) < BOM_RECORDS) {
        b->failed = json_array_append_new(records, members_number(at->seq)) < 0 || b->failed;
    }
}

static bool bom_log_matters(const char *event)
{
    static const char *const events[] = {"verdict", "executable-changed", "session-ended",
                                         "broker-start"};

    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        if (strcmp(event, events[i]) == 0) {
            return true;
        }
    }
    return false;
}

static void bom_log_add(struct bom *b, const char *event, const json_t *record,
                        const struct place *at)
{
    json_t *const host = json_object_get(record, "host");
    char session[32];

    if (strcmp(event, "broker-start") == 0) {
        /* Session numbers restart with each start of the broker. */
        (void)json_object_clear(b->open);
    } else if (strcmp(event, "session-ended") == 0) {
        (void)json_object_del(b->open, bom_log_session(record, session));
    } else if (strcmp(event, "executable-changed") == 0) {
        bom_log_changed(b, record);
    } else {
        if (host) {
            json_decref(b->host);
            b->host = json_incref(host);
        }
        bom_log_add_verdict(b, record, at);
    }
}

static bool bom_log_on_line(void *arg, const struct audit_walk *w, const struct audit_head *head,
                            const char *line, size_t n)
{
    struct bom *const b = arg;
    char time[AUDIT_TIME_SIZE + 1] = "";
    json_t *record;

    (void)w;
    if (head->seq >= b->verified.checkpoint.size) {
        return true;
    }
    if (head->time) {
        memcpy(time, head->time, AUDIT_TIME_SIZE);
        if (strcmp(time, b->until) > 0) {
            memcpy(b->until, time, sizeof time);
        }
    }
    if (!bom_log_matters(head->event->name)) {
        return true;
    }
    record = json_loadb(line, n, JSON_REJECT_DUPLICATES, NULL);
    if (record) {
        bom_log_add(b, head->event->name, record, &(struct place){head->seq, time});
    } else {
        b->unread++;
    }
    json_decref(record);
    return !b->failed;
}

/* ---- the whole log ---- */

static int bom_log_compare(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a;
    const uint64_t y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* Adds the newest records of all rows to the list. Returns its new length. */
static size_t bom_log_collect(json_t *rows, uint64_t *records, size_t n)
{
    const char *id;
    json_t *row;

    json_object_foreach(rows, id, row)
    {
        records[n++] = (uint64_t)json_integer_value(json_object_get(row, "record"));
    }
    return n;
}

/* Makes the proofs of all rows' newest records. */
static bool bom_log_prove(struct bom *b, const struct audit_question *q)
{
    const size_t room = json_object_size(b->parties) + json_object_size(b->conversations);
    uint64_t *const records = calloc(room + 1, sizeof *records);
    size_t n;
    size_t unique = 0;

    if (!records) {
        return false;
    }
    n = bom_log_collect(b->parties, records, 0);
    n = bom_log_collect(b->conversations, records, n);
    qsort(records, n, sizeof *records, bom_log_compare);
    for (size_t i = 0; i < n; i++) {
        if (unique == 0 || records[unique - 1] != records[i]) {
            records[unique++] = records[i];
        }
    }
    b->proofs = audit_proofs_new(q, &b->verified, records, unique);
    free(records);
    return b->proofs != NULL;
}

bool bom_log_init(struct bom *b, const struct audit_question *q, char *why, size_t size)
{
    struct audit_question again = *q;
    struct audit_result ignored;

    *b = (struct bom){
        .parties = json_object(), .conversations = json_object(), .open = json_object()};
    if (!audit_proof_verify(q, &b->verified, why, size)) {
        return false;
    }
    again.older = NULL;
    again.on_line = bom_log_on_line;
    again.on_log = NULL;
    again.arg = b;
    b->failed = !b->parties || !b->conversations || !b->open;
    if (!b->failed) {
        (void)audit_verify(&again, &ignored);
    }
    if (b->failed || !bom_log_prove(b, q)) {
        b->verified.verdict = AUDIT_UNREADABLE;
        snprintf(why, size, "the log changed while it was read, or out of memory");
        return false;
    }
    return true;
}

void bom_log_deinit(struct bom *b)
{
    audit_proofs_free(b->proofs);
    json_decref(b->parties);
    json_decref(b->conversations);
    json_decref(b->open);
    json_decref(b->host);
}
