/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Brings a new process of a device to the point where its predecessor was: the messages to send it
 * after VERSION, one after the other, and the judgement of its replies.
 *
 *   maps        every DMA_MAP with its fd
 *   infos       every question that the client has asked: the answers must be the same
 *   config      what the client has written to the configuration space, the command register last
 *   interrupts  the eventfds, then the masks
 *   kick        each vector with an eventfd is triggered once by the device, since an interrupt may
 *               have been lost; refusals are ignored
 *   requests    those of the client that are under way, in their order; their replies are relayed
 *
 * Each waits for the reply to the one before, except for the requests. Pure: no socket, no clock.
 */
#ifndef POEMD_PROXY_RELAY_SETUP_REATTACH_H
#define POEMD_PROXY_RELAY_SETUP_REATTACH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/wire/wire.h"
#include "proxy/ipc/ipc.h"
#include "proxy/relay/setup/setup.h"

enum reattach_step {
    REATTACH_MAPS,
    REATTACH_INFOS,
    REATTACH_CONFIG,
    REATTACH_INTERRUPTS,
    REATTACH_KICK,
    REATTACH_REQUESTS,
    REATTACH_DONE,
};

struct reattach {
    const struct setup *setup; /* borrowed; see reattach_init */
    uint32_t max_fds;          /* that the device takes with a message */
    enum reattach_step step;
    enum reattach_step end; /* the first step that is not made; REATTACH_DONE unless changed */
    bool waits;             /* for the reply to sent */
    struct wire_hdr sent;
    const struct setup_map *map;         /* the next one */
    const struct setup_info *info;       /* the next one, or the one that was asked for */
    const struct setup_request *request; /* the next one, from REATTACH_REQUESTS on */
    unsigned config;                     /* cursors of setup_config_next, setup_irqs_next */
    uint64_t irqs;
    struct ipc_difference difference; /* of a device that is refused */
};

/* A message to send. */
struct reattach_message {
    const uint8_t *bytes; /* data, or what the record has of a request */
    size_t n;
    const int *fds; /* borrowed from the record */
    unsigned n_fds;
    uint8_t data[WIRE_HDR_SIZE + LIMIT_SETUP_INFO];
};

/*
 * The record must not have been given up, and must not change until the end, but for requests that
 * are answered before REATTACH_REQUESTS. max_fds is at least 1.
 */
void reattach_init(struct reattach *r, const struct setup *setup, uint32_t max_fds);

/*
 * Makes the next message. Returns false if none may be sent now: the device must reply first
 * (r->waits), or it is done (step is REATTACH_DONE).
 */
bool reattach_next(struct reattach *r, struct reattach_message *m)
    __attribute__((warn_unused_result));

/*
 * A reply has come: n bytes of payload behind hdr. Returns false if the device is refused, with
 * r->difference.
 */
bool reattach_reply(struct reattach *r, const struct wire_hdr *hdr, const uint8_t *payload,
                    size_t n) __attribute__((warn_unused_result));

#endif
