/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The vfio-user client of tools and tests: one conversation on one socket, or on two with a twin
 * socket.
 *
 * Every wait is a poll up to a deadline on the monotonic clock. Socket calls use MSG_DONTWAIT,
 * never O_NONBLOCK: a passed socket shares its mode with all of its other holders. Only messages
 * that base/wire/wire.h has checked are parsed; JSON is stored, not read.
 */
#define _GNU_SOURCE
#include "client/client.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/sock.h"
#include "base/wire/wire_command.h"

/* Interval for retrying a full accept queue, for which there is no event. */
#define RECONNECT_MS 10

/* ---- time ---- */

static int client_left_ms(int64_t deadline)
{
    const int64_t left = deadline - (int64_t)clock_ms();

    return left <= 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

/* ---- outcomes ---- */

static enum client_outcome client_failed(struct client *c, int err)
{
    c->error = err;
    return CLIENT_FAILED;
}

/* Ends the conversation: later messages could not be interpreted any more. */
static enum client_outcome client_end_conversation(struct client *c, enum client_outcome o)
{
    sock_close(&c->fd);
    sock_close(&c->twin_fd);
    return o;
}

enum client_outcome client_malformed(struct client *c, const char *why)
{
    c->why = why;
    return client_end_conversation(c, CLIENT_MALFORMED);
}

/* Converts the negative errno of a system call on the sockets to an outcome. */
static enum client_outcome client_io_failed(struct client *c, int err)
{
    if (err == -EPIPE || err == -ECONNRESET) {
        return client_end_conversation(c, CLIENT_CLOSED);
    }
    if (err == -ETIMEDOUT) {
        return client_end_conversation(c, CLIENT_TIMEOUT);
    }
    if (err == -EMSGSIZE) {
        return client_malformed(c, "more fds than this process can take (MSG_CTRUNC)");
    }
    c->error = -err;
    return client_end_conversation(c, CLIENT_FAILED);
}

const char *client_text(const struct client *c, enum client_outcome o, char *out, size_t size)
{
    const char *text = strerrordesc_np(c->error);
    const char *name = strerrorname_np(c->error);

    switch (o) {
    case CLIENT_OK:
        snprintf(out, size, "ok");
        break;
    case CLIENT_REFUSED:
        if (c->error == 0) {
            snprintf(out, size, "refused, without an errno");
            break;
        }
        snprintf(out, size, "refused: %s (%s)", text ? text : "unknown error",
                 name ? name : "unknown errno");
        break;
    case CLIENT_FAILED:
        snprintf(out, size, "%s", text ? text : "unknown error");
        break;
    case CLIENT_TIMEOUT:
        snprintf(out, size, "no answer within %d ms", c->timeout_ms);
        break;
    case CLIENT_CLOSED:
        snprintf(out, size, "the other side closed the connection");
        break;
    case CLIENT_MALFORMED:
        snprintf(out, size, "malformed answer: %s", c->why);
        break;
    }
    return out;
}

/* ---- lifetime ---- */

void client_init_take(struct client *c, int fd, int timeout_ms)
{
    *c = (struct client){.fd = fd,
                         .twin_fd = -1,
                         .timeout_ms = timeout_ms,
                         .max_fds = LIMIT_FDS_KERNEL,
                         .max_data = LIMIT_DATA_XFER_DEFAULT};
}

int client_init(struct client *c, const char *path, int timeout_ms)
{
    const int64_t deadline = (int64_t)clock_ms() + timeout_ms;
    int fd = sock_connect(path, true);

    while (fd == -EAGAIN) {
        if (client_left_ms(deadline) == 0) {
            fd = -ETIMEDOUT;
            break;
        }
        poll(NULL, 0, RECONNECT_MS);
        fd = sock_connect(path, true);
    }
    client_init_take(c, fd < 0 ? -1 : fd, timeout_ms);
    return fd < 0 ? fd : 0;
}

void client_deinit(struct client *c)
{
    sock_close(&c->fd);
    sock_close(&c->twin_fd);
    free(c->json);
    free(c->buf);
    free(c->out);
    c->json = NULL;
    c->buf = NULL;
    c->out = NULL;
    c->buf_size = 0;
    c->out_size = 0;
}

/* Grows *buf to at least size bytes and discards its content. */
static int client_grow(uint8_t **buf, size_t *have, size_t size)
{
    uint8_t *p;

    if (*buf && size <= *have) {
        return 0;
    }
    p = malloc(size ? size : 1);
    if (!p) {
        return -ENOMEM;
    }
    free(*buf);
    *buf = p;
    *have = size;
    return 0;
}

/* ---- waiting and transferring ---- */

/* Waits for events on fd. Hang-ups count as readable: the read returns the cause. */
static int client_wait_for(int fd, short events, int64_t deadline)
{
    struct pollfd p = {.fd = fd, .events = events};
    int r;

    do {
        r = poll(&p, 1, client_left_ms(deadline));
    } while (r < 0 && errno == EINTR);
    return r < 0 ? -errno : r == 0 ? -ETIMEDOUT : 0;
}

static int client_send_until(int fd, const uint8_t *p, size_t n, const struct fdset *fds,
                             int64_t deadline)
{
    while (n > 0) {
        const ssize_t sent = sock_send(fd, p, n, fds, MSG_DONTWAIT);

        if (sent == -EAGAIN || sent == -ETOOMANYREFS) {
            const int err = client_wait_for(fd, POLLOUT, deadline);

            if (err) {
                return err;
            }
            if (sent == -ETOOMANYREFS) {
                /* The socket stays writable, so only waiting can help. */
                if (client_left_ms(deadline) == 0) {
                    return -ETIMEDOUT;
                }
                poll(NULL, 0, RECONNECT_MS);
            }
            continue;
        }
        if (sent < 0) {
            return (int)sent;
        }
        fds = NULL;
        p += sent;
        n -= (size_t)sent;
    }
    return 0;
}

/* *got is the number of bytes received, also on failure. */
static int client_recv_until(int fd, uint8_t *p, size_t n, struct fdset *fds, size_t *got,
                             int64_t deadline)
{
    *got = 0;
    while (*got < n) {
        const ssize_t r = sock_recv(fd, p + *got, n - *got, fds, MSG_DONTWAIT);

        if (r == -EAGAIN) {
            const int err = client_wait_for(fd, POLLIN, deadline);

            if (err) {
                return err;
            }
            continue;
        }
        if (r < 0) {
            return (int)r;
        }
        if (r == 0) {
            return -EPIPE;
        }
        *got += (size_t)r;
    }
    return 0;
}

/* Returns the size of the largest message that the client accepts, including the header. */
static uint32_t client_bound(const struct client *c)
{
    const uint64_t n = (uint64_t)c->max_data + LIMIT_MESSAGE_OVERHEAD;

    return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

/*
 * Receives one whole message from fd: its payload to c->buf, its fds to fds, which may own some
 * after any outcome. Reads no byte of the next message.
 */
static enum client_outcome client_receive(struct client *c, int fd, uint32_t max_size,
                                          struct wire_hdr *hdr, struct fdset *fds, int64_t deadline)
{
    uint8_t raw[WIRE_HDR_SIZE];
    enum wire_frame frame;
    size_t got;
    int err = client_recv_until(fd, raw, sizeof raw, fds, &got, deadline);

    if (err == -ETIMEDOUT && got == 0) {
        return CLIENT_TIMEOUT;
    }
    if (err == -EPIPE && got > 0) {
        return client_malformed(c, "the stream ended inside a header");
    }
    if (err) {
        return client_io_failed(c, err);
    }
    frame = wire_get_hdr(raw, sizeof raw, max_size, hdr);
    if (frame != WIRE_FRAME_OK) {
        return client_malformed(c, wire_frame_text(frame));
    }
    if (client_grow(&c->buf, &c->buf_size, hdr->size - WIRE_HDR_SIZE)) {
        c->error = ENOMEM;
        return client_end_conversation(c, CLIENT_FAILED);
    }
    err = client_recv_until(fd, c->buf, hdr->size - WIRE_HDR_SIZE, fds, &got, deadline);
    if (err == -EPIPE) {
        return client_malformed(c, "the stream ended inside a message");
    }
    if (err) {
        return client_io_failed(c, err);
    }
    if (fds->n > c->max_fds) {
        return client_malformed(c, "more fds in one message than the client accepts");
    }
    return CLIENT_OK;
}

/* ---- the server's commands ---- */

/* Builds the reply to a command in c->out; returns its size, or 0 to send none. */
static size_t client_answer(struct client *c, const struct wire_hdr *hdr, size_t n)
{
    const size_t room = sizeof(struct wire_dma_access) + c->max_data;
    ssize_t r = -ENOTSUP;
    struct wire_hdr reply;

    if (c->handler && wire_command_find(hdr->command)) {
        r = c->handler(c, hdr, c->buf, n, c->out + WIRE_HDR_SIZE, room, c->handler_arg);
    }
    if (hdr->flags & WIRE_NO_REPLY) {
        return 0;
    }
    if (r < 0 || (size_t)r > room) {
        reply = wire_error_hdr(hdr, r < 0 ? (int)-r : EMSGSIZE);
    } else {
        reply = wire_reply_hdr(hdr, (uint32_t)r);
    }
    wire_put_hdr(c->out, &reply);
    return reply.size;
}

/* Checks and answers a command from the server with its payload in c->buf. */
static enum client_outcome client_serve_command(struct client *c, int fd,
                                                const struct wire_hdr *hdr, int64_t deadline)
{
    const struct wire_command_info *info = wire_command_find(hdr->command);
    const size_t n = hdr->size - WIRE_HDR_SIZE;
    const enum wire_check check = wire_check(hdr, c->buf, n);
    size_t size;
    int err;

    if (check != WIRE_OK && check != WIRE_UNKNOWN_COMMAND) {
        return client_malformed(c, wire_check_text(check));
    }
    if (info && info->sender != SIDE_BACKEND) {
        return client_malformed(c, "the server sent a command that only clients may send");
    }
    if (c->twin_fd >= 0 && fd != c->twin_fd) {
        return client_malformed(c,
                                "a command outside the twin socket that was negotiated for them");
    }
    if (client_grow(&c->out, &c->out_size,
                    WIRE_HDR_SIZE + sizeof(struct wire_dma_access) + c->max_data)) {
        c->error = ENOMEM;
        return client_end_conversation(c, CLIENT_FAILED);
    }
    size = client_answer(c, hdr, n);
    err = size ? client_send_until(fd, c->out, size, NULL, deadline) : 0;
    return err ? client_io_failed(c, err) : CLIENT_OK;
}

/* Waits for a message on either socket; *fd is the one to read. */
static enum client_outcome client_wait_either(struct client *c, int *fd, int64_t deadline)
{
    /*
     * The twin socket comes first, so that a command sent before a reply is handled before the
     * reply.
     */
    struct pollfd p[2] = {{.fd = c->twin_fd, .events = POLLIN}, {.fd = c->fd, .events = POLLIN}};
    int r;

    do {
        r = poll(p, 2, client_left_ms(deadline));
    } while (r < 0 && errno == EINTR);
    if (r < 0) {
        return client_failed(c, errno);
    }
    if (r == 0) {
        return CLIENT_TIMEOUT;
    }
    *fd = p[0].revents ? c->twin_fd : c->fd;
    return CLIENT_OK;
}

/*
 * Receives the next message. A command is answered, and *is_reply is false then. A reply's payload
 * is in c->buf, its fds in fds.
 */
static enum client_outcome client_take_message(struct client *c, uint32_t max_size,
                                               struct wire_hdr *hdr, struct fdset *fds,
                                               bool *is_reply, int64_t deadline)
{
    enum client_outcome o;
    int fd;

    if (c->fd < 0) {
        return CLIENT_CLOSED;
    }
    o = client_wait_either(c, &fd, deadline);
    if (o == CLIENT_OK) {
        o = client_receive(c, fd, max_size, hdr, fds, deadline);
    }
    if (o != CLIENT_OK) {
        return o;
    }
    *is_reply = wire_is_reply(hdr);
    if (!*is_reply) {
        fdset_close(fds);
        return client_serve_command(c, fd, hdr, deadline);
    }
    return fd == c->fd ? CLIENT_OK : client_malformed(c, "a reply on the twin socket");
}

enum client_outcome client_serve(struct client *c, const bool *done)
{
    const int64_t deadline = (int64_t)clock_ms() + c->timeout_ms;
    enum client_outcome o = CLIENT_OK;
    struct fdset fds;

    fdset_init(&fds);
    while (o == CLIENT_OK && !*done) {
        struct wire_hdr hdr = {0};
        bool is_reply;

        o = client_take_message(c, client_bound(c), &hdr, &fds, &is_reply, deadline);
        if (o == CLIENT_OK && is_reply) {
            o = client_malformed(c, "a reply without a request");
        }
    }
    fdset_close(&fds);
    return o;
}

/* ---- requests ---- */

/*
 * Builds a command in c->out and sends it, with one sendmsg if the socket has room. Returns 0 or
 * -errno.
 */
static int client_send_command(struct client *c, const struct wire_hdr *hdr, const void *fixed,
                               size_t fixed_n, const void *data, size_t data_n,
                               const struct fdset *fds, int64_t deadline)
{
    uint8_t *at;

    if (client_grow(&c->out, &c->out_size, hdr->size)) {
        return -ENOMEM;
    }
    wire_put_hdr(c->out, hdr);
    at = c->out + WIRE_HDR_SIZE;
    if (fixed_n > 0) {
        at = wire_put(at, fixed, fixed_n);
    }
    if (data_n > 0) {
        wire_put(at, data, data_n);
    }
    return client_send_until(c->fd, c->out, hdr->size, fds, deadline);
}

/* Makes the header of a new command. Returns CLIENT_FAILED if the message would be too large. */
static enum client_outcome client_new_hdr(struct client *c, enum wire_command command,
                                          size_t fixed_n, size_t data_n, uint32_t flags,
                                          struct wire_hdr *hdr)
{
    if (c->fd < 0) {
        return CLIENT_CLOSED;
    }
    if (fixed_n > UINT32_MAX / 4 || data_n > UINT32_MAX / 4) {
        return client_failed(c, EMSGSIZE);
    }
    *hdr = (struct wire_hdr){.id = c->next_id++,
                             .command = (uint16_t)command,
                             .size = (uint32_t)(WIRE_HDR_SIZE + fixed_n + data_n),
                             .flags = WIRE_TYPE_COMMAND | flags};
    return CLIENT_OK;
}

/* Checks whether reply, with its payload in c->buf, answers request. */
static enum client_outcome client_judge_reply(struct client *c, const struct wire_hdr *request,
                                              const struct wire_hdr *reply)
{
    enum wire_check check;

    if (reply->id != request->id) {
        return client_malformed(c, "a reply with an id other than the request's");
    }
    if (reply->command != request->command) {
        return client_malformed(c, "a reply that names another command");
    }
    check = wire_check(reply, c->buf, reply->size - WIRE_HDR_SIZE);
    /* For commands outside the specification the caller judges the reply. */
    if (check != WIRE_OK && check != WIRE_UNKNOWN_COMMAND) {
        return client_malformed(c, wire_check_text(check));
    }
    if (!(reply->flags & WIRE_ERROR)) {
        return CLIENT_OK;
    }
    if (reply->error > INT_MAX) {
        return client_malformed(c, "an error number that is not an errno");
    }
    c->error = (int)reply->error;
    return CLIENT_REFUSED;
}

/* Waits for the reply to request and answers the server's commands meanwhile. */
static enum client_outcome client_await_reply(struct client *c, const struct wire_hdr *request,
                                              uint32_t max_size, struct wire_hdr *reply,
                                              struct fdset *fds, int64_t deadline)
{
    bool is_reply = false;

    while (!is_reply) {
        const enum client_outcome o =
            client_take_message(c, max_size, reply, fds, &is_reply, deadline);

        if (o != CLIENT_OK) {
            return o;
        }
    }
    return client_judge_reply(c, request, reply);
}

static enum client_outcome client_request_bounded(struct client *c, enum wire_command command,
                                                  uint32_t max_size, const void *fixed,
                                                  size_t fixed_n, const void *data, size_t data_n,
                                                  const struct fdset *fds, size_t *out_n,
                                                  struct fdset *out_fds)
{
    const int64_t deadline = (int64_t)clock_ms() + c->timeout_ms;
    struct wire_hdr hdr;
    struct wire_hdr reply = {0};
    struct fdset got;
    int err;
    enum client_outcome o = client_new_hdr(c, command, fixed_n, data_n, 0, &hdr);

    if (o != CLIENT_OK) {
        return o;
    }
    fdset_init(&got);
    err = client_send_command(c, &hdr, fixed, fixed_n, data, data_n, fds, deadline);
    /*
     * A server that refuses may have replied and closed before it read all: the reply can still be
     * received.
     */
    if (err && err != -EPIPE && err != -ECONNRESET) {
        o = client_io_failed(c, err);
    } else {
        o = client_await_reply(c, &hdr, max_size, &reply, &got, deadline);
    }
    if (o == CLIENT_OK) {
        *out_n = reply.size - WIRE_HDR_SIZE;
        if (out_fds && fdset_append_take(out_fds, &got)) {
            o = client_malformed(c, "more fds than the caller has room for");
        }
    }
    fdset_close(&got);
    return o;
}

enum client_outcome client_request(struct client *c, enum wire_command command, const void *fixed,
                                   size_t fixed_n, const void *data, size_t data_n,
                                   const struct fdset *fds, const void **out, size_t *out_n,
                                   struct fdset *out_fds)
{
    const enum client_outcome o = client_request_bounded(
        c, command, client_bound(c), fixed, fixed_n, data, data_n, fds, out_n, out_fds);

    *out = o == CLIENT_OK ? c->buf : NULL;
    return o;
}

enum client_outcome client_post(struct client *c, enum wire_command command, const void *fixed,
                                size_t fixed_n, const void *data, size_t data_n)
{
    const int64_t deadline = (int64_t)clock_ms() + c->timeout_ms;
    struct wire_hdr hdr;
    const enum client_outcome o = client_new_hdr(c, command, fixed_n, data_n, WIRE_NO_REPLY, &hdr);
    int err;

    if (o != CLIENT_OK) {
        return o;
    }
    err = client_send_command(c, &hdr, fixed, fixed_n, data, data_n, NULL, deadline);
    return err ? client_io_failed(c, err) : CLIENT_OK;
}

/* ---- VERSION ---- */

/* Keeps the JSON of a VERSION reply of n payload bytes in c->buf. */
static enum client_outcome client_keep_json(struct client *c, size_t n)
{
    const char *json = (const char *)c->buf + sizeof c->version;
    const size_t size = n - sizeof c->version;
    size_t text;

    free(c->json);
    c->json = NULL;
    c->json_size = size;
    if (size == 0) {
        return CLIENT_OK;
    }
    text = strnlen(json, size);
    if (text == size) {
        return client_malformed(c, "version data without a NUL at its end");
    }
    for (size_t i = text; i < size; i++) {
        if (json[i] != '\0') {
            return client_malformed(c, "version data with a NUL in the middle");
        }
    }
    c->json = strdup(json);
    return c->json ? CLIENT_OK : client_failed(c, ENOMEM);
}

/* Takes the twin socket's fd from those received with a VERSION reply. */
static enum client_outcome client_keep_twin(struct client *c, struct fdset *fds, bool offered)
{
    int type = 0;
    socklen_t len = sizeof type;

    if (fds->n == 0) {
        return CLIENT_OK;
    }
    if (!offered || fds->n > 1) {
        return client_malformed(c, "unexpected fds with the version reply");
    }
    if (getsockopt(fds->fds[0], SOL_SOCKET, SO_TYPE, &type, &len) < 0 || type != SOCK_STREAM) {
        return client_malformed(c, "the twin socket's fd is not a stream socket");
    }
    c->twin_fd = fdset_steal(fds, 0);
    return CLIENT_OK;
}

size_t client_version_request(const struct client *c, uint16_t major, uint16_t minor,
                              const char *json, void *out, size_t size)
{
    const struct wire_version v = {.major = major, .minor = minor};
    const size_t json_n = json ? strlen(json) + 1 : 0;
    const size_t n = WIRE_HDR_SIZE + sizeof v + json_n;
    const struct wire_hdr hdr = {
        .id = c->next_id, .command = WIRE_VERSION, .size = (uint32_t)n, .flags = WIRE_TYPE_COMMAND};
    uint8_t *at;

    if (n > size) {
        return 0;
    }
    wire_put_hdr(out, &hdr);
    at = wire_put((uint8_t *)out + WIRE_HDR_SIZE, &v, sizeof v);
    if (json_n > 0) {
        wire_put(at, json, json_n);
    }
    return n;
}

enum client_outcome client_version(struct client *c, uint16_t major, uint16_t minor,
                                   const char *json)
{
    const struct wire_version v = {.major = major, .minor = minor};
    const uint32_t max = WIRE_HDR_SIZE + (uint32_t)sizeof v + LIMIT_VERSION_JSON;
    struct fdset fds;
    size_t n;
    enum client_outcome o;

    fdset_init(&fds);
    o = client_request_bounded(c, WIRE_VERSION, max, &v, sizeof v, json,
                               json ? strlen(json) + 1 : 0, NULL, &n, &fds);
    if (o == CLIENT_OK && !wire_get(c->buf, n, &c->version, sizeof c->version)) {
        o = client_malformed(c, wire_check_text(WIRE_PAYLOAD_SHORT));
    }
    if (o == CLIENT_OK) {
        o = client_keep_json(c, n);
    }
    if (o == CLIENT_OK) {
        o = client_keep_twin(c, &fds, json && strstr(json, "\"twin_socket\""));
    }
    fdset_close(&fds);
    return o;
}
