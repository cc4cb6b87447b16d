/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What a request says and how it is answered: the server's role, the client's own recital, and
 * brokers in between, all without sockets. PROTOCOL.poem, sections 3, 4 and 6.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/unit.h"
#include "tests/unit/handshake/recital_rig.h"

#define ROWS(table) (sizeof(table) / sizeof(table)[0])
#define LICENCE "GPL-2.0-or-later"
#define HEX32 "000102030405060708090a0b0c0d0e0f"
#define HEX64 HEX32 HEX32
#define ID(digit) digit digit digit digit digit digit digit digit
#define IDS8 \
    "\"" ID("1111") "\",\"" ID("2222") "\",\"" ID("3333") "\",\"" ID("4444") "\",\"" ID( \
        "5555") "\",\"" ID("6666") "\",\"" ID("7777") "\",\"" ID("8888") "\""

static const struct wire_version version_0_0 = {0, 0};

/* Reads a request of this JSON, as a broker whose identity is all ff. */
static enum recital_outcome read_json(json_t *json, struct wire_version number,
                                      struct recital_request *asked)
{
    static struct rig_message message;
    const struct recital_id self = rig_id(0xff);

    rig_write(json, number, false, &message);
    return recital_request_read(asked, &poem_builtin, message.p, message.n,
                                json_object_get(json, "capabilities"), &self);
}

static enum recital_outcome read_text(const char *text, struct recital_request *asked)
{
    json_t *json = rig_parse(text);
    const enum recital_outcome o = read_json(json, version_0_0, asked);

    json_decref(json);
    return o;
}

/* ---- what a request may say ---- */

#define CAPS(inner) "{\"capabilities\":{" inner "}}"
#define POEM(inner) CAPS("\"poem\":{\"v\":1" inner "}")

static const struct {
    const char *json;
    enum recital_outcome outcome;
    bool speaks;
    bool challenged;
    unsigned through;
} requests[] = {
    {"{}", RECITAL_OK, false, false, 0},
    {CAPS(""), RECITAL_OK, false, false, 0},
    {CAPS("\"poems\":1"), RECITAL_OK, false, false, 0},
    {CAPS("\"licence\":\"MIT\""), RECITAL_OK, false, false, 0},
    {POEM(""), RECITAL_OK, true, false, 0},
    {POEM(",\"more\":[1]"), RECITAL_OK, true, false, 0},
    {POEM(",\"challenge\":\"" HEX64 "\""), RECITAL_OK, true, true, 0},
    /* "poem" of another type: the refrain is for replies */
    {CAPS("\"poem\":\"Say this aloud, in freedom's name, and pass.\""), RECITAL_MALFORMED, 0, 0, 0},
    {CAPS("\"poem\":null"), RECITAL_MALFORMED, 0, 0, 0},
    {CAPS("\"poem\":[]"), RECITAL_MALFORMED, 0, 0, 0},
    {CAPS("\"poem\":1"), RECITAL_MALFORMED, 0, 0, 0},
    {CAPS("\"poem\":true"), RECITAL_MALFORMED, 0, 0, 0},
    /* the version */
    {CAPS("\"poem\":{}"), RECITAL_MALFORMED, 0, 0, 0},
    {CAPS("\"poem\":{\"v\":\"1\"}"), RECITAL_MALFORMED, 0, 0, 0},
    {CAPS("\"poem\":{\"v\":1.0}"), RECITAL_MALFORMED, 0, 0, 0},
    {CAPS("\"poem\":{\"v\":0}"), RECITAL_OTHER_VERSION, 0, 0, 0},
    {CAPS("\"poem\":{\"v\":2}"), RECITAL_OTHER_VERSION, 0, 0, 0},
    {CAPS("\"poem\":{\"v\":2,\"challenge\":7}"), RECITAL_OTHER_VERSION, 0, 0, 0},
    /* the challenge */
    {POEM(",\"challenge\":null"), RECITAL_MALFORMED, 0, 0, 0},
    {POEM(",\"challenge\":7"), RECITAL_MALFORMED, 0, 0, 0},
    {POEM(",\"challenge\":\"\""), RECITAL_MALFORMED, 0, 0, 0},
    {POEM(",\"challenge\":\"" HEX32 "\""), RECITAL_MALFORMED, 0, 0, 0},
    {POEM(",\"challenge\":\"" HEX64 "0\""), RECITAL_MALFORMED, 0, 0, 0},
    {POEM(",\"challenge\":\"" HEX64 "00\""), RECITAL_MALFORMED, 0, 0, 0},
    {POEM(",\"challenge\":\"" HEX32 "000102030405060708090A0B0C0D0E0F\""), RECITAL_MALFORMED, 0, 0,
     0},
    {POEM(",\"challenge\":\" " HEX32 "000102030405060708090a0b0c0d0e0\""), RECITAL_MALFORMED, 0, 0,
     0},
    /* the brokers on the way */
    {POEM(",\"through\":[]"), RECITAL_OK, true, false, 0},
    {POEM(",\"through\":[\"" HEX32 "\"]"), RECITAL_OK, true, false, 1},
    {POEM(",\"through\":[" IDS8 "]"), RECITAL_OK, true, false, 8},
    {POEM(",\"through\":[" IDS8 ",\"" HEX32 "\"]"), RECITAL_TOO_MANY, 0, 0, 0},
    {POEM(",\"through\":[\"" HEX32 "\",\"" HEX32 "\"]"), RECITAL_LOOP, 0, 0, 0},
    {POEM(",\"through\":[\"" HEX32 "\",\"" ID("ffff") "\"]"), RECITAL_LOOP, 0, 0, 0},
    {POEM(",\"through\":null"), RECITAL_MALFORMED, 0, 0, 0},
    {POEM(",\"through\":{}"), RECITAL_MALFORMED, 0, 0, 0},
    {POEM(",\"through\":\"" HEX32 "\""), RECITAL_MALFORMED, 0, 0, 0},
    {POEM(",\"through\":[7]"), RECITAL_MALFORMED, 0, 0, 0},
    {POEM(",\"through\":[\"\"]"), RECITAL_MALFORMED, 0, 0, 0},
    {POEM(",\"through\":[\"" HEX64 "\"]"), RECITAL_MALFORMED, 0, 0, 0},
    {POEM(",\"through\":[\"" ID("AAAA") "\"]"), RECITAL_MALFORMED, 0, 0, 0},
    /* the licence, whoever asks for what */
    {CAPS("\"licence\":\"\""), RECITAL_MALFORMED, 0, 0, 0},
    {CAPS("\"licence\":1"), RECITAL_MALFORMED, 0, 0, 0},
    {CAPS("\"licence\":\"a\\nb\""), RECITAL_MALFORMED, 0, 0, 0},
    {CAPS("\"licence\":\"\\u00e9\""), RECITAL_MALFORMED, 0, 0, 0},
};

START_TEST(a_request_is_understood_or_refused)
{
    struct recital_request asked;
    const enum recital_outcome o = read_text(requests[_i].json, &asked);

    ck_assert_msg(o == requests[_i].outcome, "\"%s\"", recital_text(o));
    ck_assert_int_eq(asked.recital, RECITAL_MISSING);
    ck_assert_int_eq(asked.speaks, requests[_i].speaks);
    if (o == RECITAL_OK) {
        ck_assert_int_eq(asked.challenged, requests[_i].challenged);
        ck_assert_uint_eq(asked.through.n, requests[_i].through);
    }
}
END_TEST

START_TEST(what_was_asked_is_told)
{
    struct recital_request asked;
    struct recital_id first = rig_id(0x11);
    uint8_t challenge[RECITAL_RANDOM_SIZE];

    rig_count(challenge, 0, 16);
    rig_count(challenge + 16, 0, 16);
    ck_assert_int_eq(read_text(CAPS("\"licence\":\"MIT\",\"poem\":{\"v\":1,\"challenge\":\"" HEX64
                                    "\",\"through\":[" IDS8 "]}"),
                               &asked),
                     RECITAL_OK);
    ck_assert_mem_eq(asked.challenge, challenge, sizeof challenge);
    ck_assert_str_eq(asked.declared, "MIT");
    ck_assert_str_eq(asked.licence, "");
    ck_assert_mem_eq(&asked.through.ids[0], &first, sizeof first);
    first = rig_id(0x88);
    ck_assert_mem_eq(&asked.through.ids[7], &first, sizeof first);
}
END_TEST

/* One that is no broker cannot find itself. */
START_TEST(a_device_has_no_identity)
{
    static struct rig_message message;
    struct recital_request asked;
    json_t *json = rig_parse(POEM(",\"through\":[\"" ID("0000") "\"]"));

    rig_write(json, version_0_0, false, &message);
    ck_assert_int_eq(
        recital_request_read(&asked, &poem_builtin, message.p, message.n, rig_caps(json), NULL),
        RECITAL_OK);
    ck_assert_uint_eq(asked.through.n, 1);
    json_decref(json);
}
END_TEST

START_TEST(a_request_has_version_numbers)
{
    static const uint8_t message[WIRE_HDR_SIZE + 4];
    struct recital_request asked;

    ck_assert_int_eq(recital_request_read(&asked, &poem_builtin, message, 19, NULL, NULL),
                     RECITAL_MALFORMED);
    ck_assert_int_eq(recital_request_read(&asked, &poem_builtin, message, 20, NULL, NULL),
                     RECITAL_OK);
    ck_assert(!asked.speaks);
}
END_TEST

/* ---- a client's own recital ---- */

static json_t *client_recites(const struct poem *poem, uint8_t nonce_from)
{
    uint8_t nonce[RECITAL_RANDOM_SIZE];
    const struct recital_ask ask = {.poem = poem, .nonce = nonce, .licence = LICENCE};
    struct recital_client c;
    json_t *json = rig_parse(CAPS("\"max_msg_fds\":8"));

    rig_count(nonce, nonce_from, sizeof nonce);
    ck_assert_int_eq(recital_client_ask(&c, &ask, version_0_0, rig_caps(json)), RECITAL_OK);
    return json;
}

START_TEST(a_client_recites_well)
{
    struct recital_request asked;
    json_t *json = client_recites(&poem_builtin, 1);

    ck_assert_int_eq(read_json(json, version_0_0, &asked), RECITAL_OK);
    ck_assert_int_eq(asked.recital, RECITAL_OK);
    ck_assert_str_eq(asked.licence, LICENCE);
    ck_assert_str_eq(asked.declared, LICENCE);
    ck_assert(asked.speaks && !asked.challenged);
    json_decref(json);
}
END_TEST

static const struct {
    const char *place;
    const char *value;
    enum recital_outcome outcome; /* of the request */
    enum recital_outcome recital; /* … and if that is well-formed */
} recitals[] = {
    {"poem/recital", NULL, RECITAL_OK, RECITAL_MISSING},
    {"poem/recital", "null", RECITAL_MALFORMED, 0},
    {"poem/recital", "{}", RECITAL_MALFORMED, 0},
    {"poem/recital", "\"\"", RECITAL_MALFORMED, 0},
    {"poem/recital/text", NULL, RECITAL_MALFORMED, 0},
    {"poem/recital/text", "\"\"", RECITAL_MALFORMED, 0},
    {"poem/recital/text", "\"Say this aloud.\"", RECITAL_OK, RECITAL_WRONG_DIGEST},
    {"poem/recital/sha256", NULL, RECITAL_MALFORMED, 0},
    {"poem/recital/sha256", "\"" HEX64 "\"", RECITAL_OK, RECITAL_WRONG_DIGEST},
    {"poem/recital/sha256", "\"" HEX32 "\"", RECITAL_MALFORMED, 0},
    {"poem/recital/licence", NULL, RECITAL_MALFORMED, 0},
    {"poem/recital/licence", "\"MIT\"", RECITAL_OK, RECITAL_OK},
    {"poem/recital/proof", NULL, RECITAL_MALFORMED, 0},
    {"poem/recital/proof", "\"" HEX64 "\"", RECITAL_OK, RECITAL_WRONG_PROOF},
    {"poem/recital/nonce", NULL, RECITAL_MALFORMED, 0},
    {"poem/recital/nonce", "\"" HEX32 "\"", RECITAL_MALFORMED, 0},
    {"poem/recital/nonce", "7", RECITAL_MALFORMED, 0},
    {"poem/recital/nonce", "\"" HEX64 "\"", RECITAL_OK, RECITAL_WRONG_PROOF},
    {"poem/recital/more", "7", RECITAL_OK, RECITAL_OK},
    /* the recital is bound to the version numbers alone */
    {"max_msg_fds", "9", RECITAL_OK, RECITAL_OK},
    {"poem/challenge", "\"" HEX64 "\"", RECITAL_OK, RECITAL_OK},
};

START_TEST(a_client_recites_otherwise)
{
    struct recital_request asked;
    json_t *json = client_recites(&poem_builtin, 1);
    enum recital_outcome o;

    rig_alter(rig_caps(json), recitals[_i].place, recitals[_i].value);
    o = read_json(json, version_0_0, &asked);
    ck_assert_msg(o == recitals[_i].outcome, "\"%s\"", recital_text(o));
    if (o == RECITAL_OK) {
        ck_assert_msg(asked.recital == recitals[_i].recital, "\"%s\"", recital_text(asked.recital));
        ck_assert((asked.recital == RECITAL_OK) == (asked.licence[0] != '\0'));
    }
    json_decref(json);
}
END_TEST

START_TEST(a_client_recites_for_its_version_numbers)
{
    static const struct wire_version others[] = {{0, 1}, {1, 0}, {256, 0}};
    struct recital_request asked;
    json_t *json = client_recites(&poem_builtin, 1);

    for (size_t i = 0; i < ROWS(others); i++) {
        ck_assert_int_eq(read_json(json, others[i], &asked), RECITAL_OK);
        ck_assert_int_eq(asked.recital, RECITAL_WRONG_PROOF);
    }
    json_decref(json);
}
END_TEST

START_TEST(a_client_recites_another_poem)
{
    struct recital_request asked;
    const struct poem other = rig_poem("All the world's a stage\n");
    json_t *json = client_recites(&other, 1);

    ck_assert_int_eq(read_json(json, version_0_0, &asked), RECITAL_OK);
    ck_assert_int_eq(asked.recital, RECITAL_OTHER_POEM);
    json_decref(json);
}
END_TEST

/* Section 6 says what it is worth: whoever has seen one can send it. */
START_TEST(a_client_s_recital_can_be_sent_again)
{
    struct recital_request asked;
    json_t *seen = client_recites(&poem_builtin, 1);
    json_t *again = rig_parse(CAPS("\"poem\":{\"v\":1}"));

    rig_set(rig_caps(again), "poem/recital", json_incref(rig_get(rig_caps(seen), "poem/recital")));
    ck_assert_int_eq(read_json(again, version_0_0, &asked), RECITAL_OK);
    ck_assert_int_eq(asked.recital, RECITAL_OK);
    json_decref(again);
    json_decref(seen);
}
END_TEST

/* A server's recital, sent by a client as its own: the label is another, though all else fits. */
START_TEST(a_server_s_recital_is_not_a_client_s)
{
    const struct recital_answer said = {.poem = &poem_builtin, .recite = true, .licence = LICENCE};
    struct recital_request asked;
    struct recital_client numbers;
    json_t *json = rig_parse(POEM(",\"challenge\":\"" HEX64 "\""));
    json_t *caps = json_object();

    ck_assert_int_eq(read_json(json, version_0_0, &asked), RECITAL_OK);
    recital_client_silent(&numbers);
    ck_assert_int_eq(recital_client_sent(&numbers, &version_0_0, sizeof version_0_0), RECITAL_OK);
    memcpy(asked.binding, numbers.binding, sizeof asked.binding);
    ck_assert_int_eq(recital_reply_add(&asked, &said, caps), RECITAL_OK);
    rig_alter(caps, "poem/recital/nonce", "\"" HEX64 "\"");
    rig_set(json, "capabilities", caps);
    ck_assert_int_eq(read_json(json, version_0_0, &asked), RECITAL_OK);
    ck_assert_int_eq(asked.recital, RECITAL_WRONG_PROOF);
    json_decref(json);
}
END_TEST

/* ---- what a client cannot ask ---- */

START_TEST(a_client_needs_a_licence_to_recite)
{
    static char text[RECITAL_LICENCE_MAX + 2];
    const uint8_t nonce[RECITAL_RANDOM_SIZE] = {0};
    struct recital_ask ask = {.poem = &poem_builtin, .nonce = nonce};
    struct recital_client c;
    json_t *caps = json_object();

    ck_assert_int_eq(recital_client_ask(&c, &ask, version_0_0, caps), RECITAL_MALFORMED);
    ask.licence = "";
    ck_assert_int_eq(recital_client_ask(&c, &ask, version_0_0, caps), RECITAL_MALFORMED);
    ask.licence = "a\nb";
    ck_assert_int_eq(recital_client_ask(&c, &ask, version_0_0, caps), RECITAL_MALFORMED);
    ask.nonce = NULL;
    ck_assert_int_eq(recital_client_ask(&c, &ask, version_0_0, caps), RECITAL_MALFORMED);
    memset(text, 'x', RECITAL_LICENCE_MAX + 1);
    ask.licence = text;
    ck_assert_int_eq(recital_client_ask(&c, &ask, version_0_0, caps), RECITAL_MALFORMED);
    ck_assert_uint_eq(json_object_size(caps), 0);
    text[RECITAL_LICENCE_MAX] = '\0';
    ck_assert_int_eq(recital_client_ask(&c, &ask, version_0_0, caps), RECITAL_OK);
    json_decref(caps);
}
END_TEST

START_TEST(a_broker_adds_itself_once)
{
    struct recital_through through = {.n = RECITAL_HOPS - 1};
    const struct recital_id self = rig_id(0x77);
    struct recital_ask ask = {.poem = &poem_builtin, .through = &through, .self = &self};
    struct recital_client c;
    json_t *caps = json_object();

    for (unsigned i = 0; i < RECITAL_HOPS; i++) {
        through.ids[i] = rig_id((uint8_t)(i + 1));
    }
    ck_assert_int_eq(recital_client_ask(&c, &ask, version_0_0, caps), RECITAL_OK);
    ck_assert_uint_eq(json_array_size(rig_get(caps, "poem/through")), RECITAL_HOPS);
    ck_assert_str_eq(json_string_value(json_array_get(rig_get(caps, "poem/through"), 7)),
                     ID("7777"));
    through.n = RECITAL_HOPS;
    ck_assert_int_eq(recital_client_ask(&c, &ask, version_0_0, caps), RECITAL_TOO_MANY);
    through.ids[3] = self;
    ck_assert_int_eq(recital_client_ask(&c, &ask, version_0_0, caps), RECITAL_LOOP);
    json_decref(caps);
}
END_TEST

/* ---- answers ---- */

static const struct {
    const char *request;
    bool recite;
    bool broker;
    const char *licence;
    const char *reply; /* its capabilities, the recital taken out */
    bool recital;
} answers[] = {
    {"{}", true, true, LICENCE, "{}", false},
    {CAPS("\"licence\":\"MIT\""), true, true, LICENCE, "{}", false},
    {POEM(""), true, false, LICENCE, "{\"licence\":\"" LICENCE "\",\"poem\":{\"v\":1}}", false},
    {POEM(""), false, false, NULL, "{\"poem\":{\"v\":1}}", false},
    {POEM(""), false, false, "MIT", "{\"licence\":\"MIT\",\"poem\":{\"v\":1}}", false},
    {POEM(",\"challenge\":\"" HEX64 "\""), false, false, "MIT",
     "{\"licence\":\"MIT\",\"poem\":{\"v\":1}}", false},
    {POEM(",\"challenge\":\"" HEX64 "\""), true, false, "MIT",
     "{\"licence\":\"MIT\",\"poem\":{\"v\":1}}", true},
    {POEM(",\"challenge\":\"" HEX64 "\""), true, true, "MIT",
     "{\"licence\":\"MIT\",\"poem\":{\"v\":1,\"via\":[{\"by\":\"" ID(
         "9999") "\",\"recited\":\"no\"},{\"by\":\"" ID("1111") "\",\"recited\":\"yes\","
                                                                "\"licence\":\"GPL-3.0-only\"}]}}",
     true},
    {POEM(""), false, true, NULL,
     "{\"poem\":{\"v\":1,\"via\":[{\"by\":\"" ID("9999") "\",\"recited\":\"no\"},{\"by\":\"" ID(
         "1111") "\",\"recited\":\"yes\",\"licence\":\"GPL-3.0-only\"}]}}",
     false},
};

START_TEST(a_request_is_answered)
{
    const struct recital_via via = {
        .n = 2,
        .hops = {{.by = rig_id(0x99)},
                 {.by = rig_id(0x11), .recited = true, .licence = "GPL-3.0-only"}}};
    const struct recital_answer said = {.poem = &poem_builtin,
                                        .recite = answers[_i].recite,
                                        .licence = answers[_i].licence,
                                        .via = answers[_i].broker ? &via : NULL};
    struct recital_request asked;
    json_t *caps = json_object();
    char *text;

    ck_assert_int_eq(read_text(answers[_i].request, &asked), RECITAL_OK);
    ck_assert_int_eq(recital_reply_add(&asked, &said, caps), RECITAL_OK);
    if (answers[_i].recital) {
        rig_alter(caps, "poem/recital", NULL);
    }
    text = json_dumps(caps, JSON_COMPACT);
    ck_assert_str_eq(text, answers[_i].reply);
    free(text);
    json_decref(caps);
}
END_TEST

START_TEST(a_server_needs_a_licence_to_recite)
{
    struct recital_answer said = {.poem = &poem_builtin, .recite = true};
    struct recital_request asked;
    json_t *caps = json_object();

    ck_assert_int_eq(read_text(POEM(",\"challenge\":\"" HEX64 "\""), &asked), RECITAL_OK);
    ck_assert_int_eq(recital_reply_add(&asked, &said, caps), RECITAL_MALFORMED);
    said.licence = "";
    ck_assert_int_eq(recital_reply_add(&asked, &said, caps), RECITAL_MALFORMED);
    said.licence = "\x7f";
    ck_assert_int_eq(recital_reply_add(&asked, &said, caps), RECITAL_MALFORMED);
    ck_assert_uint_eq(json_object_size(caps), 0);
    json_decref(caps);
}
END_TEST

/* ---- brokers ---- */

START_TEST(a_broker_tells_what_is_behind_it)
{
    struct recital_reply behind = {.speaks = true, .licence = "GPL-2.0-only", .declared = "MIT"};
    const struct recital_id self = rig_id(0x99);
    struct recital_via via;

    behind.via.n = 1;
    behind.via.hops[0].by = rig_id(0x11);
    ck_assert_int_eq(recital_via_make(&via, &self, RECITAL_OK, &behind), RECITAL_OK);
    ck_assert_uint_eq(via.n, 2);
    ck_assert(via.hops[0].recited && !via.hops[1].recited);
    ck_assert_mem_eq(&via.hops[0].by, &self, sizeof self);
    ck_assert_mem_eq(&via.hops[1].by, &behind.via.hops[0].by, sizeof self);
    /* What it declares is not hidden behind what it recites under. */
    ck_assert_str_eq(via.hops[0].licence, "(GPL-2.0-only) AND (MIT)");
    /* What one says that did not recite is not passed on, but for its licence. */
    for (int o = RECITAL_MISSING; o <= RECITAL_NO_MEMORY; o++) {
        ck_assert_int_eq(recital_via_make(&via, &self, (enum recital_outcome)o, &behind),
                         RECITAL_OK);
        ck_assert_uint_eq(via.n, 1);
        ck_assert(!via.hops[0].recited);
        ck_assert_str_eq(via.hops[0].licence, "MIT");
    }
}
END_TEST

START_TEST(two_licences_that_fit_and_do_not)
{
    struct recital_reply behind = {.speaks = true, .licence = "GPL-2.0-only"};
    const struct recital_id self = rig_id(0x99);
    const size_t around = strlen("(GPL-2.0-only) AND ()");
    struct recital_via via;

    snprintf(behind.declared, sizeof behind.declared, "GPL-2.0-only");
    ck_assert_int_eq(recital_via_make(&via, &self, RECITAL_OK, &behind), RECITAL_OK);
    ck_assert_str_eq(via.hops[0].licence, "GPL-2.0-only");
    for (size_t more = 0; more < 2; more++) {
        memset(behind.declared, 'x', RECITAL_LICENCE_MAX - around + more);
        ck_assert_int_eq(recital_via_make(&via, &self, RECITAL_OK, &behind), RECITAL_OK);
        ck_assert_uint_eq(strlen(via.hops[0].licence), more ? 0 : RECITAL_LICENCE_MAX);
        ck_assert(via.hops[0].recited);
    }
}
END_TEST

START_TEST(a_row_of_brokers_has_an_end)
{
    struct recital_reply behind = {.speaks = true, .licence = "GPL-2.0-only"};
    const struct recital_id self = rig_id(0x99);
    struct recital_via via;

    for (unsigned i = 0; i < RECITAL_HOPS; i++) {
        behind.via.hops[i].by = rig_id((uint8_t)(i + 1));
    }
    behind.via.n = RECITAL_HOPS - 1;
    ck_assert_int_eq(recital_via_make(&via, &self, RECITAL_OK, &behind), RECITAL_OK);
    ck_assert_uint_eq(via.n, RECITAL_HOPS);
    behind.via.n = RECITAL_HOPS;
    ck_assert_int_eq(recital_via_make(&via, &self, RECITAL_OK, &behind), RECITAL_TOO_MANY);
    behind.via.n = 4;
    behind.via.hops[2].by = self;
    ck_assert_int_eq(recital_via_make(&via, &self, RECITAL_OK, &behind), RECITAL_LOOP);
}
END_TEST

START_TEST(poem_and_licence_stay_on_their_hop)
{
    json_t *caps = rig_parse("{\"a\":1,\"poem\":{\"v\":1},\"b\":2,\"licence\":\"MIT\",\"c\":3}");
    char *text;

    recital_strip(caps);
    text = json_dumps(caps, JSON_COMPACT);
    ck_assert_str_eq(text, "{\"a\":1,\"b\":2,\"c\":3}");
    free(text);
    recital_strip(caps);
    ck_assert_uint_eq(json_object_size(caps), 3);
    json_decref(caps);
    recital_strip(NULL);
}
END_TEST

START_TEST(capabilities_are_found_or_made)
{
    json_t *json = json_object();
    json_t *caps = recital_capabilities(json);

    ck_assert_ptr_nonnull(caps);
    ck_assert_ptr_eq(caps, json_object_get(json, "capabilities"));
    ck_assert_ptr_eq(recital_capabilities(json), caps);
    rig_alter(json, "capabilities", "[]");
    ck_assert_ptr_null(recital_capabilities(json));
    json_decref(json);
    ck_assert_ptr_null(recital_capabilities(NULL));
    ck_assert_int_eq(recital_prepare(), 0);
}
END_TEST

/* ---- a client, n brokers and a device, each hop as it would be on sockets ---- */

/* A broker between its client and the next party. */
struct broker {
    struct recital_id self;
    struct recital_request asked;
    struct recital_client client;
};

static json_t *take_request(const struct rig_message *m, const struct recital_id *self,
                            struct recital_request *asked)
{
    json_t *json = rig_json(m);

    ck_assert_int_eq(recital_request_read(asked, &poem_builtin, m->p, m->n, rig_caps(json), self),
                     RECITAL_OK);
    ck_assert(asked->challenged);
    return json;
}

static void send_request(struct recital_client *c, const struct recital_ask *ask, json_t *json,
                         struct rig_message *m)
{
    ck_assert_int_eq(recital_client_ask(c, ask, version_0_0, rig_caps(json)), RECITAL_OK);
    rig_write(json, version_0_0, false, m);
    ck_assert_int_eq(recital_client_sent(c, m->p, m->n), RECITAL_OK);
    json_decref(json);
}

static void send_reply(const struct recital_request *asked, const struct recital_via *via,
                       json_t *json, struct rig_message *m)
{
    const struct recital_answer said = {
        .poem = &poem_builtin, .recite = true, .licence = LICENCE, .via = via};

    ck_assert_int_eq(recital_reply_add(asked, &said, rig_caps(json)), RECITAL_OK);
    rig_write(json, version_0_0, true, m);
    json_decref(json);
}

/* The request at m goes on to the next party. */
static void broker_forward(struct broker *b, struct rig_message *m)
{
    const uint8_t challenge[RECITAL_RANDOM_SIZE] = {b->self.bytes[0]};
    const struct recital_ask ask = {.poem = &poem_builtin,
                                    .challenge = challenge,
                                    .through = &b->asked.through,
                                    .self = &b->self};
    json_t *json = take_request(m, &b->self, &b->asked);

    recital_strip(rig_caps(json));
    send_request(&b->client, &ask, json, m);
}

/* The reply at m goes back to the client. */
static void broker_answer(struct broker *b, struct rig_message *m)
{
    struct recital_reply behind;
    struct recital_via via;
    json_t *json = rig_json(m);

    ck_assert_int_eq(recital_client_judge(&b->client, rig_caps(json), &behind), RECITAL_OK);
    recital_strip(rig_caps(json));
    ck_assert_int_eq(recital_via_make(&via, &b->self, RECITAL_OK, &behind), RECITAL_OK);
    send_reply(&b->asked, &via, json, m);
}

START_TEST(brokers_in_a_row)
{
    const uint8_t challenge[RECITAL_RANDOM_SIZE] = {0xcc};
    const struct recital_ask ask = {.poem = &poem_builtin, .challenge = challenge};
    static struct broker brokers[RECITAL_HOPS];
    static struct rig_message m;
    struct recital_client client;
    struct recital_request asked;
    struct recital_reply told;
    json_t *json;

    send_request(&client, &ask, rig_parse(CAPS("\"max_msg_fds\":8")), &m);
    for (int i = 0; i < _i; i++) {
        brokers[i].self = rig_id((uint8_t)(0xa0 + i));
        broker_forward(&brokers[i], &m);
    }
    json_decref(take_request(&m, NULL, &asked));
    ck_assert_uint_eq(asked.through.n, (unsigned)_i);
    send_reply(&asked, NULL, rig_parse(CAPS("\"max_msg_fds\":4")), &m);
    for (int i = _i - 1; i >= 0; i--) {
        broker_answer(&brokers[i], &m);
    }
    json = rig_json(&m);
    ck_assert_int_eq(recital_client_judge(&client, rig_caps(json), &told), RECITAL_OK);
    ck_assert_uint_eq(told.via.n, (unsigned)_i);
    for (unsigned i = 0; i < told.via.n; i++) {
        ck_assert(told.via.hops[i].recited);
        ck_assert_uint_eq(told.via.hops[i].by.bytes[0], 0xa0 + i);
    }
    ck_assert_uint_le(m.n, RECITAL_REPLY_SIZE_MAX);
    json_decref(json);
}
END_TEST

static void add_answer_tests(Suite *s)
{
    TCase *tc = unit_case(s, "answers");

    tcase_add_loop_test(tc, a_request_is_answered, 0, ROWS(answers));
    tcase_add_test(tc, a_server_needs_a_licence_to_recite);
    tc = unit_case(s, "brokers");
    tcase_add_test(tc, a_broker_tells_what_is_behind_it);
    tcase_add_test(tc, two_licences_that_fit_and_do_not);
    tcase_add_test(tc, a_row_of_brokers_has_an_end);
    tcase_add_test(tc, poem_and_licence_stay_on_their_hop);
    tcase_add_test(tc, capabilities_are_found_or_made);
    tcase_add_loop_test(tc, brokers_in_a_row, 0, RECITAL_HOPS + 1);
}

int main(void)
{
    Suite *s = suite_create("recital_request");
    TCase *tc = unit_case(s, "requests");

    tcase_add_loop_test(tc, a_request_is_understood_or_refused, 0, ROWS(requests));
    tcase_add_test(tc, what_was_asked_is_told);
    tcase_add_test(tc, a_device_has_no_identity);
    tcase_add_test(tc, a_request_has_version_numbers);
    tc = unit_case(s, "client recites");
    tcase_add_test(tc, a_client_recites_well);
    tcase_add_loop_test(tc, a_client_recites_otherwise, 0, ROWS(recitals));
    tcase_add_test(tc, a_client_recites_for_its_version_numbers);
    tcase_add_test(tc, a_client_recites_another_poem);
    tcase_add_test(tc, a_client_s_recital_can_be_sent_again);
    tcase_add_test(tc, a_server_s_recital_is_not_a_client_s);
    tcase_add_test(tc, a_client_needs_a_licence_to_recite);
    tcase_add_test(tc, a_broker_adds_itself_once);
    add_answer_tests(s);
    return unit_run(s);
}
