/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A client's session: negotiation, commands in, replies out, the device's own requests, and the
 * faults on request. Never blocks.
 */
#define _DEFAULT_SOURCE
#include "contrib/edu/session.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/sock.h"
#include "base/wire/wire_command.h"
#include "contrib/edu/command.h"

/* Messages read from a channel before the others have their turn. */
#define TURN 64

/* Largest message to accept if data of max bytes is allowed. */
static uint32_t edu_session_message_max(uint32_t max_data)
{
    const uint64_t max = (uint64_t)WIRE_HDR_SIZE + LIMIT_MESSAGE_OVERHEAD + max_data;

    return max < UINT32_MAX ? (uint32_t)max : UINT32_MAX;
}

int session_init_take(struct session *s, const struct session_setup *setup, int fd)
{
    const uint32_t first_max = WIRE_HDR_SIZE + sizeof(struct wire_version) + LIMIT_VERSION_JSON;
    int err;

    *s = (struct session){.setup = setup};
    channel_init(&s->twin);
    err = channel_open_take(&s->main, fd, first_max);
    if (err) {
        return err;
    }
    s->out = malloc(first_max);
    if (!s->out) {
        channel_deinit(&s->main);
        return -ENOMEM;
    }
    return 0;
}

void session_deinit(struct session *s)
{
    s->setup->device->dma.send = NULL;
    channel_deinit(&s->main);
    channel_deinit(&s->twin);
    negotiate_deinit(&s->caps);
    free(s->out);
    s->out = NULL;
}

/* ---- replies ---- */

/* Sends the answer with surplus bytes behind it. */
static int edu_session_send_oversized(struct session *s, size_t n, uint32_t more, struct fdset *fds)
{
    struct wire_hdr hdr;
    uint8_t *big = calloc(1, n + more);
    int err;

    if (!big) {
        return -ENOMEM;
    }
    memcpy(big, s->out, n);
    memcpy(&hdr, big, sizeof hdr);
    hdr.size = (uint32_t)(n + more);
    wire_put_hdr(big, &hdr);
    err = channel_send(&s->main, big, n + more, fds);
    free(big);
    return err;
}

static int edu_session_send_short(struct session *s, size_t n, struct fdset *fds)
{
    const int err = channel_send(&s->main, s->out, n - 1, fds);

    s->main.mute = true;
    s->twin.mute = true;
    return err;
}

static int edu_session_send_with_unasked(struct session *s, size_t n, struct fdset *fds)
{
    struct wire_hdr hdr;
    int err = channel_send(&s->main, s->out, n, fds);

    memcpy(&hdr, s->out, sizeof hdr);
    /* An id far from the client's next ones, whose replies it could be mistaken for. */
    hdr.id ^= 0x8000u;
    hdr.size = WIRE_HDR_SIZE;
    hdr.flags = WIRE_TYPE_REPLY;
    hdr.error = 0;
    wire_put_hdr(s->out, &hdr);
    return err ? err : channel_send(&s->main, s->out, WIRE_HDR_SIZE, NULL);
}

/* Sends the message of n bytes at s->out, or its faulty version. Closes fds. */
static int edu_session_send_answer(struct session *s, size_t n, struct fdset *fds,
                                   const struct fault *fault)
{
    switch (fault ? fault->kind : FAULT_NONE) {
    case FAULT_MISSING:
        fdset_close(fds);
        return 0;
    case FAULT_SHORT:
        return edu_session_send_short(s, n, fds);
    case FAULT_OVERSIZED:
        return edu_session_send_oversized(s, n, fault->argument, fds);
    case FAULT_UNASKED:
        return edu_session_send_with_unasked(s, n, fds);
    case FAULT_LATE:
        s->hold_until_ms = (int64_t)clock_ms() + fault->argument;
        s->main.held = true;
        s->twin.held = true;
        break;
    case FAULT_ERROR:
    case FAULT_EXIT:
    case FAULT_NONE:
        break;
    }
    return channel_send(&s->main, s->out, n, fds);
}

/*
 * Answers the request with n payload bytes, at s->out behind the room for the header, or with the
 * error -n. Closes fds (may be NULL).
 */
static int edu_session_answer(struct session *s, const struct wire_hdr *request, ssize_t n,
                              struct fdset *fds, const struct fault *fault)
{
    struct fdset none;
    struct wire_hdr hdr;

    if (!fds) {
        fdset_init(&none);
        fds = &none;
    }
    if (request->flags & WIRE_NO_REPLY) {
        fdset_close(fds);
        return 0;
    }
    hdr = n < 0 ? wire_error_hdr(request, (int)-n) : wire_reply_hdr(request, (uint32_t)n);
    wire_put_hdr(s->out, &hdr);
    return edu_session_send_answer(s, hdr.size, fds, fault);
}

/* ---- the device's requests ---- */

static int edu_session_send_request(void *arg, const struct wire_dma_access *access,
                                    const void *data, uint16_t *id)
{
    struct session *s = arg;
    uint8_t message[WIRE_HDR_SIZE + sizeof *access + EDU_BUFFER_SIZE];
    const size_t n = data ? (size_t)access->count : 0;
    struct wire_hdr hdr = {.id = s->next_id,
                           .command = data ? WIRE_DMA_WRITE : WIRE_DMA_READ,
                           .size = (uint32_t)(WIRE_HDR_SIZE + sizeof *access + n),
                           .flags = WIRE_TYPE_COMMAND};
    int err;

    if (s->asked_n == SESSION_ASKED_MAX) {
        return -EBUSY;
    }
    wire_put_hdr(message, &hdr);
    wire_put(message + WIRE_HDR_SIZE, access, sizeof *access);
    if (data) {
        memcpy(message + WIRE_HDR_SIZE + sizeof *access, data, n);
    }
    err = channel_send(s->twin.fd >= 0 ? &s->twin : &s->main, message, hdr.size, NULL);
    if (err) {
        return err;
    }
    s->next_id++;
    s->asked[s->asked_n++] = hdr.id;
    *id = hdr.id;
    return 0;
}

/* Removes the id from the list of unanswered requests. Returns false if it is not on it. */
static bool edu_session_was_asked(struct session *s, uint16_t id)
{
    for (unsigned i = 0; i < s->asked_n; i++) {
        if (s->asked[i] == id) {
            s->asked_n--;
            memmove(&s->asked[i], &s->asked[i + 1], (s->asked_n - i) * sizeof s->asked[0]);
            return true;
        }
    }
    return false;
}

static bool edu_session_take_reply(struct session *s, struct channel *c)
{
    struct dma *dma = &s->setup->device->dma;
    const enum wire_check wrong = wire_check(&c->hdr, channel_payload(c), channel_payload_size(c));

    if (wrong != WIRE_OK || !edu_session_was_asked(s, c->hdr.id)) {
        log_warning("%s reply: %s", wire_command_name(c->hdr.command),
                    wrong != WIRE_OK ? wire_check_text(wrong) : "no request has this id");
        return false;
    }
    if (dma_awaits(dma, c->hdr.id) &&
        !dma_reply(dma, &c->hdr, channel_payload(c), channel_payload_size(c))) {
        log_warning("%s reply: it does not match the request", wire_command_name(c->hdr.command));
        return false;
    }
    return true;
}

/* ---- commands ---- */

/* Opens the socket for the device's requests; adds the client's end to fds. Returns 0 or -errno. */
static int edu_session_open_twin(struct session *s, uint32_t max_size, struct fdset *fds)
{
    int pair[2];
    int err;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        return -errno;
    }
    err = channel_open_take(&s->twin, pair[0], max_size);
    if (err) {
        close(pair[1]);
        return err;
    }
    return fdset_add_take(fds, pair[1]);
}

/*
 * Applies the result of the negotiation; writes the reply's payload to s->out. Returns its length
 * or -errno.
 */
static ssize_t edu_session_agree(struct session *s, struct fdset *fds)
{
    const size_t n = s->caps.json ? strlen(s->caps.json) + 1 : 0;
    const uint32_t max = edu_session_message_max(s->caps.device.max_data_xfer_size);
    uint8_t *out = realloc(s->out, max);
    int err;

    if (!out) {
        return -ENOMEM;
    }
    s->out = out;
    s->main.max_size = max;
    if (s->caps.device.twin_socket) {
        err = edu_session_open_twin(s, max, fds);
        if (err) {
            return err;
        }
    }
    s->setup->device->dma.send = edu_session_send_request;
    s->setup->device->dma.send_arg = s;
    s->setup->device->dma.send_max = s->caps.client.max_data_xfer_size;
    s->negotiated = true;
    out = wire_put(s->out + WIRE_HDR_SIZE, &s->caps.version, sizeof s->caps.version);
    if (n) {
        memcpy(out, s->caps.json, n);
    }
    return (ssize_t)(sizeof s->caps.version + n);
}

/*
 * Handles the first message. If the negotiation fails, the client gets an error, then the session
 * ends.
 */
static bool edu_session_version(struct session *s, const struct fault *fault)
{
    const struct channel *c = &s->main;
    struct fdset fds;
    ssize_t n;

    fdset_init(&fds);
    if (c->hdr.command != WIRE_VERSION || wire_is_reply(&c->hdr) || c->fds.n != 0) {
        log_warning("the first message is not a VERSION request");
        n = -EPROTO;
    } else if (fault && fault->kind == FAULT_ERROR) {
        n = -(ssize_t)fault->argument;
    } else {
        n = edu_negotiate(s->setup->caps, &s->setup->reciter, channel_message(c), c->hdr.size,
                          &s->caps);
        if (n == 0) {
            n = edu_session_agree(s, &fds);
        } else {
            log_warning("VERSION: refused the proposal with errno %d", (int)-n);
        }
    }
    if (n < 0) {
        fdset_close(&fds);
    }
    return edu_session_answer(s, &c->hdr, n, &fds, fault) == 0 && s->negotiated;
}

static bool edu_session_command(struct session *s, const struct fault *fault)
{
    struct channel *c = &s->main;
    struct fdset fds;
    struct command cmd = {.device = s->setup->device,
                          .migration = s->setup->migration,
                          .caps = &s->caps,
                          .mmap = s->setup->mmap,
                          .hdr = &c->hdr,
                          .p = channel_payload(c),
                          .n = channel_payload_size(c),
                          .fds = &c->fds,
                          .out = s->out + WIRE_HDR_SIZE,
                          .out_fds = &fds};
    ssize_t n;

    fdset_init(&fds);
    n = fault && fault->kind == FAULT_ERROR ? -(ssize_t)fault->argument : command_run(&cmd);
    log_debug("#%" PRIu64 " %s id=%u n=%zu: %zd", s->received, wire_command_name(c->hdr.command),
              c->hdr.id, cmd.n, n);
    if (n < 0) {
        fdset_close(&fds);
    }
    return edu_session_answer(s, &c->hdr, n, &fds, fault) == 0;
}

/* Returns the migration state that the message asks for, or 0. */
static uint32_t edu_session_asked_state(const struct channel *c)
{
    struct {
        struct wire_feature head;
        struct wire_feature_mig_state state;
    } f;

    return c->hdr.command == WIRE_DEVICE_FEATURE &&
                   wire_get(channel_payload(c), channel_payload_size(c), &f, sizeof f) &&
                   (f.head.flags & WIRE_FEATURE_SET) &&
                   (f.head.flags & WIRE_FEATURE_MASK) == WIRE_FEATURE_MIG_DEVICE_STATE
               ? f.state.device_state
               : 0;
}

/* Handles one message of the client, on either channel. Returns false if the session is over. */
static bool edu_session_message(struct session *s, struct channel *c)
{
    const struct fault *fault;

    s->received++;
    fault = fault_find(s->setup->faults, s->received, c->hdr.command, edu_session_asked_state(c));
    if (fault && fault->kind == FAULT_EXIT) {
        _exit(1);
    }
    if (!s->negotiated) {
        return edu_session_version(s, fault);
    }
    if (wire_is_reply(&c->hdr)) {
        /* Replies must come on the socket of their requests. */
        if (c != (s->twin.fd >= 0 ? &s->twin : &s->main)) {
            log_warning("a reply came on the wrong socket");
            return false;
        }
        return edu_session_take_reply(s, c);
    }
    if (c == &s->twin) {
        log_warning("a command came on the twin socket");
        return false;
    }
    return edu_session_command(s, fault);
}

/* ---- events ---- */

/*
 * Returns true if more may be read. Unsent output is bounded by not reading on: one whole message
 * may wait while the next one is read, since a client may still be sending while it is answered.
 */
static bool edu_session_may_read(const struct session *s)
{
    return s->hold_until_ms == 0 &&
           s->main.queued <= edu_session_message_max(LIMIT_DATA_XFER_DEFAULT) &&
           s->twin.queued <= edu_session_message_max(LIMIT_DATA_XFER_DEFAULT);
}

short session_events(const struct session *s, const struct channel *c)
{
    if (c->fd < 0) {
        return 0;
    }
    return (short)((edu_session_may_read(s) ? POLLIN : 0) | (channel_wants_out(c) ? POLLOUT : 0));
}

static bool edu_session_receive(struct session *s, struct channel *c)
{
    for (int i = 0; i < TURN && edu_session_may_read(s); i++) {
        switch (channel_receive(c)) {
        case CHANNEL_MESSAGE:
            if (!edu_session_message(s, c)) {
                return false;
            }
            channel_next(c);
            device_work(s->setup->device);
            break;
        case CHANNEL_WAIT:
            return true;
        case CHANNEL_CLOSED:
            log_info("the client has closed its socket");
            return false;
        case CHANNEL_BROKEN:
            return false;
        }
    }
    return true;
}

bool session_ready(struct session *s, struct channel *c, short revents)
{
    int err = 0;

    if (revents & POLLOUT) {
        err = channel_flush(c);
    }
    if (!err && (revents & (POLLIN | POLLHUP | POLLERR))) {
        return edu_session_receive(s, c);
    }
    if (err) {
        log_info("the client's socket: errno %d", -err);
    }
    return err == 0;
}

int session_timeout(const struct session *s)
{
    const int64_t left = s->hold_until_ms - (int64_t)clock_ms();

    if (s->hold_until_ms == 0) {
        return -1;
    }
    return left > 0 ? (int)left : 0;
}

bool session_tick(struct session *s)
{
    if (s->hold_until_ms == 0 || (int64_t)clock_ms() < s->hold_until_ms) {
        return true;
    }
    s->hold_until_ms = 0;
    s->main.held = false;
    s->twin.held = false;
    return channel_flush(&s->main) == 0 && (s->twin.fd < 0 || channel_flush(&s->twin) == 0);
}
