/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The vectors of PROTOCOL.poem, section 9: what the code writes is on the page, byte by byte, and
 * what is on the page the code takes. tests/vectors/run computes them without the code. Messages
 * are in the host's byte order, so this holds on little-endian machines.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/unit.h"
#include "tests/unit/handshake/recital_rig.h"

/* ---- the page ---- */

static void take_line(const char *line, struct rig_message *out)
{
    unsigned byte;

    for (const char *at = line + 4; sscanf(at, "%2x", &byte) == 1; at += 2) {
        ck_assert_uint_lt(out->n, sizeof out->p);
        out->p[out->n++] = (uint8_t)byte;
    }
}

/* The bytes under "  NAME, N bytes:", each line of them behind four blanks. */
static void read_page(const char *name, struct rig_message *out)
{
    FILE *const f = fopen(SOURCE_DIR "/docs/PROTOCOL.poem", "r");
    char line[256];
    char head[64];
    bool inside = false;

    ck_assert_ptr_nonnull(f);
    snprintf(head, sizeof head, "  %s, ", name);
    out->n = 0;
    while (fgets(line, sizeof line, f)) {
        if (inside && strncmp(line, "    ", 4) != 0) {
            break;
        }
        if (inside) {
            take_line(line, out);
        }
        inside = inside || strncmp(line, head, strlen(head)) == 0;
    }
    fclose(f);
}

/* Fails with what the page should say where it says something else. */
static void check_page(const char *name, const struct rig_message *made)
{
    static struct rig_message page;

    read_page(name, &page);
    if (page.n == made->n && memcmp(page.p, made->p, made->n) == 0) {
        return;
    }
    fprintf(stderr, "  %s, %zu bytes:", name, made->n);
    for (size_t i = 0; i < made->n; i++) {
        fprintf(stderr, "%s%02x", i % 44 == 0 ? "\n    " : "", made->p[i]);
    }
    fprintf(stderr, "\n\n");
    ck_abort_msg("the page has other bytes for %s", name);
}

/* ---- messages ---- */

/* Writes the JSON, which is taken. */
static void write_message(json_t *json, bool reply, struct rig_message *out)
{
    rig_write(json, (struct wire_version){0, 0}, reply, out);
    json_decref(json);
}

static json_t *request_json(void)
{
    json_t *json = json_pack("{s:{s:i}}", "capabilities", "max_msg_fds", 16);

    ck_assert_ptr_nonnull(json);
    return json;
}

/* ---- a server recites; with brokers between, in vector 3 ---- */

struct exchange {
    const char *request_name;
    const char *reply_name;
    bool brokers;
};

static const struct exchange exchanges[] = {
    {"request 1", "reply 1", false},
    {"request 3", "reply 3", true},
};

static void ask(struct recital_client *c, const struct exchange *x, struct rig_message *out)
{
    const struct recital_through through = {.n = 1, .ids = {rig_id(0xaa)}};
    const struct recital_id self = rig_id(0xbb);
    struct recital_ask ask = {.poem = &poem_builtin};
    uint8_t challenge[RECITAL_RANDOM_SIZE];
    json_t *json = request_json();

    rig_count(challenge, 0x00, sizeof challenge);
    ask.challenge = challenge;
    if (x->brokers) {
        ask.through = &through;
        ask.self = &self;
    }
    ck_assert_int_eq(recital_client_ask(c, &ask, (struct wire_version){0, 0},
                                        json_object_get(json, "capabilities")),
                     RECITAL_OK);
    write_message(json, false, out);
    ck_assert_int_eq(recital_client_sent(c, out->p, out->n), RECITAL_OK);
}

static void answer(const struct exchange *x, const struct rig_message *request,
                   struct rig_message *out)
{
    const struct recital_via via = {
        .n = 2,
        .hops = {{.by = rig_id(0xcc), .recited = true, .licence = "GPL-2.0-or-later"},
                 {.by = rig_id(0xdd), .recited = false, .licence = "BSD-3-Clause"}}};
    const struct recital_answer answer = {.poem = &poem_builtin,
                                          .recite = true,
                                          .licence = "GPL-2.0-or-later",
                                          .via = x->brokers ? &via : NULL};
    struct recital_request asked;
    json_t *json = rig_json(request);
    json_t *reply = request_json();

    ck_assert_int_eq(recital_request_read(&asked, &poem_builtin, request->p, request->n,
                                          json_object_get(json, "capabilities"), NULL),
                     RECITAL_OK);
    ck_assert_int_eq(recital_reply_add(&asked, &answer, json_object_get(reply, "capabilities")),
                     RECITAL_OK);
    json_decref(json);
    write_message(reply, true, out);
}

START_TEST(a_server_recites)
{
    const struct exchange *const x = &exchanges[_i];
    static struct rig_message request;
    static struct rig_message reply;
    struct recital_client c;
    struct recital_reply told;
    json_t *json;

    ask(&c, x, &request);
    check_page(x->request_name, &request);
    answer(x, &request, &reply);
    check_page(x->reply_name, &reply);

    json = rig_json(&reply);
    ck_assert_int_eq(recital_client_judge(&c, json_object_get(json, "capabilities"), &told),
                     RECITAL_OK);
    ck_assert_str_eq(told.licence, "GPL-2.0-or-later");
    ck_assert_uint_eq(told.via.n, x->brokers ? 2 : 0);
    json_decref(json);
}
END_TEST

/* ---- a client recites ---- */

START_TEST(a_client_recites)
{
    struct recital_ask ask = {.poem = &poem_builtin, .licence = "GPL-2.0-only"};
    uint8_t nonce[RECITAL_RANDOM_SIZE];
    static struct rig_message request;
    struct recital_client c;
    struct recital_request asked;
    json_t *json = request_json();

    rig_count(nonce, 0x20, sizeof nonce);
    ask.nonce = nonce;
    ck_assert_int_eq(recital_client_ask(&c, &ask, (struct wire_version){0, 0},
                                        json_object_get(json, "capabilities")),
                     RECITAL_OK);
    write_message(json, false, &request);
    check_page("request 2", &request);

    json = rig_json(&request);
    ck_assert_int_eq(recital_request_read(&asked, &poem_builtin, request.p, request.n,
                                          json_object_get(json, "capabilities"), NULL),
                     RECITAL_OK);
    ck_assert_int_eq(asked.recital, RECITAL_OK);
    ck_assert_str_eq(asked.licence, "GPL-2.0-only");
    json_decref(json);
}
END_TEST

/* ---- the refrain, in the room of a stock QEMU ---- */

START_TEST(the_refrain_is_said_to_a_stock_qemu)
{
    static const char device[] =
        "{\"capabilities\":{\"max_msg_fds\":16,\"max_data_xfer_size\":1048576,\"max_dma_maps\":512,"
        "\"pgsizes\":4096,\"migration\":{\"max_bitmap_size\":268435456,\"pgsize\":4096},"
        "\"write_multiple\":true}}";
    static struct rig_message request;
    static struct rig_message reply;
    json_t *json = json_loads(device, JSON_REJECT_DUPLICATES, NULL);

    read_page("request 4", &request);
    ck_assert_uint_eq(request.n, 214);
    json_decref(rig_json(&request));
    ck_assert_int_eq(recital_fit(json, request.n - 20, poem_builtin.refrain), RECITAL_FITS);
    write_message(json, true, &reply);
    ck_assert_uint_le(reply.n, request.n);
    check_page("reply 4", &reply);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("recital_vectors");
    TCase *tc = unit_case(s, "vectors");

    tcase_add_loop_test(tc, a_server_recites, 0, sizeof exchanges / sizeof exchanges[0]);
    tcase_add_test(tc, a_client_recites);
    tcase_add_test(tc, the_refrain_is_said_to_a_stock_qemu);
    return unit_run(s);
}
