/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Plays the client. Its recorded messages are sent in their order, each as soon as every message
 * has arrived that was delivered to the client before it in the recording. So requests that were
 * sent without waiting are sent so again, and the player waits for the device's commands (DMA) at
 * the places at which the client did. A message is also not sent sooner after that than in the
 * recording: a trace does not show other things that the client waited for, such as an interrupt;
 * only the pause hints at them.
 *
 * The device's commands are answered at their recorded places: with the recorded data if the trace
 * has it, else from memory. Every message is checked when it arrives; the device is not trusted.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "base/sock.h"
#include "base/wire/wire_command.h"
#include "ctl/replay/replay.h"
#include "ctl/replay/replay_answer.h"
#include "trace/file/fd.h"

/* Recorded commands that are searched when the device's commands come in another order. */
#define REORDERED 64u

/* Time at the end for the device to close, and to send messages that were not recorded. */
#define DRAIN_MS 1000

#define MS_NS INT64_C(1000000)

/* Longest pause, however long the recorded client was silent. */
#define PAUSE_NS (1000 * MS_NS)

/* The state of a message of the script. */
struct fate {
    bool sent;
    bool came;
    uint16_t id; /* of a device's command: the id with which it came */
};

/* The device's messages on one socket in their order, as places in the script. */
struct queue {
    size_t n;
    size_t low; /* all before this one have come */
    size_t *places;
};

struct player {
    const struct replay_settings *settings;
    const struct replay_script *script;
    struct replay_result *result;
    struct replay_memory memory;
    struct replay_link links[REPLAY_SOCKETS];
    struct queue queues[REPLAY_SOCKETS];
    struct fate *fates;
    size_t next;     /* the next message of the script to send */
    size_t oldest;   /* no request before this place still waits for its reply */
    int64_t last_ns; /* when a message was last sent or received */
    int64_t wake_ns; /* when to send the next message; 0: it waits for others */
    bool over;       /* nothing more can come */
    bool deaf;       /* the device no longer reads */
    bool draining;
};

/* ---- lifetime ---- */

static bool replay_client_player_init(struct player *p, const struct replay_settings *settings,
                                      struct replay_result *out)
{
    const struct replay_script *const s = settings->script;

    *p = (struct player){.settings = settings, .script = s, .result = out};
    replay_memory_init(&p->memory);
    p->fates = calloc(s->n + 1, sizeof *p->fates);
    for (unsigned i = 0; i < REPLAY_SOCKETS; i++) {
        replay_link_init_take(&p->links[i], -1, replay_max_size(s));
        p->queues[i].places = calloc(s->n + 1, sizeof *p->queues[i].places);
    }
    if (!p->fates || !p->queues[REPLAY_MAIN].places || !p->queues[REPLAY_TWIN].places) {
        return replay_could_not(out, "out of memory");
    }
    for (size_t i = 0; i < s->n; i++) {
        const struct replay_message *const m = &s->messages[i];

        if (m->sender == SIDE_BACKEND) {
            struct queue *const q = &p->queues[m->socket];

            q->places[q->n++] = i;
        }
    }
    return true;
}

static void replay_client_player_deinit(struct player *p)
{
    for (unsigned i = 0; i < REPLAY_SOCKETS; i++) {
        replay_link_deinit(&p->links[i]);
        free(p->queues[i].places);
    }
    free(p->fates);
    replay_memory_deinit(&p->memory);
}

static const struct replay_message *replay_client_at(const struct player *p, size_t place)
{
    return &p->script->messages[place];
}

/* The same, but NULL for REPLAY_NONE. */
static const struct replay_message *replay_client_at_any(const struct player *p, size_t place)
{
    return place == REPLAY_NONE ? NULL : replay_client_at(p, place);
}

/* ---- findings ---- */

static void replay_client_find_ended(struct player *p, const char *text)
{
    struct replay_finding *const f =
        replay_finding_add(p->result, REPLAY_ENDED,
                           p->next < p->script->n ? replay_client_at(p, p->next) : NULL, NULL);

    if (f) {
        snprintf(f->text, sizeof f->text, "%s", text);
    }
    p->over = true;
}

static void replay_client_find_stray(struct player *p, enum replay_finding_kind kind,
                                     const struct wire_hdr *hdr)
{
    struct replay_finding *const f = replay_finding_add(p->result, kind, NULL, NULL);

    if (f) {
        f->command = hdr->command;
        snprintf(f->text, sizeof f->text,
                 kind == REPLAY_UNASKED ? "a %s reply with id %u, which no request has"
                                        : "a %s command with id %u that was not recorded",
                 wire_command_name(hdr->command), hdr->id);
    }
}

/* Compares the link's message with the recorded one. */
static void replay_client_compare(struct player *p, struct replay_link *l, size_t place,
                                  size_t request)
{
    const struct replay_message *const recorded = replay_client_at(p, place);
    struct replay_result *const r = p->result;
    uint8_t kinds[FDSET_MAX];
    const struct replay_got got = {
        .hdr = l->hdr, .payload = l->in, .n_fds = l->in_fds.n, .fd_kinds = kinds};
    struct replay_difference d;
    struct replay_finding *f;

    for (unsigned i = 0; i < l->in_fds.n; i++) {
        kinds[i] = trace_fd_describe(l->in_fds.fds[i], -1).kind;
    }
    r->compared++;
    r->in_part += !replay_whole(recorded);
    switch (
        replay_compare(recorded, replay_client_at_any(p, request), &got, p->settings->masks, &d)) {
    case REPLAY_EQUAL:
        r->equal++;
        return;
    case REPLAY_MASKED:
        r->masked++;
        return;
    default:
        break;
    }
    f = replay_finding_add(r, REPLAY_DIFFERS, recorded, replay_client_at_any(p, request));
    if (f) {
        f->difference = d;
        replay_difference_text(&d, f->text, sizeof f->text);
    }
}

/* ---- receiving ---- */

static void replay_client_came(struct player *p, size_t place)
{
    const struct replay_message *const m = replay_client_at(p, place);
    struct queue *const q = &p->queues[m->socket];

    p->fates[place].came = true;
    while (q->low < q->n && p->fates[q->places[q->low]].came) {
        q->low++;
    }
}

/* Returns true if a request of ours waits for its reply. */
static bool replay_client_waits(const struct player *p, size_t place)
{
    const struct replay_message *const m = replay_client_at(p, place);

    return m->sender == SIDE_CLIENT && !m->reply && p->fates[place].sent && !p->fates[place].came &&
           !(m->hdr.flags & WIRE_NO_REPLY);
}

/* Returns the oldest waiting request with this id on the socket, or REPLAY_NONE. */
static size_t replay_client_find_request(struct player *p, unsigned socket,
                                         const struct wire_hdr *hdr)
{
    while (p->oldest < p->next && !replay_client_waits(p, p->oldest)) {
        p->oldest++;
    }
    for (size_t i = p->oldest; i < p->next; i++) {
        const struct replay_message *const m = replay_client_at(p, i);

        if (m->socket == socket && m->hdr.id == hdr->id && replay_client_waits(p, i)) {
            return i;
        }
    }
    return REPLAY_NONE;
}

/* Takes the twin socket's fd from the reply to VERSION. */
static void replay_client_take_twin(struct player *p, struct replay_link *l)
{
    if (l->hdr.command == WIRE_VERSION && l->in_fds.n == 1 && p->links[REPLAY_TWIN].fd < 0) {
        p->links[REPLAY_TWIN].fd = fdset_steal(&l->in_fds, 0);
    }
}

static void replay_client_take_reply(struct player *p, struct replay_link *l, size_t request)
{
    const size_t place = replay_client_at(p, request)->partner;

    /* The request is answered. */
    p->fates[request].came = true;
    if (place != REPLAY_NONE) {
        replay_client_compare(p, l, place, request);
        replay_client_came(p, place);
    }
    replay_client_take_twin(p, l);
}

/* Returns the recorded command that this one stands for. */
static size_t replay_client_find_command(const struct player *p, unsigned socket,
                                         const struct replay_link *l)
{
    const struct queue *const q = &p->queues[socket];
    size_t first = REPLAY_NONE;
    unsigned seen = 0;

    for (size_t i = q->low; i < q->n && seen < REORDERED; i++) {
        const struct replay_message *const m = replay_client_at(p, q->places[i]);
        const size_t n = l->hdr.size - WIRE_HDR_SIZE;

        if (m->reply || p->fates[q->places[i]].came) {
            continue;
        }
        first = first == REPLAY_NONE ? q->places[i] : first;
        if (m->hdr.command == l->hdr.command && n >= sizeof(struct wire_dma_access) &&
            m->kept >= WIRE_HDR_SIZE + sizeof(struct wire_dma_access) &&
            memcmp(m->data + WIRE_HDR_SIZE, l->in, sizeof(struct wire_dma_access)) == 0) {
            return q->places[i];
        }
        seen++;
    }
    return first;
}

/* ---- answers to the device's commands ---- */

/* Answers a command from memory as it is now. */
static bool replay_client_put_answer(struct player *p, struct replay_link *l,
                                     const struct wire_hdr *hdr, const void *payload, size_t n)
{
    return replay_answer_put(l, &p->memory, hdr, payload, n) ||
           replay_could_not(p->result, "out of memory");
}

/*
 * Sends the recorded answer to a recorded command, with the id that the command came with. Data
 * that the trace did not keep is taken from memory.
 */
static bool replay_client_put_recorded(struct player *p, struct replay_link *l,
                                       const struct replay_message *m)
{
    const struct replay_message *const command = replay_client_at(p, m->partner);
    struct wire_hdr hdr = m->hdr;
    uint8_t *out;

    hdr.id = p->fates[m->partner].id;
    if (!replay_whole(m)) {
        struct wire_hdr request = command->hdr;

        request.id = hdr.id;
        return replay_client_put_answer(p, l, &request, command->data + WIRE_HDR_SIZE,
                                        command->kept - WIRE_HDR_SIZE);
    }
    out = replay_link_put(l, hdr.size);
    if (!out) {
        return replay_could_not(p->result, "out of memory");
    }
    memcpy(out, m->data, hdr.size);
    wire_put_hdr(out, &hdr);
    return true;
}

/* ---- the device's commands ---- */

static bool replay_client_take_command(struct player *p, unsigned socket, struct replay_link *l)
{
    const size_t place = replay_client_find_command(p, socket, l);

    if (p->draining) {
        return true;
    }
    /* Data that the device writes is visible to its own later reads. */
    replay_answer_write(&p->memory, &l->hdr, l->in, l->hdr.size - WIRE_HDR_SIZE);
    if (place != REPLAY_NONE) {
        p->fates[place].id = l->hdr.id;
        replay_client_compare(p, l, place, REPLAY_NONE);
        replay_client_came(p, place);
        return true;
    }
    replay_client_find_stray(p, REPLAY_UNEXPECTED, &l->hdr);
    /* If the link is still sending, this command stays unanswered: it is a finding already. */
    if ((l->hdr.flags & WIRE_NO_REPLY) || !replay_link_idle(l)) {
        return true;
    }
    return replay_client_put_answer(p, l, &l->hdr, l->in, l->hdr.size - WIRE_HDR_SIZE);
}

static bool replay_client_take(struct player *p, unsigned socket)
{
    struct replay_link *const l = &p->links[socket];
    const size_t request = replay_client_find_request(p, socket, &l->hdr);
    bool ok = true;

    p->result->came++;
    if (wire_is_reply(&l->hdr) || (request != REPLAY_NONE && (l->hdr.flags & WIRE_ERROR) &&
                                   replay_client_at(p, request)->hdr.command == l->hdr.command)) {
        if (request == REPLAY_NONE) {
            replay_client_find_stray(p, REPLAY_UNASKED, &l->hdr);
        } else {
            replay_client_take_reply(p, l, request);
        }
    } else {
        ok = replay_client_take_command(p, socket, l);
    }
    replay_link_done(l);
    return ok;
}

/* ---- sending ---- */

/*
 * Returns true if every message has come that was delivered to the client before it sent this one.
 */
static bool replay_client_may_go(const struct player *p, const struct replay_message *m)
{
    for (unsigned i = 0; i < REPLAY_SOCKETS; i++) {
        if (p->queues[i].low < m->after[i]) {
            return false;
        }
    }
    return !m->reply || m->partner == REPLAY_NONE || p->fates[m->partner].came;
}

/* Returns true if the client's recorded pause before this message is over. */
static bool replay_client_has_paused(struct player *p, const struct replay_message *m)
{
    const int64_t pause = m->pause_ns < PAUSE_NS ? (int64_t)m->pause_ns : PAUSE_NS;

    if (p->settings->fast || p->last_ns == 0 || (int64_t)clock_ns() >= p->last_ns + pause) {
        return true;
    }
    p->wake_ns = p->last_ns + pause;
    return false;
}

/* Applies the effects of a sent message on the guest's memory and interrupts. */
static bool replay_client_note_map(struct player *p, const struct replay_message *m,
                                   const struct fdset *fds)
{
    struct wire_dma_map map;
    int err;

    if (!wire_get(m->data + WIRE_HDR_SIZE, m->kept - WIRE_HDR_SIZE, &map, sizeof map)) {
        return true;
    }
    err = replay_memory_map(&p->memory, &map, fds->n > 0 ? fds->fds[0] : -1);
    return err == 0 || replay_could_not(p->result, "memory for a DMA_MAP: %s", strerror(-err));
}

static void replay_client_note_irqs(struct player *p, const struct replay_message *m)
{
    struct wire_irq_set set;

    if (!wire_get(m->data + WIRE_HDR_SIZE, m->kept - WIRE_HDR_SIZE, &set, sizeof set) ||
        !(set.flags & WIRE_IRQ_SET_ACTION_TRIGGER)) {
        return;
    }
    for (unsigned i = 0; i < m->n_fds; i++) {
        struct replay_object *o;

        if (m->fds[i].kind == TRACE_FD_EVENTFD &&
            replay_objects_get(&p->result->objects, &m->fds[i], &o) == 0) {
            o->interrupt = true;
            o->irq = set.index;
            o->vector = set.start + i;
        }
    }
}

static bool replay_client_note(struct player *p, const struct replay_message *m,
                               const struct fdset *fds)
{
    struct wire_dma_unmap unmap;

    switch (m->hdr.command) {
    case WIRE_DMA_MAP:
        return replay_client_note_map(p, m, fds);
    case WIRE_DMA_UNMAP:
        if (wire_get(m->data + WIRE_HDR_SIZE, m->kept - WIRE_HDR_SIZE, &unmap, sizeof unmap)) {
            replay_memory_unmap(&p->memory, &unmap);
        }
        return true;
    case WIRE_DEVICE_SET_IRQS:
        replay_client_note_irqs(p, m);
        return true;
    default:
        return true;
    }
}

static bool replay_client_put_request(struct player *p, struct replay_link *l,
                                      const struct replay_message *m)
{
    const uint16_t without = p->settings->leg == TRACE_LEG_BACKEND ? TRACE_FD_WITHHELD : 0;
    uint8_t *const out = replay_link_put(l, m->hdr.size);

    if (!out) {
        return replay_could_not(p->result, "out of memory");
    }
    memcpy(out, m->data, m->hdr.size);
    return replay_fds(p->result, m, without, &l->out_fds) && replay_client_note(p, m, &l->out_fds);
}

/* Queues the next message. *went: it was queued, or skipped because its socket is gone. */
static bool replay_client_put_next(struct player *p, bool *went)
{
    const struct replay_message *const m = replay_client_at(p, p->next);
    struct replay_link *const l = &p->links[m->socket];

    *went = false;
    if (m->sender == SIDE_BACKEND || (m->flags & TRACE_UNDELIVERED)) {
        p->next++;
        *went = true;
        return true;
    }
    if (!replay_client_may_go(p, m)) {
        return true;
    }
    if (l->fd < 0) {
        return replay_could_not(
            p->result, "the device offers no twin socket, but the recorded session used one");
    }
    if (!replay_link_idle(l) || !replay_client_has_paused(p, m)) {
        return true;
    }
    if (!(m->reply && m->partner != REPLAY_NONE ? replay_client_put_recorded(p, l, m)
                                                : replay_client_put_request(p, l, m))) {
        return false;
    }
    p->last_ns = (int64_t)clock_ns();
    p->fates[p->next++].sent = true;
    p->result->sent++;
    *went = true;
    return true;
}

/* Sends all that may be sent. Returns false on failure. */
static bool replay_client_send_on(struct player *p)
{
    bool went = true;

    p->wake_ns = 0;
    while (went && !p->deaf) {
        for (unsigned i = 0; i < REPLAY_SOCKETS; i++) {
            struct replay_link *const l = &p->links[i];
            const enum link_outcome o = l->fd < 0 ? LINK_OK : replay_link_write(l);

            if (o == LINK_CLOSED) {
                /* The device may have answered before it closed: reading will show. */
                p->deaf = true;
            } else if (o == LINK_FAILED) {
                return replay_could_not(p->result, "sending: %s", strerror(l->error));
            }
        }
        went = false;
        if (!p->deaf && p->next < p->script->n && !replay_client_put_next(p, &went)) {
            return false;
        }
    }
    return true;
}

/* ---- the loop ---- */

/* Receives all that is there. */
static bool replay_client_receive_on(struct player *p, unsigned socket)
{
    struct replay_link *const l = &p->links[socket];
    const char *const who = socket == REPLAY_MAIN ? "the device" : "the device (twin socket)";
    enum link_outcome o;
    char text[192];

    while ((o = replay_link_read(l)) == LINK_OK) {
        p->last_ns = (int64_t)clock_ns();
        if (!replay_client_take(p, socket)) {
            return false;
        }
        /* Sends messages that waited for this one before the next one is read. */
        if (!p->draining && !replay_client_send_on(p)) {
            return false;
        }
    }
    if (o == LINK_AGAIN) {
        return true;
    }
    if (p->draining && o == LINK_CLOSED) {
        p->over = true;
        return true;
    }
    replay_client_find_ended(p, replay_link_text(l, o, who, text, sizeof text));
    return true;
}

static bool replay_client_done(const struct player *p)
{
    return p->next == p->script->n && replay_link_idle(&p->links[REPLAY_MAIN]) &&
           replay_link_idle(&p->links[REPLAY_TWIN]) &&
           p->queues[REPLAY_MAIN].low == p->queues[REPLAY_MAIN].n &&
           p->queues[REPLAY_TWIN].low == p->queues[REPLAY_TWIN].n;
}

/* Waits for either socket until until_ns. Returns false if nothing came, or if polling failed. */
static bool replay_client_wait_for(struct player *p, int64_t until_ns, short *revents)
{
    struct pollfd fds[REPLAY_SOCKETS];
    int r;

    for (unsigned i = 0; i < REPLAY_SOCKETS; i++) {
        const struct replay_link *const l = &p->links[i];

        fds[i] = (struct pollfd){.fd = l->fd, .events = POLLIN};
        if (!replay_link_idle(l) && !p->deaf) {
            fds[i].events |= POLLOUT;
        }
    }
    do {
        const int64_t left = until_ns - (int64_t)clock_ns();
        const struct timespec t = {left > 0 ? left / (1000 * MS_NS) : 0,
                                   left > 0 ? left % (1000 * MS_NS) : 0};

        r = ppoll(fds, REPLAY_SOCKETS, &t, NULL);
    } while (r < 0 && errno == EINTR);
    for (unsigned i = 0; i < REPLAY_SOCKETS; i++) {
        revents[i] = fds[i].revents;
    }
    return r > 0;
}

/* Reports recorded messages that did not come. */
static void replay_client_find_missing(struct player *p)
{
    const uint64_t found = p->result->found;
    char text[64];

    for (size_t i = 0; i < p->script->n; i++) {
        const struct replay_message *const m = replay_client_at(p, i);
        struct replay_finding *f;

        if (m->sender != SIDE_BACKEND || p->fates[i].came ||
            (m->partner != REPLAY_NONE && m->reply && !p->fates[m->partner].sent)) {
            continue;
        }
        /* Only the first missing command is reported: the later ones follow from it. */
        f = replay_finding_add(p->result, REPLAY_MISSING, m,
                               m->reply ? replay_client_at_any(p, m->partner) : NULL);
        if (f) {
            snprintf(f->text, sizeof f->text, "did not come within %d ms", p->settings->timeout_ms);
        }
        if (!m->reply) {
            break;
        }
    }
    if (p->result->found == found) {
        snprintf(text, sizeof text, "the device read nothing for %d ms", p->settings->timeout_ms);
        replay_client_find_ended(p, text);
    }
    p->over = true;
}

/* Runs one turn of the loop, until until_ns at most. Returns false on failure. */
static bool replay_client_turn(struct player *p, int64_t until_ns)
{
    const bool pauses = p->wake_ns > 0 && p->wake_ns < until_ns;
    short revents[REPLAY_SOCKETS] = {0};

    if (!replay_client_wait_for(p, pauses ? p->wake_ns : until_ns, revents) && !pauses) {
        if (!p->draining) {
            replay_client_find_missing(p);
        }
        p->over = true;
        return true;
    }
    for (unsigned i = 0; i < REPLAY_SOCKETS && !p->over; i++) {
        if ((revents[i] & (POLLIN | POLLHUP | POLLERR)) && p->links[i].fd >= 0 &&
            !replay_client_receive_on(p, i)) {
            return false;
        }
    }
    return p->draining || p->over || replay_client_send_on(p);
}

/*
 * Ends the session as a client does that leaves: the device sends and signals the rest before it
 * closes.
 */
static void replay_client_drain(struct player *p)
{
    const int timeout = p->settings->timeout_ms;
    const int64_t deadline =
        (int64_t)clock_ns() + (timeout < DRAIN_MS ? timeout : DRAIN_MS) * MS_NS;

    p->draining = true;
    p->wake_ns = 0;
    shutdown(p->links[REPLAY_MAIN].fd, SHUT_WR);
    while (!p->over && replay_client_turn(p, deadline)) {
    }
}

static bool replay_client_connect_to(struct player *p)
{
    const int64_t deadline = (int64_t)clock_ns() + p->settings->timeout_ms * MS_NS;
    int fd = sock_connect(p->settings->path, true);

    while (fd == -EAGAIN && (int64_t)clock_ns() < deadline) {
        poll(NULL, 0, 10);
        fd = sock_connect(p->settings->path, true);
    }
    if (fd < 0) {
        return replay_could_not(p->result, "%s", strerror(-fd));
    }
    p->links[REPLAY_MAIN].fd = fd;
    return true;
}

void replay_client(const struct replay_settings *settings, struct replay_result *out)
{
    struct player p;

    if (!replay_can_play(settings, out)) {
        return;
    }
    if (replay_client_player_init(&p, settings, out) && replay_client_connect_to(&p) &&
        replay_client_send_on(&p)) {
        while (!p.over && !replay_client_done(&p) &&
               replay_client_turn(&p, (int64_t)clock_ns() + settings->timeout_ms * MS_NS)) {
        }
        if (!p.over && !out->could_not) {
            replay_client_drain(&p);
        }
    }
    replay_client_player_deinit(&p);
}
