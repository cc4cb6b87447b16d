/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A vfio-user client for tools and tests: connects, negotiates, asks and waits for the reply.
 *
 * Blocking, with a time-out on every step; never used by the daemon. Commands that the server sends
 * meanwhile (DMA_READ, DMA_WRITE) go to a handler; without one they are answered ENOTSUP. They are
 * not read while a request of the client's is on its way out: a server that stops reading until one
 * of its commands is answered makes a request larger than the socket's room time out.
 *
 * The server is not trusted: what breaks framing, or cannot be the answer, ends the conversation.
 * The socket is closed then, and every later request is CLIENT_CLOSED.
 */
#ifndef POEMD_CLIENT_CLIENT_H
#define POEMD_CLIENT_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fdset.h"
#include "base/wire.h"

/* How a request went. The errno of CLIENT_REFUSED and CLIENT_FAILED is in client->error. */
enum client_outcome {
    CLIENT_OK,
    CLIENT_REFUSED,   /* the server answered with an error reply: its errno, which may be 0 */
    CLIENT_FAILED,    /* our own system call failed: its errno */
    CLIENT_TIMEOUT,   /* no reply, or not all of it, within the time-out */
    CLIENT_CLOSED,    /* the server closed the socket, or the conversation was ended before */
    CLIENT_MALFORMED, /* what came is no reply to this: client->why says what */
};

struct client;

/*
 * Answers a command of the server's. hdr and the n payload bytes at p are as they came and have
 * passed wire_check; the reply's payload goes to out (room bytes), its length is returned, or a
 * negative errno to answer with. With No_reply nothing is sent. It must not call the client.
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
    /*
     * What the client takes in one message, as the caller offers it in its VERSION: fds, and bytes
     * of data. A message with more is CLIENT_MALFORMED. Set to LIMIT_FDS_KERNEL and
     * LIMIT_DATA_XFER_DEFAULT at first.
     */
    unsigned max_fds;
    uint32_t max_data;
    struct wire_version version; /* of the server's VERSION reply */
    char *json;       /* … its JSON, NUL-terminated, owned; NULL where there was none */
    size_t json_size; /* … in bytes as it came, all NULs included */
    uint8_t *buf;     /* the last message's payload lies here, owned */
    size_t buf_size;
    uint8_t *out; /* the message being sent, owned */
    size_t out_size;
};

/*
 * Connects to path. 0 or -errno, c being deinit'ed then; -ETIMEDOUT where the accept queue stays
 * full. timeout_ms > 0 bounds this and every later step.
 */
int client_init(struct client *c, const char *path, int timeout_ms)
    __attribute__((warn_unused_result));

/* The same on a connected stream socket, which the client then owns. Cannot fail. */
void client_init_take(struct client *c, int fd, int timeout_ms);

void client_deinit(struct client *c);

/*
 * "VFIO_USER_VERSION": sends major, minor and json (may be NULL: no version data) and waits for the
 * reply, whose numbers and JSON are kept in the client, for the caller to judge. Where json names
 * "twin_socket", one fd may come with the reply: it becomes twin_fd, and the server's
 * commands are then taken from there alone. Any other fd is CLIENT_MALFORMED.
 */
enum client_outcome client_version(struct client *c, uint16_t major, uint16_t minor,
                                   const char *json) __attribute__((warn_unused_result));

/*
 * The request that client_version sends if it is called next with the same arguments, byte by byte.
 * Returns its bytes, or 0 where size is too small.
 */
size_t client_version_request(const struct client *c, uint16_t major, uint16_t minor,
                              const char *json, void *out, size_t size)
    __attribute__((warn_unused_result));

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

/*
 * What a caller says that finds an answer unfit: ends the conversation, keeps why (static text).
 * Returns CLIENT_MALFORMED.
 */
enum client_outcome client_malformed(struct client *c, const char *why);

/* ---- the requests that tools make ---- */

/* Each of them is CLIENT_MALFORMED, too, where the reply speaks of something else than asked. */

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

/*
 * GET_REGION_IO_FDS, in the same way. *payload holds the reply, for wire_io_fd_at; the fds that its
 * fd_index name are added to fds.
 */
enum client_outcome client_region_io_fds(struct client *c, uint32_t index,
                                         struct wire_region_io_fds *out, const void **payload,
                                         size_t *n, struct fdset *fds)
    __attribute__((warn_unused_result));

enum client_outcome client_irq_info(struct client *c, uint32_t index, struct wire_irq_info *out)
    __attribute__((warn_unused_result));

/* Reads n bytes, at most max_data; fewer from the server are CLIENT_MALFORMED. */
enum client_outcome client_region_read(struct client *c, uint32_t region, uint64_t offset, void *p,
                                       uint32_t n) __attribute__((warn_unused_result));

enum client_outcome client_region_write(struct client *c, uint32_t region, uint64_t offset,
                                        const void *p, uint32_t n)
    __attribute__((warn_unused_result));

/* Maps size bytes at address; fd is passed with it (borrowed), -1 for none. flags: WIRE_DMA_*. */
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

/*
 * DEVICE_FEATURE with WIRE_FEATURE_PROBE: whether the device knows the methods (WIRE_FEATURE_GET,
 * WIRE_FEATURE_SET) of the feature. CLIENT_REFUSED: it does not.
 */
enum client_outcome client_feature_probe(struct client *c, uint32_t index, uint32_t methods)
    __attribute__((warn_unused_result));

/* DEVICE_FEATURE with WIRE_FEATURE_GET: the size bytes of the feature's data. */
enum client_outcome client_feature_get(struct client *c, uint32_t index, void *out, uint32_t size)
    __attribute__((warn_unused_result));

enum client_outcome client_reset(struct client *c) __attribute__((warn_unused_result));

/*
 * Waits up to the time-out for commands of the server's and answers them, until *done is set by the
 * handler. CLIENT_OK, or how the waiting ended; after CLIENT_TIMEOUT between two messages the
 * client can be used on.
 */
enum client_outcome client_serve(struct client *c, const bool *done)
    __attribute__((warn_unused_result));

/*
 * Text of an outcome with its errno or why, for messages ("refused: Device or resource busy
 * (EBUSY)"): written to out (size bytes), returned.
 */
const char *client_text(const struct client *c, enum client_outcome o, char *out, size_t size);

#endif
