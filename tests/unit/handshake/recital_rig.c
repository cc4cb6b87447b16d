/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Messages and altered JSON for the suites of the recital.
 */
#include "tests/unit/handshake/recital_rig.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/unconst.h"

void rig_write(const json_t *json, struct wire_version number, bool reply, struct rig_message *out)
{
    struct version_offer o;
    struct wire_hdr hdr = {.id = 1, .command = WIRE_VERSION};
    size_t n;

    version_init(&o);
    o.number = number;
    o.json = json_incref(unconst_pointer(json));
    n = version_write(&o, out->p + WIRE_HDR_SIZE, sizeof out->p - WIRE_HDR_SIZE);
    ck_assert_uint_gt(n, 0);
    out->n = WIRE_HDR_SIZE + n;
    hdr.flags = reply ? WIRE_TYPE_REPLY : WIRE_TYPE_COMMAND;
    hdr.size = (uint32_t)out->n;
    wire_put_hdr(out->p, &hdr);
    version_deinit(&o);
}

json_t *rig_json(const struct rig_message *m)
{
    const size_t before = WIRE_HDR_SIZE + sizeof(struct wire_version);
    json_t *json;
    enum json_outcome o;

    ck_assert_uint_gt(m->n, before);
    o = json_read(m->p + before, m->n - before, &json);
    ck_assert_msg(o == JSON_OK, "%s", json_outcome_text(o));
    return json;
}

json_t *rig_parse(const char *text)
{
    json_t *value = json_loads(text, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);

    ck_assert_msg(value != NULL, "not JSON: %s", text);
    return value;
}

json_t *rig_caps(json_t *json)
{
    json_t *caps = json_object_get(json, "capabilities");

    ck_assert_ptr_nonnull(caps);
    return caps;
}

/* The object that holds the place's last name; *last is that name. */
static json_t *holder(json_t *object, const char *place, const char **last)
{
    const char *slash;

    while ((slash = strchr(place, '/'))) {
        char name[64];

        snprintf(name, sizeof name, "%.*s", (int)(slash - place), place);
        object = json_object_get(object, name);
        ck_assert_msg(object != NULL, "nothing at %s", name);
        place = slash + 1;
    }
    *last = place;
    return object;
}

void rig_alter(json_t *object, const char *place, const char *text)
{
    const char *last;

    if (text) {
        rig_set(object, place, rig_parse(text));
        return;
    }
    object = holder(object, place, &last);
    ck_assert_int_eq(json_object_del(object, last), 0);
}

void rig_set(json_t *object, const char *place, json_t *value)
{
    const char *last;

    object = holder(object, place, &last);
    ck_assert_int_eq(json_object_set_new_nocheck(object, last, value), 0);
}

json_t *rig_get(json_t *object, const char *place)
{
    const char *last;
    json_t *value;

    object = holder(object, place, &last);
    value = json_object_get(object, last);
    ck_assert_msg(value != NULL, "nothing at %s", place);
    return value;
}

void rig_count(uint8_t *p, uint8_t from, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        p[i] = (uint8_t)(from + i);
    }
}

struct recital_id rig_id(uint8_t byte)
{
    struct recital_id id;

    memset(id.bytes, byte, sizeof id.bytes);
    return id;
}

struct poem rig_poem(const char *text)
{
    struct poem poem;
    const enum poem_outcome o = poem_read(&poem, text, strlen(text));

    ck_assert_msg(o == POEM_OK, "%s", poem_outcome_text(o));
    return poem;
}

/* ---- one exchange ---- */

static const struct wire_version version_0_0 = {0, 0};

void rig_talk_ask(struct rig_talk *t, const uint8_t *challenge, const struct recital_id *self)
{
    const struct recital_ask ask = {.poem = &poem_builtin, .challenge = challenge, .self = self};
    json_t *json = rig_parse("{\"capabilities\":{\"max_msg_fds\":16}}");

    ck_assert_int_eq(recital_client_ask(&t->client, &ask, version_0_0, rig_caps(json)), RECITAL_OK);
    rig_write(json, version_0_0, false, &t->request);
    json_decref(json);
    ck_assert_int_eq(recital_client_sent(&t->client, t->request.p, t->request.n), RECITAL_OK);
}

void rig_talk_answer(struct rig_talk *t, const struct poem *poem)
{
    const struct recital_answer answer = {.poem = poem, .recite = true, .licence = RIG_LICENCE};
    struct recital_request asked;
    json_t *json = rig_json(&t->request);

    ck_assert_int_eq(
        recital_request_read(&asked, poem, t->request.p, t->request.n, rig_caps(json), NULL),
        RECITAL_OK);
    json_decref(json);
    t->reply = rig_parse("{\"capabilities\":{\"max_msg_fds\":8}}");
    ck_assert_int_eq(recital_reply_add(&asked, &answer, rig_caps(t->reply)), RECITAL_OK);
}

void rig_talk_begin(struct rig_talk *t)
{
    uint8_t challenge[RECITAL_RANDOM_SIZE];

    rig_count(challenge, 0x40, sizeof challenge);
    rig_talk_ask(t, challenge, NULL);
    rig_talk_answer(t, &poem_builtin);
}

void rig_talk_end(struct rig_talk *t)
{
    json_decref(t->reply);
}
