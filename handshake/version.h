/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The VERSION exchange: reads one party's offer, and writes it again for the other party.
 *
 * No state and no I/O: takes payload bytes, returns an offer or an outcome. Specification:
 * "VFIO_USER_VERSION".
 */
#ifndef POEMD_HANDSHAKE_VERSION_H
#define POEMD_HANDSHAKE_VERSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/wire/wire.h"
#include "handshake/json.h"

/* Maximum size of a VERSION message's payload. */
#define VERSION_PAYLOAD_MAX (sizeof(struct wire_version) + LIMIT_VERSION_JSON)

/* One party's offer. */
struct version_offer {
    struct wire_version number;
    json_t *json;         /* the whole object, owned; NULL if the message had no version data */
    uint32_t max_msg_fds; /* fds it accepts in one message */
    uint32_t max_data_xfer_size; /* bytes of data it accepts in one message */
    uint32_t max_bitmap_size;    /* bytes of a dirty bitmap that it accepts */
    bool twin_supported;
    bool twin_has_fd;       /* in a reply: fd_index is present */
    uint32_t twin_fd_index; /* the value of fd_index */
};

enum version_outcome {
    VERSION_OK,
    VERSION_SHORT,            /* too short for the version numbers */
    VERSION_JSON,             /* see *json */
    VERSION_BAD_CAPABILITIES, /* "capabilities" is not an object */
    VERSION_BAD_FDS,          /* the type or range of max_msg_fds violates the specification */
    VERSION_BAD_DATA,         /* the same for max_data_xfer_size */
    VERSION_BAD_TWIN,         /* the same for twin_socket or one of its members */
    VERSION_TWIN_UNASKED,     /* the reply enables twin_socket, which the request did not offer */
    VERSION_TWIN_NO_FD,       /* the reply enables twin_socket without an fd or with a wrong one */
    VERSION_STRAY_FDS,        /* fds that the exchange does not use */
    VERSION_OTHER_MAJOR,      /* the reply's major number differs from the request's */
    VERSION_HIGHER_MINOR,     /* the reply's minor number exceeds the request's */
    VERSION_NO_FDS,           /* the reply's max_msg_fds is 0 */
};

/* Returns the static text of an outcome, for logs; for VERSION_JSON that of json. */
const char *version_outcome_text(enum version_outcome o, enum json_outcome json);

/* Initialises an empty offer with the specification's defaults. */
void version_init(struct version_offer *o);
void version_deinit(struct version_offer *o);

/*
 * Reads a VERSION payload of n bytes at p. After any outcome other than VERSION_OK the offer is as
 * after version_init. *json is always set. The offer must be initialised and empty.
 */
enum version_outcome version_read(struct version_offer *o, const void *p, size_t n,
                                  enum json_outcome *json) __attribute__((warn_unused_result));

/*
 * Returns whether a reply with n_fds fds is a legal answer to the request: version numbers, twin
 * socket. Any limits are accepted, except that a device must be able to receive fds: otherwise it
 * could get neither memory nor interrupts, and the session would end at the first DMA_MAP.
 */
enum version_outcome version_agree(const struct version_offer *request,
                                   const struct version_offer *reply, unsigned n_fds)
    __attribute__((warn_unused_result));

/*
 * Returns how many DMA maps the offer allows at the same time, at most UINT32_MAX; 65535, the
 * specification's default, if it gives no integer from 0.
 */
uint32_t version_max_dma_maps(const struct version_offer *o);

/*
 * Sets "twin_socket.fd_index" of a reply's JSON, for the only fd that the broker sends with it.
 * Returns 0 or -ENOMEM.
 */
int version_set_twin_index(struct version_offer *o, uint32_t index)
    __attribute__((warn_unused_result));

/* Takes "twin_socket" out of an offer. */
void version_drop_twin(struct version_offer *o);

/* The names of a capability of nested objects, with dots between them. */
#define VERSION_NAME_SIZE 32u

/*
 * Compares the capabilities of two replies: none of now's may promise less than before's, as JSON
 * objects (NULL: all defaults). Numbers may grow, but for a page size; of "pgsizes" no bit may go;
 * a true must stay. Returns true if so; otherwise the name of the first one that does not, cut to
 * fit, and both numbers (0: not a number).
 */
bool version_keeps(const json_t *before, const json_t *now, char name[static VERSION_NAME_SIZE],
                   uint64_t *had, uint64_t *has) __attribute__((warn_unused_result));

/*
 * Maximum number of bytes that version_name_max_msg_fds adds to the JSON: "capabilities" and the
 * member itself.
 */
#define VERSION_MAX_MSG_FDS_ROOM sizeof("\"capabilities\":{\"max_msg_fds\":1},")

/*
 * Adds max_msg_fds to an offer without it, since peers assume different defaults: 1 in the
 * specification, 8 in QEMU. Does nothing without JSON. Returns 0 or -ENOMEM.
 */
int version_name_max_msg_fds(struct version_offer *o) __attribute__((warn_unused_result));

/*
 * Writes the payload: the version numbers and the JSON in compact form, with its keys in order and
 * unknown ones kept. Returns the number of bytes, or 0 if size is too small.
 */
size_t version_write(const struct version_offer *o, void *out, size_t size)
    __attribute__((warn_unused_result));

#endif
