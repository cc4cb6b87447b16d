/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The envelopes in an inspector: read once, looked up by digest. Runs in the sandbox. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/evidence/evidence_dsse.h"
#include "policy/inspector/inspector_channel.h"

_Static_assert(INSPECTOR_KEYS == EVIDENCE_DSSE_KEYS, "every key can be tried");
/* Each header has its own number. NOLINTNEXTLINE(misc-redundant-expression) */
_Static_assert(INSPECTOR_ENVELOPE_MAX == EVIDENCE_DSSE_MAX, "one envelope");

struct inspector_claims {
    const struct inspector_start *start;
    struct evidence faults;
    size_t bytes; /* read of all envelopes */
    uint32_t n;
    struct {
        uint32_t envelope;
        struct evidence_claim claim;
    } good[INSPECTOR_ENVELOPES];
};

static void inspector_claims_read_envelope(struct inspector_claims *c, uint32_t i,
                                           const struct evidence_key *keys)
{
    const struct inspector_start *s = c->start;
    char *text = NULL;
    const ssize_t n = inspector_read(s->envelope_fds[i], EVIDENCE_DSSE_MAX, &text);
    enum evidence_dsse o;

    close(s->envelope_fds[i]);
    c->bytes += n > 0 ? (size_t)n : 0;
    if (c->bytes > INSPECTOR_ENVELOPES_MAX) {
        free(text);
        evidence_add_unknown(&c->faults, EVIDENCE_FROM_ENVELOPE, EFBIG,
                             "%s: the envelopes up to this one are larger than %u MiB",
                             s->envelope_names[i], INSPECTOR_ENVELOPES_MAX >> 20);
        return;
    }
    if (n < 0) {
        evidence_add_unknown(&c->faults, EVIDENCE_FROM_ENVELOPE, (int)-n, "%s: %s",
                             s->envelope_names[i], strerror((int)-n));
        return;
    }
    o = evidence_dsse_read(&c->good[c->n].claim, text, (size_t)n, keys, s->n_keys);
    free(text);
    if (o == EVIDENCE_DSSE_OK) {
        c->good[c->n++].envelope = i;
    } else {
        evidence_add_unknown(&c->faults, EVIDENCE_FROM_ENVELOPE, 0, "%s: %s", s->envelope_names[i],
                             evidence_dsse_text(o));
    }
}

struct inspector_claims *inspector_claims_new(const struct inspector_start *s)
{
    struct inspector_claims *c = calloc(1, sizeof *c);
    struct evidence_key keys[INSPECTOR_KEYS];

    if (!c) {
        return NULL;
    }
    c->start = s;
    evidence_init(&c->faults);
    for (uint32_t i = 0; i < s->n_keys; i++) {
        keys[i] = s->keys[i].key;
    }
    for (uint32_t i = 0; i < s->n_envelopes; i++) {
        inspector_claims_read_envelope(c, i, keys);
    }
    return c;
}

/* Returns the subject with this digest, or NULL. */
static const struct evidence_subject *inspector_claims_subject(const struct evidence_claim *claim,
                                                               const uint8_t *sha256)
{
    for (uint32_t i = 0; i < claim->n_subjects; i++) {
        if (memcmp(claim->subjects[i].sha256, sha256, EVIDENCE_SHA256_SIZE) == 0) {
            return &claim->subjects[i];
        }
    }
    return NULL;
}

/*
 * Lists the signers that are not revoked in detail; the first is the key of the evidence. Returns
 * NULL, or the revocation of a key if all are revoked.
 */
static const struct inspector_revoked *inspector_claims_signers(const struct inspector_start *s,
                                                                const struct evidence_claim *claim,
                                                                struct evidence_signature *out,
                                                                char detail[EVIDENCE_DETAIL_SIZE])
{
    const struct inspector_revoked *revoked = NULL;
    size_t n = (size_t)snprintf(detail, EVIDENCE_DETAIL_SIZE, "signed with");
    bool signed_by_one = false;

    for (uint32_t k = 0; k < s->n_keys; k++) {
        const uint8_t *fingerprint = s->keys[k].key.fingerprint;
        const struct inspector_revoked *r =
            inspector_revocation(s->revoked, s->n_revoked, fingerprint);

        if (!(claim->signers & 1u << k)) {
            continue;
        }
        if (r) {
            revoked = r;
            continue;
        }
        if (!signed_by_one) {
            memcpy(out->key, fingerprint, sizeof out->key);
        }
        signed_by_one = true;
        if (n < EVIDENCE_DETAIL_SIZE) {
            n += (size_t)snprintf(detail + n, EVIDENCE_DETAIL_SIZE - n, " %s", s->keys[k].name);
        }
    }
    return signed_by_one ? NULL : revoked;
}

/* Names the document that has the licence. */
static const char *inspector_claims_document(enum evidence_predicate p)
{
    return p == EVIDENCE_PREDICATE_SPDX        ? ", in an SPDX document"
           : p == EVIDENCE_PREDICATE_CYCLONEDX ? ", in a CycloneDX document"
                                               : "";
}

static void inspector_claims_add_revoked(struct evidence *e, const char *name, const char *what,
                                         const struct inspector_revoked *r)
{
    evidence_add_unknown(e, EVIDENCE_FROM_ENVELOPE, 0, "%s: %s is revoked%s%s", name, what,
                         *r->reason ? ": " : "", r->reason);
}

static void inspector_claims_add_claim(const struct inspector_claims *c, uint32_t i,
                                       const struct evidence_subject *subject, struct evidence *e)
{
    const struct evidence_claim *claim = &c->good[i].claim;
    const char *name = c->start->envelope_names[c->good[i].envelope];
    struct evidence_signature signature = {.issued = claim->issued, .expires = claim->expires};
    char signers[EVIDENCE_DETAIL_SIZE];
    char detail[EVIDENCE_DETAIL_SIZE + 32];
    const struct inspector_revoked *key =
        inspector_claims_signers(c->start, claim, &signature, signers);
    const struct inspector_revoked *envelope =
        inspector_revocation(c->start->revoked, c->start->n_revoked, claim->envelope);

    if (envelope) {
        inspector_claims_add_revoked(e, name, "it", envelope);
    } else if (key) {
        inspector_claims_add_revoked(e, name, "its key", key);
    } else if (subject->outcome != EVIDENCE_DSSE_OK) {
        evidence_add_unknown(e, EVIDENCE_FROM_ENVELOPE, 0, "%s: %s", name,
                             evidence_dsse_text(subject->outcome));
    } else {
        memcpy(signature.envelope, claim->envelope, sizeof signature.envelope);
        snprintf(detail, sizeof detail, "%s%s", signers,
                 inspector_claims_document(claim->predicate));
        evidence_add_signed(e, subject->licence, name, detail, &signature);
    }
}

void inspector_claims_add(const struct inspector_claims *c, struct inspection *r)
{
    for (uint32_t i = 0; i < c->n; i++) {
        const struct evidence_subject *subject =
            inspector_claims_subject(&c->good[i].claim, r->sha256);

        if (subject) {
            inspector_claims_add_claim(c, i, subject, &r->evidence);
        } else {
            r->envelopes_other++;
        }
    }
    evidence_append(&r->evidence, &c->faults);
}
