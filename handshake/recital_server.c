/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The server's role in a recital: reads the request and makes the reply. Pure, except that the
 * libraries allocate memory. PROTOCOL.poem, sections 3 and 4.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "handshake/recital_object.h"

/* ---- the request ---- */

static enum recital_outcome recital_server_read_through(const json_t *list,
                                                        const struct recital_id *self,
                                                        struct recital_through *out)
{
    const size_t n = json_array_size(list);
    const enum recital_outcome whole = recital_check_list(list);

    if (whole != RECITAL_OK) {
        return whole;
    }
    for (size_t i = 0; i < n; i++) {
        struct recital_id *const id = &out->ids[out->n];

        if (!recital_get_hex(json_array_get(list, i), id->bytes, sizeof id->bytes)) {
            return RECITAL_MALFORMED;
        }
        if (recital_id_among(id, out->ids, out->n) || (self && recital_id_among(id, self, 1))) {
            return RECITAL_LOOP;
        }
        out->n++;
    }
    return RECITAL_OK;
}

/* Reads the client's own recital, which is bound to the request's version numbers. */
static enum recital_outcome recital_server_read_recital(struct recital_request *out,
                                                        const struct poem *poem,
                                                        const void *message, const json_t *recital)
{
    uint8_t binding[RECITAL_BINDING_SIZE];

    if (!recital_sha256((const uint8_t *)message + WIRE_HDR_SIZE, sizeof(struct wire_version),
                        binding)) {
        return RECITAL_NO_MEMORY;
    }
    out->recital = recital_judge(RECITAL_BY_CLIENT, recital, poem, NULL, binding, out->licence);
    if (out->recital == RECITAL_MALFORMED || out->recital == RECITAL_NO_MEMORY) {
        return out->recital;
    }
    return RECITAL_OK;
}

static enum recital_outcome recital_server_read_poem(struct recital_request *out,
                                                     const struct poem *known, const void *message,
                                                     const json_t *poem,
                                                     const struct recital_id *self)
{
    const json_t *challenge = json_object_get(poem, "challenge");
    const json_t *recital = json_object_get(poem, "recital");
    const json_t *with = json_object_get(poem, "with");
    enum recital_outcome o = json_is_object(poem) ? recital_check_version(poem) : RECITAL_MALFORMED;

    if (o == RECITAL_OK && challenge) {
        out->challenged = true;
        if (!recital_get_hex(challenge, out->challenge, sizeof out->challenge)) {
            o = RECITAL_MALFORMED;
        }
    }
    if (o == RECITAL_OK && with) {
        out->with = json_is_true(with);
        o = json_is_boolean(with) ? RECITAL_OK : RECITAL_MALFORMED;
    }
    if (o == RECITAL_OK) {
        o = recital_server_read_through(json_object_get(poem, "through"), self, &out->through);
    }
    if (o == RECITAL_OK && recital) {
        o = recital_server_read_recital(out, known, message, recital);
    }
    out->speaks = o == RECITAL_OK;
    return o;
}

enum recital_outcome recital_request_read(struct recital_request *out, const struct poem *poem,
                                          const void *message, size_t n, const json_t *capabilities,
                                          const struct recital_id *self)
{
    const json_t *said = json_object_get(capabilities, "poem");

    *out = (struct recital_request){.recital = RECITAL_MISSING};
    if (n < WIRE_HDR_SIZE + sizeof(struct wire_version) ||
        !recital_get_licence(json_object_get(capabilities, "licence"), out->declared)) {
        return RECITAL_MALFORMED;
    }
    if (!recital_sha256(message, n, out->binding)) {
        return RECITAL_NO_MEMORY;
    }
    return said ? recital_server_read_poem(out, poem, message, said, self) : RECITAL_OK;
}

/* ---- the reply ---- */

/*
 * Returns the length of the licence without an exception that only permits OpenSSL, if it is a
 * single licence with one; otherwise the whole length.
 */
static size_t recital_server_plain_size(const char *licence)
{
    static const char word[] = " WITH ";
    static const char permits[] = "openssl-exception";
    const size_t all = strlen(licence);
    const char *with = strstr(licence, word);
    const char *exception = with ? with + sizeof word - 1 : NULL;

    if (!with || memchr(licence, ' ', (size_t)(with - licence)) || strpbrk(exception, " ()") ||
        strlen(exception) < sizeof permits ||
        strcasecmp(licence + all - (sizeof permits - 1), permits) != 0) {
        return all;
    }
    return (size_t)(with - licence);
}

/* Returns a new JSON string of a licence, in a form that the client accepts. */
static json_t *recital_server_licence(const struct recital_request *asked, const char *licence)
{
    return json_stringn(licence,
                        asked->with ? strlen(licence) : recital_server_plain_size(licence));
}

static int recital_server_add_hop(json_t *list, const struct recital_request *asked,
                                  const struct recital_hop *hop)
{
    json_t *entry = json_object();
    int bad =
        json_object_set_new(entry, "by", recital_new_hex(hop->by.bytes, RECITAL_IDENTITY_SIZE));

    bad |= json_object_set_new(entry, "recited", json_string(hop->recited ? "yes" : "no"));
    if (hop->licence[0] != '\0') {
        bad |= json_object_set_new(entry, "licence", recital_server_licence(asked, hop->licence));
    }
    return bad | json_array_append_new(list, entry);
}

static int recital_server_add_via(json_t *poem, const struct recital_request *asked,
                                  const struct recital_via *via)
{
    json_t *list = json_array();
    int bad = 0;

    for (unsigned i = 0; i < via->n; i++) {
        bad |= recital_server_add_hop(list, asked, &via->hops[i]);
    }
    return bad | json_object_set_new(poem, "via", list);
}

/* Fills the new object "poem". Returns non-zero if out of memory. */
static int recital_server_compose(json_t *poem, const struct recital_request *asked,
                                  const struct recital_answer *answer)
{
    int bad = json_object_set_new(poem, "v", json_integer(RECITAL_V));

    if (asked->challenged && answer->recite) {
        json_t *licence = recital_server_licence(asked, answer->licence);

        bad |= json_object_set_new(poem, "recital",
                                   recital_new(RECITAL_BY_SERVER, answer->poem, asked->challenge,
                                               asked->binding, json_string_value(licence)));
        json_decref(licence);
    }
    return answer->via ? bad | recital_server_add_via(poem, asked, answer->via) : bad;
}

enum recital_outcome recital_reply_add(const struct recital_request *asked,
                                       const struct recital_answer *answer, json_t *capabilities)
{
    json_t *poem;

    if (answer->licence ? !recital_licence_fits(answer->licence) : answer->recite) {
        return RECITAL_MALFORMED;
    }
    if (!asked->speaks) {
        return RECITAL_OK;
    }
    if (answer->licence &&
        json_object_set_new(capabilities, "licence",
                            recital_server_licence(asked, answer->licence)) < 0) {
        return RECITAL_NO_MEMORY;
    }
    poem = json_object();
    if (json_object_set_new(capabilities, "poem", poem) < 0) {
        return RECITAL_NO_MEMORY;
    }
    return recital_server_compose(poem, asked, answer) == 0 ? RECITAL_OK : RECITAL_NO_MEMORY;
}

/*
 * Combines all statements of the server behind us about its own licence: two statements hold
 * together, so that neither hides the other. Writes "" if both do not fit.
 */
static void recital_via_licence(char out[RECITAL_LICENCE_MAX + 1], bool recited,
                                const struct recital_reply *behind)
{
    const char *one = recited ? behind->licence : behind->declared;

    if (recited && *behind->declared && strcmp(one, behind->declared) != 0) {
        const int n =
            snprintf(out, RECITAL_LICENCE_MAX + 1, "(%s) AND (%s)", one, behind->declared);

        if (n > (int)RECITAL_LICENCE_MAX) {
            out[0] = '\0';
        }
        return;
    }
    memcpy(out, one, strlen(one) + 1);
}

enum recital_outcome recital_via_make(struct recital_via *out, const struct recital_id *self,
                                      enum recital_outcome judged,
                                      const struct recital_reply *behind)
{
    const bool recited = judged == RECITAL_OK;

    *out = (struct recital_via){.n = 1};
    out->hops[0].by = *self;
    out->hops[0].recited = recited;
    recital_via_licence(out->hops[0].licence, recited, behind);
    if (!recited) {
        return RECITAL_OK;
    }
    if (behind->via.n == RECITAL_HOPS) {
        return RECITAL_TOO_MANY;
    }
    for (unsigned i = 0; i < behind->via.n; i++) {
        if (recital_id_among(&behind->via.hops[i].by, self, 1)) {
            return RECITAL_LOOP;
        }
        out->hops[out->n++] = behind->via.hops[i];
    }
    return RECITAL_OK;
}
