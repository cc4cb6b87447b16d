/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Licences with an exception: in full to clients that accept them, without it to others, which
 * compare licences with a list of four. PROTOCOL.poem, section 6.
 */
#include <stdio.h>

#include "tests/support/unit.h"
#include "tests/unit/handshake/recital_rig.h"

#define HEX32 "000102030405060708090a0b0c0d0e0f"
#define HEX64 HEX32 HEX32
#define REQUEST(inner) "{\"capabilities\":{\"poem\":{\"v\":1" inner "}}}"

static enum recital_outcome with_read_json(json_t *json, struct recital_request *asked)
{
    static struct rig_message message;

    rig_write(json, (struct wire_version){0, 0}, false, &message);
    return recital_request_read(asked, &poem_builtin, message.p, message.n,
                                json_object_get(json, "capabilities"), NULL);
}

static enum recital_outcome with_read(const char *text, struct recital_request *asked)
{
    json_t *json = rig_parse(text);
    const enum recital_outcome o = with_read_json(json, asked);

    json_decref(json);
    return o;
}

/* How a licence with an exception is written to clients that accept exceptions, and to others. */
static const struct {
    const char *licence, *plain;
} excepted[] = {
    {RECITAL_LICENCE_OWN, "GPL-2.0-or-later"},
    {"GPL-2.0-only WITH vsftpd-openssl-exception", "GPL-2.0-only"},
    {"GPL-2.0-only", "GPL-2.0-only"},
    /* An exception that does anything else, and expressions of several licences, are left. */
    {"GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-only WITH Classpath-exception-2.0"},
    {"GPL-2.0-only WITH openssl-exception", "GPL-2.0-only WITH openssl-exception"},
    {"MIT AND GPL-2.0-only WITH x-OpenSSL-exception",
     "MIT AND GPL-2.0-only WITH x-OpenSSL-exception"},
    {"(GPL-2.0-only WITH x-OpenSSL-exception)", "(GPL-2.0-only WITH x-OpenSSL-exception)"},
};

START_TEST(an_exception_is_written_to_clients_that_accept_one)
{
    static const char *const words[] = {"", ",\"with\":false", ",\"with\":true"};
    struct recital_via via = {.n = 1, .hops = {{.by = rig_id(0x11), .recited = true}}};
    const struct recital_answer said = {
        .poem = &poem_builtin, .recite = true, .licence = excepted[_i].licence, .via = &via};

    snprintf(via.hops[0].licence, sizeof via.hops[0].licence, "%s", excepted[_i].licence);
    for (int i = 0; i < 3; i++) {
        const char *expected = i == 2 ? excepted[_i].licence : excepted[_i].plain;
        struct recital_request asked;
        json_t *caps = json_object();
        char request[512];
        const char *own, *recited, *behind;

        snprintf(request, sizeof request, REQUEST(",\"challenge\":\"" HEX64 "\"%s"), words[i]);
        ck_assert_int_eq(with_read(request, &asked), RECITAL_OK);
        ck_assert_int_eq(recital_reply_add(&asked, &said, caps), RECITAL_OK);
        ck_assert_int_eq(json_unpack(caps, "{s:s,s:{s:{s:s},s:[{s:s}]}}", "licence", &own, "poem",
                                     "recital", "licence", &recited, "via", "licence", &behind),
                         0);
        ck_assert_str_eq(own, expected);
        ck_assert_str_eq(recited, expected);
        ck_assert_str_eq(behind, expected);
        json_decref(caps);
    }
}
END_TEST

START_TEST(a_client_states_whether_it_accepts_exceptions)
{
    struct recital_ask ask = {.poem = &poem_builtin, .with = true};
    struct recital_client c;
    struct recital_request asked;
    json_t *json = rig_parse("{\"capabilities\":{}}");

    ck_assert_int_eq(recital_client_ask(&c, &ask, (struct wire_version){0, 0}, rig_caps(json)),
                     RECITAL_OK);
    ck_assert_int_eq(with_read_json(json, &asked), RECITAL_OK);
    ck_assert(asked.with);
    json_decref(json);
    ck_assert_int_eq(with_read(REQUEST(",\"with\":1"), &asked), RECITAL_MALFORMED);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("recital_with");
    TCase *tc = unit_case(s, "exceptions");

    tcase_add_loop_test(tc, an_exception_is_written_to_clients_that_accept_one, 0,
                        sizeof excepted / sizeof *excepted);
    tcase_add_test(tc, a_client_states_whether_it_accepts_exceptions);
    return unit_run(s);
}
