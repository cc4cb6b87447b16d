/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Sends, and reads replies, one after the other. Others know which and why. */
#include "proxy/worker/device/device_io.h"

#include <errno.h>
#include <event2/event_struct.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fdset.h"
#include "base/sock.h"
#include "proxy/relay/setup/reattach.h"
#include "proxy/relay/sender_check.h"

struct device_io {
    int fd; /* borrowed */
    struct event ready;
    struct sender_check *check; /* borrowed; NULL: none */
    bool beside;
    bool inside;    /* on_ready runs: it frees and goes on itself */
    bool freed;     /* … at its end */
    bool awaits;    /* a reply */
    bool sending;   /* out is not sent, or not all of it */
    bool expects;   /* the message being sent is one that is answered */
    bool answering; /* it is of our own, to a request of the device's */
    const uint8_t *out;
    size_t out_n;
    size_t sent;      /* of out */
    struct fdset fds; /* of out: lent, not owned */
    uint8_t busy[WIRE_HDR_SIZE];
    device_io_fn *fn;
    void *arg;
    size_t room;
    size_t have;         /* of in */
    struct fdset in_fds; /* that came with it; owned */
    uint8_t in[];
};

/* Messages in a turn of the loop: others must not wait for a device that sends without an end. */
#define TURNS 64u

enum device_io_step { DEVICE_IO_ON, DEVICE_IO_WAITS };

static void device_io_on_ready(evutil_socket_t fd, short what, void *arg);

static enum device_io_step device_io_wait(struct device_io *io, short what)
{
    event_del(&io->ready);
    event_assign(&io->ready, event_get_base(&io->ready), io->fd, what, device_io_on_ready, io);
    /* If out of memory, the owner's limit of time ends it. */
    (void)event_add(&io->ready, NULL);
    return DEVICE_IO_WAITS;
}

static enum device_io_step device_io_notify(struct device_io *io, const struct device_io_event *e)
{
    io->fn(io->arg, e);
    return io->freed || (!io->sending && !io->awaits) ? DEVICE_IO_WAITS : DEVICE_IO_ON;
}

static enum device_io_step device_io_fail(struct device_io *io, enum device_io_news news,
                                          const struct wire_hdr *hdr)
{
    io->awaits = false;
    io->sending = false;
    return device_io_notify(io, &(struct device_io_event){.news = news, .hdr = *hdr});
}

static enum device_io_step device_io_push(struct device_io *io)
{
    static const struct wire_hdr none;

    while (io->sent < io->out_n) {
        const ssize_t n = sock_send(io->fd, io->out + io->sent, io->out_n - io->sent,
                                    io->sent == 0 ? &io->fds : NULL, MSG_DONTWAIT);

        if (n == -EAGAIN) {
            return device_io_wait(io, EV_WRITE);
        }
        if (n < 0) {
            return device_io_fail(io, DEVICE_IO_GONE, &none);
        }
        io->sent += (size_t)n;
    }
    io->sending = false;
    if (io->answering) {
        io->answering = false;
        return DEVICE_IO_ON;
    }
    io->awaits = io->expects;
    return io->awaits ? DEVICE_IO_ON
                      : device_io_notify(io, &(struct device_io_event){.news = DEVICE_IO_SENT});
}

/* Answers a request of the device's. */
static enum device_io_step device_io_answer_busy(struct device_io *io, const struct wire_hdr *hdr)
{
    const struct wire_hdr reply = wire_error_hdr(hdr, EBUSY);

    if (hdr->flags & WIRE_NO_REPLY) {
        return DEVICE_IO_ON;
    }
    wire_put_hdr(io->busy, &reply);
    io->answering = true;
    io->sending = true;
    io->out = io->busy;
    io->out_n = sizeof io->busy;
    io->sent = 0;
    io->fds.n = 0;
    return DEVICE_IO_ON;
}

/* Reads until in has size bytes. Returns 1, -EAGAIN, -EXDEV for another sender, or -errno. */
static int device_io_read(struct device_io *io, size_t size)
{
    while (io->have < size) {
        uint8_t *const to = io->in + io->have;
        struct sock_sender from;
        const ssize_t n =
            io->check
                ? sock_recv_from(io->fd, to, size - io->have, &io->in_fds, MSG_DONTWAIT, &from)
                : sock_recv(io->fd, to, size - io->have, &io->in_fds, MSG_DONTWAIT);

        if (n <= 0) {
            return n == 0 ? -ECONNRESET : (int)n;
        }
        if (io->check && !sender_check_look(io->check, &from)) {
            return -EXDEV;
        }
        io->have += (size_t)n;
    }
    return 1;
}

/* A whole message of the device's. */
static enum device_io_step device_io_judge(struct device_io *io, const struct wire_hdr *hdr)
{
    if (!wire_is_reply(hdr)) {
        return io->beside ? device_io_fail(io, DEVICE_IO_STRAY, hdr)
                          : device_io_answer_busy(io, hdr);
    }
    io->awaits = false;
    return device_io_notify(io, &(struct device_io_event){.news = DEVICE_IO_REPLY,
                                                          .hdr = *hdr,
                                                          .bytes = io->in,
                                                          .payload = io->in + WIRE_HDR_SIZE,
                                                          .n = hdr->size - WIRE_HDR_SIZE,
                                                          .fds = &io->in_fds});
}

/* Reads the next message of the device's. */
static enum device_io_step device_io_hear(struct device_io *io)
{
    struct wire_hdr hdr = {.size = WIRE_HDR_SIZE};
    enum device_io_step step;
    int r = device_io_read(io, WIRE_HDR_SIZE);

    if (r > 0 && wire_get_hdr(io->in, io->have, (uint32_t)io->room, &hdr) != WIRE_FRAME_OK) {
        return device_io_fail(io, DEVICE_IO_STRAY, &hdr);
    }
    r = r > 0 ? device_io_read(io, hdr.size) : r;
    if (r == -EAGAIN) {
        return io->beside && io->have == 0 ? DEVICE_IO_WAITS : device_io_wait(io, EV_READ);
    }
    if (r < 0) {
        return device_io_fail(io, r == -EXDEV ? DEVICE_IO_STRAY : DEVICE_IO_GONE, &hdr);
    }
    io->have = 0;
    step = device_io_judge(io, &hdr);
    fdset_close(&io->in_fds);
    return step;
}

static void device_io_on_ready(evutil_socket_t fd, short what, void *arg)
{
    struct device_io *const io = arg;
    enum device_io_step step = DEVICE_IO_ON;

    (void)fd;
    (void)what;
    io->inside = true;
    for (unsigned turns = 0; step == DEVICE_IO_ON; turns++) {
        if (turns == TURNS) {
            step = device_io_wait(io, EV_WRITE);
        } else if (io->sending) {
            step = device_io_push(io);
        } else {
            step = io->awaits ? device_io_hear(io) : DEVICE_IO_WAITS;
        }
    }
    io->inside = false;
    if (io->freed) {
        device_io_free(io);
    }
}

struct device_io *device_io_new(struct event_base *base, int fd, size_t room, device_io_fn *fn,
                                void *arg)
{
    struct device_io *const io = calloc(1, sizeof *io + room);

    if (io) {
        io->fd = fd;
        io->room = room;
        io->fn = fn;
        io->arg = arg;
        fdset_init(&io->fds);
        fdset_init(&io->in_fds);
        event_assign(&io->ready, base, fd, EV_WRITE, device_io_on_ready, io);
    }
    return io;
}

void device_io_free(struct device_io *io)
{
    if (io && io->inside) {
        io->freed = true;
    } else if (io) {
        event_del(&io->ready);
        fdset_close(&io->in_fds);
        free(io);
    }
}

void device_io_check_senders(struct device_io *io, struct sender_check *check)
{
    io->check = check;
}

void device_io_set_beside(struct device_io *io, bool beside)
{
    io->beside = beside;
}

void device_io_send(struct device_io *io, const struct reattach_message *m, bool expects_reply)
{
    io->out = m->bytes;
    io->out_n = m->n;
    io->sent = 0;
    io->sending = true;
    io->expects = expects_reply;
    io->fds.n = m->n_fds;
    if (m->n_fds > 0) {
        memcpy(io->fds.fds, m->fds, m->n_fds * sizeof *m->fds);
    }
    device_io_go_on(io);
}

void device_io_go_on(struct device_io *io)
{
    if (!io->inside) {
        event_active(&io->ready, EV_WRITE, 0);
    }
}
