/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What the suites of the recital share: whole messages without sockets, and JSON that is altered in
 * one place. Whatever goes otherwise than asked fails the test.
 */
#ifndef POEMD_TESTS_UNIT_HANDSHAKE_RECITAL_RIG_H
#define POEMD_TESTS_UNIT_HANDSHAKE_RECITAL_RIG_H

#include <stddef.h>
#include <stdint.h>

#include "handshake/recital.h"
#include "handshake/version.h"

#define RIG_MESSAGE_MAX (WIRE_HDR_SIZE + VERSION_PAYLOAD_MAX)

#define RIG_LICENCE "GPL-2.0-or-later"

/* A whole message, header included. */
struct rig_message {
    size_t n;
    uint8_t p[RIG_MESSAGE_MAX];
};

/* Writes a VERSION message with this JSON (NULL: none), which stays the caller's. */
void rig_write(const json_t *json, struct wire_version number, bool reply, struct rig_message *out);

/* The JSON of a message, read strictly; the caller's. */
json_t *rig_json(const struct rig_message *m);

/* JSON text as a value; the caller's. */
json_t *rig_parse(const char *text);

/* "capabilities" of a VERSION's JSON, borrowed. */
json_t *rig_caps(json_t *json);

/*
 * Puts a value, given as JSON text, at a place such as "poem/recital/text" below an object; NULL
 * takes out what is there, which must be something.
 */
void rig_alter(json_t *object, const char *place, const char *text);

/* The same with a value, which is taken. */
void rig_set(json_t *object, const char *place, json_t *value);

/* What is at a place, borrowed. */
json_t *rig_get(json_t *object, const char *place);

/* Bytes that count up from one. */
void rig_count(uint8_t *p, uint8_t from, size_t n);

/* The identity whose bytes are all this one. */
struct recital_id rig_id(uint8_t byte);

/* A poem of the text, which must be a good one. */
struct poem rig_poem(const char *text);

/* ---- one exchange ---- */

struct rig_talk {
    struct recital_client client;
    struct rig_message request;
    json_t *reply; /* VERSION's JSON, owned */
};

/* The client asks: challenge and self as in struct recital_ask. */
void rig_talk_ask(struct rig_talk *t, const uint8_t *challenge, const struct recital_id *self);

/* A server recites this poem under RIG_LICENCE, whatever the client has in mind. */
void rig_talk_answer(struct rig_talk *t, const struct poem *poem);

/* Both, with the poem that is built in. */
void rig_talk_begin(struct rig_talk *t);

void rig_talk_end(struct rig_talk *t);

#endif
