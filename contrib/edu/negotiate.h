/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The edu device's side of "VFIO_USER_VERSION": turns an offer into an answer. */
#ifndef POEMD_EDU_NEGOTIATE_H
#define POEMD_EDU_NEGOTIATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wire/wire.h"
#include "handshake/recital.h"

/* The limits of one side of a session. */
struct negotiate_caps {
    uint32_t max_msg_fds;
    uint32_t max_data_xfer_size; /* bytes */
    uint32_t max_dma_maps;
    uint64_t pgsizes;
    uint64_t max_bitmap_size; /* bytes; of the capability "migration" */
    bool write_multiple;
    bool migration;
    bool twin_socket;
};

/* The device's answer to clients that demand a poem. */
struct negotiate_reciter {
    const struct poem *poem; /* NULL: ignores the demand */
    /* recites under the licence; else only declares the licence */
    bool recite;
    const char *licence;
};

struct negotiate_result {
    struct wire_version version;  /* of the reply */
    char *json;                   /* of the reply; owned; NULL: the request had none */
    struct negotiate_caps client; /* limits for messages to the client */
    struct negotiate_caps device; /* limits that the client will apply to the device */
};

/*
 * Answers a request, the whole message of n bytes, with the capabilities common to ours and the
 * offer. The reply's JSON has only offered names and is compact, so it is never longer than the
 * request's (QEMU accepts no longer one), except for twin_socket's fd_index, which the
 * specification demands, and for a recital, which a client that asks for it has room for.
 *
 * Returns 0 with out filled; -EINVAL if malformed; -ENOTSUP for another major version; -ENOMEM; the
 * negative recital_errno; -EMSGSIZE if the recital is too long. Call negotiate_deinit only after a
 * 0.
 */
int edu_negotiate(const struct negotiate_caps *ours, const struct negotiate_reciter *reciter,
                  const void *message, size_t n, struct negotiate_result *out)
    __attribute__((warn_unused_result));

void negotiate_deinit(struct negotiate_result *r);

#endif
