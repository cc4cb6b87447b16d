/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The edu device's interrupts to its client: one INTx line and one MSI vector, each an eventfd. */
#ifndef POEMD_EDU_IRQ_H
#define POEMD_EDU_IRQ_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fdset.h"
#include "base/wire/wire.h"

struct irq {
    int intx_fd; /* the client's eventfds, owned; -1 if none */
    int msi_fd;
    bool intx_masked; /* INTx masks itself when it fires; the client unmasks it */
};

void irq_init(struct irq *q);

/* Closes the eventfds; call irq_init before using it again. */
void irq_deinit(struct irq *q);

/*
 * "VFIO_USER_DEVICE_GET_IRQ_INFO": fills flags and count for out->index. Returns 0, or -EINVAL if
 * there is no such index. A type that the device lacks has a count of 0.
 */
int edu_irq_info(struct wire_irq_info *out) __attribute__((warn_unused_result));

/*
 * "VFIO_USER_DEVICE_SET_IRQS": s has passed wire_check; bools are its s->count bytes if its data
 * type has them; eventfds that are used are taken out of fds. After a 0 the caller updates the
 * line's level with irq_line. Returns -EINVAL if index, range, argsz or number of fds is wrong;
 * -ENOTSUP if the type cannot be masked, or the masks are eventfds.
 */
int irq_set(struct irq *q, const struct wire_irq_set *s, const uint8_t *bools, struct fdset *fds)
    __attribute__((warn_unused_result));

/* Sets the INTx line's level: fires once, and again only after it is unmasked. */
void irq_line(struct irq *q, bool level);

/* Sends the MSI message if the client has set it up. */
void irq_message(struct irq *q);

/* Returns true if the client has set up an MSI vector. */
static inline bool irq_message_wanted(const struct irq *q)
{
    return q->msi_fd >= 0;
}

#endif
