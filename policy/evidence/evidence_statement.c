/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Reads in-toto statements, once their signature has been verified. */
#include "policy/evidence/evidence_statement.h"

#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "base/text/date.h"
#include "base/text/hex.h"
#include "policy/evidence/evidence_cyclonedx.h"
#include "policy/evidence/evidence_element.h"
#include "policy/evidence/evidence_spdx.h"

/* ---- our own predicate ---- */

/* Reads an optional day. Returns false if the member is there and is not a day. */
static bool evidence_statement_day(const json_t *predicate, const char *name, uint32_t *date)
{
    const json_t *value = json_object_get(predicate, name);

    return !value || (json_string_length(value) == DATE_SIZE - 1 &&
                      date_read(json_string_value(value), date));
}

static enum evidence_dsse evidence_statement_licence(struct evidence_claim *out,
                                                     const json_t *predicate)
{
    struct evidence_subject *const first = &out->subjects[0];

    if (evidence_element_text(json_object_get(predicate, "licence"), first->licence) !=
        EVIDENCE_DSSE_OK) {
        return EVIDENCE_DSSE_NO_LICENCE;
    }
    if (!evidence_statement_day(predicate, "issued", &out->issued) ||
        !evidence_statement_day(predicate, "expires", &out->expires)) {
        return EVIDENCE_DSSE_BAD_DATE;
    }
    for (uint32_t i = 1; i < out->n_subjects; i++) {
        memcpy(out->subjects[i].licence, first->licence, sizeof first->licence);
    }
    return EVIDENCE_DSSE_OK;
}

/* ---- predicates ---- */

struct kind {
    const char *type;
    const char *version; /* the only major version of the type's optional suffix; NULL: no suffix */
    enum evidence_dsse (*read)(struct evidence_claim *out, const json_t *predicate);
};

static const struct kind kinds[] = {
    [EVIDENCE_PREDICATE_LICENCE] = {EVIDENCE_STATEMENT_PREDICATE, NULL, evidence_statement_licence},
    [EVIDENCE_PREDICATE_SPDX] = {"https://spdx.dev/Document", "/v2", evidence_spdx_read},
    [EVIDENCE_PREDICATE_CYCLONEDX] = {"https://cyclonedx.org/bom", "/v1", evidence_cyclonedx_read},
};

static bool evidence_statement_is_kind(const struct kind *k, const char *type)
{
    const size_t n = strlen(k->type);
    const size_t m = k->version ? strlen(k->version) : 0;

    if (strncmp(type, k->type, n) != 0) {
        return false;
    }
    return type[n] == '\0' || (m > 0 && strncmp(type + n, k->version, m) == 0 &&
                               (type[n + m] == '\0' || type[n + m] == '.'));
}

static enum evidence_dsse evidence_statement_predicate(struct evidence_claim *out,
                                                       const json_t *statement)
{
    const char *type = json_string_value(json_object_get(statement, "predicateType"));

    for (size_t i = 0; type && i < sizeof kinds / sizeof *kinds; i++) {
        if (evidence_statement_is_kind(&kinds[i], type)) {
            out->predicate = (enum evidence_predicate)i;
            return kinds[i].read(out, json_object_get(statement, "predicate"));
        }
    }
    return EVIDENCE_DSSE_OTHER_CLAIM;
}

/* ---- the statement ---- */

static enum evidence_dsse evidence_statement_subjects(struct evidence_claim *out,
                                                      const json_t *subjects)
{
    if (!json_is_array(subjects)) {
        return EVIDENCE_DSSE_NO_STATEMENT;
    }
    if (json_array_size(subjects) > EVIDENCE_DSSE_SUBJECTS) {
        return EVIDENCE_DSSE_TOO_MANY;
    }
    for (size_t i = 0; i < json_array_size(subjects); i++) {
        struct evidence_subject *const to = &out->subjects[out->n_subjects];
        const json_t *digest = json_object_get(json_array_get(subjects, i), "digest");
        const json_t *sha256 = json_object_get(digest, "sha256");

        if (json_string_length(sha256) == 2 * (size_t)EVIDENCE_SHA256_SIZE &&
            hex_read(json_string_value(sha256), to->sha256, EVIDENCE_SHA256_SIZE)) {
            to->outcome = EVIDENCE_DSSE_OK;
            to->licence[0] = '\0';
            out->n_subjects++;
        }
    }
    return out->n_subjects > 0 ? EVIDENCE_DSSE_OK : EVIDENCE_DSSE_NO_SUBJECT;
}

static bool evidence_statement_is_statement(const json_t *statement)
{
    const char *type = json_string_value(json_object_get(statement, "_type"));

    return type && (strcmp(type, EVIDENCE_STATEMENT_TYPE) == 0 ||
                    strcmp(type, "https://in-toto.io/Statement/v0.1") == 0);
}

enum evidence_dsse evidence_statement_read(struct evidence_claim *out, const void *p, size_t n)
{
    json_t *statement = json_loadb(p, n, JSON_REJECT_DUPLICATES, NULL);
    enum evidence_dsse o = EVIDENCE_DSSE_NO_STATEMENT;

    out->issued = 0;
    out->expires = 0;
    out->n_subjects = 0;
    if (evidence_statement_is_statement(statement)) {
        o = evidence_statement_subjects(out, json_object_get(statement, "subject"));
        if (o == EVIDENCE_DSSE_OK) {
            o = evidence_statement_predicate(out, statement);
        }
    }
    json_decref(statement);
    return o;
}
