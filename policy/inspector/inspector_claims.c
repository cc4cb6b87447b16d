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
_Static_assert(INSPECTOR_KEY_SIZE == EVIDENCE_DSSE_KEY_SIZE, "Ed25519");
_Static_assert(INSPECTOR_ENVELOPE_MAX == EVIDENCE_DSSE_MAX, "one envelope");

struct inspector_claims {
    const struct inspector_start *start;
    struct evidence faults;
    uint32_t n;
    struct {
        uint32_t envelope;
        struct evidence_claim claim;
    } good[INSPECTOR_ENVELOPES];
};

static void inspector_claims_read_envelope(struct inspector_claims *c, uint32_t i,
                                           const uint8_t (*keys)[EVIDENCE_DSSE_KEY_SIZE])
{
    const struct inspector_start *s = c->start;
    char *text = NULL;
    const ssize_t n = inspector_read(s->envelope_fds[i], EVIDENCE_DSSE_MAX, &text);
    enum evidence_dsse o;

    close(s->envelope_fds[i]);
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
    uint8_t keys[INSPECTOR_KEYS][EVIDENCE_DSSE_KEY_SIZE];

    if (!c) {
        return NULL;
    }
    c->start = s;
    evidence_init(&c->faults);
    for (uint32_t i = 0; i < s->n_keys; i++) {
        memcpy(keys[i], s->keys[i].bytes, sizeof keys[i]);
    }
    for (uint32_t i = 0; i < s->n_envelopes; i++) {
        inspector_claims_read_envelope(c, i, (const uint8_t(*)[EVIDENCE_DSSE_KEY_SIZE])keys);
    }
    return c;
}

static bool inspector_claims_speaks_of(const struct evidence_claim *claim, const uint8_t *sha256)
{
    for (uint32_t i = 0; i < claim->n_subjects; i++) {
        if (memcmp(claim->subjects[i], sha256, EVIDENCE_DSSE_SHA256_SIZE) == 0) {
            return true;
        }
    }
    return false;
}

static void inspector_claims_add_claim(const struct inspector_claims *c, uint32_t i,
                                       struct evidence *e)
{
    const struct evidence_claim *claim = &c->good[i].claim;
    char detail[EVIDENCE_DETAIL_SIZE] = "signed with";
    size_t n = strlen(detail);

    for (uint32_t k = 0; k < c->start->n_keys && n < sizeof detail; k++) {
        if (claim->signers & 1u << k) {
            n += (size_t)snprintf(detail + n, sizeof detail - n, " %s", c->start->keys[k].name);
        }
    }
    evidence_add(e, EVIDENCE_SIGNED, EVIDENCE_FROM_ENVELOPE, claim->licence,
                 c->start->envelope_names[c->good[i].envelope], detail);
}

void inspector_claims_add(const struct inspector_claims *c, struct inspection *r)
{
    for (uint32_t i = 0; i < c->n; i++) {
        if (inspector_claims_speaks_of(&c->good[i].claim, r->sha256)) {
            inspector_claims_add_claim(c, i, &r->evidence);
        } else {
            r->envelopes_other++;
        }
    }
    evidence_append(&r->evidence, &c->faults);
}
