/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The client's role in a recital: makes the request and judges the reply. Pure, except that the
 * libraries allocate memory. PROTOCOL.poem, sections 3 and 4.
 */
#include <string.h>

#include "handshake/json.h"
#include "handshake/recital_object.h"

/* ---- the request ---- */

/* Lists the identities that the request has passed when it leaves us. */
static enum recital_outcome recital_client_through_make(const struct recital_ask *ask,
                                                        struct recital_through *out)
{
    *out = ask->through ? *ask->through : (struct recital_through){.n = 0};
    if (!ask->self) {
        return RECITAL_OK;
    }
    if (recital_id_among(ask->self, out->ids, out->n)) {
        return RECITAL_LOOP;
    }
    if (out->n == RECITAL_HOPS) {
        return RECITAL_TOO_MANY;
    }
    out->ids[out->n++] = *ask->self;
    return RECITAL_OK;
}

static int recital_client_add_through(json_t *poem, const struct recital_through *through)
{
    json_t *list;
    int bad = 0;

    if (through->n == 0) {
        return 0;
    }
    list = json_array();
    for (unsigned i = 0; i < through->n; i++) {
        bad |= json_array_append_new(list,
                                     recital_new_hex(through->ids[i].bytes, RECITAL_IDENTITY_SIZE));
    }
    return bad | json_object_set_new(poem, "through", list);
}

static int recital_client_add_recital(json_t *poem, const struct recital_ask *ask,
                                      struct wire_version number)
{
    uint8_t binding[RECITAL_BINDING_SIZE];

    if (!recital_sha256(&number, sizeof number, binding)) {
        return -1;
    }
    return json_object_set_new(
        poem, "recital",
        recital_new(RECITAL_BY_CLIENT, ask->poem, ask->nonce, binding, ask->licence));
}

/* Fills the new object "poem". Returns non-zero if out of memory. */
static int recital_client_compose(json_t *poem, const struct recital_ask *ask,
                                  const struct recital_through *through, struct wire_version number)
{
    int bad = json_object_set_new(poem, "v", json_integer(RECITAL_V));

    if (ask->challenge) {
        bad |= json_object_set_new(poem, "challenge",
                                   recital_new_hex(ask->challenge, RECITAL_RANDOM_SIZE));
    }
    if (ask->with) {
        bad |= json_object_set_new(poem, "with", json_true());
    }
    if (ask->nonce) {
        bad |= recital_client_add_recital(poem, ask, number);
    }
    return bad | recital_client_add_through(poem, through);
}

static void recital_client_begin(struct recital_client *c, const struct recital_ask *ask)
{
    *c = (struct recital_client){.poem = ask->poem, .asked = true};
    if (ask->challenge) {
        c->challenged = true;
        memcpy(c->challenge, ask->challenge, sizeof c->challenge);
    }
    if (ask->self) {
        c->is_broker = true;
        c->self = *ask->self;
    }
}

enum recital_outcome recital_client_ask(struct recital_client *c, const struct recital_ask *ask,
                                        struct wire_version number, json_t *capabilities)
{
    struct recital_through through;
    json_t *poem;
    enum recital_outcome o;

    recital_client_begin(c, ask);
    if (ask->licence ? !recital_licence_fits(ask->licence) : ask->nonce != NULL) {
        return RECITAL_MALFORMED;
    }
    o = recital_client_through_make(ask, &through);
    if (o != RECITAL_OK) {
        return o;
    }
    if (ask->licence &&
        json_object_set_new(capabilities, "licence", json_string(ask->licence)) < 0) {
        return RECITAL_NO_MEMORY;
    }
    poem = json_object();
    if (json_object_set_new(capabilities, "poem", poem) < 0) {
        return RECITAL_NO_MEMORY;
    }
    return recital_client_compose(poem, ask, &through, number) == 0 ? RECITAL_OK
                                                                    : RECITAL_NO_MEMORY;
}

void recital_client_silent(struct recital_client *c)
{
    *c = (struct recital_client){.asked = false};
}

enum recital_outcome recital_client_sent(struct recital_client *c, const void *message, size_t n)
{
    return recital_sha256(message, n, c->binding) ? RECITAL_OK : RECITAL_NO_MEMORY;
}

/* ---- the reply ---- */

static enum recital_outcome recital_client_read_hop(const json_t *entry, struct recital_hop *out)
{
    const char *recited = json_string_value(json_object_get(entry, "recited"));

    if (!recital_get_hex(json_object_get(entry, "by"), out->by.bytes, sizeof out->by.bytes) ||
        !recited || (strcmp(recited, "yes") != 0 && strcmp(recited, "no") != 0) ||
        !recital_get_licence(json_object_get(entry, "licence"), out->licence)) {
        return RECITAL_MALFORMED;
    }
    out->recited = strcmp(recited, "yes") == 0;
    return RECITAL_OK;
}

static bool recital_client_hop_among(const struct recital_id *by, const struct recital_via *via)
{
    for (unsigned i = 0; i < via->n; i++) {
        if (memcmp(by->bytes, via->hops[i].by.bytes, sizeof by->bytes) == 0) {
            return true;
        }
    }
    return false;
}

static enum recital_outcome recital_client_read_via(const struct recital_client *c,
                                                    const json_t *list, struct recital_via *out)
{
    const size_t n = json_array_size(list);
    const enum recital_outcome whole = recital_check_list(list);

    if (whole != RECITAL_OK) {
        return whole;
    }
    for (size_t i = 0; i < n; i++) {
        struct recital_hop hop = {.recited = false};
        const enum recital_outcome o = recital_client_read_hop(json_array_get(list, i), &hop);

        if (o != RECITAL_OK) {
            return o;
        }
        if (recital_client_hop_among(&hop.by, out) ||
            (c->is_broker && recital_id_among(&hop.by, &c->self, 1))) {
            return RECITAL_LOOP;
        }
        out->hops[out->n++] = hop;
    }
    return RECITAL_OK;
}

/* Judges the "poem" object. beside is a "via" outside of the object, or NULL. */
static enum recital_outcome recital_client_judge_object(const struct recital_client *c,
                                                        const json_t *poem, const json_t *beside,
                                                        struct recital_reply *out)
{
    const json_t *via = json_object_get(poem, "via");
    const json_t *recital = json_object_get(poem, "recital");
    enum recital_outcome o;

    out->speaks = true;
    if (!c->asked) {
        return RECITAL_UNASKED;
    }
    o = recital_check_version(poem);
    if (o == RECITAL_OK) {
        o = via && beside ? RECITAL_MALFORMED
                          : recital_client_read_via(c, via ? via : beside, &out->via);
    }
    if (o != RECITAL_OK) {
        return o;
    }
    if (!recital) {
        return RECITAL_MISSING;
    }
    return c->challenged ? recital_judge(RECITAL_BY_SERVER, recital, c->poem, c->challenge,
                                         c->binding, out->licence)
                         : RECITAL_UNASKED;
}

/* Judges a plain string: whether section 5 allows it. */
static enum recital_outcome recital_client_judge_refrain(const json_t *refrain,
                                                         struct recital_reply *out)
{
    const size_t n = json_dumpb(refrain, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY);

    if (json_string_length(refrain) == 0 || n > POEM_REFRAIN_JSON_MAX) {
        return RECITAL_MALFORMED;
    }
    out->refrain = true;
    return RECITAL_MISSING;
}

enum recital_outcome recital_client_judge(const struct recital_client *c,
                                          const json_t *capabilities, struct recital_reply *out)
{
    const json_t *poem = json_object_get(capabilities, "poem");
    const json_t *beside = json_object_get(capabilities, "via");
    enum recital_outcome o = RECITAL_MISSING;

    *out = (struct recital_reply){.speaks = false};
    if (!recital_get_licence(json_object_get(capabilities, "licence"), out->declared)) {
        return RECITAL_MALFORMED;
    }
    if (json_is_object(poem)) {
        o = recital_client_judge_object(c, poem, beside, out);
    } else if (json_is_string(poem) && !json_is_kept(poem)) {
        o = recital_client_judge_refrain(poem, out);
    } else if (poem) {
        o = RECITAL_MALFORMED;
    }
    if (o == RECITAL_MISSING && !out->speaks && c->asked) {
        o = recital_client_read_via(c, beside, &out->via);
        o = o == RECITAL_OK ? RECITAL_MISSING : o;
    }
    if (o != RECITAL_OK && o != RECITAL_MISSING) {
        out->via.n = 0;
    }
    return o;
}
