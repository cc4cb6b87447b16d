/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Passes messages and replies on: reattach.c knows which, device_io.c how. */
#include "proxy/worker/session_attach.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "proxy/relay/setup/reattach.h"
#include "proxy/worker/device/device_io.h"

struct session_attach {
    struct device_io *io; /* owned */
    struct reattach reattach;
    struct reattach_message out;
    struct ipc_attached result;
    session_attach_fn *fn;
    void *arg;
};

/* Counts what has been made ready for sending. */
static void session_attach_count(struct session_attach *a, enum reattach_step step)
{
    a->result.maps += step == REATTACH_MAPS;
    a->result.requests += step == REATTACH_REQUESTS;
    a->result.fds += a->out.n_fds;
}

/* Sends the next message; if none is left, it is done. */
static void session_attach_make(struct session_attach *a)
{
    if (!reattach_next(&a->reattach, &a->out)) {
        a->fn(a->arg, NULL);
        return;
    }
    session_attach_count(a, a->reattach.step);
    device_io_send(a->io, &a->out, a->reattach.waits);
}

static bool session_attach_same_file(int a, int b)
{
    struct stat first;
    struct stat second;

    return fstat(a, &first) == 0 && fstat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

bool session_attach_same_memory(struct reattach *r, const struct wire_hdr *hdr,
                                const struct fdset *fds)
{
    if (r->step != REATTACH_INFOS || !r->info || !r->info->has_memory ||
        (hdr->flags & WIRE_ERROR) ||
        (fds->n == 1 && session_attach_same_file(fds->fds[0], r->setup->memory_fd))) {
        return true;
    }
    r->difference = (struct ipc_difference){
        .what = IPC_DIFFERS_MEMORY, .command = hdr->command, .index = r->setup->memory_region};
    return false;
}

static void session_attach_on_io(void *arg, const struct device_io_event *e)
{
    struct session_attach *const a = arg;

    if (e->news == DEVICE_IO_SENT ||
        (e->news == DEVICE_IO_REPLY && session_attach_same_memory(&a->reattach, &e->hdr, e->fds) &&
         reattach_reply(&a->reattach, &e->hdr, e->payload, e->n))) {
        session_attach_make(a);
        return;
    }
    if (e->news != DEVICE_IO_REPLY) {
        a->reattach.difference = (struct ipc_difference){
            .what = e->news == DEVICE_IO_STRAY ? IPC_DIFFERS_STRAY : IPC_DIFFERS_NOT,
            .command = e->hdr.command};
    }
    a->fn(a->arg, &a->reattach.difference);
}

struct session_attach *session_attach_new(struct event_base *base, int fd,
                                          const struct setup *setup, uint32_t max_fds,
                                          session_attach_fn *fn, void *arg)
{
    struct session_attach *const a = calloc(1, sizeof *a);

    if (!a) {
        return NULL;
    }
    a->io = device_io_new(base, fd, WIRE_HDR_SIZE + LIMIT_SETUP_INFO, session_attach_on_io, a);
    if (!a->io) {
        free(a);
        return NULL;
    }
    a->fn = fn;
    a->arg = arg;
    reattach_init(&a->reattach, setup, max_fds);
    device_io_send(a->io, &a->out, false);
    return a;
}

void session_attach_free(struct session_attach *a)
{
    if (a) {
        device_io_free(a->io);
        free(a);
    }
}

void session_attach_check_senders(struct session_attach *a, struct sender_check *check)
{
    device_io_check_senders(a->io, check);
}

bool session_attach_repeats(const struct session_attach *a)
{
    return a->reattach.step >= REATTACH_REQUESTS;
}

struct ipc_attached session_attach_result(const struct session_attach *a)
{
    return a->result;
}
