/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A record of what a session has set up in its device, from which a new process of the device can
 * be brought to the same point ("on backend loss hold"):
 *
 *   maps       DMA_MAP with its fd, until DMA_UNMAP
 *   interrupts the eventfds of SET_IRQS by index, action and vector, and the masks
 *   config     writes to the PCI configuration space, and what is known of its header
 *   infos      the replies about the device, its regions and interrupts
 *   requests   of the client that are under way, to be sent again
 *   memory     the fd of the BAR memory that the client may have mapped ("mappable adopt")
 *   device     requests of the device that are under way: their replies are not for its successor
 *
 * It is fed with each message that goes on, in both directions, as it goes on: a map without its fd
 * is kept without it. A request counts once the device has agreed to it, or at once if it wants no
 * reply. A request that is still under way is in no other list.
 *
 * Bounded in everything (base/limits.h). If a limit is exceeded, the record is given up: all of it
 * is released, and its session ends with its device. Peers' bytes are not trusted: what is too
 * short, or out of range, changes nothing.
 *
 * Owns copies of fds; makes no other system call. Specification: "VFIO_USER_DMA_MAP",
 * "VFIO_USER_DEVICE_SET_IRQS", "VFIO_USER_REGION_WRITE".
 */
#ifndef POEMD_PROXY_RELAY_SETUP_SETUP_H
#define POEMD_PROXY_RELAY_SETUP_SETUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/fdset.h"
#include "base/limits.h"
#include "base/side.h"
#include "base/tree.h"
#include "base/wire/wire.h"
#include "proxy/ipc/setup_lack.h"
#include "proxy/relay/setup/setup_config.h"
#include "proxy/relay/setup/setup_irqs.h"
#include "proxy/relay/setup/setup_nvme.h"

struct setup_map {
    RB_ENTRY(setup_map) link;
    struct wire_dma_map map;
    int fd; /* owned; -1: none */
};
RB_HEAD(setup_map_tree, setup_map);

/* A request of the client's that awaits its reply. */
struct setup_request {
    TAILQ_ENTRY(setup_request) link;
    struct wire_hdr hdr;
    uint32_t since_ms; /* clock_coarse_ms, when it went on */
    bool whole;        /* bytes has all of it; otherwise it was too long to be kept */
    size_t n;
    uint8_t *bytes; /* owned: header and payload */
    unsigned n_fds;
    int *fds; /* owned */
};
TAILQ_HEAD(setup_request_list, setup_request);

/* A question about the device, and its answer. */
struct setup_info {
    TAILQ_ENTRY(setup_info) link;
    size_t n_request;
    size_t n_reply;
    bool has_memory; /* the reply came with memory_fd */
    uint8_t bytes[]; /* the request with its header, then the reply's payload */
};
TAILQ_HEAD(setup_info_list, setup_info);

struct setup {
    enum setup_lack lack;
    enum setup_shares shares; /* see setup_strips */
    int memory_fd;            /* owned; -1: none is shared */
    uint32_t memory_region;
    bool assists; /* "assist nvme" */
    bool pinned;  /* see setup_pin */
    enum setup_nvme nvme;
    unsigned n_maps;
    unsigned n_fds; /* of maps, interrupts and requests */
    unsigned n_requests;
    size_t request_bytes;
    unsigned n_infos;
    unsigned n_asked; /* requests of the device that the client has not answered */
    unsigned n_stale; /* … of an earlier process: the client's replies go nowhere */
    struct setup_map_tree maps;
    struct setup_irqs irqs;
    struct setup_config *config; /* NULL: nothing is known of it */
    struct setup_request_list requests;
    struct setup_info_list infos;
    uint16_t asked[LIMIT_SETUP_ASKED];
    uint16_t stale[LIMIT_SETUP_ASKED];
};

/* assists: an NVMe controller is shown as failed after a loss. Returns NULL if out of memory. */
struct setup *setup_new(enum setup_shares shares, bool assists) __attribute__((warn_unused_result));

/* Closes all fds. NULL is allowed. */
void setup_free(struct setup *s);

/* Gives the record up: releases all that is kept, unless it is pinned. The first reason stays. */
void setup_give_up(struct setup *s, enum setup_lack why);

/*
 * While it is pinned, a record that is given up does not change any more, but keeps all it has:
 * for a reader of it that goes on in later turns of the loop (reattach.h).
 */
void setup_pin(struct setup *s, bool on);

/*
 * A whole message goes on: n bytes with its header, with fds (borrowed; NULL: none). now_ms is the
 * age's origin of a request of the client's.
 */
void setup_note(struct setup *s, enum side from, const uint8_t *bytes, size_t n,
                const struct fdset *fds, uint32_t now_ms);

/*
 * A message that is too large to be held goes on in pieces. One that sets something up gives the
 * record up.
 */
void setup_note_large(struct setup *s, enum side from, const struct wire_hdr *hdr, uint32_t now_ms);

/* The oldest request of the client's with this id has been answered with an error. */
void setup_note_error(struct setup *s, uint16_t id);

/*
 * Returns true if the message is the device's answer about memory or fds that would be shared with
 * the client: they are to be taken out of it (setup_strip); or if it may have a register that the
 * client is to see otherwise.
 */
bool setup_strips(const struct setup *s, enum side from, const struct wire_hdr *hdr);

/*
 * Takes MMAP and capabilities out of a DEVICE_GET_REGION_INFO reply, and all fds out of a
 * DEVICE_GET_REGION_IO_FDS reply; sets CSTS.CFS in a REGION_READ reply: n bytes with its header.
 * The size stays.
 */
void setup_strip(uint8_t *bytes, size_t n);

/* Another process serves from now on. Unanswered requests of the one before are stale. */
void setup_replace_device(struct setup *s);

/* The device is gone, with all that it knew; otherwise as setup_replace_device. */
void setup_lose_device(struct setup *s);

/*
 * Returns true if the message is the client's reply to a process that is gone. Call
 * setup_drop_stale when it has been discarded.
 */
bool setup_is_stale(const struct setup *s, const struct wire_hdr *hdr);
void setup_drop_stale(struct setup *s, const struct wire_hdr *hdr);

/*
 * Writes the reply to a request from what is kept, as the device would: DMA_MAP, DMA_UNMAP without
 * a bitmap, SET_IRQS, DEVICE_RESET, writes to the configuration space, reads of what is known of
 * it, and information that has been asked for before. Returns its size with the header, at most
 * SETUP_ANSWER_MAX; 0 if only the device can answer.
 */
#define SETUP_ANSWER_MAX (WIRE_HDR_SIZE + LIMIT_SETUP_INFO)
size_t setup_answer(const struct setup *s, const struct setup_request *r,
                    uint8_t out[SETUP_ANSWER_MAX]);

/* Returns the first map, or the one behind m; NULL: none. */
const struct setup_map *setup_map_first(const struct setup *s);
const struct setup_map *setup_map_next(const struct setup_map *m);

#endif
