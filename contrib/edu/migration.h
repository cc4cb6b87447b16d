/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The migration states of the edu device and its data stream.
 *
 * "Device Features", "VFIO_USER_MIG_DATA_READ", "VFIO_USER_MIG_DATA_WRITE". STOP_COPY only: the
 * whole state is 8 KiB, half of it a page that the client can change unseen, so that there is
 * nothing to be gained from copying before the stop.
 */
#ifndef POEMD_EDU_MIGRATION_H
#define POEMD_EDU_MIGRATION_H

#include <stddef.h>
#include <stdint.h>

#include "base/wire.h"
#include "contrib/edu/device.h"
#include "contrib/edu/state.h"

struct migration {
    enum wire_mig_state state;
    uint8_t data[STATE_SIZE]; /* being saved or loaded */
    size_t n;                 /* bytes that data holds */
    size_t at;                /* of them, read already */
};

/* RUNNING; also after a reset of the device. */
void migration_init(struct migration *m);

/*
 * Goes to a state, by way of STOP where there is no direct arc. 0; -EINVAL: no such state, or not
 * to be asked for (ERROR; the P2P and PRE_COPY ones, which the device lacks), or the state is
 * ERROR, or the data loaded is no valid state: then it is ERROR from now on.
 */
int migration_set(struct migration *m, struct device *d, uint32_t state)
    __attribute__((warn_unused_result));

/* Takes up to n bytes of the saved state to p: fewer only where no more are left. Bytes, or
 * -EINVAL: not in STOP_COPY. */
ssize_t migration_read(struct migration *m, void *p, size_t n) __attribute__((warn_unused_result));

/* Adds n bytes to the state being loaded. 0 or -EINVAL: not in RESUMING, or more than a state has.
 */
int migration_write(struct migration *m, const void *p, size_t n)
    __attribute__((warn_unused_result));

#endif
