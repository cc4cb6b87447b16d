/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Writes parties as packages and conversations as relationships.
 *
 * A package's licenseInfoFromFiles and verification code need the SHA-1 of its files, which the log
 * does not have: filesAnalyzed is false, and evidence that was observed is in licenseComments and
 * in the annotation. SPDX 2.3 has no relationship of processes that speak with each other, and a
 * dependency would claim more than was seen: it is OTHER, with a comment.
 */
#include "ctl/bom/bom_spdx.h"

#include <stdlib.h>
#include <string.h>

#include "base/members.h"
#include "ctl/bom/bom_facts.h"
#include "ctl/bom/bom_licence.h"
#include "ctl/bom/bom_purl.h"
#include "ctl/bom/bom_write.h"

#define TOOL "Tool: poemctl-" POEMD_VERSION

/* Returns the facts as the text of a comment; takes the reference. */
static json_t *bom_spdx_comment(json_t *facts)
{
    char *const text = facts ? json_dumps(facts, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
    json_t *const comment = text ? json_string(text) : NULL;

    free(text);
    json_decref(facts);
    return comment;
}

/* Makes a list of one annotation of facts; takes the reference. */
static json_t *bom_spdx_annotations(const char *time, json_t *facts)
{
    char date[BOM_FACTS_TIME];
    json_t *annotation;

    bom_facts_time(time, date);
    annotation = members_object((const struct member[]){{"annotationDate", json_string(date)},
                                                        {"annotationType", json_string("OTHER")},
                                                        {"annotator", json_string(TOOL)},
                                                        {"comment", bom_spdx_comment(facts)},
                                                        {NULL, NULL}});
    return members_array(&annotation, 1);
}

/* ---- packages ---- */

/* Returns the joined licences of that kind; the references go to texts. */
static json_t *bom_spdx_licence(const json_t *row, enum bom_licence kind, json_t *texts)
{
    json_t *const items = bom_licence_items(row, kind);
    char *const text = items ? bom_licence_join(items, texts) : NULL;
    json_t *const licence = text ? json_string(text) : NULL;

    free(text);
    json_decref(items);
    return licence;
}

/* Lists the observed evidence for people. */
static json_t *bom_spdx_observed(const json_t *row)
{
    json_t *const items = bom_licence_items(row, BOM_OBSERVED);
    json_t *text = json_string(json_array_size(items) ? "observed:" : "nothing was observed");
    const json_t *item;
    size_t i;

    json_array_foreach(items, i, item)
    {
        json_t *const longer =
            json_sprintf("%s%s %s (%s, by %s %s)", json_string_value(text), i ? ";" : "",
                         bom_log_text(item, "licence"), bom_log_text(item, "grade"),
                         bom_log_text(item, "source"), bom_log_text(item, "name"));

        json_decref(text);
        text = longer;
    }
    json_decref(items);
    return text;
}

static json_t *bom_spdx_checksums(const json_t *row)
{
    const char *const sha256 = bom_log_text(row, "sha256");

    return *sha256 ? json_pack("[{s:s, s:s}]", "algorithm", "SHA256", "checksumValue", sha256)
                   : &members_omitted;
}

static json_t *bom_spdx_package(const struct bom *b, const char *id, const json_t *row,
                                json_t *texts)
{
    const char *const path = bom_log_text(row, "path");
    struct bom_package package;
    const bool packaged = bom_purl_package(row, &package);

    return members_object((const struct member[]){
        {"SPDXID", json_sprintf("SPDXRef-party-%s", id)},
        {"name", json_string(bom_log_text(row, "name"))},
        {"versionInfo",
         packaged && *package.version ? json_string(package.version) : &members_omitted},
        {"packageFileName", *path ? json_string(path) : &members_omitted},
        {"downloadLocation", json_string("NOASSERTION")},
        {"filesAnalyzed", json_false()},
        {"primaryPackagePurpose", json_string("APPLICATION")},
        {"checksums", bom_spdx_checksums(row)},
        {"licenseDeclared", bom_spdx_licence(row, BOM_DECLARED, texts)},
        {"licenseConcluded", bom_spdx_licence(row, BOM_CONCLUDED, texts)},
        {"licenseComments", bom_spdx_observed(row)},
        {"copyrightText", json_string("NOASSERTION")},
        {"externalRefs",
         packaged && *package.purl
             ? json_pack("[{s:s, s:s, s:s}]", "referenceCategory", "PACKAGE-MANAGER",
                         "referenceType", "purl", "referenceLocator", package.purl)
             : &members_omitted},
        {"annotations", bom_spdx_annotations(bom_log_text(row, "time"), bom_facts_party(b, row))},
        {NULL, NULL}});
}

static void bom_spdx_write_packages(struct bom_write *w, const struct bom *b, json_t *texts)
{
    const char *id;
    json_t *row;

    bom_write_list(w, "packages");
    json_object_foreach(b->parties, id, row)
    {
        bom_write_element(w, bom_spdx_package(b, id, row, texts));
    }
    bom_write_list_end(w);
}

/* ---- relationships ---- */

static json_t *bom_spdx_describes(const char *element)
{
    return json_pack("{s:s, s:s, s:s}", "spdxElementId", "SPDXRef-DOCUMENT", "relationshipType",
                     "DESCRIBES", "relatedSpdxElement", element);
}

/* Returns a conversation's facts, a sentence for people first. */
static json_t *bom_spdx_conversation(const struct bom *b, const json_t *row)
{
    json_t *const all = json_pack("{s:o}", "text", bom_facts_sentence(b, row));
    json_t *const facts = bom_facts_conversation(b, row);
    const bool ok = all && facts && json_object_update(all, facts) == 0;

    json_decref(facts);
    if (!ok) {
        json_decref(all);
        return NULL;
    }
    return all;
}

static json_t *bom_spdx_relationship(const struct bom *b, const json_t *row)
{
    return members_object((const struct member[]){
        {"spdxElementId", json_sprintf("SPDXRef-party-%s", bom_log_text(row, "client"))},
        {"relationshipType", json_string("OTHER")},
        {"relatedSpdxElement", json_sprintf("SPDXRef-party-%s", bom_log_text(row, "backend"))},
        {"comment", bom_spdx_comment(bom_spdx_conversation(b, row))},
        {NULL, NULL}});
}

static void bom_spdx_write_relationships(struct bom_write *w, const struct bom *b)
{
    const char *id;
    json_t *row;

    bom_write_list(w, "relationships");
    if (json_object_size(b->parties) == 0) {
        bom_write_element(w, bom_spdx_describes("NONE"));
    }
    json_object_foreach(b->parties, id, row)
    {
        char element[64];

        snprintf(element, sizeof element, "SPDXRef-party-%s", id);
        bom_write_element(w, bom_spdx_describes(element));
    }
    json_object_foreach(b->conversations, id, row)
    {
        bom_write_element(w, bom_spdx_relationship(b, row));
    }
    bom_write_list_end(w);
}

/* ---- the document ---- */

static void bom_spdx_write_texts(struct bom_write *w, json_t *texts)
{
    const char *name;
    json_t *text;

    if (json_object_size(texts) == 0) {
        return;
    }
    bom_write_list(w, "hasExtractedLicensingInfos");
    json_object_foreach(texts, name, text)
    {
        bom_write_element(w, json_pack("{s:s, s:O, s:s}", "licenseId", name, "extractedText", text,
                                       "name", "NOASSERTION"));
    }
    bom_write_list_end(w);
}

static json_t *bom_spdx_creation(const struct bom *b)
{
    char created[BOM_FACTS_TIME];

    bom_facts_time(b->until, created);
    return json_pack(
        "{s:s, s:[s], s:s}", "created", created, "creators", TOOL, "comment",
        "Made of an audit log of poemd: its parties are the processes that it saw, and "
        "the time is that of its newest sealed record.");
}

int bom_spdx_write(const struct bom *b, FILE *f)
{
    struct bom_write w;
    json_t *const texts = json_object();
    char digest[65];

    bom_facts_digest(b, digest);
    bom_write_init(&w, f);
    bom_write_member(&w, "spdxVersion", json_string("SPDX-2.3"));
    bom_write_member(&w, "dataLicense", json_string("CC0-1.0"));
    bom_write_member(&w, "SPDXID", json_string("SPDXRef-DOCUMENT"));
    bom_write_member(&w, "name", json_sprintf("poemd audit log %s", b->verified.checkpoint.origin));
    bom_write_member(&w, "documentNamespace",
                     json_sprintf("urn:poemd:audit:bom:spdx:%s:%s", POEMD_VERSION, digest));
    bom_write_member(&w, "creationInfo", bom_spdx_creation(b));
    bom_write_member(&w, "annotations", bom_spdx_annotations(b->until, bom_facts_document(b)));
    bom_spdx_write_packages(&w, b, texts);
    bom_spdx_write_relationships(&w, b);
    bom_spdx_write_texts(&w, texts);
    json_decref(texts);
    return bom_write_end(&w);
}
