/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The VERSION exchange: reading a party's offer, and writing it anew for the other party.
 *
 * No state and no I/O: payload bytes in, an offer or an outcome out. "VFIO_USER_VERSION".
 */
#ifndef POEMD_HANDSHAKE_VERSION_H
#define POEMD_HANDSHAKE_VERSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/wire.h"
#include "handshake/json.h"

/* A VERSION message's payload at its longest. */
#define VERSION_PAYLOAD_MAX (sizeof(struct wire_version) + LIMIT_VERSION_JSON)

/* What one party says of itself. */
struct version_offer {
    struct wire_version number;
    json_t *json;         /* the whole object, owned; NULL where the message had no version data */
    uint32_t max_msg_fds; /* fds it receives in one message */
    uint32_t max_data_xfer_size; /* bytes of data it takes in one message */
    uint32_t max_bitmap_size;    /* bytes of a dirty bitmap that it takes */
    bool twin_supported;
    bool twin_has_fd;       /* a reply: fd_index is there */
    uint32_t twin_fd_index; /* … and this it is */
};

enum version_outcome {
    VERSION_OK,
    VERSION_SHORT,            /* no room for the version numbers */
    VERSION_JSON,             /* see *json */
    VERSION_BAD_CAPABILITIES, /* "capabilities" is no object */
    VERSION_BAD_FDS,          /* max_msg_fds has another type or range than the page gives it */
    VERSION_BAD_DATA,         /* … max_data_xfer_size */
    VERSION_BAD_TWIN,         /* … twin_socket, or a member of it */
    VERSION_TWIN_UNASKED,     /* the reply enables twin_socket, the request did not offer it */
    VERSION_TWIN_NO_FD,       /* … enables it with no or a wrong fd */
    VERSION_STRAY_FDS,        /* fds came that the exchange has no use for */
    VERSION_OTHER_MAJOR,      /* the reply's major number is not the request's */
    VERSION_HIGHER_MINOR,     /* the reply's minor number is above the request's */
    VERSION_NO_FDS,           /* the reply says max_msg_fds 0 */
};

/* Text of an outcome, for logs; json is told where the outcome is VERSION_JSON. Static. */
const char *version_outcome_text(enum version_outcome o, enum json_outcome json);

/* Makes an empty offer, with the specification's defaults. */
void version_init(struct version_offer *o);
void version_deinit(struct version_offer *o);

/*
 * Reads a VERSION payload of n bytes at p. On any outcome but VERSION_OK the offer is as after
 * version_init. *json is set in every case. The offer must be initialized, and hold nothing.
 */
enum version_outcome version_read(struct version_offer *o, const void *p, size_t n,
                                  enum json_outcome *json) __attribute__((warn_unused_result));

/*
 * Whether a reply is a legal answer to the request, n_fds fds having come with it: numbers, twin
 * socket. Limits may be any, but that a device must be able to receive fds: without any it can be
 * given neither memory nor interrupts, and the session would end at the first DMA_MAP.
 */
enum version_outcome version_agree(const struct version_offer *request,
                                   const struct version_offer *reply, unsigned n_fds)
    __attribute__((warn_unused_result));

/*
 * How many DMA maps the offer says may be alive, UINT32_MAX at the most: 65535, the page's default,
 * if it says nothing or not an integer from 0 on.
 */
uint32_t version_max_dma_maps(const struct version_offer *o);

/*
 * Sets "twin_socket.fd_index" of a reply's JSON, for the one fd that the broker sends
 * with it. 0 or -ENOMEM.
 */
int version_set_twin_index(struct version_offer *o, uint32_t index)
    __attribute__((warn_unused_result));

/* What version_name_max_msg_fds adds to the JSON at the most: "capabilities" and the name itself.
 */
#define VERSION_MAX_MSG_FDS_ROOM sizeof("\"capabilities\":{\"max_msg_fds\":1},")

/*
 * Says max_msg_fds in an offer that leaves it out, since peers take different numbers for silence:
 * the specification 1, QEMU 8. Does nothing where there is no JSON. 0 or -ENOMEM.
 */
int version_name_max_msg_fds(struct version_offer *o) __attribute__((warn_unused_result));

/*
 * Writes the payload: numbers, and the JSON anew: compact, its keys in their order, unknown ones
 * kept. Returns its bytes, or 0 where size is too small.
 */
size_t version_write(const struct version_offer *o, void *out, size_t size)
    __attribute__((warn_unused_result));

#endif
