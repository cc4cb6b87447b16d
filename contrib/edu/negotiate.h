/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The edu device's side of "VFIO_USER_VERSION": what was offered, what is answered.
 */
#ifndef POEMD_EDU_NEGOTIATE_H
#define POEMD_EDU_NEGOTIATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wire.h"
#include "handshake/recital.h"

/* What one side of a session can take. */
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

/* What the device says of itself to clients that ask it for a poem. */
struct negotiate_reciter {
    const struct poem *poem; /* NULL: it knows nothing of poems and passes the question over */
    bool recite;             /* … under the licence; else that is declared alone */
    const char *licence;
};

struct negotiate_result {
    struct wire_version version;  /* of the reply */
    char *json;                   /* of the reply; owned; NULL: the request had none */
    struct negotiate_caps client; /* what may be sent to the client */
    struct negotiate_caps device; /* what the client will hold the device to */
};

/*
 * Answers a request, the whole message of n bytes at message, with what ours and the offer have in
 * common. The JSON of the reply names nothing that was not offered and is compact, so it is never
 * longer than the request's (QEMU takes no longer one) but for twin_socket's
 * fd_index, which the page demands, and for a recital, which whoever asks for it has room for.
 *
 * 0 with out filled; -EINVAL: malformed; -ENOTSUP: another major version; -ENOMEM; what
 * recital_errno says, negative; -EMSGSIZE: the recital is too long. out needs no deinit then.
 */
int negotiate(const struct negotiate_caps *ours, const struct negotiate_reciter *reciter,
              const void *message, size_t n, struct negotiate_result *out)
    __attribute__((warn_unused_result));

void negotiate_deinit(struct negotiate_result *r);

#endif
