/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Writes parties as components and conversations as services: a route, as one client used it with
 * one backend. A client depends on the service, the service on the backend, if they were allowed to
 * speak.
 *
 * A list of licences may have one expression or any number of names and identifiers, each declared
 * or concluded: expressions are written as names.
 */
#include "ctl/bom/bom_cyclonedx.h"

#include <stdlib.h>
#include <string.h>

#include "base/members.h"
#include "ctl/bom/bom_facts.h"
#include "ctl/bom/bom_licence.h"
#include "ctl/bom/bom_purl.h"
#include "ctl/bom/bom_write.h"

/* Before the names of all properties. */
#define PREFIX "poemd:audit:"

/* ---- properties ---- */

/* Returns a fact as a property, whose value must be a string. */
static json_t *bom_cyclonedx_property(const char *name, json_t *value)
{
    char *const dump = json_is_string(value)
                           ? NULL
                           : json_dumps(value, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY);
    json_t *const text = json_is_string(value) ? json_incref(value) : json_string(dump);

    free(dump);
    return json_pack("{s:o, s:o}", "name", json_sprintf(PREFIX "%s", name), "value", text);
}

/* Returns facts as a list of properties, without those that are ""; takes the reference. */
static json_t *bom_cyclonedx_properties(json_t *facts)
{
    json_t *const list = facts ? json_array() : NULL;
    const char *name;
    json_t *value;
    bool ok = list != NULL;

    json_object_foreach(facts, name, value)
    {
        if (!json_is_string(value) || json_string_length(value) > 0) {
            ok = json_array_append_new(list, bom_cyclonedx_property(name, value)) == 0 && ok;
        }
    }
    json_decref(facts);
    if (!ok) {
        json_decref(list);
        return NULL;
    }
    return list;
}

/* ---- licences ---- */

/* Makes an entry of a list of licences; facts (taken, may be NULL) become its properties. */
static json_t *bom_cyclonedx_licence(const char *expression, const char *acknowledgement,
                                     json_t *facts)
{
    return json_pack(
        "{s:o}", "license",
        members_object((const struct member[]){
            {bom_licence_is_listed(expression) ? "id" : "name", json_string(expression)},
            {"acknowledgement", acknowledgement ? json_string(acknowledgement) : &members_omitted},
            {"properties", facts ? bom_cyclonedx_properties(facts) : &members_omitted},
            {NULL, NULL}}));
}

/* Adds an entry for each item, with the rest of the item as its properties. */
static bool bom_cyclonedx_add_items(json_t *list, const json_t *row, enum bom_licence kind,
                                    const char *acknowledgement)
{
    json_t *const texts = json_object();
    json_t *const items = bom_licence_items(row, kind);
    bool ok = texts && items;
    json_t *item;
    size_t i;

    json_array_foreach(items, i, item)
    {
        char *const text = bom_licence_expression(bom_log_text(item, "licence"), texts);

        ok = text && ok &&
             json_array_append_new(
                 list, bom_cyclonedx_licence(text, acknowledgement, json_copy(item))) == 0;
        free(text);
    }
    json_decref(items);
    json_decref(texts);
    return ok;
}

/* Adds the licence that counts, as a whole. */
static bool bom_cyclonedx_add_concluded(json_t *list, const json_t *row)
{
    json_t *const texts = json_object();
    json_t *const items = bom_licence_items(row, BOM_CONCLUDED);
    char *const text = texts && items ? bom_licence_join(items, texts) : NULL;
    bool ok = text != NULL;

    if (ok && json_array_size(items) > 0) {
        ok = json_array_append_new(list, bom_cyclonedx_licence(text, "concluded", NULL)) == 0;
    }
    free(text);
    json_decref(items);
    json_decref(texts);
    return ok;
}

static json_t *bom_cyclonedx_licences(const json_t *row)
{
    json_t *const list = json_array();

    if (!list || !bom_cyclonedx_add_items(list, row, BOM_DECLARED, "declared") ||
        !bom_cyclonedx_add_concluded(list, row)) {
        json_decref(list);
        return NULL;
    }
    return list;
}

static json_t *bom_cyclonedx_evidence(const json_t *row)
{
    const char *const path = bom_log_text(row, "path");
    json_t *const list = json_array();

    if (!list || !bom_cyclonedx_add_items(list, row, BOM_OBSERVED, NULL)) {
        json_decref(list);
        return NULL;
    }
    return members_object((const struct member[]){
        {"occurrences", *path ? json_pack("[{s:s}]", "location", path) : &members_omitted},
        {"licenses", list},
        {NULL, NULL}});
}

/* ---- components and services ---- */

static json_t *bom_cyclonedx_component(const struct bom *b, const char *id, const json_t *row)
{
    const char *const sha256 = bom_log_text(row, "sha256");
    struct bom_package package;
    const bool packaged = bom_purl_package(row, &package);

    return members_object((const struct member[]){
        {"type", json_string("application")},
        {"bom-ref", json_sprintf("party-%s", id)},
        {"name", json_string(bom_log_text(row, "name"))},
        {"version", packaged && *package.version ? json_string(package.version) : &members_omitted},
        {"hashes", *sha256 ? json_pack("[{s:s, s:s}]", "alg", "SHA-256", "content", sha256)
                           : &members_omitted},
        {"licenses", bom_cyclonedx_licences(row)},
        {"purl", packaged && *package.purl ? json_string(package.purl) : &members_omitted},
        {"evidence", bom_cyclonedx_evidence(row)},
        {"properties", bom_cyclonedx_properties(bom_facts_party(b, row))},
        {NULL, NULL}});
}

static json_t *bom_cyclonedx_service(const struct bom *b, const char *id, const json_t *row)
{
    return members_object((const struct member[]){
        {"bom-ref", json_sprintf("conversation-%s", id)},
        {"name", json_string(bom_log_text(row, "route"))},
        {"description", bom_facts_sentence(b, row)},
        {"properties", bom_cyclonedx_properties(bom_facts_conversation(b, row))},
        {NULL, NULL}});
}

/* Maps the id of each client to the references of the services that it used. */
static json_t *bom_cyclonedx_used(const struct bom *b)
{
    json_t *const used = json_object();
    const char *id;
    json_t *row;

    json_object_foreach(b->conversations, id, row)
    {
        const char *const client = bom_log_text(row, "client");

        if (bom_facts_spoke(row)) {
            if (!json_object_get(used, client)) {
                (void)json_object_set_new(used, client, json_array());
            }
            (void)json_array_append_new(json_object_get(used, client),
                                        json_sprintf("conversation-%s", id));
        }
    }
    return used;
}

static void bom_cyclonedx_write_dependencies(struct bom_write *w, const struct bom *b)
{
    json_t *const used = bom_cyclonedx_used(b);
    const char *id;
    json_t *row;

    bom_write_list(w, "dependencies");
    json_object_foreach(b->parties, id, row)
    {
        json_t *const services = json_object_get(used, id);

        bom_write_element(w,
                          json_pack("{s:o, s:o}", "ref", json_sprintf("party-%s", id), "dependsOn",
                                    services ? json_incref(services) : json_array()));
    }
    json_object_foreach(b->conversations, id, row)
    {
        json_t *const on = json_array();

        if (bom_facts_spoke(row)) {
            (void)json_array_append_new(on, json_sprintf("party-%s", bom_log_text(row, "backend")));
        }
        bom_write_element(w, json_pack("{s:o, s:o}", "ref", json_sprintf("conversation-%s", id),
                                       "dependsOn", on));
    }
    bom_write_list_end(w);
    json_decref(used);
}

/* ---- the document ---- */

/* A UUID of version 8 (RFC 9562, section 5.8) of the checkpoint's digest. */
static json_t *bom_cyclonedx_serial(const struct bom *b)
{
    char d[65];

    bom_facts_digest(b, d);
    return json_sprintf("urn:uuid:%.8s-%.4s-8%.3s-a%.3s-%.12s", d, d + 8, d + 13, d + 17, d + 20);
}

static json_t *bom_cyclonedx_metadata(const struct bom *b)
{
    char time[BOM_FACTS_TIME];

    bom_facts_time(b->until, time);
    return members_object((const struct member[]){
        {"timestamp", json_string(time)},
        {"lifecycles", json_pack("[{s:s}]", "phase", "operations")},
        {"tools", json_pack("{s:[{s:s, s:s, s:s}]}", "components", "type", "application", "name",
                            "poemctl", "version", POEMD_VERSION)},
        {"component", json_pack("{s:s, s:s, s:s}", "type", "platform", "bom-ref", "log", "name",
                                b->verified.checkpoint.origin)},
        {"properties", bom_cyclonedx_properties(bom_facts_document(b))},
        {NULL, NULL}});
}

int bom_cyclonedx_write(const struct bom *b, FILE *f)
{
    struct bom_write w;
    const char *id;
    json_t *row;

    bom_write_init(&w, f);
    bom_write_member(&w, "$schema", json_string("http://cyclonedx.org/schema/bom-1.6.schema.json"));
    bom_write_member(&w, "bomFormat", json_string("CycloneDX"));
    bom_write_member(&w, "specVersion", json_string("1.6"));
    bom_write_member(&w, "serialNumber", bom_cyclonedx_serial(b));
    bom_write_member(&w, "version", json_integer(1));
    bom_write_member(&w, "metadata", bom_cyclonedx_metadata(b));
    bom_write_list(&w, "components");
    json_object_foreach(b->parties, id, row)
    {
        bom_write_element(&w, bom_cyclonedx_component(b, id, row));
    }
    bom_write_list_end(&w);
    bom_write_list(&w, "services");
    json_object_foreach(b->conversations, id, row)
    {
        bom_write_element(&w, bom_cyclonedx_service(b, id, row));
    }
    bom_write_list_end(&w);
    bom_cyclonedx_write_dependencies(&w, b);
    return bom_write_end(&w);
}
