/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Writes what is known of a row, its record and its proof. */
#define _GNU_SOURCE
#include "ctl/bom/bom_facts.h"

#include <inttypes.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text/base64.h"
#include "base/text/hex.h"
#include "base/members.h"
#include "ctl/poemctl.h"

void bom_facts_time(const char *time, char out[BOM_FACTS_TIME])
{
    snprintf(out, BOM_FACTS_TIME, "%.19s%s", *time ? time : "1970-01-01T00:00:00", "Z");
}

void bom_facts_digest(const struct bom *b, char out[65])
{
    uint8_t digest[SHA256_DIGEST_LENGTH];

    SHA256((const unsigned char *)b->verified.note, strlen(b->verified.note), digest);
    hex_text(digest, sizeof digest, out);
}

bool bom_facts_spoke(const json_t *row)
{
    const char *const verdict = bom_log_text(row, "verdict");

    return strcmp(verdict, "allow") == 0 || strcmp(verdict, "allow-tainted") == 0;
}

/* Copies a member of a row. */
static json_t *bom_facts_member(const json_t *row, const char *key)
{
    json_t *const value = json_object_get(row, key);

    return value ? json_incref(value) : &members_omitted;
}

static json_t *bom_facts_proof(const struct bom *b, const json_t *row)
{
    size_t n;
    char *const text = audit_proofs_text(
        b->proofs, (uint64_t)json_integer_value(json_object_get(row, "record")), &n);
    json_t *const proof = text ? json_stringn(text, n) : NULL;

    free(text);
    return proof;
}

/* ---- the document ---- */

json_t *bom_facts_document(const struct bom *b)
{
    const struct audit_result *const r = &b->verified;
    char root[BASE64_SIZE(AUDIT_HASH_SIZE) + 1];
    char digest[65];

    base64_write(r->checkpoint.root.b, AUDIT_HASH_SIZE, root);
    bom_facts_digest(b, digest);
    return members_object(
        (const struct member[]){{"format", json_string("poemd-audit-bom/1")},
                                {"checkpoint", json_string(r->note)},
                                {"checkpoint_sha256", json_string(digest)},
                                {"tree_size", members_number(r->checkpoint.size)},
                                {"root", json_string(root)},
                                {"first_record", members_number(r->first)},
                                {"unsealed_records", members_number(r->size - r->sealed)},
                                {"lost_records", members_number(r->gaps.lost)},
                                {"accepted_losses", members_number(r->gaps.gone)},
                                {"clock_set_back", members_number(r->gaps.back + r->gaps.unmarked)},
                                {"repeated_sessions", members_number(r->gaps.repeated)},
                                {"unread_records", members_number(b->unread)},
                                {"sessions_left_out", members_number(b->left_out)},
                                {"host", b->host ? json_incref(b->host) : &members_omitted},
                                {NULL, NULL}});
}

/* ---- rows ---- */

/* Returns the roles that the party had as a list. */
static json_t *bom_facts_roles(const json_t *row)
{
    json_t *const list = json_array();
    const char *role;
    json_t *value;

    json_object_foreach(json_object_get(row, "roles"), role, value)
    {
        (void)json_array_append_new(list, json_string(role));
    }
    return list;
}

json_t *bom_facts_party(const struct bom *b, const json_t *row)
{
    return members_object(
        (const struct member[]){{"record", bom_facts_member(row, "record")},
                                {"time", bom_facts_member(row, "time")},
                                {"first_record", bom_facts_member(row, "first")},
                                {"sessions", bom_facts_member(row, "sessions")},
                                {"roles", bom_facts_roles(row)},
                                {"pid", bom_facts_member(row, "pid")},
                                {"uid", bom_facts_member(row, "uid")},
                                {"taint", bom_facts_member(row, "taint")},
                                {"contradiction", bom_facts_member(row, "contradiction")},
                                {"incomplete", bom_facts_member(row, "incomplete")},
                                {"evidence", bom_facts_member(row, "evidence")},
                                {"proof", bom_facts_proof(b, row)},
                                {NULL, NULL}});
}

json_t *bom_facts_conversation(const struct bom *b, const json_t *row)
{
    return members_object((const struct member[]){
        {"text", bom_facts_sentence(b, row)},
        {"route", bom_facts_member(row, "route")},
        {"verdict", bom_facts_member(row, "verdict")},
        {"of", bom_facts_member(row, "of")},
        {"why", bom_facts_member(row, "why")},
        {"taint", bom_facts_member(row, "taint")},
        {"sessions", bom_facts_member(row, "sessions")},
        {"executables_changed", bom_facts_member(row, "executables_changed")},
        {"records", bom_facts_member(row, "records")},
        {"first_record", bom_facts_member(row, "first")},
        {"record", bom_facts_member(row, "record")},
        {"time", bom_facts_member(row, "time")},
        {"session", bom_facts_member(row, "session")},
        {"client_pid", bom_facts_member(row, "client_pid")},
        {"backend_pid", bom_facts_member(row, "backend_pid")},
        {"proof", bom_facts_proof(b, row)},
        {NULL, NULL}});
}

static const char *bom_facts_path(const struct bom *b, const json_t *row, const char *role)
{
    const char *const path =
        bom_log_text(json_object_get(b->parties, bom_log_text(row, role)), "path");

    return *path ? path : "an unknown executable";
}

json_t *bom_facts_sentence(const struct bom *b, const json_t *row)
{
    const json_int_t n = json_integer_value(json_object_get(row, "sessions"));
    const char *const client = bom_facts_path(b, row, "client");
    const char *const backend = bom_facts_path(b, row, "backend");
    const char *const route = bom_log_text(row, "route");

    if (bom_facts_spoke(row)) {
        return json_sprintf("%s was a client of %s by route %s, in %" JSON_INTEGER_FORMAT
                            " session%s",
                            client, backend, route, n, POEMCTL_PLURAL(n));
    }
    return json_sprintf("%s was refused as a client of %s by route %s, in %" JSON_INTEGER_FORMAT
                        " session%s: no message but VERSION passed",
                        client, backend, route, n, POEMCTL_PLURAL(n));
}
