/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Faults that the edu device commits on request, to test other programs with.
 *
 *   KIND:N[:ARGUMENT]
 *
 * N is the number of a message from the client (1 is VERSION; the client's replies count too, and
 * so do messages on a twin socket), or the name of a command as in wire.h ("REGION_READ"), which
 * means each of them, or that of a migration state ("STOP_COPY"), which means each request to enter
 * it. The kinds are in fault_text and in edu(1).
 */
#ifndef POEMD_EDU_FAULT_H
#define POEMD_EDU_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/wire/wire.h"

enum fault_kind {
    FAULT_NONE,
    FAULT_LATE,      /* late:N:MS: sends the answer MS ms later, and does nothing meanwhile */
    FAULT_SHORT,     /* short:N: leaves out the answer's last byte, and sends nothing after it */
    FAULT_OVERSIZED, /* oversized:N[:BYTES]: appends BYTES (2 MiB) zero bytes to the answer */
    FAULT_UNASKED,   /* unasked:N: sends another reply after the answer, to no request */
    FAULT_MISSING,   /* missing:N: sends no answer */
    FAULT_ERROR,     /* error:N[:ERRNO]: does nothing, and answers with ERRNO (EIO) */
    FAULT_EXIT,      /* exit:N: exits with status 1 before it handles the message */
};

#define FAULTS_MAX 16
#define FAULT_OVERSIZED_DEFAULT (2u << 20)

struct fault {
    enum fault_kind kind;
    uint64_t number;  /* of the message; 0: see command */
    uint16_t command; /* 0: see number */
    uint32_t state;   /* of a request to enter it; 0: any, or none */
    uint32_t argument;
};

struct fault_list {
    unsigned n;
    struct fault faults[FAULTS_MAX];
};

/* Adds the fault in spec. Returns 0; -EINVAL if it is malformed; -ENOSPC after FAULTS_MAX. */
int fault_add(struct fault_list *l, const char *spec) __attribute__((warn_unused_result));

/*
 * Returns the first fault for message number with this command, or NULL. state is the migration
 * state that it asks for, or 0.
 */
const struct fault *fault_find(const struct fault_list *l, uint64_t number, uint16_t command,
                               uint32_t state);

#endif
