/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What SET_IRQS has set up: an eventfd for each index, action and vector, and which vectors are
 * masked. A part of setup.h. Owns the fds. Specification: "VFIO_USER_DEVICE_SET_IRQS".
 */
#ifndef POEMD_PROXY_RELAY_SETUP_SETUP_IRQS_H
#define POEMD_PROXY_RELAY_SETUP_SETUP_IRQS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/wire/wire.h"

enum setup_irqs_action { SETUP_MASK, SETUP_UNMASK, SETUP_TRIGGER, SETUP_ACTIONS };

/* The vectors of one index. */
struct setup_irqs_index {
    uint32_t n;              /* room of the arrays */
    int *fds[SETUP_ACTIONS]; /* owned arrays of owned fds, -1: none; or NULL */
    uint8_t *masked;         /* owned array of booleans, or NULL */
};

struct setup_irqs {
    struct setup_irqs_index index[WIRE_PCI_NUM_IRQS];
};

void setup_irqs_init(struct setup_irqs *q);
void setup_irqs_deinit(struct setup_irqs *q);

/*
 * Applies a SET_IRQS request to which the device has agreed: n bytes of payload. Takes the fds out
 * of fds, which become -1; adds to *n_fds the number kept, less those closed. Returns 0, -ERANGE if
 * an index or vector is out of range, or -ENOMEM.
 */
int setup_irqs_apply(struct setup_irqs *q, const uint8_t *p, size_t n, int *fds, unsigned n_given,
                     unsigned *n_fds) __attribute__((warn_unused_result));

/* A run of vectors of one index. */
struct setup_irqs_run {
    uint32_t index;
    uint32_t start;
    uint32_t count;
    uint32_t flags; /* WIRE_IRQ_SET_* of the request that sets it up */
    const int *fds; /* borrowed, count of them; NULL: none */
};

/*
 * Finds the first run of vectors from *at on, of at most most eventfds with one action; then masked
 * vectors. *at is 0 at first, and is moved behind it. Returns false if there is none left.
 */
bool setup_irqs_next(const struct setup_irqs *q, uint64_t *at, uint32_t most,
                     struct setup_irqs_run *run);

#endif
