/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* VERSION payloads. Pure, except that jansson allocates memory: no fd, clock or log. */
#include "handshake/version.h"

#include <errno.h>
#include <string.h>

const char *version_outcome_text(enum version_outcome o, enum json_outcome json)
{
    switch (o) {
    case VERSION_OK:
        return "ok";
    case VERSION_SHORT:
        return "VERSION without version numbers";
    case VERSION_JSON:
        return json_outcome_text(json);
    case VERSION_BAD_CAPABILITIES:
        return "\"capabilities\" is not an object";
    case VERSION_BAD_FDS:
        return "max_msg_fds is not a non-negative integer";
    case VERSION_BAD_DATA:
        return "max_data_xfer_size is not a non-negative integer";
    case VERSION_BAD_TWIN:
        return "twin_socket is not an object of a boolean \"supported\" and an integer "
               "\"fd_index\"";
    case VERSION_TWIN_UNASKED:
        return "the reply enables twin_socket, which the request did not offer";
    case VERSION_TWIN_NO_FD:
        return "the reply enables twin_socket without its fd";
    case VERSION_STRAY_FDS:
        return "unexpected fds came with VERSION";
    case VERSION_OTHER_MAJOR:
        return "the reply's major version differs from the request's";
    case VERSION_HIGHER_MINOR:
        return "the reply's minor version is higher than the request's";
    case VERSION_NO_FDS:
        return "the reply has max_msg_fds 0: the device could be given neither memory nor "
               "interrupts";
    }
    return "?";
}

void version_init(struct version_offer *o)
{
    *o = (struct version_offer){.max_msg_fds = LIMIT_FDS_DEFAULT,
                                .max_data_xfer_size = LIMIT_DATA_XFER_DEFAULT,
                                .max_bitmap_size = LIMIT_BITMAP_DEFAULT};
}

void version_deinit(struct version_offer *o)
{
    json_decref(o->json);
    version_init(o);
}

/*
 * Reads an optional unsigned number; one above 32 bits is treated as the 32-bit maximum. Returns
 * VERSION_OK or wrong.
 */
static enum version_outcome version_get_u32(const json_t *object, const char *key, uint32_t *out,
                                            enum version_outcome wrong)
{
    const json_t *v = json_object_get(object, key);
    uint64_t n;

    if (!v) {
        return VERSION_OK;
    }
    if (!json_u64(v, &n)) {
        return wrong;
    }
    *out = n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
    return VERSION_OK;
}

static enum version_outcome version_get_twin(struct version_offer *o, const json_t *caps)
{
    const json_t *twin = json_object_get(caps, "twin_socket");
    const json_t *supported;

    if (!twin) {
        return VERSION_OK;
    }
    supported = json_object_get(twin, "supported");
    if (!json_is_object(twin) || (supported && !json_is_boolean(supported))) {
        return VERSION_BAD_TWIN;
    }
    o->twin_supported = json_is_true(supported);
    o->twin_has_fd = json_object_get(twin, "fd_index") != NULL;
    return version_get_u32(twin, "fd_index", &o->twin_fd_index, VERSION_BAD_TWIN);
}

static enum version_outcome version_get_capabilities(struct version_offer *o)
{
    const json_t *caps = json_object_get(o->json, "capabilities");
    enum version_outcome r;

    if (!caps) {
        return VERSION_OK;
    }
    if (!json_is_object(caps)) {
        return VERSION_BAD_CAPABILITIES;
    }
    r = version_get_u32(caps, "max_msg_fds", &o->max_msg_fds, VERSION_BAD_FDS);
    if (r == VERSION_OK) {
        r = version_get_u32(caps, "max_data_xfer_size", &o->max_data_xfer_size, VERSION_BAD_DATA);
    }
    /*
     * "migration" is no longer in the specification: a malformed one is left to peers that know it.
     */
    (void)version_get_u32(json_object_get(caps, "migration"), "max_bitmap_size",
                          &o->max_bitmap_size, VERSION_OK);
    return r == VERSION_OK ? version_get_twin(o, caps) : r;
}

enum version_outcome version_read(struct version_offer *o, const void *p, size_t n,
                                  enum json_outcome *json)
{
    enum version_outcome r;

    *json = JSON_OK;
    if (!wire_get(p, n, &o->number, sizeof o->number)) {
        return VERSION_SHORT;
    }
    if (n == sizeof o->number) {
        return VERSION_OK;
    }
    *json = json_read((const char *)p + sizeof o->number, n - sizeof o->number, &o->json);
    r = *json == JSON_OK ? version_get_capabilities(o) : VERSION_JSON;
    if (r != VERSION_OK) {
        version_deinit(o);
    }
    return r;
}

enum version_outcome version_agree(const struct version_offer *request,
                                   const struct version_offer *reply, unsigned n_fds)
{
    if (reply->number.major != request->number.major) {
        return VERSION_OTHER_MAJOR;
    }
    if (reply->number.minor > request->number.minor) {
        return VERSION_HIGHER_MINOR;
    }
    if (reply->max_msg_fds == 0) {
        return VERSION_NO_FDS;
    }
    if (!reply->twin_supported) {
        return n_fds == 0 ? VERSION_OK : VERSION_STRAY_FDS;
    }
    if (!request->twin_supported) {
        return VERSION_TWIN_UNASKED;
    }
    if (!reply->twin_has_fd || reply->twin_fd_index >= n_fds) {
        return VERSION_TWIN_NO_FD;
    }
    return n_fds == 1 ? VERSION_OK : VERSION_STRAY_FDS;
}

int version_set_twin_index(struct version_offer *o, uint32_t index)
{
    json_t *twin = json_object_get(json_object_get(o->json, "capabilities"), "twin_socket");

    o->twin_fd_index = index;
    return json_object_set_new(twin, "fd_index", json_integer(index)) < 0 ? -ENOMEM : 0;
}

void version_drop_twin(struct version_offer *o)
{
    (void)json_object_del(json_object_get(o->json, "capabilities"), "twin_socket");
    o->twin_supported = false;
}

uint32_t version_max_dma_maps(const struct version_offer *o)
{
    const json_t *caps = json_object_get(o->json, "capabilities");
    uint64_t n;

    if (!json_u64(json_object_get(caps, "max_dma_maps"), &n)) {
        return 65535;
    }
    return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

int version_name_max_msg_fds(struct version_offer *o)
{
    json_t *caps = json_object_get(o->json, "capabilities");

    if (!o->json || json_object_get(caps, "max_msg_fds")) {
        return 0;
    }
    if (!caps) {
        caps = json_object();
        if (json_object_set_new(o->json, "capabilities", caps) < 0) {
            return -ENOMEM;
        }
    }
    return json_object_set_new(caps, "max_msg_fds", json_integer(o->max_msg_fds)) < 0 ? -ENOMEM : 0;
}

size_t version_write(const struct version_offer *o, void *out, size_t size)
{
    size_t n;

    if (size < sizeof o->number) {
        return 0;
    }
    memcpy(out, &o->number, sizeof o->number);
    if (!o->json) {
        return sizeof o->number;
    }
    n = json_write(o->json, (char *)out + sizeof o->number, size - sizeof o->number);
    return n ? sizeof o->number + n : 0;
}
