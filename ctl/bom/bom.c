/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Reads the log, and writes the document, or an attestation with it. */
#define _GNU_SOURCE
#include "ctl/bom/bom.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "ctl/bom/bom_cyclonedx.h"
#include "ctl/bom/bom_facts.h"
#include "ctl/bom/bom_log.h"
#include "ctl/bom/bom_spdx.h"
#include "ctl/policy/attest_key.h"
#include "ctl/poemctl.h"
#include "policy/evidence/evidence_dsse.h"
#include "policy/evidence/evidence_statement.h"

/* A form of the document, and its type as the predicate of an in-toto statement. */
static const struct {
    int (*write)(const struct bom *b, FILE *f);
    const char *predicate;
} formats[] = {
    [BOM_SPDX] = {bom_spdx_write, "https://spdx.dev/Document"},
    [BOM_CYCLONEDX] = {bom_cyclonedx_write, "https://cyclonedx.org/bom"},
};

/* Returns the statement, to be freed, or NULL if out of memory. */
static char *bom_statement(const struct bom *b, enum bom_format format)
{
    char *text = NULL;
    size_t size;
    FILE *const f = open_memstream(&text, &size);
    char digest[65];
    bool ok;

    if (!f) {
        return NULL;
    }
    bom_facts_digest(b, digest);
    /* An origin has no characters that JSON escapes. */
    ok = fprintf(f,
                 "{\"_type\":\"%s\",\"subject\":[{\"name\":\"%s checkpoint of %" PRIu64
                 " records\",\"digest\":{\"sha256\":\"%s\"}}],\"predicateType\":\"%s\","
                 "\"predicate\":",
                 EVIDENCE_STATEMENT_TYPE, b->verified.checkpoint.origin,
                 b->verified.checkpoint.size, digest, formats[format].predicate) > 0 &&
         formats[format].write(b, f) == 0 && fputs("}", f) >= 0;
    if (fclose(f) != 0 || !ok) {
        free(text);
        return NULL;
    }
    return text;
}

static bool bom_write_signed(const struct bom *b, enum bom_format format, EVP_PKEY *key)
{
    char *const statement = bom_statement(b, format);
    char *const envelope = statement ? evidence_dsse_make_of(key, statement) : NULL;
    const bool ok = envelope && printf("%s\n", envelope) > 0 && fflush(stdout) == 0;

    free(statement);
    free(envelope);
    return ok;
}

static bool bom_write_document(const struct bom *b, enum bom_format format, EVP_PKEY *key)
{
    const bool ok = key ? bom_write_signed(b, format, key) : formats[format].write(b, stdout) == 0;

    if (!ok) {
        poemctl_error("audit", "writing failed, or out of memory");
    }
    return ok;
}

enum audit_verdict bom_report(const struct audit_question *q, enum bom_format format,
                              const char *sign)
{
    EVP_PKEY *const key = sign ? attest_key_load("audit", sign) : NULL;
    enum audit_verdict verdict = AUDIT_UNREADABLE;
    struct bom b;
    char why[1024];

    if (sign && !key) {
        return AUDIT_UNREADABLE;
    }
    if (!bom_log_init(&b, q, why, sizeof why)) {
        poemctl_error("audit", "%s", why);
        /* The log may be in order, but several, or without a checkpoint. */
        verdict = b.verified.verdict > AUDIT_UNSEALED ? b.verified.verdict : AUDIT_UNREADABLE;
    } else if (bom_write_document(&b, format, key)) {
        verdict = b.verified.verdict;
    }
    bom_log_deinit(&b);
    EVP_PKEY_free(key);
    return verdict;
}
