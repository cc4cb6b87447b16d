/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The record of what a session has set up. Only duplicates and closes fds. */
#define _GNU_SOURCE
#include "proxy/relay/setup/setup.h"

#include <bsd/sys/queue.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/sock.h"

static int setup_map_compare(const struct setup_map *a, const struct setup_map *b)
{
    return a->map.address < b->map.address ? -1 : a->map.address > b->map.address;
}

TREE_GENERATE(setup_map_tree, setup_map, link, setup_map_compare)

struct setup *setup_new(enum setup_shares shares, bool assists)
{
    struct setup *const s = calloc(1, sizeof *s);

    if (s) {
        s->shares = shares;
        s->assists = assists;
        s->memory_fd = -1;
        RB_INIT(&s->maps);
        setup_irqs_init(&s->irqs);
        TAILQ_INIT(&s->requests);
        TAILQ_INIT(&s->infos);
    }
    return s;
}

const struct setup_map *setup_map_first(const struct setup *s)
{
    return RB_EMPTY(&s->maps) ? NULL : setup_map_tree_RB_MINMAX((void *)(uintptr_t)&s->maps, -1);
}

const struct setup_map *setup_map_next(const struct setup_map *m)
{
    return setup_map_tree_RB_NEXT((void *)(uintptr_t)m);
}

/* ---- releasing ---- */

static void setup_remove_map(struct setup *s, struct setup_map *m)
{
    (void)setup_map_tree_RB_REMOVE(&s->maps, m);
    s->n_maps--;
    s->n_fds -= m->fd >= 0;
    sock_close(&m->fd);
    free(m);
}

static void setup_remove_request(struct setup *s, struct setup_request *r)
{
    TAILQ_REMOVE(&s->requests, r, link);
    s->n_requests--;
    s->request_bytes -= r->n;
    for (unsigned i = 0; i < r->n_fds; i++) {
        s->n_fds -= r->fds[i] >= 0;
        sock_close(&r->fds[i]);
    }
    free(r->fds);
    free(r->bytes);
    free(r);
}

static void setup_remove_info(struct setup *s, struct setup_info *i)
{
    TAILQ_REMOVE(&s->infos, i, link);
    s->n_infos--;
    free(i);
}

static void setup_release(struct setup *s)
{
    struct setup_map *m;
    struct setup_request *r;
    struct setup_info *i;

    while ((m = RB_ROOT(&s->maps))) {
        setup_remove_map(s, m);
    }
    while ((r = TAILQ_FIRST(&s->requests))) {
        setup_remove_request(s, r);
    }
    while ((i = TAILQ_FIRST(&s->infos))) {
        setup_remove_info(s, i);
    }
    setup_irqs_deinit(&s->irqs);
    sock_close(&s->memory_fd);
    free(s->config);
    s->config = NULL;
}

void setup_free(struct setup *s)
{
    if (s) {
        setup_release(s);
        free(s);
    }
}

void setup_give_up(struct setup *s, enum setup_lack why)
{
    if (s->lack == SETUP_KEPT) {
        s->lack = why;
        if (!s->pinned) {
            setup_release(s);
        }
    }
}

void setup_pin(struct setup *s, bool on)
{
    s->pinned = on;
    if (!on && s->lack != SETUP_KEPT) {
        setup_release(s);
    }
}

/* ---- what the device has agreed to ---- */

static void setup_map(struct setup *s, struct setup_request *r)
{
    struct setup_map *m;
    struct setup_map *old;
    struct wire_dma_map map;

    if (!wire_get(r->bytes + WIRE_HDR_SIZE, r->n - WIRE_HDR_SIZE, &map, sizeof map)) {
        return;
    }
    m = s->n_maps < LIMIT_SETUP_MAPS ? calloc(1, sizeof *m) : NULL;
    if (!m) {
        setup_give_up(s, s->n_maps < LIMIT_SETUP_MAPS ? SETUP_LACKS_MEMORY : SETUP_LACKS_MAPS);
        return;
    }
    m->map = map;
    m->fd = -1;
    if (r->n_fds > 0) {
        m->fd = r->fds[0];
        r->fds[0] = -1;
    }
    old = setup_map_tree_RB_FIND(&s->maps, m);
    if (old) {
        setup_remove_map(s, old);
    }
    (void)setup_map_tree_RB_INSERT(&s->maps, m);
    s->n_maps++;
}

static void setup_unmap(struct setup *s, const struct setup_request *r)
{
    struct setup_map key = {.fd = -1};
    struct setup_map *m;
    struct wire_dma_unmap u;
    bool all;

    if (!wire_get(r->bytes + WIRE_HDR_SIZE, r->n - WIRE_HDR_SIZE, &u, sizeof u)) {
        return;
    }
    all = (u.flags & WIRE_UNMAP_ALL) != 0;
    key.map.address = all ? 0 : u.address;
    while ((m = setup_map_tree_RB_NFIND(&s->maps, &key)) &&
           (all || m->map.address - u.address < u.size)) {
        setup_remove_map(s, m);
    }
}

static void setup_irqs(struct setup *s, struct setup_request *r)
{
    const int err = setup_irqs_apply(&s->irqs, r->bytes + WIRE_HDR_SIZE, r->n - WIRE_HDR_SIZE,
                                     r->fds, r->n_fds, &s->n_fds);

    /* Those that were taken are counted twice until the request is removed. */
    for (unsigned i = 0; i < r->n_fds; i++) {
        s->n_fds -= r->fds[i] < 0;
    }
    if (err) {
        setup_give_up(s, err == -ENOMEM ? SETUP_LACKS_MEMORY : SETUP_LACKS_VECTORS);
    }
}

/* Returns true if the request is an access to the configuration space, with its bytes. */
static bool setup_is_config(const struct setup_request *r, struct wire_region_access *a)
{
    return r->whole && wire_get(r->bytes + WIRE_HDR_SIZE, r->n - WIRE_HDR_SIZE, a, sizeof *a) &&
           a->region == WIRE_PCI_CONFIG;
}

static bool setup_has_config(struct setup *s)
{
    if (!s->config) {
        s->config = calloc(1, sizeof *s->config);
    }
    if (!s->config) {
        setup_give_up(s, SETUP_LACKS_MEMORY);
    }
    return s->config != NULL;
}

static void setup_config_write(struct setup *s, const struct setup_request *r)
{
    struct wire_region_access a;

    if (setup_is_config(r, &a) && a.count == r->n - WIRE_HDR_SIZE - sizeof a &&
        setup_has_config(s)) {
        setup_config_wrote(s->config, a.offset, r->bytes + WIRE_HDR_SIZE + sizeof a, a.count);
    }
}

/* Returns true if the request changes what only the device could repeat. */
static bool setup_is_migration(const struct setup_request *r)
{
    struct wire_feature f;

    return r->hdr.command == WIRE_MIG_DATA_WRITE ||
           (wire_get(r->bytes + WIRE_HDR_SIZE, r->n - WIRE_HDR_SIZE, &f, sizeof f) &&
            (f.flags & WIRE_FEATURE_SET));
}

/* The device has done what the request asks for. */
static void setup_agreed(struct setup *s, struct setup_request *r)
{
    if (!r->whole) {
        return;
    }
    switch (r->hdr.command) {
    case WIRE_DMA_MAP:
        setup_map(s, r);
        break;
    case WIRE_DMA_UNMAP:
        setup_unmap(s, r);
        break;
    case WIRE_DEVICE_SET_IRQS:
        setup_irqs(s, r);
        break;
    case WIRE_REGION_WRITE:
        setup_config_write(s, r);
        break;
    case WIRE_DEVICE_RESET:
        if (s->config) {
            setup_config_reset(s->config);
        }
        break;
    case WIRE_DEVICE_FEATURE:
    case WIRE_MIG_DATA_WRITE:
        if (setup_is_migration(r)) {
            setup_give_up(s, SETUP_LACKS_MIGRATION);
        }
        break;
    default:
        break;
    }
}

/* ---- requests ---- */

/* Copies the fds of a request. Returns false if the record has been given up. */
static bool setup_copy_fds(struct setup *s, struct setup_request *r, const struct fdset *fds)
{
    const unsigned n = fds ? fds->n : 0;

    if (n == 0) {
        return true;
    }
    if (s->n_fds + n > LIMIT_SETUP_FDS) {
        setup_give_up(s, SETUP_LACKS_FDS);
        return false;
    }
    r->fds = malloc(n * sizeof *r->fds);
    if (!r->fds) {
        setup_give_up(s, SETUP_LACKS_MEMORY);
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        r->fds[i] = fcntl(fds->fds[i], F_DUPFD_CLOEXEC, 0);
        r->n_fds++;
        s->n_fds += r->fds[i] >= 0;
        if (r->fds[i] < 0) {
            setup_give_up(s, SETUP_LACKS_FDS);
            return false;
        }
    }
    return true;
}

/*
 * Returns true if the request sets something up, so that the record would be wrong without it; n
 * bytes of it are there.
 */
static bool setup_must_be_whole(const struct wire_hdr *hdr, const uint8_t *bytes, size_t n)
{
    struct wire_region_access a;

    switch (hdr->command) {
    case WIRE_DMA_MAP:
    case WIRE_DMA_UNMAP:
    case WIRE_DEVICE_SET_IRQS:
    case WIRE_DEVICE_FEATURE:
    case WIRE_MIG_DATA_WRITE:
        return true;
    case WIRE_REGION_WRITE:
        return n > WIRE_HDR_SIZE &&
               wire_get(bytes + WIRE_HDR_SIZE, n - WIRE_HDR_SIZE, &a, sizeof a) &&
               a.region == WIRE_PCI_CONFIG;
    default:
        return false;
    }
}

static struct setup_request *setup_add_request(struct setup *s, const struct wire_hdr *hdr,
                                               uint32_t now_ms)
{
    struct setup_request *r;

    if (s->n_requests == LIMIT_SETUP_REQUESTS) {
        setup_give_up(s, SETUP_LACKS_REQUESTS);
        return NULL;
    }
    r = calloc(1, sizeof *r);
    if (!r) {
        setup_give_up(s, SETUP_LACKS_MEMORY);
        return NULL;
    }
    r->hdr = *hdr;
    r->since_ms = now_ms;
    TAILQ_INSERT_TAIL(&s->requests, r, link);
    s->n_requests++;
    return r;
}

static void setup_note_request(struct setup *s, const struct wire_hdr *hdr, const uint8_t *bytes,
                               size_t n, const struct fdset *fds, uint32_t now_ms)
{
    struct setup_request *const r = setup_add_request(s, hdr, now_ms);

    if (!r) {
        return;
    }
    if (hdr->command == WIRE_REGION_WRITE) {
        s->nvme = setup_nvme_write(s->nvme, bytes + WIRE_HDR_SIZE, n - WIRE_HDR_SIZE);
    }
    if (n <= LIMIT_SETUP_REQUEST_BYTES - s->request_bytes) {
        r->bytes = malloc(n);
        if (!r->bytes) {
            setup_give_up(s, SETUP_LACKS_MEMORY);
            return;
        }
        memcpy(r->bytes, bytes, n);
        r->n = n;
        r->whole = true;
        s->request_bytes += n;
    } else if (setup_must_be_whole(hdr, bytes, n)) {
        setup_give_up(s, SETUP_LACKS_REQUESTS);
        return;
    }
    if (setup_copy_fds(s, r, fds) && (hdr->flags & WIRE_NO_REPLY)) {
        setup_agreed(s, r);
        if (s->lack == SETUP_KEPT) {
            setup_remove_request(s, r);
        }
    }
}

static struct setup_request *setup_find_request(struct setup *s, uint16_t id)
{
    struct setup_request *r;

    TAILQ_FOREACH(r, &s->requests, link)
    {
        if (r->hdr.id == id) {
            return r;
        }
    }
    return NULL;
}

/* ---- information ---- */

static bool setup_is_info(uint16_t command)
{
    return command == WIRE_DEVICE_GET_INFO || command == WIRE_DEVICE_GET_REGION_INFO ||
           command == WIRE_DEVICE_GET_IRQ_INFO || command == WIRE_DEVICE_GET_REGION_IO_FDS;
}

/* Returns the kept answer to a question, which the payload is, and its command. */
static struct setup_info *setup_find_info(const struct setup *s, const struct setup_request *r)
{
    struct setup_info *i;

    TAILQ_FOREACH(i, &s->infos, link)
    {
        /* The header's first bytes are the id, which differs. */
        if (i->n_request == r->n && memcmp(i->bytes + 2, r->bytes + 2, r->n - 2) == 0) {
            return i;
        }
    }
    return NULL;
}

static void setup_keep_info(struct setup *s, const struct setup_request *r, const uint8_t *reply,
                            size_t n, bool has_memory)
{
    struct setup_info *i = setup_find_info(s, r);

    if (i) {
        setup_remove_info(s, i);
    }
    /* Without it, the question just waits for the device. */
    if (s->n_infos == LIMIT_SETUP_INFOS || r->n > LIMIT_SETUP_INFO || n > LIMIT_SETUP_INFO) {
        return;
    }
    i = malloc(sizeof *i + r->n + n);
    if (!i) {
        setup_give_up(s, SETUP_LACKS_MEMORY);
        return;
    }
    i->n_request = r->n;
    i->n_reply = n;
    i->has_memory = has_memory;
    memcpy(i->bytes, r->bytes, r->n);
    memcpy(i->bytes + r->n, reply, n);
    TAILQ_INSERT_TAIL(&s->infos, i, link);
    s->n_infos++;
}

/* ---- memory that is shared ---- */

/* Returns true if the client is given the memory of a region, with the answer to its question. */
static bool setup_keep_memory(struct setup *s, const struct setup_request *r, const uint8_t *reply,
                              size_t n, const struct fdset *fds)
{
    struct wire_region_info info;

    if (s->shares != SETUP_SHARES_MEMORY || r->hdr.command != WIRE_DEVICE_GET_REGION_INFO || !fds ||
        fds->n == 0 || !wire_get(reply, n, &info, sizeof info)) {
        return false;
    }
    if (fds->n > 1 || (s->memory_fd >= 0 && s->memory_region != info.index)) {
        setup_give_up(s, SETUP_LACKS_SHARED);
        return false;
    }
    sock_close(&s->memory_fd);
    s->memory_region = info.index;
    s->memory_fd = fcntl(fds->fds[0], F_DUPFD_CLOEXEC, 0);
    if (s->memory_fd < 0) {
        setup_give_up(s, SETUP_LACKS_FDS);
    }
    return s->memory_fd >= 0;
}

/* ---- replies ---- */

static void setup_config_answer(struct setup *s, const struct setup_request *r,
                                const uint8_t *payload, size_t n)
{
    struct wire_region_access asked;
    struct wire_region_access a;

    if (setup_is_config(r, &asked) && wire_get(payload, n, &a, sizeof a) &&
        a.offset == asked.offset && a.count == asked.count && a.count == n - sizeof a &&
        setup_has_config(s)) {
        setup_config_read(s->config, a.offset, payload + sizeof a, a.count);
    }
}

static void setup_note_reply(struct setup *s, const struct wire_hdr *hdr, const uint8_t *payload,
                             size_t n, const struct fdset *fds, bool whole)
{
    struct setup_request *const r = setup_find_request(s, hdr->id);

    if (!r) {
        return;
    }
    if (!(hdr->flags & WIRE_ERROR)) {
        setup_agreed(s, r);
        if (s->lack == SETUP_KEPT && whole && r->whole && setup_is_info(r->hdr.command)) {
            const bool has_memory = setup_keep_memory(s, r, payload, n, fds);

            if (s->lack == SETUP_KEPT) {
                setup_keep_info(s, r, payload, n, has_memory);
            }
        } else if (s->lack == SETUP_KEPT && whole && r->hdr.command == WIRE_REGION_READ) {
            setup_config_answer(s, r, payload, n);
        }
    }
    if (s->lack == SETUP_KEPT) {
        setup_remove_request(s, r);
    }
}

void setup_note_error(struct setup *s, uint16_t id)
{
    struct setup_request *const r = s->lack == SETUP_KEPT ? setup_find_request(s, id) : NULL;

    if (r) {
        setup_remove_request(s, r);
    }
}

/* ---- the device's requests ---- */

static void setup_remove_id(uint16_t *ids, unsigned *n, unsigned i)
{
    --*n;
    memmove(ids + i, ids + i + 1, (*n - i) * sizeof *ids);
}

static unsigned setup_find_id(const uint16_t *ids, unsigned n, uint16_t id)
{
    unsigned i = 0;

    while (i < n && ids[i] != id) {
        i++;
    }
    return i;
}

static void setup_note_asked(struct setup *s, enum side from, const struct wire_hdr *hdr)
{
    unsigned i;

    if (from == SIDE_CLIENT) {
        i = setup_find_id(s->asked, s->n_asked, hdr->id);
        if (i < s->n_asked) {
            setup_remove_id(s->asked, &s->n_asked, i);
        }
    } else if (s->n_asked == LIMIT_SETUP_ASKED) {
        setup_give_up(s, SETUP_LACKS_REQUESTS);
    } else if (!(hdr->flags & WIRE_NO_REPLY)) {
        s->asked[s->n_asked++] = hdr->id;
    }
}

void setup_replace_device(struct setup *s)
{
    if (s->n_asked > LIMIT_SETUP_ASKED - s->n_stale) {
        setup_give_up(s, SETUP_LACKS_REQUESTS);
        return;
    }
    memcpy(s->stale + s->n_stale, s->asked, s->n_asked * sizeof *s->asked);
    s->n_stale += s->n_asked;
    s->n_asked = 0;
}

void setup_lose_device(struct setup *s)
{
    s->nvme = s->assists ? setup_nvme_lose(s->config) : SETUP_NVME_OFF;
    setup_replace_device(s);
}

bool setup_is_stale(const struct setup *s, const struct wire_hdr *hdr)
{
    return s->n_stale > 0 && wire_is_reply(hdr) &&
           setup_find_id(s->stale, s->n_stale, hdr->id) < s->n_stale;
}

void setup_drop_stale(struct setup *s, const struct wire_hdr *hdr)
{
    if (setup_is_stale(s, hdr)) {
        setup_remove_id(s->stale, &s->n_stale, setup_find_id(s->stale, s->n_stale, hdr->id));
    }
}

/* ---- all messages ---- */

void setup_note(struct setup *s, enum side from, const uint8_t *bytes, size_t n,
                const struct fdset *fds, uint32_t now_ms)
{
    struct wire_hdr hdr;

    if (s->lack != SETUP_KEPT || wire_get_hdr(bytes, n, UINT32_MAX, &hdr) != WIRE_FRAME_OK ||
        hdr.size > n) {
        return;
    }
    if (wire_is_reply(&hdr) == (from == SIDE_CLIENT)) {
        setup_note_asked(s, from, &hdr);
    } else if (from == SIDE_BACKEND) {
        setup_note_reply(s, &hdr, bytes + WIRE_HDR_SIZE, hdr.size - WIRE_HDR_SIZE, fds, true);
    } else {
        setup_note_request(s, &hdr, bytes, hdr.size, fds, now_ms);
    }
}

void setup_note_large(struct setup *s, enum side from, const struct wire_hdr *hdr, uint32_t now_ms)
{
    if (s->lack != SETUP_KEPT) {
        return;
    }
    if (wire_is_reply(hdr) == (from == SIDE_CLIENT)) {
        setup_note_asked(s, from, hdr);
    } else if (from == SIDE_BACKEND) {
        setup_note_reply(s, hdr, NULL, 0, NULL, false);
    } else if (setup_must_be_whole(hdr, NULL, 0)) {
        setup_give_up(s, SETUP_LACKS_REQUESTS);
    } else if (!(hdr->flags & WIRE_NO_REPLY)) {
        (void)setup_add_request(s, hdr, now_ms);
    }
}

/* ---- memory that would be shared ---- */

bool setup_strips(const struct setup *s, enum side from, const struct wire_hdr *hdr)
{
    return from == SIDE_BACKEND && wire_is_reply(hdr) && !(hdr->flags & WIRE_ERROR) &&
           ((hdr->command == WIRE_DEVICE_GET_REGION_INFO && s->shares == SETUP_SHARES_NONE) ||
            (hdr->command == WIRE_DEVICE_GET_REGION_IO_FDS && s->shares != SETUP_SHARES_ALL) ||
            (hdr->command == WIRE_REGION_READ && s->nvme == SETUP_NVME_FAILED));
}

void setup_strip(uint8_t *bytes, size_t n)
{
    uint8_t *const p = bytes + WIRE_HDR_SIZE;
    struct wire_region_io_fds io;
    struct wire_region_info info;
    struct wire_hdr hdr;

    if (wire_get_hdr(bytes, n, UINT32_MAX, &hdr) != WIRE_FRAME_OK) {
        return;
    }
    if (hdr.command == WIRE_DEVICE_GET_REGION_INFO &&
        wire_get(p, n - WIRE_HDR_SIZE, &info, sizeof info)) {
        info.flags &= ~(WIRE_REGION_FLAG_MMAP | WIRE_REGION_FLAG_CAPS);
        info.cap_offset = 0;
        info.argsz = sizeof info;
        wire_put(p, &info, sizeof info);
    } else if (hdr.command == WIRE_DEVICE_GET_REGION_IO_FDS &&
               wire_get(p, n - WIRE_HDR_SIZE, &io, sizeof io)) {
        io.count = 0;
        io.argsz = sizeof io;
        wire_put(p, &io, sizeof io);
    } else if (hdr.command == WIRE_REGION_READ) {
        setup_nvme_show(p, n - WIRE_HDR_SIZE);
    }
}
