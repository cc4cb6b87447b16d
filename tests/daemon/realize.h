/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A recorded device realize: every message between a QEMU and a device process, in its order.
 */
#ifndef POEMD_TESTS_DAEMON_REALIZE_H
#define POEMD_TESTS_DAEMON_REALIZE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/wire/wire.h"

struct realize_message {
    bool to_backend;
    unsigned fds;        /* how many came with it */
    struct wire_hdr hdr; /* its size is left 0: it follows from n */
    size_t n;            /* of the payload */
    const char *payload; /* NULL where n is 0 */
};

extern const struct realize_message realize[];
extern const size_t realize_count;

#endif
