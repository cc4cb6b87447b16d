/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * VERSION negotiation: JSON in, JSON out. No I/O.
 *
 * Strict about the values that the specification defines; unknown keys are not answered, since a
 * reply is "a subset of those proposed". PROTOCOL.poem defines the recital.
 */
#include "contrib/edu/negotiate.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "contrib/edu/dma_table.h"
#include "handshake/json.h"

/* The part of a request before its JSON. */
#define FIXED (WIRE_HDR_SIZE + sizeof(struct wire_version))

/* The defaults for a side that sends no value. */
static const struct negotiate_caps unsaid = {
    .max_msg_fds = LIMIT_FDS_DEFAULT,
    .max_data_xfer_size = LIMIT_DATA_XFER_DEFAULT,
    .max_dma_maps = 65535,
    .pgsizes = DMA_PAGE,
};

/* The offer and the answer under construction. */
struct exchange {
    const struct negotiate_caps *ours;
    json_t *offer; /* the request's capabilities, borrowed */
    json_t *answer;
    struct negotiate_result *out;
    int err; /* the first one */
};

static void edu_negotiate_fail(struct exchange *x, int err)
{
    x->err = x->err ? x->err : err;
}

static void edu_negotiate_answer(struct exchange *x, json_t *to, const char *key, json_t *value)
{
    if (json_object_set_new(to, key, value) != 0) {
        edu_negotiate_fail(x, -ENOMEM);
    }
}

/*
 * Reads the offered number at key. Returns false if there is none; a value that is not a number of
 * at least `least` is an error.
 */
static bool edu_negotiate_offered_number(struct exchange *x, json_t *from, const char *key,
                                         uint64_t least, uint64_t *value)
{
    json_t *v = json_object_get(from, key);

    if (!v) {
        return false;
    }
    if (!json_u64(v, value) || *value < least) {
        edu_negotiate_fail(x, -EINVAL);
        return false;
    }
    return true;
}

static bool edu_negotiate_offered_true(struct exchange *x, json_t *from, const char *key)
{
    json_t *v = json_object_get(from, key);

    if (v && !json_is_boolean(v)) {
        edu_negotiate_fail(x, -EINVAL);
    }
    return json_is_true(v);
}

static json_t *edu_negotiate_offered_object(struct exchange *x, const char *key)
{
    json_t *v = json_object_get(x->offer, key);

    if (v && !json_is_object(v)) {
        edu_negotiate_fail(x, -EINVAL);
        return NULL;
    }
    return v;
}

/* Negotiates a limit: the smaller of both sides' numbers is answered. */
static void edu_negotiate_limit(struct exchange *x, const char *key, uint64_t least, uint32_t ours,
                                uint32_t *client, uint32_t *device)
{
    uint64_t theirs;

    if (!edu_negotiate_offered_number(x, x->offer, key, least, &theirs)) {
        return;
    }
    *client = theirs < UINT32_MAX ? (uint32_t)theirs : UINT32_MAX;
    *device = *client < ours ? *client : ours;
    edu_negotiate_answer(x, x->answer, key, json_integer((json_int_t)*device));
}

static void edu_negotiate_page_sizes(struct exchange *x)
{
    uint64_t theirs;

    if (!edu_negotiate_offered_number(x, x->offer, "pgsizes", 1, &theirs)) {
        return;
    }
    x->out->client.pgsizes = theirs;
    x->out->device.pgsizes = theirs & x->ours->pgsizes;
    if (x->out->device.pgsizes == 0) {
        edu_negotiate_fail(x, -EINVAL);
    }
    edu_negotiate_answer(x, x->answer, "pgsizes", json_integer((json_int_t)x->out->device.pgsizes));
}

/* A capability of libvfio-user and QEMU that is not in the current specification. */
static void edu_negotiate_migration(struct exchange *x)
{
    json_t *offer = edu_negotiate_offered_object(x, "migration");
    json_t *reply;
    uint64_t theirs;

    if (!offer || !x->ours->migration) {
        return;
    }
    reply = json_object();
    edu_negotiate_answer(x, x->answer, "migration", reply);
    x->out->device.migration = true;
    if (edu_negotiate_offered_number(x, offer, "max_bitmap_size", 0, &theirs)) {
        const uint64_t least =
            theirs < x->ours->max_bitmap_size ? theirs : x->ours->max_bitmap_size;

        edu_negotiate_answer(x, reply, "max_bitmap_size", json_integer((json_int_t)least));
    }
    if (edu_negotiate_offered_number(x, offer, "pgsize", 1, &theirs)) {
        edu_negotiate_answer(x, reply, "pgsize",
                             json_integer(theirs < DMA_PAGE ? (json_int_t)theirs : DMA_PAGE));
    }
}

static void edu_negotiate_twin_socket(struct exchange *x)
{
    json_t *offer = edu_negotiate_offered_object(x, "twin_socket");
    json_t *reply;

    /* The socket is passed to the client as an fd: it must be able to receive one. */
    if (!edu_negotiate_offered_true(x, offer, "supported") || !x->ours->twin_socket ||
        x->out->client.max_msg_fds == 0) {
        return;
    }
    x->out->device.twin_socket = true;
    reply = json_object();
    edu_negotiate_answer(x, x->answer, "twin_socket", reply);
    edu_negotiate_answer(x, reply, "supported", json_true());
    edu_negotiate_answer(x, reply, "fd_index", json_integer(0));
}

static void edu_negotiate_capabilities(struct exchange *x)
{
    struct negotiate_caps *client = &x->out->client;
    struct negotiate_caps *device = &x->out->device;

    edu_negotiate_limit(x, "max_msg_fds", 0, x->ours->max_msg_fds, &client->max_msg_fds,
                        &device->max_msg_fds);
    edu_negotiate_limit(x, "max_data_xfer_size", 1, x->ours->max_data_xfer_size,
                        &client->max_data_xfer_size, &device->max_data_xfer_size);
    edu_negotiate_limit(x, "max_dma_maps", 1, x->ours->max_dma_maps, &client->max_dma_maps,
                        &device->max_dma_maps);
    edu_negotiate_page_sizes(x);
    edu_negotiate_migration(x);
    if (edu_negotiate_offered_true(x, x->offer, "write_multiple") && x->ours->write_multiple) {
        device->write_multiple = true;
        edu_negotiate_answer(x, x->answer, "write_multiple", json_true());
    }
    edu_negotiate_twin_socket(x);
}

/* Adds the recital, if the device has a poem and the client asks for it. */
static void edu_negotiate_recite(struct exchange *x, const struct negotiate_reciter *reciter,
                                 const void *message, size_t n)
{
    const struct recital_answer said = {
        .poem = reciter->poem, .recite = reciter->recite, .licence = reciter->licence};
    struct recital_request asked;
    enum recital_outcome o;

    if (!reciter->poem) {
        return;
    }
    o = recital_request_read(&asked, reciter->poem, message, n, x->offer, NULL);
    if (o == RECITAL_OK) {
        o = recital_reply_add(&asked, &said, x->answer);
    }
    if (o != RECITAL_OK) {
        edu_negotiate_fail(x, -recital_errno(o));
    }
}

/* Writes the reply; only a recital can make it longer than any client accepts. */
static int edu_negotiate_write_reply(const json_t *reply, struct negotiate_result *out)
{
    out->json = json_dumps(reply, JSON_COMPACT);
    if (!out->json) {
        return -ENOMEM;
    }
    if (FIXED + strlen(out->json) < RECITAL_REPLY_SIZE_MAX) {
        return 0;
    }
    negotiate_deinit(out);
    return -EMSGSIZE;
}

static int edu_negotiate_answer_json(const struct negotiate_caps *ours,
                                     const struct negotiate_reciter *reciter, const void *message,
                                     size_t n, struct negotiate_result *out)
{
    json_t *request;
    json_t *reply;
    struct exchange x = {.ours = ours, .out = out};

    if (json_read((const char *)message + FIXED, n - FIXED, &request) != JSON_OK) {
        return -EINVAL;
    }
    reply = json_object();
    x.offer = json_object_get(request, "capabilities");
    if (json_is_object(x.offer)) {
        x.answer = json_object();
        edu_negotiate_answer(&x, reply, "capabilities", x.answer);
        if (!x.err) {
            edu_negotiate_capabilities(&x);
            edu_negotiate_recite(&x, reciter, message, n);
        }
    } else if (x.offer) {
        x.err = -EINVAL;
    }
    if (!x.err) {
        x.err = edu_negotiate_write_reply(reply, out);
    }
    json_decref(reply);
    json_decref(request);
    return x.err;
}

int edu_negotiate(const struct negotiate_caps *ours, const struct negotiate_reciter *reciter,
                  const void *message, size_t n, struct negotiate_result *out)
{
    struct wire_version proposed;

    *out = (struct negotiate_result){.client = unsaid, .device = unsaid};
    if (n < FIXED || !wire_get((const uint8_t *)message + WIRE_HDR_SIZE, n - WIRE_HDR_SIZE,
                               &proposed, sizeof proposed)) {
        return -EINVAL;
    }
    if (proposed.major != 0) {
        return -ENOTSUP;
    }
    /* "The minor version in the reply must be equal to or less than" theirs: there is only 0. */
    return n == FIXED ? 0 : edu_negotiate_answer_json(ours, reciter, message, n, out);
}

void negotiate_deinit(struct negotiate_result *r)
{
    free(r->json);
    r->json = NULL;
}
