/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A vfio-user client for tools and tests: connects, negotiates, sends requests and waits for the
 * replies.
 *
 * Blocking, with a time-out on every step; the daemon never uses it. Commands that the server sends
 * meanwhile (DMA_READ, DMA_WRITE) go to a handler; without one they are answered with ENOTSUP. They
 * are not read while a request is being sent: if a server stops reading until one of its commands
 * is answered, a request larger than the socket's buffer times out.
 *
 * The server is not trusted: a message that breaks framing, or cannot be the answer, ends the
 * conversation. The socket is closed then, and every later request returns CLIENT_CLOSED.
 */
#ifndef POEMD_CLIENT_CLIENT_H
#define POEMD_CLIENT_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fdset.h"
#include "base/wire/wire.h"

/* The outcome of a request. For CLIENT_REFUSED and CLIENT_FAILED the errno is in client->error. */
enum client_outcome {
    CLIENT_OK,
    CLIENT_REFUSED,   /* the server sent an error reply; its errno may be 0 */
    CLIENT_FAILED,    /* one of our own system calls failed */
    CLIENT_TIMEOUT,   /* no complete reply within the time-out */
    CLIENT_CLOSED,    /* the server closed the socket, or the conversation had ended before */
    CLIENT_MALFORMED, /* the message is not a valid reply: see client->why */
};

struct client;

/*
 * Answers a command of the server. hdr and the n payload bytes at p are as received and have passed
 * wire_check. Writes the reply's payload to out (room bytes) and returns its length, or a negative
 * errno to reply with. With No_reply nothing is sent. Must not call the client.
 */
typedef ssize_t client_handler(struct client *c, const struct wire_hdr *hdr, const void *p,
                               size_t n, void *out, size_t room, void *arg);

struct client {
    int fd;
    int twin_fd; /* the server's command channel after twin-socket negotiation, or -1 */
    int timeout_ms;
    uint16_t next_id;
    int error;
    const char *why; /* static text for CLIENT_MALFORMED */
    client_handler *handler;
    void *handler_arg;
    /*
     * Limits of one message, as the caller offers them in its VERSION: number of fds, and bytes of
     * data. A message that exceeds them is CLIENT_MALFORMED. Initially LIMIT_FDS_KERNEL and
     * LIMIT_DATA_XFER_DEFAULT.
     */
    unsigned max_fds;
    uint32_t max_data;
    struct wire_version version; /* of the server's VERSION reply */
    char *json;                  /* JSON of that reply, NUL-terminated, owned; may be NULL */
    size_t json_size;            /* its size as received, including all NULs */
    uint8_t *buf;                /* the last message's payload, owned */
    size_t buf_size;
    uint8_t *out; /* the message being sent, owned */
    size_t out_size;
};

/*
 * Connects to path. Returns 0 or -errno, in which case c needs no deinit; -ETIMEDOUT if the accept
 * queue stays full. timeout_ms > 0 limits this and every later step.
 */
int client_init(struct client *c, const char *path, int timeout_ms)
    __attribute__((warn_unused_result));

/*
 * Does the same with a connected stream socket, of which the client takes ownership. Cannot fail.
 */
void client_init_take(struct client *c, int fd, int timeout_ms);

void client_deinit(struct client *c);

/*
 * "VFIO_USER_VERSION": sends major, minor and json (NULL for no version data) and waits for the
 * reply. Its numbers and JSON are kept in the client for the caller to judge. If json names
 * "twin_socket", one fd may come with the reply: it becomes twin_fd, and the server's commands are
 * then read only from it. Any other fd is CLIENT_MALFORMED.
 */
enum client_outcome client_version(struct client *c, uint16_t major, uint16_t minor,
                                   const char *json) __attribute__((warn_unused_result));

/*
 * Builds the request that client_version would send next with the same arguments, byte for byte.
 * Returns its size, or 0 if size is too small.
 */
size_t client_version_request(const struct client *c, uint16_t major, uint16_t minor,
                              const char *json, void *out, size_t size)
    __attribute__((warn_unused_result));

/*
 * Sends a command with its payload (two parts, either may be empty) and fds (may be NULL; the
 * caller keeps them), and waits for its reply. The reply's payload is at *out, *out_n bytes, valid
 * until the next request; its fds are added to out_fds, or closed if out_fds is NULL.
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
 * Ends the conversation when a caller finds a reply invalid; stores why (static text). Returns
 * CLIENT_MALFORMED.
 */
enum client_outcome client_malformed(struct client *c, const char *why);

/* ---- requests for tools ---- */

/* Each of them also returns CLIENT_MALFORMED if the reply does not match the request. */

enum client_outcome client_device_info(struct client *c, struct wire_device_info *out)
    __attribute__((warn_unused_result));

/*
 * Sends GET_REGION_INFO with as large an argsz as the reply needs. *payload (*n bytes) is the whole
 * reply with its capabilities, valid until the next request; fds works as in client_request.
 */
enum client_outcome client_region_info(struct client *c, uint32_t index,
                                       struct wire_region_info *out, const void **payload,
                                       size_t *n, struct fdset *fds)
    __attribute__((warn_unused_result));

/*
 * Does the same for GET_REGION_IO_FDS. *payload is the reply, for wire_io_fd_at; the fds that its
 * fd_index members name are added to fds.
 */
enum client_outcome client_region_io_fds(struct client *c, uint32_t index,
                                         struct wire_region_io_fds *out, const void **payload,
                                         size_t *n, struct fdset *fds)
    __attribute__((warn_unused_result));

enum client_outcome client_irq_info(struct client *c, uint32_t index, struct wire_irq_info *out)
    __attribute__((warn_unused_result));

/* Reads n bytes, at most max_data; a shorter reply is CLIENT_MALFORMED. */
enum client_outcome client_region_read(struct client *c, uint32_t region, uint64_t offset, void *p,
                                       uint32_t n) __attribute__((warn_unused_result));

enum client_outcome client_region_write(struct client *c, uint32_t region, uint64_t offset,
                                        const void *p, uint32_t n)
    __attribute__((warn_unused_result));

/* Maps size bytes at address; fd is passed with it (borrowed), or -1. flags: WIRE_DMA_*. */
enum client_outcome client_dma_map(struct client *c, uint64_t address, uint64_t size,
                                   uint64_t offset, uint32_t flags, int fd)
    __attribute__((warn_unused_result));

enum client_outcome client_dma_unmap(struct client *c, uint64_t address, uint64_t size)
    __attribute__((warn_unused_result));

/*
 * Sends SET_IRQS with WIRE_IRQ_SET_DATA_EVENTFD | ACTION_TRIGGER: assigns the eventfds (borrowed)
 * from start on; an empty set removes those of count interrupts.
 */
enum client_outcome client_set_irqs(struct client *c, uint32_t index, uint32_t start,
                                    uint32_t count, const struct fdset *eventfds)
    __attribute__((warn_unused_result));

/*
 * Sends DEVICE_FEATURE with WIRE_FEATURE_PROBE: asks whether the device supports the methods
 * (WIRE_FEATURE_GET, WIRE_FEATURE_SET) of the feature. Returns CLIENT_REFUSED if it does not.
 */
enum client_outcome client_feature_probe(struct client *c, uint32_t index, uint32_t methods)
    __attribute__((warn_unused_result));

/* Sends DEVICE_FEATURE with WIRE_FEATURE_GET and copies the size bytes of the feature's data. */
enum client_outcome client_feature_get(struct client *c, uint32_t index, void *out, uint32_t size)
    __attribute__((warn_unused_result));

enum client_outcome client_reset(struct client *c) __attribute__((warn_unused_result));

/*
 * Waits up to the time-out for commands of the server and answers them, until the handler sets
 * *done. Returns CLIENT_OK, or the reason why waiting ended; after CLIENT_TIMEOUT between two
 * messages the client remains usable.
 */
enum client_outcome client_serve(struct client *c, const bool *done)
    __attribute__((warn_unused_result));

/*
 * Writes the text of an outcome with its errno or why, for messages ("refused: Device or resource
 * busy (EBUSY)"), to out (size bytes). Returns out.
 */
const char *client_text(const struct client *c, enum client_outcome o, char *out, size_t size);

#endif
