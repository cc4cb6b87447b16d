/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Faults that the edu device commits on request, so that others can be tested with them.
 *
 *   KIND:N[:ARGUMENT]
 *
 * N is the number of a message that came from the client (1 is VERSION; replies of the client's
 * count too, and so do those on a twin socket), or the name of a command as in base/wire.h
 * ("REGION_READ"), which means every one of them. The kinds are in fault_text and in edu(1).
 */
#ifndef POEMD_EDU_FAULT_H
#define POEMD_EDU_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/wire.h"

enum fault_kind {
    FAULT_NONE,
    FAULT_LATE,      /* late:N:MS: the answer leaves MS ms later; nothing else is done meanwhile */
    FAULT_SHORT,     /* short:N: the answer lacks its last byte, and nothing follows any more */
    FAULT_OVERSIZED, /* oversized:N[:BYTES]: BYTES (2 MiB) zero bytes follow in the answer */
    FAULT_UNASKED,   /* unasked:N: after the answer comes a reply that nobody has asked for */
    FAULT_MISSING,   /* missing:N: no answer */
    FAULT_EXIT,      /* exit:N: the process ends (status 1) before it looks at the message */
};

#define FAULTS_MAX 16
#define FAULT_OVERSIZED_DEFAULT (2u << 20)

struct fault {
    enum fault_kind kind;
    uint64_t number;  /* of the message; 0: the command decides */
    uint16_t command; /* 0: the number decides */
    uint32_t argument;
};

struct fault_list {
    unsigned n;
    struct fault faults[FAULTS_MAX];
};

/* Adds what spec says. 0; -EINVAL: it says nothing that is known; -ENOSPC: FAULTS_MAX are there. */
int fault_add(struct fault_list *l, const char *spec) __attribute__((warn_unused_result));

/* The first fault for message number with this command, or NULL. */
const struct fault *fault_find(const struct fault_list *l, uint64_t number, uint16_t command);

#endif
