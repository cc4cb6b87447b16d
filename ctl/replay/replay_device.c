/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Plays the device: answers each request with the recorded reply to the same request; sends the
 * device's own commands after the same messages as in the recording. The client need not send all
 * that the recorded one sent, nor in the same order; a request that was never recorded is refused
 * with EINVAL and reported.
 *
 * The client is not trusted, and the player never blocks on it while it still has input to handle.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/sock.h"
#include "base/wire/wire_command.h"
#include "ctl/replay/replay.h"
#include "ctl/replay/replay_link.h"
#include "trace/replay/replay_index.h"

/* Answers that wait for their turn; beyond that, no more requests are read. */
#define WAITING_MAX 1024u

/* An answer that waits until all recorded messages before it have been sent. */
struct waiting {
    struct wire_hdr request; /* as it came now */
    size_t place;            /* of the recorded request */
    unsigned socket;
};

struct actor {
    const struct replay_settings *settings;
    const struct replay_script *script;
    struct replay_result *result;
    struct replay_index *index;
    struct replay_link links[REPLAY_SOCKETS];
    size_t *said[REPLAY_SOCKETS]; /* places of the client's messages on each socket, by ordinal */
    bool *done;                   /* for each message of the script: it was received or sent */
    size_t command;               /* all commands before this place have been sent … */
    size_t unanswered;            /* … and all before this one answered */
    unsigned n_waiting;
    struct waiting waiting[WAITING_MAX];
    bool over;
};

/* ---- lifetime ---- */

static bool replay_device_actor_init(struct actor *a, const struct replay_settings *settings,
                                     struct replay_result *out)
{
    const struct replay_script *const s = settings->script;

    *a = (struct actor){.settings = settings, .script = s, .result = out};
    a->index = replay_index_new(s);
    a->done = calloc(s->n + 1, sizeof *a->done);
    for (unsigned i = 0; i < REPLAY_SOCKETS; i++) {
        replay_link_init_take(&a->links[i], -1, replay_max_size(s));
        a->said[i] = calloc(s->n + 1, sizeof *a->said[i]);
    }
    if (!a->index || !a->done || !a->said[REPLAY_MAIN] || !a->said[REPLAY_TWIN]) {
        return replay_could_not(out, "out of memory");
    }
    for (size_t i = 0; i < s->n; i++) {
        const struct replay_message *const m = &s->messages[i];

        if (m->sender == SIDE_CLIENT) {
            a->said[m->socket][m->ordinal] = i;
        }
    }
    return true;
}

static void replay_device_actor_deinit(struct actor *a)
{
    replay_index_free(a->index);
    free(a->done);
    for (unsigned i = 0; i < REPLAY_SOCKETS; i++) {
        replay_link_deinit(&a->links[i]);
        free(a->said[i]);
    }
}

static const struct replay_message *replay_device_at(const struct actor *a, size_t place)
{
    return &a->script->messages[place];
}

static struct replay_finding *replay_device_find(struct actor *a, enum replay_finding_kind kind,
                                                 const struct replay_message *recorded,
                                                 uint16_t command, const char *text)
{
    struct replay_finding *const f = replay_finding_add(a->result, kind, recorded, NULL);

    if (f) {
        f->command = command;
        snprintf(f->text, sizeof f->text, "%s", text);
    }
    return f;
}

/* ---- answers ---- */

static uint8_t *replay_device_put(struct actor *a, struct replay_link *l,
                                  const struct wire_hdr *hdr)
{
    uint8_t *const out = replay_link_put(l, hdr->size);

    if (!out) {
        replay_could_not(a->result, "out of memory");
        return NULL;
    }
    wire_put_hdr(out, hdr);
    a->result->sent++;
    return out + WIRE_HDR_SIZE;
}

static bool replay_device_put_error(struct actor *a, struct replay_link *l,
                                    const struct wire_hdr *request, int err)
{
    const struct wire_hdr hdr = wire_error_hdr(request, err);

    return replay_device_put(a, l, &hdr) != NULL;
}

/* Keeps our end of the twin socket that is sent to the client. */
static void replay_device_take_twin(struct actor *a, const struct replay_message *m)
{
    struct replay_object *o;

    for (unsigned i = 0; i < m->n_fds && m->hdr.command == WIRE_VERSION; i++) {
        if (m->fds[i].kind == TRACE_FD_SOCKET && a->links[REPLAY_TWIN].fd < 0 &&
            replay_objects_get(&a->result->objects, &m->fds[i], &o) == 0) {
            a->links[REPLAY_TWIN].fd = o->peer_fd;
            o->peer_fd = -1;
        }
    }
}

/* Queues a recorded message of the device, with id instead of its own. */
static bool replay_device_put_recorded(struct actor *a, struct replay_link *l,
                                       const struct replay_message *m, uint16_t id)
{
    const uint16_t without = a->settings->leg == TRACE_LEG_CLIENT ? TRACE_FD_WITHHELD : 0;
    struct wire_hdr hdr = m->hdr;
    uint8_t *out;

    hdr.id = id;
    out = replay_device_put(a, l, &hdr);
    if (!out) {
        return false;
    }
    memcpy(out, m->data + WIRE_HDR_SIZE, hdr.size - WIRE_HDR_SIZE);
    if (!replay_fds(a->result, m, without, &l->out_fds)) {
        return false;
    }
    replay_device_take_twin(a, m);
    return true;
}

/* Answers a request that was posted in the recording, without a reply, as successful. */
static bool replay_device_put_posted(struct actor *a, struct replay_link *l,
                                     const struct wire_hdr *request,
                                     const struct replay_message *recorded)
{
    const uint32_t n = sizeof(struct wire_region_access);
    const struct wire_hdr hdr = wire_reply_hdr(request, n);
    uint8_t *out;

    if (request->command != WIRE_REGION_WRITE || recorded->kept < WIRE_HDR_SIZE + n) {
        replay_device_find(a, REPLAY_MISSING, recorded, request->command,
                           "has no reply in the trace");
        return replay_device_put_error(a, l, request, EIO);
    }
    out = replay_device_put(a, l, &hdr);
    if (out) {
        memcpy(out, recorded->data + WIRE_HDR_SIZE, n);
    }
    return out != NULL;
}

static bool replay_device_put_answer(struct actor *a, const struct waiting *w)
{
    const struct replay_message *const request = replay_device_at(a, w->place);
    struct replay_link *const l = &a->links[w->socket];
    const struct replay_message *reply;
    char text[160];

    if (request->partner == REPLAY_NONE) {
        return replay_device_put_posted(a, l, &w->request, request);
    }
    reply = replay_device_at(a, request->partner);
    a->done[request->partner] = true;
    if (!replay_whole(reply)) {
        replay_device_find(a, REPLAY_MISSING, reply, reply->hdr.command,
                           replay_not_whole_text(reply, text, sizeof text));
        return replay_device_put_error(a, l, &w->request, EIO);
    }
    return replay_device_put_recorded(a, l, reply, w->request.id);
}

/* ---- the order of messages ---- */

/* Returns true if every message has come that the client sent before this one in the recording. */
static bool replay_device_followed(const struct actor *a, const struct replay_message *m)
{
    for (unsigned i = 0; i < REPLAY_SOCKETS; i++) {
        if (m->after[i] > 0 && !a->done[a->said[i][m->after[i] - 1]]) {
            return false;
        }
    }
    return true;
}

/* Returns true if a waiting reply was sent before this place in the recording. */
static bool replay_device_owes_before(const struct actor *a, size_t place)
{
    for (unsigned i = 0; i < a->n_waiting; i++) {
        if (replay_device_at(a, a->waiting[i].place)->partner < place) {
            return true;
        }
    }
    return false;
}

static bool replay_device_is_command(const struct replay_message *m)
{
    return m->sender == SIDE_BACKEND && !m->reply;
}

/*
 * Returns true if an answer may be sent: the device's commands that were sent between the request
 * and the answer in the recording have been sent, and those answered before it have been answered.
 */
static bool replay_device_may_answer(const struct actor *a, const struct waiting *w)
{
    const size_t reply = replay_device_at(a, w->place)->partner;

    if (reply == REPLAY_NONE || a->done[reply]) {
        return true;
    }
    for (size_t i = w->place + 1; i < reply; i++) {
        const struct replay_message *const m = replay_device_at(a, i);

        /*
         * Does not wait for a command that depends on other messages, which the client may never
         * send.
         */
        if (!replay_device_is_command(m) || a->links[m->socket].fd < 0 ||
            (!a->done[i] && !replay_device_followed(a, m))) {
            continue;
        }
        if (!a->done[i] ||
            (m->partner != REPLAY_NONE && m->partner < reply && !a->done[m->partner])) {
            return false;
        }
    }
    return true;
}

/* Queues the device's next command if it is its turn. *went: it was. */
static bool replay_device_put_command(struct actor *a, bool *went)
{
    const struct replay_message *m;
    struct replay_link *l;
    char text[160];

    while (a->command < a->script->n &&
           (!replay_device_is_command(replay_device_at(a, a->command)) || a->done[a->command])) {
        a->command++;
    }
    if (a->command == a->script->n) {
        return true;
    }
    m = replay_device_at(a, a->command);
    l = &a->links[m->socket];
    if (l->fd < 0 || !replay_link_idle(l) || !replay_device_followed(a, m) ||
        replay_device_owes_before(a, a->command)) {
        return true;
    }
    a->done[a->command++] = true;
    *went = true;
    if (!replay_whole(m)) {
        replay_device_find(a, REPLAY_MISSING, m, m->hdr.command,
                           replay_not_whole_text(m, text, sizeof text));
        /* No answer will come. */
        if (m->partner != REPLAY_NONE) {
            a->done[m->partner] = true;
        }
        return true;
    }
    return replay_device_put_recorded(a, l, m, m->hdr.id);
}

static bool replay_device_put_waiting(struct actor *a, bool *went)
{
    for (unsigned i = 0; i < a->n_waiting; i++) {
        const struct waiting w = a->waiting[i];

        if (replay_link_idle(&a->links[w.socket]) && replay_device_may_answer(a, &w)) {
            memmove(&a->waiting[i], &a->waiting[i + 1],
                    (a->n_waiting - i - 1) * sizeof a->waiting[0]);
            a->n_waiting--;
            *went = true;
            return replay_device_put_answer(a, &w);
        }
    }
    return true;
}

static bool replay_device_send_on(struct actor *a)
{
    bool went = true;

    while (went && !a->over) {
        for (unsigned i = 0; i < REPLAY_SOCKETS; i++) {
            struct replay_link *const l = &a->links[i];
            const enum link_outcome o = l->fd < 0 ? LINK_OK : replay_link_write(l);

            if (o == LINK_CLOSED) {
                a->over = true;
            } else if (o == LINK_FAILED) {
                return replay_could_not(a->result, "sending: %s", strerror(l->error));
            }
        }
        went = false;
        if (!a->over &&
            (!replay_device_put_command(a, &went) || !replay_device_put_waiting(a, &went))) {
            return false;
        }
    }
    return true;
}

/* ---- receiving ---- */

/* Returns true if it is a command that was sent and has no answer yet. */
static bool replay_device_waits(const struct actor *a, size_t place)
{
    const struct replay_message *const m = replay_device_at(a, place);

    return replay_device_is_command(m) && a->done[place] && m->partner != REPLAY_NONE &&
           !a->done[m->partner];
}

/* Matches a reply with the oldest unanswered command of its id. */
static void replay_device_take_reply(struct actor *a, unsigned socket, const struct replay_link *l)
{
    char text[128];

    while (a->unanswered < a->command && !replay_device_waits(a, a->unanswered)) {
        a->unanswered++;
    }
    for (size_t i = a->unanswered; i < a->command; i++) {
        const struct replay_message *const m = replay_device_at(a, i);
        const struct replay_message *recorded;

        if (!replay_device_waits(a, i) || m->socket != socket || m->hdr.id != l->hdr.id) {
            continue;
        }
        recorded = replay_device_at(a, m->partner);
        a->done[m->partner] = true;
        a->result->compared++;
        if ((recorded->hdr.flags & WIRE_ERROR) == (l->hdr.flags & WIRE_ERROR)) {
            a->result->equal++;
            return;
        }
        snprintf(text, sizeof text, "is %s, recorded %s",
                 l->hdr.flags & WIRE_ERROR ? "an error" : "no error",
                 recorded->hdr.flags & WIRE_ERROR ? "one" : "none");
        replay_device_find(a, REPLAY_DIFFERS, recorded, l->hdr.command, text);
        return;
    }
    snprintf(text, sizeof text, "a %s reply with id %u, which no request has",
             wire_command_name(l->hdr.command), l->hdr.id);
    replay_device_find(a, REPLAY_UNASKED, NULL, l->hdr.command, text);
}

/* Reports a message that was never recorded. */
static void replay_device_find_new(struct actor *a, const struct replay_link *l)
{
    uint8_t head[WIRE_HDR_SIZE + 64];
    const uint32_t kept = l->hdr.size < sizeof head ? l->hdr.size : (uint32_t)sizeof head;
    const struct replay_message shown = {.hdr = l->hdr, .kept = kept, .data = head};
    char place[96];
    char text[192];

    memcpy(head, l->head, WIRE_HDR_SIZE);
    memcpy(head + WIRE_HDR_SIZE, l->in, kept - WIRE_HDR_SIZE);
    snprintf(text, sizeof text, "%s%s was not recorded: refused with EINVAL",
             wire_command_name(l->hdr.command), replay_place(&shown, place, sizeof place));
    replay_device_find(a, REPLAY_UNEXPECTED, NULL, l->hdr.command, text);
}

static bool replay_device_take_request(struct actor *a, unsigned socket, struct replay_link *l)
{
    bool repeated;
    const size_t place =
        replay_index_find(a->index, &l->hdr, l->in, l->hdr.size - WIRE_HDR_SIZE, &repeated);

    if (place == REPLAY_NONE) {
        replay_device_find_new(a, l);
        /* A link is read only while it is idle, so that there is room for an error reply. */
        return (l->hdr.flags & WIRE_NO_REPLY) || replay_device_put_error(a, l, &l->hdr, EINVAL);
    }
    a->result->repeated += repeated;
    a->result->compared++;
    a->result->equal++;
    a->done[place] = true;
    if (!(l->hdr.flags & WIRE_NO_REPLY)) {
        a->waiting[a->n_waiting++] =
            (struct waiting){.request = l->hdr, .place = place, .socket = socket};
    }
    return true;
}

static bool replay_device_receive_on(struct actor *a, unsigned socket)
{
    struct replay_link *const l = &a->links[socket];
    enum link_outcome o = LINK_AGAIN;
    char text[192];

    while (!a->over && a->n_waiting < WAITING_MAX && replay_link_idle(l) &&
           (o = replay_link_read(l)) == LINK_OK) {
        bool ok = true;

        a->result->came++;
        if (wire_is_reply(&l->hdr)) {
            replay_device_take_reply(a, socket, l);
        } else {
            ok = replay_device_take_request(a, socket, l);
        }
        replay_link_done(l);
        if (!ok || !replay_device_send_on(a)) {
            return false;
        }
    }
    if (o == LINK_CLOSED) {
        a->over = true;
    } else if (o == LINK_MALFORMED || o == LINK_FAILED) {
        replay_device_find(a, REPLAY_ENDED, NULL, 0,
                           replay_link_text(l, o, "the client", text, sizeof text));
        a->over = true;
    }
    return true;
}

/* ---- the loop ---- */

/* Waits for messages. Returns 0 on a timeout; else revents is filled; -errno on failure. */
static int replay_device_wait_for(struct actor *a, int stop_fd, short *revents)
{
    struct pollfd fds[REPLAY_SOCKETS + 1];
    int r;

    for (unsigned i = 0; i < REPLAY_SOCKETS; i++) {
        const struct replay_link *const l = &a->links[i];
        const bool idle = replay_link_idle(l);

        fds[i] = (struct pollfd){.fd = l->fd, .events = POLLOUT};
        if (idle) {
            fds[i].events = a->n_waiting < WAITING_MAX ? POLLIN : 0;
        }
    }
    fds[REPLAY_SOCKETS] = (struct pollfd){.fd = stop_fd, .events = POLLIN};
    do {
        r = poll(fds, REPLAY_SOCKETS + 1, a->settings->timeout_ms);
    } while (r < 0 && errno == EINTR);
    for (unsigned i = 0; i <= REPLAY_SOCKETS; i++) {
        revents[i] = fds[i].revents;
    }
    return r < 0 ? -errno : r;
}

static void replay_device_serve(struct actor *a, int stop_fd)
{
    while (!a->over) {
        short revents[REPLAY_SOCKETS + 1];
        const int r = replay_device_wait_for(a, stop_fd, revents);

        if (r <= 0) {
            char text[96];

            snprintf(text, sizeof text, "the client sent nothing for %d ms",
                     a->settings->timeout_ms);
            replay_device_find(a, REPLAY_ENDED, NULL, 0, text);
            return;
        }
        if (revents[REPLAY_SOCKETS]) {
            return;
        }
        for (unsigned i = 0; i < REPLAY_SOCKETS; i++) {
            if (a->links[i].fd >= 0 && revents[i] && !replay_device_receive_on(a, i)) {
                return;
            }
        }
        if (!replay_device_send_on(a)) {
            return;
        }
    }
}

/* Reports how much of the session the client has asked for, if that was not all of it. */
static void replay_device_judge_part(struct actor *a)
{
    size_t all = 0;
    size_t came = 0;
    char text[96];

    for (size_t i = 0; i < a->script->n; i++) {
        if (replay_device_at(a, i)->sender == SIDE_CLIENT) {
            all++;
            came += a->done[i];
        }
    }
    if (came < all && a->result->found == 0) {
        snprintf(text, sizeof text, "the client sent %zu of %zu recorded messages", came, all);
        replay_device_find(a, REPLAY_ENDED, NULL, 0, text);
    }
}

/* Waits for a client. Returns its fd, or -1 if stopped or failed, with the reason set. */
static int replay_device_accept_one(struct actor *a, int listen_fd, int stop_fd)
{
    for (;;) {
        struct pollfd fds[2] = {{.fd = listen_fd, .events = POLLIN},
                                {.fd = stop_fd, .events = POLLIN}};
        const int r = poll(fds, 2, a->settings->timeout_ms);
        int fd;

        if (r == 0) {
            replay_could_not(a->result, "no client connected within %d ms",
                             a->settings->timeout_ms);
            return -1;
        }
        if (r > 0 && fds[1].revents) {
            return -1;
        }
        fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            return fd;
        }
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
            replay_could_not(a->result, "accept: %s", strerror(errno));
            return -1;
        }
    }
}

void replay_device(const struct replay_settings *settings, int stop_fd, void (*ready)(void *arg),
                   void *arg, struct replay_result *out)
{
    struct actor *const a = malloc(sizeof *a);
    int listen_fd;

    if (!a) {
        replay_could_not(out, "out of memory");
        return;
    }
    if (!replay_device_actor_init(a, settings, out)) {
        replay_device_actor_deinit(a);
        free(a);
        return;
    }
    listen_fd = sock_listen(settings->path, 0600, (uid_t)-1, (gid_t)-1, 1);
    if (listen_fd < 0) {
        replay_could_not(out, "%s", strerror(-listen_fd));
    } else {
        ready(arg);
        a->links[REPLAY_MAIN].fd = replay_device_accept_one(a, listen_fd, stop_fd);
        sock_close(&listen_fd);
        unlink(settings->path);
        if (a->links[REPLAY_MAIN].fd >= 0) {
            replay_device_serve(a, stop_fd);
            replay_device_judge_part(a);
        }
    }
    replay_device_actor_deinit(a);
    free(a);
}
