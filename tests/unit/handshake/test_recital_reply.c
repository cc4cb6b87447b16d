/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The verifier of a server: conversations without sockets, a good one and each in which the reply
 * differs from it in one thing. PROTOCOL.poem, sections 4, 6 and 7.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/unit.h"
#include "tests/unit/handshake/recital_rig.h"

#define ROWS(table) (sizeof(table) / sizeof(table)[0])
#define LICENCE RIG_LICENCE

static const struct wire_version version_0_0 = {0, 0};

static enum recital_outcome judge(const struct rig_talk *t, struct recital_reply *told)
{
    return recital_client_judge(&t->client, rig_caps(t->reply), told);
}

/* What must hold of any outcome; then that it is this one. */
static void expect(const struct rig_talk *t, enum recital_outcome expected)
{
    struct recital_reply told;
    const enum recital_outcome o = judge(t, &told);

    ck_assert_msg(o == expected, "\"%s\", not \"%s\"", recital_text(o), recital_text(expected));
    ck_assert((o == RECITAL_OK) == (told.licence[0] != '\0'));
    ck_assert(o == RECITAL_OK || o == RECITAL_MISSING || told.via.n == 0);
}

START_TEST(a_good_recital)
{
    static struct rig_talk t;
    struct recital_reply told;

    rig_talk_begin(&t);
    ck_assert_int_eq(judge(&t, &told), RECITAL_OK);
    ck_assert(told.speaks && !told.refrain);
    ck_assert_str_eq(told.licence, LICENCE);
    ck_assert_str_eq(told.declared, LICENCE);
    ck_assert_uint_eq(told.via.n, 0);
    rig_talk_end(&t);
}
END_TEST

/* ---- one thing is otherwise ---- */

#define HEX63 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1"
#define TEXT118 \
    "\"1234567890123456789012345678901234567890123456789012345678901234567890" \
    "123456789012345678901234567890123456789012345678\""
#define TEXT119 \
    "\"1234567890123456789012345678901234567890123456789012345678901234567890" \
    "1234567890123456789012345678901234567890123456789\""

static const struct {
    const char *place;
    const char *value; /* NULL: taken out */
    enum recital_outcome outcome;
} deviations[] = {
    /* no recital */
    {"poem", NULL, RECITAL_MISSING},
    {"poem", "{\"v\":1}", RECITAL_MISSING},
    {"poem/recital", NULL, RECITAL_MISSING},
    {"poem", "\"Say this aloud, in freedom's name, and pass.\"", RECITAL_MISSING},
    {"poem", TEXT118, RECITAL_MISSING},
    {"poem", TEXT119, RECITAL_MALFORMED},
    {"poem", "\"\"", RECITAL_MALFORMED},
    {"poem", "null", RECITAL_MALFORMED},
    {"poem", "true", RECITAL_MALFORMED},
    {"poem", "1", RECITAL_MALFORMED},
    {"poem", "[]", RECITAL_MALFORMED},
    {"poem", "{}", RECITAL_MALFORMED},
    /* the version */
    {"poem/v", NULL, RECITAL_MALFORMED},
    {"poem/v", "\"1\"", RECITAL_MALFORMED},
    {"poem/v", "1.0", RECITAL_MALFORMED},
    {"poem/v", "true", RECITAL_MALFORMED},
    {"poem/v", "null", RECITAL_MALFORMED},
    {"poem/v", "0", RECITAL_OTHER_VERSION},
    {"poem/v", "2", RECITAL_OTHER_VERSION},
    {"poem/v", "-1", RECITAL_OTHER_VERSION},
    {"poem/v", "9223372036854775807", RECITAL_OTHER_VERSION},
    {"poem/v", "4294967297", RECITAL_OTHER_VERSION},
    /* the recital as a whole */
    {"poem/recital", "null", RECITAL_MALFORMED},
    {"poem/recital", "\"Say this aloud, in freedom's name, and pass.\"", RECITAL_MALFORMED},
    {"poem/recital", "[]", RECITAL_MALFORMED},
    {"poem/recital", "{}", RECITAL_MALFORMED},
    {"poem/recital/text", NULL, RECITAL_MALFORMED},
    {"poem/recital/sha256", NULL, RECITAL_MALFORMED},
    {"poem/recital/licence", NULL, RECITAL_MALFORMED},
    {"poem/recital/proof", NULL, RECITAL_MALFORMED},
    /* the text */
    {"poem/recital/text", "\"\"", RECITAL_MALFORMED},
    {"poem/recital/text", "null", RECITAL_MALFORMED},
    {"poem/recital/text", "7", RECITAL_MALFORMED},
    {"poem/recital/text", "[\"THE BROKER AT THE DOOR\"]", RECITAL_MALFORMED},
    {"poem/recital/text", "\"Say this aloud, in freedom's name, and pass.\"", RECITAL_WRONG_DIGEST},
    /* digest and proof */
    {"poem/recital/sha256", "\"\"", RECITAL_MALFORMED},
    {"poem/recital/sha256", "3", RECITAL_MALFORMED},
    {"poem/recital/sha256", "\"" HEX63 "\"", RECITAL_MALFORMED},
    {"poem/recital/sha256", "\"" HEX63 "ff\"", RECITAL_MALFORMED},
    {"poem/recital/sha256", "\"" HEX63 "F\"", RECITAL_MALFORMED},
    {"poem/recital/sha256", "\"" HEX63 "g\"", RECITAL_MALFORMED},
    {"poem/recital/sha256", "\"" HEX63 " \"", RECITAL_MALFORMED},
    {"poem/recital/sha256", "\"" HEX63 "f\"", RECITAL_WRONG_DIGEST},
    {"poem/recital/proof", "\"\"", RECITAL_MALFORMED},
    {"poem/recital/proof", "false", RECITAL_MALFORMED},
    {"poem/recital/proof", "\"" HEX63 "\"", RECITAL_MALFORMED},
    {"poem/recital/proof", "\"" HEX63 "ff\"", RECITAL_MALFORMED},
    {"poem/recital/proof", "\"" HEX63 "F\"", RECITAL_MALFORMED},
    {"poem/recital/proof", "\"" HEX63 "`\"", RECITAL_MALFORMED},
    {"poem/recital/proof", "\"" HEX63 "/\"", RECITAL_MALFORMED},
    {"poem/recital/proof", "\"" HEX63 "f\"", RECITAL_WRONG_PROOF},
    /* the licence */
    {"poem/recital/licence", "\"\"", RECITAL_MALFORMED},
    {"poem/recital/licence", "null", RECITAL_MALFORMED},
    {"poem/recital/licence", "[\"GPL-2.0-only\"]", RECITAL_MALFORMED},
    {"poem/recital/licence", "\"GPL-2.0-only\\n\"", RECITAL_MALFORMED},
    {"poem/recital/licence", "\"GPL\\t2\"", RECITAL_MALFORMED},
    {"poem/recital/licence", "\"GPL\\u007f\"", RECITAL_MALFORMED},
    {"poem/recital/licence", "\"GPL\\u00e9\"", RECITAL_MALFORMED},
    {"poem/recital/licence", "\"not SPDX at all ~\"", RECITAL_OK},
    {"licence", "\"\"", RECITAL_MALFORMED},
    {"licence", "{}", RECITAL_MALFORMED},
    {"licence", "null", RECITAL_MALFORMED},
    {"licence", "\"a\\u0007b\"", RECITAL_MALFORMED},
    {"licence", "\"MIT\"", RECITAL_OK},
    {"licence", NULL, RECITAL_OK},
    /* what nobody knows is ignored, wherever it is */
    {"poems", "17", RECITAL_OK},
    {"poem/more", "{\"v\":2}", RECITAL_OK},
    {"poem/challenge", "\"no reply has one\"", RECITAL_OK},
    {"poem/recital/more", "[[]]", RECITAL_OK},
    {"poem/recital/nonce", "\"a client's alone\"", RECITAL_OK},
};

START_TEST(one_thing_is_otherwise)
{
    static struct rig_talk t;

    rig_talk_begin(&t);
    rig_alter(rig_caps(t.reply), deviations[_i].place, deviations[_i].value);
    expect(&t, deviations[_i].outcome);
    rig_talk_end(&t);
}
END_TEST

START_TEST(there_are_no_capabilities)
{
    static struct rig_talk t;
    struct recital_reply told;

    rig_talk_begin(&t);
    ck_assert_int_eq(recital_client_judge(&t.client, NULL, &told), RECITAL_MISSING);
    ck_assert(!told.speaks && !told.refrain);
    rig_talk_end(&t);
}
END_TEST

/* ---- lengths at their limits ---- */

static json_t *letters(size_t n)
{
    char *const text = malloc(n);
    json_t *value;

    ck_assert_ptr_nonnull(text);
    memset(text, 'x', n);
    value = json_stringn(text, n);
    free(text);
    ck_assert_ptr_nonnull(value);
    return value;
}

static const struct {
    const char *place;
    size_t n;
    enum recital_outcome outcome;
} lengths[] = {
    {"poem/recital/text", POEM_SIZE_MAX, RECITAL_WRONG_DIGEST},
    {"poem/recital/text", POEM_SIZE_MAX + 1, RECITAL_MALFORMED},
    {"poem/recital/text", 1 << 20, RECITAL_MALFORMED},
    {"poem/recital/licence", 1, RECITAL_OK},
    {"poem/recital/licence", RECITAL_LICENCE_MAX, RECITAL_OK},
    {"poem/recital/licence", RECITAL_LICENCE_MAX + 1, RECITAL_MALFORMED},
    {"poem/recital/proof", 1 << 20, RECITAL_MALFORMED},
    {"licence", RECITAL_LICENCE_MAX, RECITAL_OK},
    {"licence", RECITAL_LICENCE_MAX + 1, RECITAL_MALFORMED},
};

START_TEST(lengths_have_their_limits)
{
    static struct rig_talk t;

    rig_talk_begin(&t);
    rig_set(rig_caps(t.reply), lengths[_i].place, letters(lengths[_i].n));
    expect(&t, lengths[_i].outcome);
    rig_talk_end(&t);
}
END_TEST

/* ---- one bit ---- */

START_TEST(no_bit_of_the_text_may_differ)
{
    static struct rig_talk t;
    char text[POEM_SIZE_MAX];

    rig_talk_begin(&t);
    memcpy(text, poem_builtin.text, poem_builtin.size);
    for (size_t i = 0; i < poem_builtin.size * 8; i++) {
        text[i / 8] = (char)(text[i / 8] ^ 1 << i % 8);
        rig_set(rig_caps(t.reply), "poem/recital/text",
                json_stringn_nocheck(text, poem_builtin.size));
        expect(&t, RECITAL_WRONG_DIGEST);
        text[i / 8] = poem_builtin.text[i / 8];
    }
    rig_talk_end(&t);
}
END_TEST

START_TEST(the_text_may_not_be_cut)
{
    static struct rig_talk t;

    rig_talk_begin(&t);
    for (size_t n = 1; n < poem_builtin.size; n++) {
        rig_set(rig_caps(t.reply), "poem/recital/text", json_stringn(poem_builtin.text, n));
        expect(&t, RECITAL_WRONG_DIGEST);
    }
    rig_talk_end(&t);
}
END_TEST

/* Each digit at the place becomes each other digit. */
static void other_digits(struct rig_talk *t, const char *place, enum recital_outcome outcome)
{
    static const char digits[] = "0123456789abcdef";
    char text[64];

    memcpy(text, json_string_value(rig_get(rig_caps(t->reply), place)), sizeof text);
    for (size_t i = 0; i < sizeof text * 16; i++) {
        const char was = text[i / 16];

        text[i / 16] = digits[i % 16];
        rig_set(rig_caps(t->reply), place, json_stringn(text, sizeof text));
        expect(t, text[i / 16] == was ? RECITAL_OK : outcome);
        text[i / 16] = was;
    }
}

START_TEST(no_digit_may_differ)
{
    static struct rig_talk t;

    rig_talk_begin(&t);
    other_digits(&t, "poem/recital/sha256", RECITAL_WRONG_DIGEST);
    rig_talk_end(&t);
    rig_talk_begin(&t);
    other_digits(&t, "poem/recital/proof", RECITAL_WRONG_PROOF);
    rig_talk_end(&t);
}
END_TEST

START_TEST(no_bit_of_the_challenge_may_differ)
{
    static struct rig_talk t;

    rig_talk_begin(&t);
    for (size_t i = 0; i < RECITAL_RANDOM_SIZE * 8; i++) {
        t.client.challenge[i / 8] = (uint8_t)(t.client.challenge[i / 8] ^ 1 << i % 8);
        expect(&t, RECITAL_WRONG_PROOF);
        t.client.challenge[i / 8] = (uint8_t)(t.client.challenge[i / 8] ^ 1 << i % 8);
    }
    expect(&t, RECITAL_OK);
    rig_talk_end(&t);
}
END_TEST

/* Somebody in between lets the server see another request than the client sent. */
START_TEST(no_bit_of_the_request_may_differ)
{
    static struct rig_talk t;

    rig_talk_begin(&t);
    for (size_t i = 0; i < t.request.n * 8; i++) {
        t.request.p[i / 8] = (uint8_t)(t.request.p[i / 8] ^ 1 << i % 8);
        ck_assert_int_eq(recital_client_sent(&t.client, t.request.p, t.request.n), RECITAL_OK);
        expect(&t, RECITAL_WRONG_PROOF);
        t.request.p[i / 8] = (uint8_t)(t.request.p[i / 8] ^ 1 << i % 8);
    }
    ck_assert_int_eq(recital_client_sent(&t.client, t.request.p, t.request.n - 1), RECITAL_OK);
    expect(&t, RECITAL_WRONG_PROOF);
    rig_talk_end(&t);
}
END_TEST

/* ---- another poem, recited well ---- */

/* The poem with one change, as somebody could have typed it. */
static const struct {
    const char *from;
    const char *to;
} retold[] = {
    {"THE BROKER AT THE DOOR", "The Broker at the Door"},
    {"Two strangers", "two strangers"},
    {"wire and glass", "wire  and glass"},
    {"pass.\n\nI keep", "pass.\n\n\nI keep"},
    {"pass.\n\nI keep", "pass.\r\n\r\nI keep"},
    {"in freedom's name", "in freedom\xe2\x80\x99s name"},
    {"burning at the door.\n", "burning at the door. \n"},
    {"THE BROKER", "\xef\xbb\xbfTHE BROKER"},
};

static void retell(char *out, size_t size, const char *from, const char *to)
{
    const char *const at = strstr(poem_builtin.text, from);

    ck_assert_ptr_nonnull(at);
    snprintf(out, size, "%.*s%s%s", (int)(at - poem_builtin.text), poem_builtin.text, to,
             at + strlen(from));
}

START_TEST(a_poem_that_is_almost_the_same)
{
    static struct rig_talk t;
    char text[POEM_SIZE_MAX];
    struct poem poem;

    retell(text, sizeof text, retold[_i].from, retold[_i].to);
    poem = rig_poem(text);
    rig_talk_begin(&t);
    rig_talk_end(&t);
    /* Digest and proof are right for the text. */
    rig_talk_answer(&t, &poem);
    expect(&t, RECITAL_OTHER_POEM);
    /* The text is the poem, what proves it is not. */
    rig_set(rig_caps(t.reply), "poem/recital/text", json_string(poem_builtin.text));
    expect(&t, RECITAL_WRONG_DIGEST);
    rig_set(rig_caps(t.reply), "poem/recital/sha256",
            json_string("312c54e91ca7216cb2c0f1d1df4e33f16d964d0b2e87eb2d5a31ac3ccba888da"));
    expect(&t, RECITAL_WRONG_PROOF);
    rig_talk_end(&t);
}
END_TEST

START_TEST(a_part_is_not_the_poem)
{
    static struct rig_talk t;
    struct poem part;

    rig_talk_begin(&t);
    rig_talk_end(&t);
    ck_assert_int_eq(poem_read(&part, poem_builtin.text, poem_builtin.size - 1), POEM_OK);
    rig_talk_answer(&t, &part);
    expect(&t, RECITAL_OTHER_POEM);
    rig_talk_end(&t);
    part = rig_poem(poem_builtin.refrain);
    rig_talk_answer(&t, &part);
    expect(&t, RECITAL_OTHER_POEM);
    rig_talk_end(&t);
}
END_TEST

START_TEST(escapes_in_the_text_do_not_matter)
{
    static struct rig_talk t;
    char escaped[2 * POEM_SIZE_MAX];
    char *text;

    rig_talk_begin(&t);
    text = json_dumps(rig_get(rig_caps(t.reply), "poem/recital/text"), JSON_ENCODE_ANY);
    ck_assert_ptr_nonnull(text);
    ck_assert_int_eq(text[1], 'T');
    snprintf(escaped, sizeof escaped, "\"\\u0054%s", text + 2);
    free(text);
    rig_alter(rig_caps(t.reply), "poem/recital/text", escaped);
    expect(&t, RECITAL_OK);
    rig_talk_end(&t);
}
END_TEST

/* ---- of another exchange ---- */

START_TEST(a_recital_of_another_challenge_is_not_taken)
{
    static struct rig_talk t;
    static struct rig_talk later;
    uint8_t challenge[RECITAL_RANDOM_SIZE];

    rig_talk_begin(&t);
    rig_count(challenge, 0x41, sizeof challenge);
    rig_talk_ask(&later, challenge, NULL);
    later.reply = t.reply;
    expect(&later, RECITAL_WRONG_PROOF);
    rig_talk_end(&t);
}
END_TEST

START_TEST(a_recital_of_another_request_is_not_taken)
{
    static struct rig_talk t;
    static struct rig_talk later;
    const struct recital_id self = rig_id(9);

    rig_talk_begin(&t);
    /* The same challenge, by a broker. */
    rig_talk_ask(&later, t.client.challenge, &self);
    later.reply = t.reply;
    expect(&later, RECITAL_WRONG_PROOF);
    rig_talk_end(&t);
}
END_TEST

/* A client's own recital, sent back to it: the label is another. */
START_TEST(a_client_s_recital_is_not_a_server_s)
{
    static struct rig_talk t;
    struct recital_ask ask = {.poem = &poem_builtin, .licence = LICENCE};
    struct recital_client mirror;
    json_t *caps = json_object();

    rig_talk_begin(&t);
    ask.nonce = t.client.challenge;
    ck_assert_int_eq(recital_client_ask(&mirror, &ask, version_0_0, caps), RECITAL_OK);
    rig_set(rig_caps(t.reply), "poem/recital", json_incref(rig_get(caps, "poem/recital")));
    json_decref(caps);
    /* … though all else is as it should be. */
    ck_assert_int_eq(recital_client_sent(&t.client, &version_0_0, sizeof version_0_0), RECITAL_OK);
    expect(&t, RECITAL_WRONG_PROOF);
    rig_talk_end(&t);
}
END_TEST

/* ---- nobody asked ---- */

START_TEST(a_recital_without_challenge)
{
    static struct rig_talk t;

    rig_talk_begin(&t);
    rig_talk_ask(&t, NULL, NULL);
    expect(&t, RECITAL_UNASKED);
    rig_alter(rig_caps(t.reply), "poem/recital", NULL);
    expect(&t, RECITAL_MISSING);
    rig_talk_end(&t);
}
END_TEST

START_TEST(a_client_that_says_nothing)
{
    static struct rig_talk t;
    struct recital_reply told;

    rig_talk_begin(&t);
    recital_client_silent(&t.client);
    expect(&t, RECITAL_UNASKED);
    rig_alter(rig_caps(t.reply), "poem", "{\"v\":1}");
    expect(&t, RECITAL_UNASKED);
    rig_alter(rig_caps(t.reply), "poem", "\"Say this aloud, in freedom's name, and pass.\"");
    ck_assert_int_eq(judge(&t, &told), RECITAL_MISSING);
    ck_assert(told.refrain && !told.speaks);
    ck_assert_str_eq(told.declared, LICENCE);
    rig_alter(rig_caps(t.reply), "poem", NULL);
    ck_assert_int_eq(judge(&t, &told), RECITAL_MISSING);
    ck_assert(!told.refrain && !told.speaks);
    rig_talk_end(&t);
}
END_TEST

/* ---- "via" ---- */

#define ID(digit) digit digit digit digit digit digit digit digit
#define BY(digit) "{\"by\":\"" ID(digit) "\",\"recited\":\"yes\",\"licence\":\"GPL-2.0-only\"}"

static const struct {
    const char *via;
    enum recital_outcome outcome;
    unsigned n;
} vias[] = {
    {"[]", RECITAL_OK, 0},
    {"[" BY("1111") "]", RECITAL_OK, 1},
    {"[{\"by\":\"" ID("1111") "\",\"recited\":\"no\"}]", RECITAL_OK, 1},
    {"[{\"by\":\"" ID("1111") "\",\"recited\":\"no\",\"more\":{}}]", RECITAL_OK, 1},
    {"[" BY("1111") "," BY("2222") "," BY("3333") "," BY("4444") "," BY("5555") "," BY(
         "6666") "," BY("7777") "," BY("8888") "]",
     RECITAL_OK, 8},
    {"[" BY("1111") "," BY("2222") "," BY("3333") "," BY("4444") "," BY("5555") "," BY(
         "6666") "," BY("7777") "," BY("8888") "," BY("9999") "]",
     RECITAL_TOO_MANY, 0},
    {"[" BY("1111") "," BY("2222") "," BY("1111") "]", RECITAL_LOOP, 0},
    {"[" BY("1111") "," BY("1111") "]", RECITAL_LOOP, 0},
    {"[" BY("ffff") "]", RECITAL_LOOP, 0}, /* our own */
    {"[" BY("1111") "," BY("ffff") "]", RECITAL_LOOP, 0},
    {"[" BY("1111") "," BY("1112") "]", RECITAL_OK, 2},
    {"null", RECITAL_MALFORMED, 0},
    {"{}", RECITAL_MALFORMED, 0},
    {"\"" ID("1111") "\"", RECITAL_MALFORMED, 0},
    {"[1]", RECITAL_MALFORMED, 0},
    {"[{}]", RECITAL_MALFORMED, 0},
    {"[\"" ID("1111") "\"]", RECITAL_MALFORMED, 0},
    {"[[" BY("1111") "]]", RECITAL_MALFORMED, 0},
    {"[{\"recited\":\"yes\"}]", RECITAL_MALFORMED, 0},
    {"[{\"by\":7,\"recited\":\"yes\"}]", RECITAL_MALFORMED, 0},
    {"[{\"by\":\"1111\",\"recited\":\"yes\"}]", RECITAL_MALFORMED, 0},
    {"[{\"by\":\"" ID("1111") "1\",\"recited\":\"yes\"}]", RECITAL_MALFORMED, 0},
    {"[" BY("AAAA") "]", RECITAL_MALFORMED, 0},
    {"[" BY("11 1") "]", RECITAL_MALFORMED, 0},
    {"[{\"by\":\"" ID("1111") "\"}]", RECITAL_MALFORMED, 0},
    {"[{\"by\":\"" ID("1111") "\",\"recited\":true}]", RECITAL_MALFORMED, 0},
    {"[{\"by\":\"" ID("1111") "\",\"recited\":\"Yes\"}]", RECITAL_MALFORMED, 0},
    {"[{\"by\":\"" ID("1111") "\",\"recited\":\"\"}]", RECITAL_MALFORMED, 0},
    {"[{\"by\":\"" ID("1111") "\",\"recited\":\"no\",\"licence\":\"\"}]", RECITAL_MALFORMED, 0},
    {"[{\"by\":\"" ID("1111") "\",\"recited\":\"no\",\"licence\":1}]", RECITAL_MALFORMED, 0},
};

START_TEST(what_each_hop_knows_of_the_next)
{
    static struct rig_talk t;
    const struct recital_id self = rig_id(0xff);
    struct recital_reply told;
    uint8_t challenge[RECITAL_RANDOM_SIZE] = {0};

    rig_talk_ask(&t, challenge, &self);
    rig_talk_answer(&t, &poem_builtin);
    rig_alter(rig_caps(t.reply), "poem/via", vias[_i].via);
    expect(&t, vias[_i].outcome);
    if (vias[_i].outcome == RECITAL_OK) {
        ck_assert_int_eq(judge(&t, &told), RECITAL_OK);
        ck_assert_uint_eq(told.via.n, vias[_i].n);
        ck_assert(told.via.n == 0 || told.via.hops[0].by.bytes[15] == 0x11);
        /* Without the recital it is told all the same: somebody has spoken. */
        rig_alter(rig_caps(t.reply), "poem/recital", NULL);
        ck_assert_int_eq(judge(&t, &told), RECITAL_MISSING);
        ck_assert_uint_eq(told.via.n, vias[_i].n);
    }
    rig_talk_end(&t);
}
END_TEST

/* A client that is no broker has no identity that could come back. */
START_TEST(only_a_broker_finds_itself)
{
    static struct rig_talk t;

    rig_talk_begin(&t);
    rig_alter(rig_caps(t.reply), "poem/via", "[{\"by\":\"" ID("0000") "\",\"recited\":\"no\"}]");
    expect(&t, RECITAL_OK);
    rig_talk_end(&t);
}
END_TEST

/* ---- bytes that no JSON value comes of ---- */

/* The reply's JSON with one piece of its text exchanged. */
static const struct {
    const char *from;
    const char *to;
    size_t to_n;
    enum json_outcome outcome;
} raws[] = {
    {"\"v\":1", "\"v\":1,\"v\":1", 11, JSON_DUPLICATE},
    {"\"v\":1", "\"recital\":{},\"v\":1", 18, JSON_DUPLICATE},
    {"\"proof\":", "\"text\":\"\",\"proof\":", 18, JSON_DUPLICATE},
    {"\"licence\":", "\"licence\":\"MIT\",\"licence\":", 26, JSON_DUPLICATE},
    {"\"poem\":", "\"poem\":\"\",\"poem\":", 17, JSON_DUPLICATE},
    {"strangers", "\\u0000", 6, JSON_SYNTAX},
    {"strangers", "s\0rangers", 9, JSON_NUL_INSIDE},
    {"strangers", "stran\xffgers", 10, JSON_SYNTAX},
    {"strangers", "stran\xc0\x80gers", 11, JSON_SYNTAX},
    {"strangers", "stran\xed\xa0\x80gers", 12, JSON_SYNTAX},
    {"strangers", "stran\\ud800gers", 15, JSON_SYNTAX},
    {"strangers", "stran\ngers", 10, JSON_SYNTAX},
    {"strangers", "stran\"gers", 10, JSON_SYNTAX},
};

START_TEST(bytes_that_are_no_json)
{
    static struct rig_talk t;
    char text[4096];
    char altered[4096];
    const char *at;
    size_t n;
    size_t before;
    json_t *json;

    rig_talk_begin(&t);
    n = json_write(t.reply, text, sizeof text);
    ck_assert_uint_gt(n, 0);
    at = strstr(text, raws[_i].from);
    ck_assert_ptr_nonnull(at);
    before = (size_t)(at - text);
    memcpy(altered, text, before);
    memcpy(altered + before, raws[_i].to, raws[_i].to_n);
    at += strlen(raws[_i].from);
    memcpy(altered + before + raws[_i].to_n, at, n - (size_t)(at - text));
    n = n - strlen(raws[_i].from) + raws[_i].to_n;
    ck_assert_int_eq(json_read(altered, n, &json), raws[_i].outcome);
    rig_talk_end(&t);
}
END_TEST

/* ---- outcomes ---- */

START_TEST(every_outcome_has_text_and_errno)
{
    for (int o = RECITAL_OK; o <= RECITAL_NO_MEMORY; o++) {
        ck_assert_ptr_nonnull(recital_text((enum recital_outcome)o));
        ck_assert((recital_errno((enum recital_outcome)o) == 0) == (o == RECITAL_OK));
        for (int other = 0; other < o; other++) {
            ck_assert_str_ne(recital_text((enum recital_outcome)o),
                             recital_text((enum recital_outcome)other));
        }
    }
    ck_assert_int_eq(recital_errno(RECITAL_MALFORMED), EPROTO);
    ck_assert_int_eq(recital_errno(RECITAL_WRONG_PROOF), EACCES);
    ck_assert_int_eq(recital_errno(RECITAL_LOOP), ELOOP);
    ck_assert_int_eq(recital_errno(RECITAL_TOO_LONG), EMSGSIZE);
}
END_TEST

static void add_exchange_tests(Suite *s)
{
    TCase *tc = unit_case(s, "other exchanges");

    tcase_add_loop_test(tc, a_poem_that_is_almost_the_same, 0, ROWS(retold));
    tcase_add_test(tc, a_part_is_not_the_poem);
    tcase_add_test(tc, escapes_in_the_text_do_not_matter);
    tcase_add_test(tc, a_recital_of_another_challenge_is_not_taken);
    tcase_add_test(tc, a_recital_of_another_request_is_not_taken);
    tcase_add_test(tc, a_client_s_recital_is_not_a_server_s);
    tcase_add_test(tc, a_recital_without_challenge);
    tcase_add_test(tc, a_client_that_says_nothing);
}

/* Beside the recital, beside a refrain, alone; and twice. */
START_TEST(a_via_in_another_place_is_read)
{
    static const char via[] = "[{\"by\":\"" ID("0000") "\",\"recited\":\"no\"}]";
    static const char *const poems[] = {"{\"v\":1}", "\"Say this aloud.\"", NULL};
    static struct rig_talk t;
    struct recital_reply told;

    rig_talk_begin(&t);
    rig_alter(rig_caps(t.reply), "via", via);
    ck_assert_int_eq(judge(&t, &told), RECITAL_OK);
    ck_assert_uint_eq(told.via.n, 1);
    rig_alter(rig_caps(t.reply), "poem/via", via);
    ck_assert_int_eq(judge(&t, &told), RECITAL_MALFORMED);
    ck_assert_uint_eq(told.via.n, 0);
    for (size_t i = 0; i < sizeof poems / sizeof *poems; i++) {
        rig_alter(rig_caps(t.reply), "poem", poems[i]);
        ck_assert_int_eq(judge(&t, &told), RECITAL_MISSING);
        ck_assert_uint_eq(told.via.n, 1);
    }
    rig_alter(rig_caps(t.reply), "via", "7");
    expect(&t, RECITAL_MALFORMED);
    recital_strip(rig_caps(t.reply));
    ck_assert_ptr_null(json_object_get(rig_caps(t.reply), "via"));
    rig_talk_end(&t);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("recital_reply");
    TCase *tc = unit_case(s, "replies");

    tcase_add_test(tc, a_good_recital);
    tcase_add_loop_test(tc, one_thing_is_otherwise, 0, ROWS(deviations));
    tcase_add_test(tc, there_are_no_capabilities);
    tcase_add_loop_test(tc, lengths_have_their_limits, 0, ROWS(lengths));
    tcase_add_loop_test(tc, bytes_that_are_no_json, 0, ROWS(raws));
    tcase_add_test(tc, every_outcome_has_text_and_errno);
    tc = unit_case(s, "one bit");
    tcase_add_test(tc, no_bit_of_the_text_may_differ);
    tcase_add_test(tc, the_text_may_not_be_cut);
    tcase_add_test(tc, no_digit_may_differ);
    tcase_add_test(tc, no_bit_of_the_challenge_may_differ);
    tcase_add_test(tc, no_bit_of_the_request_may_differ);
    add_exchange_tests(s);
    tc = unit_case(s, "via");
    tcase_add_loop_test(tc, what_each_hop_knows_of_the_next, 0, ROWS(vias));
    tcase_add_test(tc, a_via_in_another_place_is_read);
    tcase_add_test(tc, only_a_broker_finds_itself);
    return unit_run(s);
}
