/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Interrupts by eventfd. Writes to the client's eventfds without ever blocking; has no registers.
 */
#include "contrib/edu/irq.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sock.h"

void irq_init(struct irq *q)
{
    *q = (struct irq){.intx_fd = -1, .msi_fd = -1};
}

void irq_deinit(struct irq *q)
{
    sock_close(&q->intx_fd);
    sock_close(&q->msi_fd);
    q->intx_masked = false;
}

int edu_irq_info(struct wire_irq_info *out)
{
    if (out->index >= WIRE_PCI_NUM_IRQS) {
        return -EINVAL;
    }
    out->flags = 0;
    out->count = 0;
    if (out->index == WIRE_PCI_INTX) {
        out->flags = WIRE_IRQ_INFO_EVENTFD | WIRE_IRQ_INFO_MASKABLE | WIRE_IRQ_INFO_AUTOMASKED;
        out->count = 1;
    } else if (out->index == WIRE_PCI_MSI) {
        out->flags = WIRE_IRQ_INFO_EVENTFD | WIRE_IRQ_INFO_NORESIZE;
        out->count = 1;
    }
    return 0;
}

/*
 * The fd is the client's and may be of any kind, also an eventfd so full that a write would block.
 * If it accepts no more, its value has not been read yet, and another event would add nothing.
 */
static void edu_irq_fire(int fd)
{
    const uint64_t one = 1;
    struct pollfd p = {.fd = fd, .events = POLLOUT};

    if (fd < 0 || poll(&p, 1, 0) != 1 || !(p.revents & POLLOUT)) {
        return;
    }
    if (write(fd, &one, sizeof one) < 0) {
        log_warning("interrupt eventfd: errno %d", errno);
    }
}

static int *edu_irq_line_fd(struct irq *q, uint32_t index)
{
    return index == WIRE_PCI_INTX ? &q->intx_fd : &q->msi_fd;
}

/* Replaces the type's only eventfd by the first of fds, or removes it. */
static int edu_irq_assign(struct irq *q, const struct wire_irq_set *s, struct fdset *fds)
{
    int *fd = edu_irq_line_fd(q, s->index);

    if (fds->n != 0 && fds->n != s->count) {
        return -EINVAL;
    }
    sock_close(fd);
    *fd = fdset_steal(fds, 0);
    if (s->index == WIRE_PCI_INTX) {
        q->intx_masked = false;
    }
    return 0;
}

static void edu_irq_act(struct irq *q, const struct wire_irq_set *s)
{
    if (s->flags & WIRE_IRQ_SET_ACTION_TRIGGER) {
        edu_irq_fire(*edu_irq_line_fd(q, s->index));
    } else {
        q->intx_masked = s->flags & WIRE_IRQ_SET_ACTION_MASK;
    }
}

int irq_set(struct irq *q, const struct wire_irq_set *s, const uint8_t *bools, struct fdset *fds)
{
    const bool eventfd = s->flags & WIRE_IRQ_SET_DATA_EVENTFD;
    const bool flagged = s->flags & WIRE_IRQ_SET_DATA_BOOL;
    const bool trigger = s->flags & WIRE_IRQ_SET_ACTION_TRIGGER;
    struct wire_irq_info info = {.index = s->index};

    if (edu_irq_info(&info) != 0 || s->argsz != sizeof *s + (flagged ? s->count : 0) ||
        s->start > info.count || s->count > info.count - s->start || (fds->n != 0 && !eventfd)) {
        return -EINVAL;
    }
    if (!trigger && (eventfd || !(info.flags & WIRE_IRQ_INFO_MASKABLE))) {
        return -ENOTSUP;
    }
    if (s->count == 0) {
        /* "a count (and start) of 0, with DATA_NONE disables all interrupts of the index" */
        if (s->start != 0 || eventfd || flagged || !trigger) {
            return -EINVAL;
        }
        return info.count ? edu_irq_assign(q, s, fds) : 0;
    }
    if (eventfd) {
        return edu_irq_assign(q, s, fds);
    }
    if (!flagged || bools[0]) {
        edu_irq_act(q, s);
    }
    return 0;
}

void irq_line(struct irq *q, bool level)
{
    if (!level || q->intx_masked || q->intx_fd < 0) {
        return;
    }
    q->intx_masked = true;
    edu_irq_fire(q->intx_fd);
}

void irq_message(struct irq *q)
{
    edu_irq_fire(q->msi_fd);
}
