/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Finds the elements of a bill of materials that stand for files. */
#include "policy/evidence/evidence_element.h"

#include <ctype.h>
#include <string.h>

#include "base/text/hex.h"

enum evidence_dsse evidence_element_text(const json_t *value, char out[EVIDENCE_LICENCE_SIZE])
{
    const char *text = json_string_value(value);
    const size_t n = json_string_length(value);

    if (!value || (text && strcmp(text, "NOASSERTION") == 0)) {
        return EVIDENCE_DSSE_NO_ASSERTION;
    }
    if (!text || n == 0 || n >= EVIDENCE_LICENCE_SIZE) {
        return EVIDENCE_DSSE_NO_LICENCE;
    }
    for (size_t i = 0; i < n; i++) {
        if (text[i] < 0x20 || text[i] > 0x7e) {
            return EVIDENCE_DSSE_NO_LICENCE;
        }
    }
    memcpy(out, text, n + 1);
    return EVIDENCE_DSSE_OK;
}

static void evidence_element_take(struct evidence_element_search *s, uint32_t i,
                                  const json_t *element)
{
    struct evidence_subject *const to = &s->claim->subjects[i];
    char licence[EVIDENCE_LICENCE_SIZE] = "";
    const enum evidence_dsse o = s->format->licence(element, licence);

    /* Tools list a file beside its package, and assert the licence of one of them. */
    if (!s->found[i] || to->outcome == EVIDENCE_DSSE_NO_ASSERTION) {
        to->outcome = o;
        memcpy(to->licence, licence, sizeof to->licence);
    } else if (o != EVIDENCE_DSSE_NO_ASSERTION &&
               (o != to->outcome || strcmp(licence, to->licence) != 0)) {
        to->outcome = EVIDENCE_DSSE_SEVERAL;
        to->licence[0] = '\0';
    }
    s->found[i] = true;
}

static bool evidence_element_is_sha256(const struct evidence_element_format *f, const json_t *o)
{
    const char *algorithm = json_string_value(json_object_get(o, f->algorithm));

    return algorithm && strcmp(algorithm, f->sha256) == 0;
}

/* Reads the value of a digest; CycloneDX allows capital digits. */
static bool evidence_element_sha256(const json_t *value, uint8_t out[EVIDENCE_SHA256_SIZE])
{
    char digits[2 * EVIDENCE_SHA256_SIZE + 1];

    if (json_string_length(value) != sizeof digits - 1) {
        return false;
    }
    for (size_t i = 0; i < sizeof digits; i++) {
        digits[i] = (char)tolower((unsigned char)json_string_value(value)[i]);
    }
    return hex_read(digits, out, EVIDENCE_SHA256_SIZE);
}

/* Takes the element for each subject whose SHA-256 it has. Returns whether it has any SHA-256. */
static bool evidence_element_match(struct evidence_element_search *s, const json_t *element)
{
    const json_t *digests = json_object_get(element, s->format->digests);
    uint8_t sha256[EVIDENCE_SHA256_SIZE];
    bool has = false;

    for (size_t k = 0; k < json_array_size(digests); k++) {
        const json_t *o = json_array_get(digests, k);

        if (!evidence_element_is_sha256(s->format, o)) {
            continue;
        }
        has = true;
        if (!evidence_element_sha256(json_object_get(o, s->format->value), sha256)) {
            continue;
        }
        for (uint32_t i = 0; i < s->claim->n_subjects; i++) {
            if (memcmp(s->claim->subjects[i].sha256, sha256, sizeof sha256) == 0) {
                evidence_element_take(s, i, element);
            }
        }
    }
    return has;
}

void evidence_element_offer(struct evidence_element_search *s, const json_t *element)
{
    (void)evidence_element_match(s, element);
}

void evidence_element_offer_all(struct evidence_element_search *s, const json_t *elements)
{
    for (size_t i = 0; i < json_array_size(elements); i++) {
        evidence_element_offer(s, json_array_get(elements, i));
    }
}

void evidence_element_end(struct evidence_element_search *s, const json_t *described)
{
    for (uint32_t i = 0; i < s->claim->n_subjects; i++) {
        if (s->found[i]) {
            continue;
        }
        if (!described || s->claim->n_subjects > 1) {
            s->claim->subjects[i].outcome = EVIDENCE_DSSE_NO_ELEMENT;
        } else if (evidence_element_match(s, described)) {
            s->claim->subjects[i].outcome = EVIDENCE_DSSE_OTHER_ELEMENT;
        } else {
            evidence_element_take(s, i, described);
        }
    }
}
