/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * VERSION with recitals and challenges, by handshake/recital.h.
 */
#include "tests/daemon/reciting.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "handshake/version.h"
#include "tests/support/peer.h"

static json_t *parse(const struct message *m)
{
    json_t *json;

    ck_assert_uint_gt(m->n, sizeof(struct wire_version));
    ck_assert_int_eq(json_read(m->payload + sizeof(struct wire_version),
                               m->n - sizeof(struct wire_version), &json),
                     JSON_OK);
    return json;
}

static void send_json(int fd, uint32_t flags, json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);

    peer_send_version(fd, RECITING_ID, flags, text, NULL);
    free(text);
}

/* The whole bytes of a message, as they crossed the socket. */
static size_t bytes_of(const struct message *m, uint8_t *out, size_t room)
{
    ck_assert_uint_le(WIRE_HDR_SIZE + m->n, room);
    wire_put_hdr(out, &m->hdr);
    memcpy(out + WIRE_HDR_SIZE, m->payload, m->n);
    return WIRE_HDR_SIZE + m->n;
}

void reciting_backend(int fd, const struct poem *poem, const char *licence, bool *challenged)
{
    reciting_backend_declares(fd, poem, licence, NULL, challenged);
}

void reciting_backend_declares(int fd, const struct poem *poem, const char *licence,
                               const char *declared, bool *challenged)
{
    const struct recital_answer answer = {.poem = poem, .recite = poem != NULL, .licence = licence};
    struct recital_request asked;
    struct message m;
    uint8_t bytes[4096];
    json_t *request;
    json_t *reply = json_pack("{s:{s:i}}", "capabilities", "max_msg_fds", 8);

    peer_recv(fd, &m);
    request = parse(&m);
    ck_assert_int_eq(recital_request_read(&asked, poem ? poem : &poem_builtin, bytes,
                                          bytes_of(&m, bytes, sizeof bytes),
                                          json_object_get(request, "capabilities"), NULL),
                     RECITAL_OK);
    *challenged = asked.challenged;
    if (poem) {
        ck_assert_int_eq(recital_reply_add(&asked, &answer, json_object_get(reply, "capabilities")),
                         RECITAL_OK);
    }
    if (declared) {
        json_object_set_new(json_object_get(reply, "capabilities"), "licence",
                            json_string(declared));
    }
    send_json(fd, WIRE_TYPE_REPLY, reply);
    json_decref(request);
    json_decref(reply);
    message_deinit(&m);
}

void reciting_client(int fd, struct recital_client *c, const struct poem *poem, bool challenge,
                     const char *licence)
{
    static const uint8_t random[RECITAL_RANDOM_SIZE] = {1, 2, 3};
    const struct recital_ask ask = {.poem = poem,
                                    .challenge = challenge ? random : NULL,
                                    .nonce = licence ? random : NULL,
                                    .licence = licence};
    const struct wire_version number = {0, 0};
    json_t *json = json_pack("{s:{s:i}}", "capabilities", "max_msg_fds", 16);
    uint8_t bytes[8192];
    char *text;
    struct wire_hdr hdr = {.id = RECITING_ID, .command = WIRE_VERSION};

    ck_assert_int_eq(recital_client_ask(c, &ask, number, json_object_get(json, "capabilities")),
                     RECITAL_OK);
    text = json_dumps(json, JSON_COMPACT);
    hdr.size = (uint32_t)(WIRE_HDR_SIZE + sizeof number + strlen(text) + 1);
    ck_assert_uint_le(hdr.size, sizeof bytes);
    memcpy(wire_put(wire_put(bytes, &hdr, sizeof hdr), &number, sizeof number), text,
           strlen(text) + 1);
    ck_assert_int_eq(recital_client_sent(c, bytes, hdr.size), RECITAL_OK);
    peer_send_raw(fd, bytes, hdr.size, NULL);
    free(text);
    json_decref(json);
}

enum recital_outcome reciting_judge(int fd, const struct recital_client *c,
                                    struct recital_reply *told)
{
    enum recital_outcome o;
    struct message m;
    json_t *json;

    peer_recv(fd, &m);
    ck_assert_uint_eq(m.hdr.flags, WIRE_TYPE_REPLY);
    json = parse(&m);
    o = recital_client_judge(c, json_object_get(json, "capabilities"), told);
    json_decref(json);
    message_deinit(&m);
    return o;
}
