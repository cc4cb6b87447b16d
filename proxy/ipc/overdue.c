/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Two short lists, searched from the oldest on, since replies mostly come in the order of their
 * requests.
 */
#include "proxy/ipc/overdue.h"

#include <stdatomic.h>
#include <string.h>

void overdue_init(struct overdue *o, uint32_t after_ms)
{
    memset(o, 0, sizeof *o);
    o->after_ms = after_ms;
}

bool overdue_is_sound(const struct overdue *o)
{
    return o->n <= LIMIT_OVERDUE_REQUESTS && o->first <= LIMIT_OVERDUE_REQUESTS - o->n &&
           o->n_owed <= LIMIT_OVERDUE_REPLIES;
}

/* Removes the i-th one. Most often that is the oldest, of which nothing needs to move. */
static void overdue_remove_request(struct overdue *o, uint32_t i)
{
    struct overdue_request *const r = &o->requests[o->first + i];

    o->n--;
    if (o->n == 0) {
        o->first = 0;
    } else if (i == 0) {
        o->first++;
    } else {
        memmove(r, r + 1, (o->n - i) * sizeof *r);
    }
}

/* Makes room behind the youngest request; there are fewer than the limit. */
static struct overdue_request *overdue_room(struct overdue *o)
{
    if (o->first + o->n == LIMIT_OVERDUE_REQUESTS) {
        memmove(o->requests, &o->requests[o->first], o->n * sizeof *o->requests);
        o->first = 0;
    }
    return &o->requests[o->first + o->n];
}

static void overdue_remove_owed(struct overdue *o, uint32_t i)
{
    o->n_owed--;
    memmove(&o->owed[i], &o->owed[i + 1], (o->n_owed - i) * sizeof *o->owed);
}

/* Returns the place of the oldest owed reply with this id, or n_owed. */
static uint32_t overdue_find_owed(const struct overdue *o, uint16_t id)
{
    uint32_t i = 0;

    while (i < o->n_owed && o->owed[i] != id) {
        i++;
    }
    return i;
}

/* Returns the place of the oldest waiting request with this id, or n. */
static uint32_t overdue_find_request(const struct overdue *o, uint16_t id)
{
    uint32_t i = 0;

    while (i < o->n && o->requests[o->first + i].id != id) {
        i++;
    }
    return i;
}

/*
 * A device may have forgotten a request altogether. Once it has answered many newer ones, the id
 * belongs to the client's next request.
 */
static void overdue_forget_stale(struct overdue *o, uint16_t id)
{
    const uint32_t i = overdue_find_owed(o, id);

    if (o->replies == LIMIT_OVERDUE_STALE && i < o->n_owed) {
        overdue_remove_owed(o, i);
    }
}

void overdue_note_request(struct overdue *o, const struct wire_hdr *hdr, uint64_t position,
                          uint32_t now_ms)
{
    if (o->after_ms == 0 || wire_is_reply(hdr) || (hdr->flags & WIRE_NO_REPLY) ||
        position < o->noted) {
        return;
    }
    o->noted = position + WIRE_HDR_SIZE;
    if (o->n_owed > 0) {
        overdue_forget_stale(o, hdr->id);
    }
    if (o->unwatched > 0 || o->n == LIMIT_OVERDUE_REQUESTS) {
        o->unwatched++;
        return;
    }
    *overdue_room(o) =
        (struct overdue_request){.id = hdr->id, .command = hdr->command, .since_ms = now_ms};
    atomic_signal_fence(memory_order_seq_cst);
    o->n++;
}

bool overdue_is_late(const struct overdue *o, const struct wire_hdr *hdr)
{
    if ((o->n_owed == 0 && o->lost == 0) || !wire_is_reply(hdr)) {
        return false;
    }
    return overdue_find_owed(o, hdr->id) < o->n_owed ||
           (o->lost > 0 && o->unwatched == 0 && overdue_find_request(o, hdr->id) == o->n);
}

/* A reply that answers no request whose id is known. */
static void overdue_note_unknown(struct overdue *o)
{
    if (o->unwatched > 0) {
        o->unwatched--;
    } else if (o->lost > 0) {
        o->lost--;
        o->discarded++;
    }
}

void overdue_note_reply(struct overdue *o, const struct wire_hdr *hdr)
{
    uint32_t i;

    if (!wire_is_reply(hdr)) {
        return;
    }
    o->silent = 0;
    i = overdue_find_owed(o, hdr->id);
    if (i < o->n_owed) {
        overdue_remove_owed(o, i);
        o->discarded++;
        return;
    }
    i = overdue_find_request(o, hdr->id);
    if (i == o->n) {
        overdue_note_unknown(o);
        return;
    }
    overdue_remove_request(o, i);
    if (o->replies < LIMIT_OVERDUE_STALE) {
        o->replies++;
    }
}

void overdue_forget_owed(struct overdue *o)
{
    o->n_owed = 0;
    o->lost = 0;
    o->silent = 0;
    o->replies = 0;
}

bool overdue_has_expired(const struct overdue *o, uint32_t now_ms)
{
    return o->n > 0 && now_ms - o->requests[o->first].since_ms >= o->after_ms;
}

uint32_t overdue_wait_ms(const struct overdue *o, uint32_t now_ms)
{
    uint32_t limit = o->silent ? o->after_ms / LIMIT_ANSWER_SILENT_PART : o->after_ms;
    uint32_t age;

    if (o->n == 0) {
        return UINT32_MAX;
    }
    age = now_ms - o->requests[o->first].since_ms;
    return age < limit ? limit - age : 0;
}

bool overdue_take(struct overdue *o, uint32_t now_ms, struct overdue_request *out)
{
    if (overdue_wait_ms(o, now_ms) > 0) {
        return false;
    }
    *out = o->requests[o->first];
    if (o->n_owed == LIMIT_OVERDUE_REPLIES) {
        overdue_remove_owed(o, 0);
        o->lost += o->lost < UINT32_MAX;
    }
    o->owed[o->n_owed] = out->id;
    o->n_owed++;
    overdue_remove_request(o, 0);
    o->answered++;
    o->silent = 1;
    o->replies = 0;
    return true;
}
