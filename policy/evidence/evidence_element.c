/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Finds the element of a bill of materials that stands for a file. */
#include "policy/evidence/evidence_element.h"

#include <string.h>
#include <strings.h>

#include "base/hex.h"

enum evidence_dsse evidence_element_text(const json_t *value, char out[EVIDENCE_LICENCE_SIZE])
{
    const char *text = json_string_value(value);
    const size_t n = json_string_length(value);

    if (!value || (text && strcmp(text, "NOASSERTION") == 0)) {
        return EVIDENCE_DSSE_NO_ASSERTION;
    }
    if (n == 0 || n >= EVIDENCE_LICENCE_SIZE) {
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

/* Returns whether the element has a SHA-256; *same is set if one of them is the subject's. */
static bool evidence_element_digest(const struct evidence_element_search *s, const json_t *element,
                                    bool *same)
{
    const json_t *digests = json_object_get(element, s->format->digests);
    char want[2 * EVIDENCE_SHA256_SIZE + 1];
    bool has = false;

    *same = false;
    hex_text(s->subject->sha256, EVIDENCE_SHA256_SIZE, want);
    for (size_t i = 0; i < json_array_size(digests); i++) {
        const json_t *d = json_array_get(digests, i);
        const char *algorithm = json_string_value(json_object_get(d, s->format->algorithm));
        const char *value = json_string_value(json_object_get(d, s->format->value));

        if (algorithm && value && strcmp(algorithm, s->format->sha256) == 0) {
            has = true;
            *same = *same || strcasecmp(value, want) == 0;
        }
    }
    return has;
}

static void evidence_element_take(struct evidence_element_search *s, const json_t *element)
{
    struct evidence_subject *const to = s->subject;
    char licence[EVIDENCE_LICENCE_SIZE] = "";
    const enum evidence_dsse o = s->format->licence(element, licence);

    /* Tools list a file beside its package, and assert the licence of one of them. */
    if (s->found++ == 0 || to->outcome == EVIDENCE_DSSE_NO_ASSERTION) {
        to->outcome = o;
        memcpy(to->licence, licence, sizeof to->licence);
    } else if (o == EVIDENCE_DSSE_NO_ASSERTION) {
        return;
    } else if (o != to->outcome || strcmp(licence, to->licence) != 0) {
        to->outcome = EVIDENCE_DSSE_SEVERAL;
        to->licence[0] = '\0';
    }
}

void evidence_element_offer(struct evidence_element_search *s, const json_t *element)
{
    bool same;

    if (s->subject->outcome != EVIDENCE_DSSE_SEVERAL &&
        evidence_element_digest(s, element, &same) && same) {
        evidence_element_take(s, element);
    }
}

void evidence_element_offer_all(struct evidence_element_search *s, const json_t *elements)
{
    for (size_t i = 0; i < json_array_size(elements); i++) {
        evidence_element_offer(s, json_array_get(elements, i));
    }
}

void evidence_element_end(struct evidence_element_search *s, const json_t *described,
                          bool only_subject)
{
    bool same;

    if (s->found > 0) {
        return;
    }
    if (!described || !only_subject) {
        s->subject->outcome = EVIDENCE_DSSE_NO_ELEMENT;
    } else if (evidence_element_digest(s, described, &same)) {
        s->subject->outcome = EVIDENCE_DSSE_OTHER_ELEMENT;
    } else {
        evidence_element_take(s, described);
    }
}
