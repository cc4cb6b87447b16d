/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A table of kinds of requests with open addressing, at most half full for any script; the requests
 * of one kind are chained in their order.
 */
#include "trace/replay/replay_index.h"

#include <stdlib.h>
#include <string.h>

#define KEY_MAX 16u

/* Unused requests of one kind that are compared byte by byte. */
#define LOOKED_AT 64u

/* The bytes of a command's payload that identify its object. */
struct part {
    uint8_t from;
    uint8_t n;
};

static const struct part parts[] = {
    [WIRE_DMA_MAP] = {16, 16},
    [WIRE_DMA_UNMAP] = {8, 16},
    [WIRE_DEVICE_GET_REGION_INFO] = {8, 4},
    [WIRE_DEVICE_GET_REGION_IO_FDS] = {8, 4},
    [WIRE_DEVICE_GET_IRQ_INFO] = {8, 4},
    [WIRE_DEVICE_SET_IRQS] = {4, 16},
    [WIRE_REGION_READ] = {0, 16},
    [WIRE_REGION_WRITE] = {0, 16},
    [WIRE_DEVICE_FEATURE] = {4, 4},
};

struct key {
    uint16_t command;
    uint16_t n;
    uint8_t bytes[KEY_MAX];
};

struct kind {
    bool taken;
    struct key key;
    size_t first; /* first unused one; REPLAY_NONE: all are used */
    size_t last;  /* of the chain */
    size_t used;  /* the last used one */
};

struct replay_index {
    const struct replay_script *script;
    size_t *next; /* for each message, the next in its chain */
    bool *used;
    size_t mask;
    struct kind kinds[];
};

static struct key replay_index_key_of(uint16_t command, const uint8_t *p, size_t n)
{
    struct key k = {.command = command};
    struct part part = {0, 0};

    if (command < sizeof parts / sizeof *parts) {
        part = parts[command];
    }
    if (n >= (size_t)part.from + part.n) {
        k.n = part.n;
        memcpy(k.bytes, p + part.from, part.n);
    }
    return k;
}

static struct kind *replay_index_find_kind(struct replay_index *x, const struct key *k)
{
    const uint8_t *const p = (const uint8_t *)k;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    size_t i;

    for (i = 0; i < sizeof *k; i++) {
        hash = (hash ^ p[i]) * UINT64_C(0x100000001b3);
    }
    i = (size_t)(hash ^ hash >> 32) & x->mask;
    /* Terminates, since the table is never more than half full. */
    while (x->kinds[i].taken && memcmp(&x->kinds[i].key, k, sizeof *k) != 0) {
        i = (i + 1) & x->mask;
    }
    return &x->kinds[i];
}

static void replay_index_add(struct replay_index *x, size_t place)
{
    const struct replay_message *const m = &x->script->messages[place];
    const struct key k = replay_index_key_of(m->hdr.command, m->data + WIRE_HDR_SIZE,
                                             m->kept - (size_t)WIRE_HDR_SIZE);
    struct kind *const kind = replay_index_find_kind(x, &k);

    x->next[place] = REPLAY_NONE;
    if (kind->taken) {
        x->next[kind->last] = place;
    } else {
        *kind = (struct kind){.taken = true, .key = k, .first = place, .used = REPLAY_NONE};
    }
    kind->last = place;
}

struct replay_index *replay_index_new(const struct replay_script *s)
{
    struct replay_index *x;
    size_t room = 64;

    while (room < 2 * s->n) {
        room *= 2;
    }
    x = calloc(1, sizeof *x + room * sizeof x->kinds[0]);
    if (!x) {
        return NULL;
    }
    x->script = s;
    x->mask = room - 1;
    x->next = calloc(s->n + 1, sizeof *x->next);
    x->used = calloc(s->n + 1, sizeof *x->used);
    if (!x->next || !x->used) {
        replay_index_free(x);
        return NULL;
    }
    for (size_t i = 0; i < s->n; i++) {
        if (s->messages[i].sender == SIDE_CLIENT && !s->messages[i].reply) {
            replay_index_add(x, i);
        }
    }
    return x;
}

void replay_index_free(struct replay_index *x)
{
    if (x) {
        free(x->next);
        free(x->used);
        free(x);
    }
}

/* Returns true if the recorded request is equal, as far as it was kept. */
static bool replay_index_same(const struct replay_message *m, const void *p, size_t n)
{
    const size_t kept = m->kept - (size_t)WIRE_HDR_SIZE;

    return m->hdr.size == WIRE_HDR_SIZE + n &&
           (kept == 0 || memcmp(m->data + WIRE_HDR_SIZE, p, kept) == 0);
}

static size_t replay_index_choose(const struct replay_index *x, const struct kind *kind,
                                  const void *p, size_t n)
{
    size_t place = kind->first;

    for (unsigned i = 0; i < LOOKED_AT && place != REPLAY_NONE; place = x->next[place]) {
        if (x->used[place]) {
            continue;
        }
        if (replay_index_same(&x->script->messages[place], p, n)) {
            return place;
        }
        i++;
    }
    return kind->first != REPLAY_NONE ? kind->first : kind->used;
}

size_t replay_index_find(struct replay_index *x, const struct wire_hdr *hdr, const void *p,
                         size_t n, bool *repeated)
{
    const struct key k = replay_index_key_of(hdr->command, p, n);
    struct kind *const kind = replay_index_find_kind(x, &k);
    size_t place;

    *repeated = false;
    if (!kind->taken) {
        return REPLAY_NONE;
    }
    place = replay_index_choose(x, kind, p, n);
    *repeated = x->used[place];
    x->used[place] = true;
    kind->used = place;
    while (kind->first != REPLAY_NONE && x->used[kind->first]) {
        kind->first = x->next[kind->first];
    }
    return place;
}
