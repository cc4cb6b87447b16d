/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Reads the licence of a file from an SPDX document. */
#include "policy/evidence/evidence_spdx.h"

#include <string.h>

#include "base/text/date.h"
#include "policy/evidence/evidence_element.h"

#define DOCUMENT "SPDXRef-DOCUMENT"

static enum evidence_dsse evidence_spdx_licence(const json_t *element,
                                                char out[EVIDENCE_LICENCE_SIZE])
{
    const enum evidence_dsse o =
        evidence_element_text(json_object_get(element, "licenseConcluded"), out);

    /* Files have no declared licence: licenseInfoInFiles is a list without operators. */
    return o == EVIDENCE_DSSE_NO_ASSERTION
               ? evidence_element_text(json_object_get(element, "licenseDeclared"), out)
               : o;
}

static const struct evidence_element_format evidence_spdx_format = {
    .digests = "checksums",
    .algorithm = "algorithm",
    .value = "checksumValue",
    .sha256 = "SHA256",
    .licence = evidence_spdx_licence,
};

/* The identifiers that the document describes: the same one any number of times, or several. */
struct described {
    const char *id; /* NULL if there is none yet */
    bool several;
};

static void evidence_spdx_describe(struct described *d, const char *id)
{
    d->several = d->several || !id || (d->id && strcmp(d->id, id) != 0);
    d->id = id;
}

static const char *evidence_spdx_member(const json_t *o, const char *name)
{
    const char *text = json_string_value(json_object_get(o, name));

    return text ? text : "";
}

static void evidence_spdx_find_described(struct described *d, const json_t *document)
{
    const json_t *ids = json_object_get(document, "documentDescribes");
    const json_t *relationships = json_object_get(document, "relationships");

    for (size_t i = 0; i < json_array_size(ids); i++) {
        evidence_spdx_describe(d, json_string_value(json_array_get(ids, i)));
    }
    for (size_t i = 0; i < json_array_size(relationships); i++) {
        const json_t *r = json_array_get(relationships, i);
        const char *type = evidence_spdx_member(r, "relationshipType");
        const char *from = evidence_spdx_member(r, "spdxElementId");
        const char *to = evidence_spdx_member(r, "relatedSpdxElement");

        if (strcmp(type, "DESCRIBES") == 0 && strcmp(from, DOCUMENT) == 0) {
            evidence_spdx_describe(d, to);
        } else if (strcmp(type, "DESCRIBED_BY") == 0 && strcmp(to, DOCUMENT) == 0) {
            evidence_spdx_describe(d, from);
        }
    }
}

/* Returns the element of an array with this identifier, or NULL. */
static const json_t *evidence_spdx_element(const json_t *elements, const char *id)
{
    for (size_t i = 0; i < json_array_size(elements); i++) {
        const json_t *e = json_array_get(elements, i);

        if (strcmp(evidence_spdx_member(e, "SPDXID"), id) == 0) {
            return e;
        }
    }
    return NULL;
}

/* Returns the only element that the document describes, or NULL. */
static const json_t *evidence_spdx_described(const json_t *document)
{
    struct described d = {.id = NULL};
    const json_t *e;

    evidence_spdx_find_described(&d, document);
    if (!d.id || d.several) {
        return NULL;
    }
    e = evidence_spdx_element(json_object_get(document, "packages"), d.id);
    return e ? e : evidence_spdx_element(json_object_get(document, "files"), d.id);
}

enum evidence_dsse evidence_spdx_read(struct evidence_claim *out, const json_t *document)
{
    const char *created =
        evidence_spdx_member(json_object_get(document, "creationInfo"), "created");
    struct evidence_element_search s = {.format = &evidence_spdx_format, .claim = out};

    if (strncmp(evidence_spdx_member(document, "spdxVersion"), "SPDX-2.", 7) != 0) {
        return EVIDENCE_DSSE_NO_DOCUMENT;
    }
    (void)date_read(created, &out->issued);
    evidence_element_offer_all(&s, json_object_get(document, "files"));
    evidence_element_offer_all(&s, json_object_get(document, "packages"));
    evidence_element_end(&s, evidence_spdx_described(document));
    return EVIDENCE_DSSE_OK;
}
