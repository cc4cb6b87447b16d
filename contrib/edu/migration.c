/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The migration state machine. Pure except for its effects on the device. */
#include "contrib/edu/migration.h"

#include <errno.h>
#include <string.h>
#include <sys/types.h>

#include "base/log.h"

void migration_init(struct migration *m)
{
    m->state = WIRE_MIG_RUNNING;
    m->n = 0;
    m->at = 0;
}

static bool edu_migration_settable(uint32_t state)
{
    return state == WIRE_MIG_STOP || state == WIRE_MIG_RUNNING || state == WIRE_MIG_STOP_COPY ||
           state == WIRE_MIG_RESUMING;
}

/*
 * "Direct State Transitions": every arc of this device begins or ends in STOP, so each step enters
 * or leaves STOP.
 */
static int edu_migration_step(struct migration *m, struct device *d, enum wire_mig_state to)
{
    if (m->state == WIRE_MIG_RUNNING) {
        device_stop(d);
        to = WIRE_MIG_STOP;
    } else if (m->state == WIRE_MIG_RESUMING) {
        if (state_load(d, m->data, m->n) != 0) {
            log_warning("migration: %zu bytes are not a valid state of this device", m->n);
            m->state = WIRE_MIG_ERROR;
            return -EINVAL;
        }
        to = WIRE_MIG_STOP;
    } else if (m->state == WIRE_MIG_STOP_COPY) {
        to = WIRE_MIG_STOP;
    } else if (to == WIRE_MIG_RUNNING) {
        device_resume(d);
    }
    m->n = 0;
    m->at = 0;
    m->state = to;
    if (to == WIRE_MIG_STOP_COPY) {
        bar2_drain(&d->bar2);
        state_save(d, m->data);
        m->n = STATE_SIZE;
    }
    return 0;
}

int migration_set(struct migration *m, struct device *d, uint32_t state)
{
    if (!edu_migration_settable(state) || m->state == WIRE_MIG_ERROR) {
        return -EINVAL;
    }
    while (m->state != state) {
        const int err = edu_migration_step(m, d, (enum wire_mig_state)state);

        if (err) {
            return err;
        }
    }
    return 0;
}

ssize_t migration_read(struct migration *m, void *p, size_t n)
{
    const size_t left = m->n - m->at;

    if (m->state != WIRE_MIG_STOP_COPY) {
        return -EINVAL;
    }
    n = n < left ? n : left;
    memcpy(p, m->data + m->at, n);
    m->at += n;
    return (ssize_t)n;
}

int migration_write(struct migration *m, const void *p, size_t n)
{
    if (m->state != WIRE_MIG_RESUMING || n > sizeof m->data - m->n) {
        return -EINVAL;
    }
    memcpy(m->data + m->n, p, n);
    m->n += n;
    return 0;
}
