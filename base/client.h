/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A vfio-user client for tools and tests: connects, negotiates, asks and waits for the reply.
 *
 * Blocking, with a time-out on every step; never used by the daemon. Commands that the server sends
 * meanwhile (DMA_READ, DMA_WRITE) go to a handler; without one they are answered ENOTSUP.
 */
#ifndef POEMD_BASE_CLIENT_H
#define POEMD_BASE_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fdset.h"
#include "base/wire.h"

/* How a request went. The errno of CLIENT_REFUSED and CLIENT_FAILED is in client->error. */
enum client_outcome {
    CLIENT_OK,
    CLIENT_REFUSED,   /* the server answered with an error reply: its errno */
    CLIENT_FAILED,    /* our own system call failed: its errno */
    CLIENT_TIMEOUT,   /* no reply within the time-out */
    CLIENT_CLOSED,    /* the server closed the socket */
    CLIENT_MALFORMED, /* what came is no reply to this: client->why says what */
};

struct client;

/*
 * Answers a command of the server's. hdr and the n payload bytes at p are as they came; the reply's
 * payload goes to out (room bytes), its length is returned, or a negative errno to answer with.
 */
typedef ssize_t client_handler(struct client *c, const struct wire_hdr *hdr, const void *p,
                               size_t n, void *out, size_t room, void *arg);

struct client {
    int fd;
    int twin_fd; /* the server's command channel after a twin-socket negotiation, or -1 */
    int timeout_ms;
    uint16_t next_id;
    int error;
    const char *why; /* static text for CLIENT_MALFORMED */
    client_handler *handler;
    void *handler_arg;
    struct wire_version version; /* of the server's VERSION reply */
    char *json;   /* … its JSON, NUL-terminated, owned; NULL where there was none */
    uint8_t *buf; /* the last reply's payload lies here, owned */
    size_t buf_size;
};

/* Connects to path. 0 or -errno, c being deinit'ed then. timeout_ms bounds every later step. */
int client_init(struct client *c, const char *path, int timeout_ms)
    __attribute__((warn_unused_result));

/* The same on a connected socket, which the client then owns. */
int client_init_take(struct client *c, int fd, int timeout_ms) __attribute__((warn_unused_result));

void client_deinit(struct client *c);

/*
 * "VFIO_USER_VERSION": sends major, minor and json (may be NULL: no version data) and waits for the
 * reply, whose numbers and JSON are kept in the client; a twin socket's fd, too.
 */
enum client_outcome client_version(struct client *c, uint16_t major, uint16_t minor,
                                   const char *json) __attribute__((warn_unused_result));

/*
 * Sends a command with its payload (two parts, either may be empty) and fds (may be NULL; kept by
 * the caller), and waits for its reply. The reply's payload is at *out, *out_n bytes, valid until
 * the next request; fds that came with it are added to out_fds (NULL: they are closed).
 */
enum client_outcome client_request(struct client *c, enum wire_command command, const void *fixed,
                                   size_t fixed_n, const void *data, size_t data_n,
                                   const struct fdset *fds, const void **out, size_t *out_n,
                                   struct fdset *out_fds) __attribute__((warn_unused_result));

/* Sends a command with No_reply and does not wait. */
enum client_outcome client_post(struct client *c, enum wire_command command, const void *fixed,
                                size_t fixed_n, const void *data, size_t data_n)
    __attribute__((warn_unused_result));

/* ---- the requests that tools make ---- */

enum client_outcome client_device_info(struct client *c, struct wire_device_info *out)
    __attribute__((warn_unused_result));

/*
 * GET_REGION_INFO with as large an argsz as the reply needs. *payload (*n bytes) is the whole reply
 * with its capabilities, valid until the next request; fds as in client_request.
 */
enum client_outcome client_region_info(struct client *c, uint32_t index,
                                       struct wire_region_info *out, const void **payload,
                                       size_t *n, struct fdset *fds)
    __attribute__((warn_unused_result));

enum client_outcome client_irq_info(struct client *c, uint32_t index, struct wire_irq_info *out)
    __attribute__((warn_unused_result));

/* Reads n bytes; fewer from the server are CLIENT_MALFORMED. */
enum client_outcome client_region_read(struct client *c, uint32_t region, uint64_t offset, void *p,
                                       uint32_t n) __attribute__((warn_unused_result));

enum client_outcome client_region_write(struct client *c, uint32_t region, uint64_t offset,
                                        const void *p, uint32_t n)
    __attribute__((warn_unused_result));

/*
 * Maps size bytes at address; fd is passed with it, -1 for none. flags: WIRE_DMA_*.
 */
enum client_outcome client_dma_map(struct client *c, uint64_t address, uint64_t size,
                                   uint64_t offset, uint32_t flags, int fd)
    __attribute__((warn_unused_result));

enum client_outcome client_dma_unmap(struct client *c, uint64_t address, uint64_t size)
    __attribute__((warn_unused_result));

/*
 * SET_IRQS with WIRE_IRQ_SET_DATA_EVENTFD | ACTION_TRIGGER: the eventfds (borrowed) from start on;
 * an empty set de-assigns count interrupts.
 */
enum client_outcome client_set_irqs(struct client *c, uint32_t index, uint32_t start,
                                    uint32_t count, const struct fdset *eventfds)
    __attribute__((warn_unused_result));

enum client_outcome client_reset(struct client *c) __attribute__((warn_unused_result));

/*
 * Waits up to the time-out for commands of the server's and answers them, until *done is set by the
 * handler. CLIENT_OK, or how the waiting ended.
 */
enum client_outcome client_serve(struct client *c, const bool *done)
    __attribute__((warn_unused_result));

/* Text of an outcome with its errno or why, for messages: written to out (size bytes), returned. */
const char *client_text(const struct client *c, enum client_outcome o, char *out, size_t size);

#endif
