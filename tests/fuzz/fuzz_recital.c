/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The recital. The first byte says what the others are:
 *
 *   q  a request's JSON: it is refused, or answered so that its client takes the answer
 *   r  a reply's JSON, to a request whose challenge is all zeros: what stands is the poem
 *   f  two bytes of room, and a reply's JSON that the refrain is to be added to
 *   p  a poem: it is refused, or its refrain is in it twice
 */
#include <string.h>

#include "base/limits.h"
#include "handshake/json.h"
#include "handshake/recital.h"
#include "tests/fuzz/fuzz.h"

#define FIXED (WIRE_HDR_SIZE + sizeof(struct wire_version))

static const struct wire_version version_0_0 = {0, 0};

static uint8_t message[FIXED + LIMIT_VERSION_JSON];

/*
 * The bytes as JSON, a NUL added; the message that they make is at message. NULL: they make none.
 */
static json_t *read_json(const uint8_t *p, size_t n)
{
    json_t *json;

    if (n >= LIMIT_VERSION_JSON) {
        return NULL;
    }
    memset(message, 0, FIXED);
    memcpy(message + FIXED, p, n);
    message[FIXED + n] = '\0';
    return json_read(message + FIXED, n + 1, &json) == JSON_OK ? json : NULL;
}

static void check_licence(const char *licence)
{
    FUZZ_REQUIRE(licence[0] == '\0' || recital_licence_fits(licence));
}

/* ---- requests ---- */

/* The request's own client judges the answer. */
static void check_answer(const struct recital_request *asked, const json_t *answer)
{
    struct recital_client c = {.poem = &poem_builtin, .asked = true, .challenged = true};
    struct recital_reply told;
    const enum recital_outcome expected = asked->challenged ? RECITAL_OK : RECITAL_MISSING;

    memcpy(c.challenge, asked->challenge, sizeof c.challenge);
    memcpy(c.binding, asked->binding, sizeof c.binding);
    FUZZ_REQUIRE(recital_client_judge(&c, answer, &told) == expected);
    FUZZ_REQUIRE(told.speaks && strcmp(told.declared, "MIT") == 0);
    FUZZ_REQUIRE((told.licence[0] != '\0') == asked->challenged);
}

static void request(const uint8_t *p, size_t n)
{
    const struct recital_answer said = {.poem = &poem_builtin, .recite = true, .licence = "MIT"};
    struct recital_request asked;
    json_t *json = read_json(p, n);
    json_t *answer;
    enum recital_outcome o;

    if (!json) {
        return;
    }
    answer = json_object();
    o = recital_request_read(&asked, &poem_builtin, message, FIXED + n + 1,
                             json_object_get(json, "capabilities"), NULL);
    check_licence(asked.declared);
    check_licence(asked.licence);
    FUZZ_REQUIRE(asked.through.n <= RECITAL_HOPS);
    FUZZ_REQUIRE((asked.recital == RECITAL_OK) == (asked.licence[0] != '\0'));
    FUZZ_REQUIRE(!asked.speaks || o == RECITAL_OK);
    if (o == RECITAL_OK) {
        FUZZ_REQUIRE(recital_reply_add(&asked, &said, answer) == RECITAL_OK);
        FUZZ_REQUIRE((json_object_size(answer) > 0) == asked.speaks);
    }
    if (asked.speaks) {
        check_answer(&asked, answer);
    }
    json_decref(answer);
    json_decref(json);
}

/* ---- replies ---- */

/* What stands is the poem, whatever else the reply says. */
static void check_stands(const json_t *caps, const struct recital_reply *told)
{
    const json_t *recital = json_object_get(json_object_get(caps, "poem"), "recital");
    const json_t *text = json_object_get(recital, "text");

    FUZZ_REQUIRE(json_string_length(text) == poem_builtin.size);
    FUZZ_REQUIRE(memcmp(json_string_value(text), poem_builtin.text, poem_builtin.size) == 0);
    FUZZ_REQUIRE(strcmp(json_string_value(json_object_get(recital, "licence")), told->licence) ==
                 0);
}

static void reply(const uint8_t *p, size_t n)
{
    static const uint8_t challenge[RECITAL_RANDOM_SIZE];
    const struct recital_id self = {{1}};
    const struct recital_ask ask = {.poem = &poem_builtin, .challenge = challenge, .self = &self};
    struct recital_client c;
    struct recital_reply told;
    struct recital_via via;
    json_t *json = read_json(p, n);
    json_t *asking = json_object();
    const json_t *caps = json_object_get(json, "capabilities");
    enum recital_outcome o;

    FUZZ_REQUIRE(recital_client_ask(&c, &ask, version_0_0, asking) == RECITAL_OK);
    json_decref(asking);
    FUZZ_REQUIRE(recital_client_sent(&c, &version_0_0, sizeof version_0_0) == RECITAL_OK);
    o = recital_client_judge(&c, caps, &told);
    check_licence(told.declared);
    FUZZ_REQUIRE(told.via.n <= RECITAL_HOPS);
    FUZZ_REQUIRE((o == RECITAL_OK) == (told.licence[0] != '\0'));
    if (o == RECITAL_OK) {
        check_stands(caps, &told);
    }
    o = recital_via_make(&via, &self, o, &told);
    FUZZ_REQUIRE(o == RECITAL_OK || (o == RECITAL_TOO_MANY && told.via.n == RECITAL_HOPS));
    json_decref(json);
}

/* ---- the refrain ---- */

static size_t size_of(const json_t *json)
{
    return json_dumpb(json, NULL, 0, JSON_COMPACT) + 1;
}

static void refrain(size_t room, const uint8_t *p, size_t n)
{
    json_t *json = read_json(p, n);
    json_t *before;
    json_t *poem;
    enum recital_fit fit;

    if (!json || !recital_capabilities(json)) {
        json_decref(json);
        return;
    }
    recital_strip(json_object_get(json, "capabilities"));
    before = json_deep_copy(json);
    fit = recital_fit(json, room, poem_builtin.refrain);
    poem = json_object_get(json_object_get(json, "capabilities"), "poem");
    FUZZ_REQUIRE(fit != RECITAL_FITS_NO_MEMORY);
    FUZZ_REQUIRE((fit == RECITAL_FITS) == (poem != NULL));
    FUZZ_REQUIRE((fit != RECITAL_FITS_NOTHING) == (size_of(json) <= room));
    FUZZ_REQUIRE(fit != RECITAL_FITS_NOTHING || json_equal(json, before));
    /* Where the reply alone fits, only for the refrain's sake something goes. */
    FUZZ_REQUIRE(fit != RECITAL_FITS_NOT || size_of(before) > room || json_equal(json, before));
    json_decref(before);
    json_decref(json);
}

/* ---- poems ---- */

static void poem(const uint8_t *p, size_t n)
{
    struct poem poem;
    size_t times = 0;
    const size_t length = poem_read(&poem, p, n) == POEM_OK ? strlen(poem.refrain) : 0;
    json_t *text = json_stringn((const char *)p, n);

    /* Where it is a poem, it is a string of JSON's. */
    FUZZ_REQUIRE(text || !poem.text);
    json_decref(text);
    for (size_t i = 0; length > 0 && i + length <= n; i++) {
        times += memcmp(p + i, poem.refrain, length) == 0;
    }
    FUZZ_REQUIRE(length == 0 || times >= 2);
    FUZZ_REQUIRE(length <= POEM_REFRAIN_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
    if (n == 0) {
        return 0;
    }
    switch (p[0]) {
    case 'q':
        request(p + 1, n - 1);
        break;
    case 'r':
        reply(p + 1, n - 1);
        break;
    case 'f':
        if (n > 2) {
            refrain((size_t)(p[1] | p[2] << 8), p + 3, n - 3);
        }
        break;
    case 'p':
        poem(p + 1, n - 1);
        break;
    default:
        break;
    }
    return 0;
}
