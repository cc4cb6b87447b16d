/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A device's interrupts as SET_IRQS has set them up. Only closes fds. */
#include "proxy/relay/setup/setup_irqs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/sock.h"

/* The flags of each action, in the order in which a new device gets them. */
static const uint32_t actions[SETUP_ACTIONS] = {
    [SETUP_MASK] = WIRE_IRQ_SET_ACTION_MASK,
    [SETUP_UNMASK] = WIRE_IRQ_SET_ACTION_UNMASK,
    [SETUP_TRIGGER] = WIRE_IRQ_SET_ACTION_TRIGGER,
};

void setup_irqs_init(struct setup_irqs *q)
{
    memset(q, 0, sizeof *q);
}

/* Closes all eventfds of an index and forgets its masks. Returns the number closed. */
static unsigned setup_irqs_clear(struct setup_irqs_index *x)
{
    unsigned closed = 0;

    for (int a = 0; a < SETUP_ACTIONS; a++) {
        for (uint32_t i = 0; x->fds[a] && i < x->n; i++) {
            closed += x->fds[a][i] >= 0;
            sock_close(&x->fds[a][i]);
        }
        free(x->fds[a]);
    }
    free(x->masked);
    memset(x, 0, sizeof *x);
    return closed;
}

void setup_irqs_deinit(struct setup_irqs *q)
{
    for (unsigned i = 0; i < WIRE_PCI_NUM_IRQS; i++) {
        (void)setup_irqs_clear(&q->index[i]);
    }
}

/* Makes room for n vectors with eventfds of every action. Returns 0 or -ENOMEM. */
static int setup_irqs_room(struct setup_irqs_index *x, uint32_t n)
{
    uint8_t *masked;

    if (n <= x->n) {
        return 0;
    }
    for (int a = 0; a < SETUP_ACTIONS; a++) {
        int *const fds = realloc(x->fds[a], n * sizeof *fds);

        if (!fds) {
            return -ENOMEM;
        }
        for (uint32_t i = x->n; i < n; i++) {
            fds[i] = -1;
        }
        x->fds[a] = fds;
    }
    masked = realloc(x->masked, n);
    if (!masked) {
        return -ENOMEM;
    }
    memset(masked + x->n, 0, n - x->n);
    x->masked = masked;
    x->n = n;
    return 0;
}

/* Replaces the eventfds of the vectors; a vector without one has none from now on. */
static void setup_irqs_set(struct setup_irqs_index *x, const struct wire_irq_set *set, int *fds,
                           unsigned n_given, unsigned *n_fds)
{
    for (int a = 0; a < SETUP_ACTIONS; a++) {
        if ((set->flags & WIRE_IRQ_SET_ACTION_ALL) != actions[a]) {
            continue;
        }
        for (uint32_t i = 0; i < set->count; i++) {
            int *const fd = &x->fds[a][set->start + i];

            *n_fds -= *fd >= 0;
            sock_close(fd);
            if (i < n_given) {
                *fd = fds[i];
                fds[i] = -1;
                ++*n_fds;
            }
        }
    }
}

static void setup_irqs_mask(struct setup_irqs_index *x, const struct wire_irq_set *set,
                            const uint8_t *bools, size_t n)
{
    const bool on = (set->flags & WIRE_IRQ_SET_ACTION_MASK) != 0;

    for (uint32_t i = 0; i < set->count; i++) {
        if (!(set->flags & WIRE_IRQ_SET_DATA_BOOL) || (i < n && bools[i])) {
            x->masked[set->start + i] = on;
        }
    }
}

int setup_irqs_apply(struct setup_irqs *q, const uint8_t *p, size_t n, int *fds, unsigned n_given,
                     unsigned *n_fds)
{
    struct setup_irqs_index *x;
    struct wire_irq_set set;
    int err;

    if (!wire_get(p, n, &set, sizeof set)) {
        return 0;
    }
    if (set.index >= WIRE_PCI_NUM_IRQS || set.start > LIMIT_SETUP_VECTORS ||
        set.count > LIMIT_SETUP_VECTORS - set.start) {
        return -ERANGE;
    }
    x = &q->index[set.index];
    if (set.count == 0) {
        if ((set.flags & WIRE_IRQ_SET_DATA_NONE) && (set.flags & WIRE_IRQ_SET_ACTION_TRIGGER)) {
            *n_fds -= setup_irqs_clear(x);
        }
        return 0;
    }
    err = setup_irqs_room(x, set.start + set.count);
    if (err) {
        return err;
    }
    if (set.flags & WIRE_IRQ_SET_DATA_EVENTFD) {
        setup_irqs_set(x, &set, fds, n_given, n_fds);
    } else if (!(set.flags & WIRE_IRQ_SET_ACTION_TRIGGER)) {
        setup_irqs_mask(x, &set, p + sizeof set, n - sizeof set);
    }
    return 0;
}

/* A place is a vector of an index with one action; behind the actions come the masks. */
#define PLACES (SETUP_ACTIONS + 1u)

static bool setup_irqs_has(const struct setup_irqs_index *x, unsigned kind, uint32_t vector)
{
    return kind == SETUP_ACTIONS ? x->masked[vector] != 0
                                 : x->fds[kind] && x->fds[kind][vector] >= 0;
}

bool setup_irqs_next(const struct setup_irqs *q, uint64_t *at, uint32_t most,
                     struct setup_irqs_run *run)
{
    for (; *at < (uint64_t)WIRE_PCI_NUM_IRQS * PLACES * LIMIT_SETUP_VECTORS; ++*at) {
        const uint32_t vector = (uint32_t)(*at % LIMIT_SETUP_VECTORS);
        const unsigned kind = (unsigned)(*at / LIMIT_SETUP_VECTORS % PLACES);
        const uint32_t index = (uint32_t)(*at / LIMIT_SETUP_VECTORS / PLACES);
        const struct setup_irqs_index *const x = &q->index[index];
        uint32_t n = 0;

        if (vector >= x->n) {
            /* No more of this kind. */
            *at += LIMIT_SETUP_VECTORS - vector - 1;
            continue;
        }
        while (vector + n < x->n && setup_irqs_has(x, kind, vector + n) &&
               (kind == SETUP_ACTIONS || n < most)) {
            n++;
        }
        if (n > 0) {
            *at += n;
            *run = (struct setup_irqs_run){
                .index = index,
                .start = vector,
                .count = n,
                .flags = kind == SETUP_ACTIONS ? WIRE_IRQ_SET_DATA_NONE | WIRE_IRQ_SET_ACTION_MASK
                                               : WIRE_IRQ_SET_DATA_EVENTFD | actions[kind],
                .fds = kind == SETUP_ACTIONS ? NULL : &x->fds[kind][vector]};
            return true;
        }
    }
    return false;
}
