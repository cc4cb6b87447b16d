/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Sends, and reads replies, one after the other. proxy/relay/reattach.c knows what. */
#include "proxy/worker/session_attach.h"

#include <errno.h>
#include <event2/event_struct.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/sock.h"
#include "proxy/relay/reattach.h"

struct session_attach {
    int fd; /* borrowed */
    struct event ready;
    struct reattach reattach;
    struct reattach_message out;
    size_t sent;      /* of out; out.n: nothing is to be sent */
    struct fdset fds; /* of out: lent, not owned */
    uint8_t in[WIRE_HDR_SIZE + LIMIT_SETUP_INFO];
    size_t have;         /* of in */
    struct fdset in_fds; /* that came with it; owned */
    struct ipc_attached result;
    session_attach_fn *fn;
    void *arg;
};

/* Messages in a turn of the loop: others must not wait for a device that sends without an end. */
#define TURNS 64u

enum attach_step { ATTACH_ON, ATTACH_WAITS, ATTACH_DONE, ATTACH_REFUSED };

static void session_attach_on_ready(evutil_socket_t fd, short what, void *arg);

static enum attach_step session_attach_wait(struct session_attach *a, short what)
{
    event_del(&a->ready);
    event_assign(&a->ready, event_get_base(&a->ready), a->fd, what, session_attach_on_ready, a);
    /* If out of memory, the limit of time ends it. */
    (void)event_add(&a->ready, NULL);
    return ATTACH_WAITS;
}

/* The device is gone, or sends what no device would. */
static enum attach_step session_attach_fail(struct session_attach *a, enum ipc_differs what,
                                            uint32_t command)
{
    a->reattach.difference = (struct ipc_difference){.what = what, .command = command};
    return ATTACH_REFUSED;
}

static enum attach_step session_attach_send(struct session_attach *a)
{
    while (a->sent < a->out.n) {
        const ssize_t n = sock_send(a->fd, a->out.bytes + a->sent, a->out.n - a->sent,
                                    a->sent == 0 ? &a->fds : NULL, MSG_DONTWAIT);

        if (n == -EAGAIN) {
            return session_attach_wait(a, EV_WRITE);
        }
        if (n < 0) {
            return session_attach_fail(a, IPC_DIFFERS_NOT, 0);
        }
        a->sent += (size_t)n;
    }
    return ATTACH_ON;
}

/* Counts what has been made ready for sending. */
static void session_attach_count(struct session_attach *a, enum reattach_step step)
{
    a->result.maps += step == REATTACH_MAPS;
    a->result.requests += step == REATTACH_REQUESTS;
    a->result.fds += a->out.n_fds;
}

/* Makes the next message, if one may be sent. */
static enum attach_step session_attach_make(struct session_attach *a)
{
    if (!reattach_next(&a->reattach, &a->out)) {
        return a->reattach.waits ? ATTACH_ON : ATTACH_DONE;
    }
    a->sent = 0;
    a->fds.n = a->out.n_fds;
    if (a->out.n_fds > 0) {
        memcpy(a->fds.fds, a->out.fds, a->out.n_fds * sizeof *a->out.fds);
    }
    session_attach_count(a, a->reattach.step);
    return ATTACH_ON;
}

/* Answers a request of the device's. */
static enum attach_step session_attach_busy(struct session_attach *a, const struct wire_hdr *hdr)
{
    const struct wire_hdr reply = wire_error_hdr(hdr, EBUSY);

    if (hdr->flags & WIRE_NO_REPLY) {
        return ATTACH_ON;
    }
    wire_put_hdr(a->out.data, &reply);
    a->out.bytes = a->out.data;
    a->out.n = WIRE_HDR_SIZE;
    a->sent = 0;
    a->fds.n = 0;
    return ATTACH_ON;
}

/* Reads until in has size bytes. */
static enum attach_step session_attach_read(struct session_attach *a, size_t size)
{
    while (a->have < size) {
        const ssize_t n =
            sock_recv(a->fd, a->in + a->have, size - a->have, &a->in_fds, MSG_DONTWAIT);

        if (n == -EAGAIN) {
            return session_attach_wait(a, EV_READ);
        }
        if (n <= 0) {
            return session_attach_fail(a, IPC_DIFFERS_NOT, 0);
        }
        a->have += (size_t)n;
    }
    return ATTACH_ON;
}

static bool session_attach_same_file(int a, int b)
{
    struct stat first;
    struct stat second;

    return fstat(a, &first) == 0 && fstat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

/*
 * Returns false if it is an answer that must come with the memory that the client has mapped, and
 * does not.
 */
static bool session_attach_same_memory(struct session_attach *a, const struct wire_hdr *hdr)
{
    const struct reattach *const r = &a->reattach;

    if (r->step != REATTACH_INFOS || !r->info || !r->info->has_memory ||
        (hdr->flags & WIRE_ERROR) ||
        (a->in_fds.n == 1 && session_attach_same_file(a->in_fds.fds[0], r->setup->memory_fd))) {
        return true;
    }
    a->reattach.difference = (struct ipc_difference){
        .what = IPC_DIFFERS_MEMORY, .command = hdr->command, .index = r->setup->memory_region};
    return false;
}

/* Judges a whole message of the device's. */
static enum attach_step session_attach_judge(struct session_attach *a, const struct wire_hdr *hdr)
{
    if (!wire_is_reply(hdr)) {
        return session_attach_busy(a, hdr);
    }
    return session_attach_same_memory(a, hdr) &&
                   reattach_reply(&a->reattach, hdr, a->in + WIRE_HDR_SIZE,
                                  hdr->size - WIRE_HDR_SIZE)
               ? ATTACH_ON
               : ATTACH_REFUSED;
}

/* Reads and judges the next message of the device's. */
static enum attach_step session_attach_hear(struct session_attach *a)
{
    enum attach_step step = session_attach_read(a, WIRE_HDR_SIZE);
    struct wire_hdr hdr;

    if (step != ATTACH_ON) {
        return step;
    }
    if (wire_get_hdr(a->in, a->have, sizeof a->in, &hdr) != WIRE_FRAME_OK) {
        return session_attach_fail(a, IPC_DIFFERS_STRAY, hdr.command);
    }
    step = session_attach_read(a, hdr.size);
    if (step != ATTACH_ON) {
        return step;
    }
    a->have = 0;
    step = session_attach_judge(a, &hdr);
    fdset_close(&a->in_fds);
    return step;
}

static void session_attach_on_ready(evutil_socket_t fd, short what, void *arg)
{
    struct session_attach *const a = arg;
    enum attach_step step = ATTACH_ON;

    (void)fd;
    (void)what;
    for (unsigned turns = 0; step == ATTACH_ON; turns++) {
        if (turns == TURNS) {
            step = session_attach_wait(a, EV_WRITE);
            break;
        }
        step = session_attach_send(a);
        if (step == ATTACH_ON) {
            step = a->reattach.waits ? session_attach_hear(a) : session_attach_make(a);
        }
    }
    if (step != ATTACH_WAITS) {
        event_del(&a->ready);
        a->fn(a->arg, step == ATTACH_REFUSED ? &a->reattach.difference : NULL);
    }
}

struct session_attach *session_attach_new(struct event_base *base, int fd,
                                          const struct setup *setup, uint32_t max_fds,
                                          session_attach_fn *fn, void *arg)
{
    struct session_attach *const a = calloc(1, sizeof *a);

    if (!a) {
        return NULL;
    }
    a->fd = fd;
    a->fn = fn;
    a->arg = arg;
    fdset_init(&a->fds);
    fdset_init(&a->in_fds);
    reattach_init(&a->reattach, setup, max_fds);
    event_assign(&a->ready, base, fd, EV_WRITE, session_attach_on_ready, a);
    (void)event_add(&a->ready, NULL);
    return a;
}

void session_attach_free(struct session_attach *a)
{
    if (a) {
        event_del(&a->ready);
        fdset_close(&a->in_fds);
        free(a);
    }
}

struct ipc_attached session_attach_result(const struct session_attach *a)
{
    return a->result;
}
