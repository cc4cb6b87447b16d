/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The migration states of the edu device, and its data stream.
 *
 * "Device Features", "VFIO_USER_MIG_DATA_READ", "VFIO_USER_MIG_DATA_WRITE". STOP_COPY only: the
 * whole state is 8 KiB, half of it a page that the client can change unseen, so copying before the
 * stop would gain nothing.
 */
#ifndef POEMD_EDU_MIGRATION_H
#define POEMD_EDU_MIGRATION_H

#include <stddef.h>
#include <stdint.h>

#include "base/wire/wire.h"
#include "contrib/edu/device.h"
#include "contrib/edu/state.h"

struct migration {
    enum wire_mig_state state;
    uint8_t data[STATE_SIZE]; /* being saved or loaded */
    size_t n;                 /* bytes in data */
    size_t at;                /* of these, read already */
};

/* Sets RUNNING; also after a reset of the device. */
void migration_init(struct migration *m);

/*
 * Enters a state, by way of STOP if there is no direct arc. Returns 0, or -EINVAL: unknown or
 * unsupported states (ERROR; P2P and PRE_COPY, which the device lacks), any state from ERROR, or
 * loaded data that is not a valid state, which enters ERROR.
 */
int migration_set(struct migration *m, struct device *d, uint32_t state)
    __attribute__((warn_unused_result));

/*
 * Copies up to n bytes of the saved state to p: fewer only at its end. Returns the bytes, or
 * -EINVAL if not in STOP_COPY.
 */
ssize_t migration_read(struct migration *m, void *p, size_t n) __attribute__((warn_unused_result));

/*
 * Adds n bytes to the state being loaded. Returns 0, or -EINVAL if not in RESUMING, or beyond a
 * state's size.
 */
int migration_write(struct migration *m, const void *p, size_t n)
    __attribute__((warn_unused_result));

#endif
