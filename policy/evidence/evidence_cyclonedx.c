/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Reads the licence of a file from a CycloneDX document. */
#include "policy/evidence/evidence_cyclonedx.h"

#include <stdbool.h>
#include <string.h>

#include "base/text/date.h"
#include "policy/evidence/evidence_element.h"

static bool evidence_cyclonedx_is(const json_t *o, const char *name, const char *want)
{
    const char *text = json_string_value(json_object_get(o, name));

    return text && strcmp(text, want) == 0;
}

/* Reads one entry of "licenses": {"expression": …} or {"license": {"id": …} or {"name": …}}. */
static enum evidence_dsse evidence_cyclonedx_entry(const json_t *entry,
                                                   char out[EVIDENCE_LICENCE_SIZE])
{
    const json_t *expression = json_object_get(entry, "expression");
    const json_t *licence = json_object_get(entry, "license");
    const json_t *id = json_object_get(licence, "id");

    if (!expression && !id && json_object_get(licence, "name")) {
        return EVIDENCE_DSSE_NAMED_LICENCE;
    }
    return evidence_element_text(expression ? expression : id, out);
}

static bool evidence_cyclonedx_concluded(const json_t *entry)
{
    return evidence_cyclonedx_is(entry, "acknowledgement", "concluded") ||
           evidence_cyclonedx_is(json_object_get(entry, "license"), "acknowledgement", "concluded");
}

static enum evidence_dsse evidence_cyclonedx_licence(const json_t *component,
                                                     char out[EVIDENCE_LICENCE_SIZE])
{
    const json_t *list = json_object_get(component, "licenses");
    const json_t *chosen = NULL;
    size_t n[2] = {0, 0}; /* others, concluded */

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i);
        const bool concluded = evidence_cyclonedx_concluded(entry);

        n[concluded]++;
        chosen = !chosen || concluded ? entry : chosen;
    }
    if (!chosen) {
        return EVIDENCE_DSSE_NO_ASSERTION;
    }
    return n[n[true] > 0] > 1 ? EVIDENCE_DSSE_SEVERAL_LICENCES
                              : evidence_cyclonedx_entry(chosen, out);
}

static const struct evidence_element_format evidence_cyclonedx_format = {
    .digests = "hashes",
    .algorithm = "alg",
    .value = "content",
    .sha256 = "SHA-256",
    .licence = evidence_cyclonedx_licence,
};

enum evidence_dsse evidence_cyclonedx_read(struct evidence_claim *out, const json_t *document)
{
    const char *version = json_string_value(json_object_get(document, "specVersion"));
    const json_t *metadata = json_object_get(document, "metadata");
    const char *timestamp = json_string_value(json_object_get(metadata, "timestamp"));
    const json_t *main_component = json_object_get(metadata, "component");
    struct evidence_element_search s = {.format = &evidence_cyclonedx_format, .claim = out};

    if (!evidence_cyclonedx_is(document, "bomFormat", "CycloneDX") || !version ||
        strncmp(version, "1.", 2) != 0) {
        return EVIDENCE_DSSE_NO_DOCUMENT;
    }
    (void)date_read(timestamp ? timestamp : "", &out->issued);
    evidence_element_offer(&s, main_component);
    evidence_element_offer_all(&s, json_object_get(document, "components"));
    evidence_element_end(&s, main_component);
    return EVIDENCE_DSSE_OK;
}
