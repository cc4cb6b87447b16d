/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The edu device's VERSION negotiation: each proposal and what becomes of it. */
#include "contrib/edu/negotiate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "handshake/json.h"
#include "tests/support/unit.h"

static const struct negotiate_caps ours = {.max_msg_fds = 8,
                                           .max_data_xfer_size = 65536,
                                           .max_dma_maps = 100,
                                           .pgsizes = ~UINT64_C(4095),
                                           .max_bitmap_size = 1024,
                                           .write_multiple = true,
                                           .migration = true,
                                           .twin_socket = true};

/* Packs a proposal; json without its NUL, n bytes. Returns the message's size. */
static size_t pack(uint8_t *out, uint16_t major, uint16_t minor, const char *json, size_t n)
{
    const struct wire_version v = {.major = major, .minor = minor};
    const struct wire_hdr hdr = {
        .id = 5, .command = WIRE_VERSION, .size = (uint32_t)(WIRE_HDR_SIZE + sizeof v + n)};

    wire_put_hdr(out, &hdr);
    memcpy(wire_put(out + WIRE_HDR_SIZE, &v, sizeof v), json, n);
    return hdr.size;
}

/* A device that knows nothing of poems. */
static const struct negotiate_reciter silent;

static int propose(const char *json, struct negotiate_result *r)
{
    static uint8_t message[2 * LIMIT_VERSION_JSON];

    return edu_negotiate(&ours, &silent, message, pack(message, 0, 0, json, strlen(json) + 1), r);
}

static const struct {
    const char *offer;
    const char *answer;
} good[] = {
    {"{}", "{}"},
    {" {\n} ", "{}"},
    {"{\"capabilities\":{}}", "{\"capabilities\":{}}"},
    {"{\"other\":1,\"capabilities\":{\"new\":{\"x\":[]}}}", "{\"capabilities\":{}}"},
    {"{\"capabilities\":{\"max_msg_fds\":16}}", "{\"capabilities\":{\"max_msg_fds\":8}}"},
    {"{\"capabilities\":{\"max_msg_fds\":1}}", "{\"capabilities\":{\"max_msg_fds\":1}}"},
    {"{\"capabilities\":{\"max_msg_fds\":0}}", "{\"capabilities\":{\"max_msg_fds\":0}}"},
    {"{\"capabilities\":{\"max_data_xfer_size\":9223372036854775807}}",
     "{\"capabilities\":{\"max_data_xfer_size\":65536}}"},
    {"{\"capabilities\":{\"max_dma_maps\":65535}}", "{\"capabilities\":{\"max_dma_maps\":100}}"},
    {"{\"capabilities\":{\"pgsizes\":2101248}}", "{\"capabilities\":{\"pgsizes\":2101248}}"},
    {"{\"capabilities\":{\"pgsizes\":4097}}", "{\"capabilities\":{\"pgsizes\":4096}}"},
    {"{\"capabilities\":{\"migration\":{}}}", "{\"capabilities\":{\"migration\":{}}}"},
    {"{\"capabilities\":{\"migration\":{\"max_bitmap_size\":512,\"pgsize\":65536}}}",
     "{\"capabilities\":{\"migration\":{\"max_bitmap_size\":512,\"pgsize\":4096}}}"},
    {"{\"capabilities\":{\"write_multiple\":true}}",
     "{\"capabilities\":{\"write_multiple\":true}}"},
    {"{\"capabilities\":{\"write_multiple\":false}}", "{\"capabilities\":{}}"},
    {"{\"capabilities\":{\"twin_socket\":{\"supported\":false}}}", "{\"capabilities\":{}}"},
    {"{\"capabilities\":{\"twin_socket\":{}}}", "{\"capabilities\":{}}"},
    {"{\"capabilities\":{\"twin_socket\":{\"supported\":true},\"max_msg_fds\":0}}",
     "{\"capabilities\":{\"max_msg_fds\":0}}"},
    /* QEMU 11.1's own. */
    {"{\"capabilities\": {\"pgsizes\": 4096, \"max_msg_fds\": 16, \"max_dma_maps\": 65535, "
     "\"max_data_xfer_size\": 1048576, \"migration\": {\"max_bitmap_size\": 268435456, \"pgsize\": "
     "4096}, \"write_multiple\": true}}",
     "{\"capabilities\":{\"max_msg_fds\":8,\"max_data_xfer_size\":65536,\"max_dma_maps\":100,"
     "\"pgsizes\":4096,\"migration\":{\"max_bitmap_size\":1024,\"pgsize\":4096},"
     "\"write_multiple\":true}}"},
};

START_TEST(agreed)
{
    struct negotiate_result r;

    ck_assert_int_eq(propose(good[_i].offer, &r), 0);
    ck_assert_str_eq(r.json, good[_i].answer);
    ck_assert_msg(strlen(r.json) <= strlen(good[_i].offer), "longer than %s", good[_i].offer);
    ck_assert_uint_eq(r.version.major, 0);
    ck_assert_uint_eq(r.version.minor, 0);
    negotiate_deinit(&r);
}
END_TEST

START_TEST(twin_socket)
{
    struct negotiate_result r;

    ck_assert_int_eq(propose("{\"capabilities\":{\"twin_socket\":{\"supported\":true}}}", &r), 0);
    ck_assert_str_eq(r.json,
                     "{\"capabilities\":{\"twin_socket\":{\"supported\":true,\"fd_index\":0}}}");
    ck_assert(r.device.twin_socket);
    negotiate_deinit(&r);
}
END_TEST

/* Nothing said: the page's defaults hold, on both sides. */
START_TEST(defaults)
{
    struct negotiate_result r;

    ck_assert_int_eq(propose("{}", &r), 0);
    ck_assert_uint_eq(r.client.max_msg_fds, 1);
    ck_assert_uint_eq(r.client.max_data_xfer_size, 1048576);
    ck_assert_uint_eq(r.device.max_msg_fds, 1);
    ck_assert_uint_eq(r.device.max_data_xfer_size, 1048576);
    ck_assert(!r.device.write_multiple);
    ck_assert(!r.device.twin_socket);
    negotiate_deinit(&r);
}
END_TEST

START_TEST(limits)
{
    struct negotiate_result r;

    ck_assert_int_eq(propose("{\"capabilities\":{\"max_msg_fds\":16,\"max_data_xfer_size\":4096,"
                             "\"write_multiple\":true}}",
                             &r),
                     0);
    ck_assert_uint_eq(r.client.max_msg_fds, 16);
    ck_assert_uint_eq(r.client.max_data_xfer_size, 4096);
    ck_assert_uint_eq(r.device.max_msg_fds, 8);
    ck_assert_uint_eq(r.device.max_data_xfer_size, 4096);
    ck_assert(r.device.write_multiple);
    negotiate_deinit(&r);
}
END_TEST

START_TEST(without_json)
{
    uint8_t message[20];
    struct negotiate_result r;

    ck_assert_int_eq(edu_negotiate(&ours, &silent, message, pack(message, 0, 2, "", 0), &r), 0);
    ck_assert_ptr_null(r.json);
    ck_assert_uint_eq(r.version.minor, 0);
    ck_assert_uint_eq(r.client.max_msg_fds, 1);
    negotiate_deinit(&r);
}
END_TEST

static const char *const bad[] = {
    "",
    "[]",
    "1",
    "{",
    "{}x",
    "{\"capabilities\":[]}",
    "{\"capabilities\":null}",
    "{\"capabilities\":{},\"capabilities\":{}}",
    "{\"capabilities\":{\"max_msg_fds\":1,\"max_msg_fds\":1}}",
    "{\"capabilities\":{\"max_msg_fds\":-1}}",
    "{\"capabilities\":{\"max_msg_fds\":\"8\"}}",
    "{\"capabilities\":{\"max_msg_fds\":8.0}}",
    "{\"capabilities\":{\"max_data_xfer_size\":0}}",
    "{\"capabilities\":{\"max_dma_maps\":0}}",
    "{\"capabilities\":{\"pgsizes\":2048}}",
    "{\"capabilities\":{\"migration\":true}}",
    "{\"capabilities\":{\"migration\":{\"pgsize\":\"x\"}}}",
    "{\"capabilities\":{\"write_multiple\":1}}",
    "{\"capabilities\":{\"twin_socket\":true}}",
    "{\"capabilities\":{\"twin_socket\":{\"supported\":1}}}",
    "{\"x\":\"\xff\"}",
};

START_TEST(refused)
{
    struct negotiate_result r;

    ck_assert_msg(propose(bad[_i], &r) == -EINVAL, "%s", bad[_i]);
}
END_TEST

START_TEST(terminator)
{
    uint8_t message[80];
    struct negotiate_result r;

    /* Without its NUL, with more of them, with something behind it. */
    ck_assert_int_eq(edu_negotiate(&ours, &silent, message, pack(message, 0, 0, "{}", 2), &r),
                     -EINVAL);
    ck_assert_int_eq(edu_negotiate(&ours, &silent, message, pack(message, 0, 0, "{}\0\0", 4), &r),
                     0);
    negotiate_deinit(&r);
    ck_assert_int_eq(edu_negotiate(&ours, &silent, message, pack(message, 0, 0, "{}\0x\0", 5), &r),
                     -EINVAL);
}
END_TEST

START_TEST(numbers)
{
    uint8_t message[24];
    struct negotiate_result r;

    ck_assert_int_eq(edu_negotiate(&ours, &silent, message, pack(message, 1, 0, "{}", 3), &r),
                     -ENOTSUP);
    ck_assert_int_eq(edu_negotiate(&ours, &silent, message, 19, &r), -EINVAL);
    ck_assert_int_eq(edu_negotiate(&ours, &silent, message, 16, &r), -EINVAL);
}
END_TEST

/* A proposal of the largest size, and one byte more. */
START_TEST(size)
{
    static char json[LIMIT_VERSION_JSON + 2];
    struct negotiate_result r;

    memset(json, ' ', sizeof json);
    json[0] = '{';
    json[LIMIT_VERSION_JSON - 2] = '}';
    json[LIMIT_VERSION_JSON - 1] = '\0';
    ck_assert_int_eq(propose(json, &r), 0);
    negotiate_deinit(&r);
    json[LIMIT_VERSION_JSON - 1] = ' ';
    json[LIMIT_VERSION_JSON] = '\0';
    ck_assert_int_eq(propose(json, &r), -EINVAL);
}
END_TEST

/* ---- the recital ---- */

/* A request that asks for the poem, and what the device makes of it; returns what is told. */
static int ask_for_poem(const struct negotiate_reciter *reciter, struct recital_reply *told,
                        enum recital_outcome *judged)
{
    static const uint8_t challenge[RECITAL_RANDOM_SIZE] = {1, 2, 3};
    const struct recital_ask ask = {.poem = &poem_builtin, .challenge = challenge};
    static uint8_t message[2 * LIMIT_VERSION_JSON];
    char text[1024];
    struct recital_client client;
    struct negotiate_result r;
    json_t *caps = json_object();
    json_t *json = json_pack("{s:o}", "capabilities", caps);
    size_t n;
    int err;

    ck_assert_int_eq(recital_client_ask(&client, &ask, (struct wire_version){0, 0}, caps),
                     RECITAL_OK);
    n = json_write(json, text, sizeof text);
    json_decref(json);
    ck_assert_uint_gt(n, 0);
    n = pack(message, 0, 0, text, n);
    ck_assert_int_eq(recital_client_sent(&client, message, n), RECITAL_OK);
    err = edu_negotiate(&ours, reciter, message, n, &r);
    if (err) {
        return err;
    }
    ck_assert_int_eq(json_read(r.json, strlen(r.json) + 1, &json), JSON_OK);
    *judged = recital_client_judge(&client, json_object_get(json, "capabilities"), told);
    json_decref(json);
    negotiate_deinit(&r);
    return 0;
}

START_TEST(recites)
{
    const struct negotiate_reciter reciter = {
        .poem = &poem_builtin, .recite = true, .licence = "GPL-2.0-only"};
    struct recital_reply told;
    enum recital_outcome judged;

    ck_assert_int_eq(ask_for_poem(&reciter, &told, &judged), 0);
    ck_assert_int_eq(judged, RECITAL_OK);
    ck_assert_str_eq(told.licence, "GPL-2.0-only");
    ck_assert_str_eq(told.declared, "GPL-2.0-only");
    ck_assert_uint_eq(told.via.n, 0);
}
END_TEST

START_TEST(declares)
{
    const struct negotiate_reciter reciter = {.poem = &poem_builtin, .licence = "MIT"};
    struct recital_reply told;
    enum recital_outcome judged;

    ck_assert_int_eq(ask_for_poem(&reciter, &told, &judged), 0);
    ck_assert_int_eq(judged, RECITAL_MISSING);
    ck_assert(told.speaks);
    ck_assert_str_eq(told.declared, "MIT");
}
END_TEST

START_TEST(knows_nothing_of_poems)
{
    struct recital_reply told;
    enum recital_outcome judged;

    ck_assert_int_eq(ask_for_poem(&silent, &told, &judged), 0);
    ck_assert_int_eq(judged, RECITAL_MISSING);
    ck_assert(!told.speaks);
    ck_assert_str_eq(told.declared, "");
}
END_TEST

/* Every newline of it becomes two bytes of JSON, every control byte six. */
START_TEST(recites_too_much)
{
    static char text[POEM_SIZE_MAX];
    struct poem poem;
    const struct negotiate_reciter reciter = {.poem = &poem, .recite = true, .licence = "MIT"};
    struct recital_reply told;
    enum recital_outcome judged;

    memset(text, '\x01', sizeof text);
    ck_assert_int_eq(poem_read(&poem, text, sizeof text), POEM_OK);
    ck_assert_int_eq(ask_for_poem(&reciter, &told, &judged), -EMSGSIZE);
    memset(text, 'x', sizeof text);
    ck_assert_int_eq(poem_read(&poem, text, sizeof text), POEM_OK);
    ck_assert_int_eq(ask_for_poem(&reciter, &told, &judged), 0);
    ck_assert_int_eq(judged, RECITAL_OTHER_POEM);
}
END_TEST

START_TEST(asked_in_a_way_that_is_none)
{
    static const char json[] = "{\"capabilities\":{\"poem\":{\"v\":\"1\"}}}";
    const struct negotiate_reciter reciter = {
        .poem = &poem_builtin, .recite = true, .licence = "GPL-2.0-only"};
    uint8_t message[128];
    struct negotiate_result r;

    ck_assert_int_eq(
        edu_negotiate(&ours, &reciter, message, pack(message, 0, 0, json, sizeof json), &r),
        -EPROTO);
    ck_assert_int_eq(
        edu_negotiate(&ours, &silent, message, pack(message, 0, 0, json, sizeof json), &r), 0);
    ck_assert_str_eq(r.json, "{\"capabilities\":{}}");
    negotiate_deinit(&r);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("edu negotiation");
    TCase *tc = unit_case(s, "negotiation");

    tcase_add_loop_test(tc, agreed, 0, sizeof good / sizeof *good);
    tcase_add_test(tc, twin_socket);
    tcase_add_test(tc, defaults);
    tcase_add_test(tc, limits);
    tcase_add_test(tc, without_json);
    tcase_add_loop_test(tc, refused, 0, sizeof bad / sizeof *bad);
    tcase_add_test(tc, terminator);
    tcase_add_test(tc, numbers);
    tcase_add_test(tc, size);
    tc = unit_case(s, "recital");
    tcase_add_test(tc, recites);
    tcase_add_test(tc, declares);
    tcase_add_test(tc, knows_nothing_of_poems);
    tcase_add_test(tc, recites_too_much);
    tcase_add_test(tc, asked_in_a_way_that_is_none);
    return unit_run(s);
}
