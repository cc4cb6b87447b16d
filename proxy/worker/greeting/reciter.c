/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The broker's part in recitals: decides who is asked, and what each side is sent.
 * handshake/recital_object.c has the protocol itself. Pure, apart from jansson's allocations.
 */
#include "proxy/worker/greeting/reciter.h"

void reciter_init(struct reciter *r, const struct poem *poem, const struct recital_id *self,
                  enum config_recite recite, enum reciter_wants ask)
{
    *r = (struct reciter){
        .poem = poem, .self = *self, .recite = recite, .ask = ask, .judged = RECITAL_MISSING};
    recital_client_silent(&r->client);
}

/* Returns an offer's capabilities, or NULL. Never creates them. */
static json_t *reciter_capabilities_of(const struct version_offer *o)
{
    return json_object_get(o->json, "capabilities");
}

/* Returns an offer's capabilities, created if missing, or NULL if out of memory. */
static json_t *reciter_need_capabilities(struct version_offer *o)
{
    if (!o->json) {
        o->json = json_object();
    }
    return recital_capabilities(o->json);
}

enum recital_outcome reciter_request(struct reciter *r, const void *message, size_t n,
                                     struct version_offer *request)
{
    json_t *caps = reciter_capabilities_of(request);
    const enum recital_outcome o =
        recital_request_read(&r->asked, r->poem, message, n, caps, &r->self);

    if (o == RECITAL_OK) {
        recital_strip(caps);
    }
    return o;
}

enum reciter_wants reciter_asks(const struct reciter *r)
{
    return r->asked.challenged ? RECITER_WANTS_RECITAL : r->ask;
}

enum recital_outcome reciter_ask(struct reciter *r, const uint8_t *challenge,
                                 struct version_offer *request)
{
    const struct recital_ask ask = {.poem = r->poem,
                                    .challenge = challenge,
                                    .licence = RECITAL_LICENCE_OWN,
                                    .with = true,
                                    .through = &r->asked.through,
                                    .self = &r->self};
    json_t *caps = reciter_need_capabilities(request);

    if (!caps) {
        return RECITAL_NO_MEMORY;
    }
    return recital_client_ask(&r->client, &ask, request->number, caps);
}

enum recital_outcome reciter_sent(struct reciter *r, const void *message, size_t n)
{
    return recital_client_sent(&r->client, message, n);
}

enum recital_outcome reciter_reply(struct reciter *r, struct version_offer *reply)
{
    json_t *caps = reciter_capabilities_of(reply);

    r->judged = recital_client_judge(&r->client, caps, &r->told);
    recital_strip(caps);
    switch (r->judged) {
    case RECITAL_MISSING:
    case RECITAL_WRONG_DIGEST:
    case RECITAL_OTHER_POEM:
    case RECITAL_WRONG_PROOF:
        /* No recital, or a bad one: the route's rules judge that. */
        return RECITAL_OK;
    default:
        return r->judged;
    }
}

/* Answers a client that knows of poems: the recital if it asked, and the servers behind us. */
static enum recital_outcome reciter_answer_in_full(struct reciter *r, struct version_offer *reply)
{
    struct recital_via via;
    const struct recital_answer answer = {.poem = r->poem,
                                          .recite = r->recite != CONFIG_RECITE_NEVER,
                                          .licence = RECITAL_LICENCE_OWN,
                                          .via = &via};
    json_t *caps = reciter_need_capabilities(reply);
    enum recital_outcome o;

    if (!caps) {
        return RECITAL_NO_MEMORY;
    }
    o = recital_via_make(&via, &r->self, r->judged, &r->told);
    return o == RECITAL_OK ? recital_reply_add(&r->asked, &answer, caps) : o;
}

/* Returns the size of a reply's JSON, including NUL, if it must not be longer than the request. */
static size_t reciter_room_of(uint32_t request_size)
{
    const size_t fixed = WIRE_HDR_SIZE + sizeof(struct wire_version);

    return request_size > fixed ? request_size - fixed : 0;
}

static enum recital_outcome reciter_write_refrain(struct reciter *r, struct version_offer *reply,
                                                  size_t room, enum reciter_said *said)
{
    const char *refrain = r->poem->refrain;

    if (room == 0) {
        *said = RECITER_NO_ROOM;
        return RECITAL_OK;
    }
    if (!reply->json) {
        /*
         * Adds data to a reply without any: now that would imply another number of fds, so state
         * it.
         */
        if (!reciter_need_capabilities(reply) || version_name_max_msg_fds(reply) < 0) {
            return RECITAL_NO_MEMORY;
        }
    }
    switch (recital_fit(reply->json, room, refrain)) {
    case RECITAL_FITS:
        *said = *refrain ? RECITER_REFRAIN : RECITER_NO_ROOM;
        return RECITAL_OK;
    case RECITAL_FITS_NOT:
        *said = RECITER_NO_ROOM;
        return RECITAL_OK;
    case RECITAL_FITS_NOTHING:
        *said = RECITER_NO_ROOM_AT_ALL;
        return RECITAL_OK;
    case RECITAL_FITS_NO_MEMORY:
        break;
    }
    return RECITAL_NO_MEMORY;
}

enum recital_outcome reciter_answer(struct reciter *r, struct version_offer *reply,
                                    uint32_t request_size, enum reciter_said *said)
{
    enum recital_outcome o;

    *said = RECITER_NOTHING;
    if (r->asked.speaks) {
        *said = RECITER_IN_FULL;
        return reciter_answer_in_full(r, reply);
    }
    if (r->recite == CONFIG_RECITE_NEVER) {
        return RECITAL_OK;
    }
    o = reciter_write_refrain(r, reply, reciter_room_of(request_size), said);
    if (o == RECITAL_OK && r->recite == CONFIG_RECITE_ALWAYS && *said != RECITER_REFRAIN) {
        return RECITAL_TOO_LONG;
    }
    return o;
}

const char *reciter_said_text(enum reciter_said s)
{
    switch (s) {
    case RECITER_NOTHING:
        return "nothing";
    case RECITER_IN_FULL:
        return "in full";
    case RECITER_REFRAIN:
        return "the refrain";
    case RECITER_NO_ROOM:
        return "nothing: the refrain would make the reply longer than the request";
    case RECITER_NO_ROOM_AT_ALL:
        return "nothing: the reply without it is longer than the request, which a stock QEMU "
               "refuses";
    }
    return "?";
}
