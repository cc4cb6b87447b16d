/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* What a new process of a device is sent, in which order, and what it must answer. */
#include "proxy/relay/setup/reattach.h"

#include <bsd/sys/queue.h>
#include <string.h>

/* The part of an answer about the device that is compared: all of these structures begin alike. */
#define REATTACH_COMPARED 16u

/* An id that no client is likely to have under way at the same time; only headers of replies that
 * come before the first relayed message are compared with it. */
#define REATTACH_ID 0xfff0u

void reattach_init(struct reattach *r, const struct setup *setup, uint32_t max_fds)
{
    *r = (struct reattach){.setup = setup,
                           .max_fds = max_fds < LIMIT_FDS_KERNEL ? max_fds : LIMIT_FDS_KERNEL,
                           .end = REATTACH_DONE,
                           .map = setup_map_first(setup),
                           .info = TAILQ_FIRST(&setup->infos)};
}

/* Writes a request with two parts of payload into m, and waits for its reply. */
static void reattach_ask(struct reattach *r, struct reattach_message *m, uint16_t command,
                         const void *fixed, size_t n_fixed, const uint8_t *data, size_t n)
{
    r->sent = (struct wire_hdr){
        .id = REATTACH_ID, .command = command, .size = (uint32_t)(WIRE_HDR_SIZE + n_fixed + n)};
    wire_put_hdr(m->data, &r->sent);
    memcpy(m->data + WIRE_HDR_SIZE, fixed, n_fixed);
    if (n > 0) {
        memcpy(m->data + WIRE_HDR_SIZE + n_fixed, data, n);
    }
    m->bytes = m->data;
    m->n = r->sent.size;
    m->fds = NULL;
    m->n_fds = 0;
    r->waits = true;
}

static bool reattach_map(struct reattach *r, struct reattach_message *m)
{
    if (!r->map) {
        return false;
    }
    reattach_ask(r, m, WIRE_DMA_MAP, &r->map->map, sizeof r->map->map, NULL, 0);
    if (r->map->fd >= 0) {
        m->fds = &r->map->fd;
        m->n_fds = 1;
    }
    r->map = setup_map_next(r->map);
    return true;
}

static bool reattach_info(struct reattach *r, struct reattach_message *m)
{
    struct wire_hdr hdr;

    if (!r->info ||
        wire_get_hdr(r->info->bytes, r->info->n_request, UINT32_MAX, &hdr) != WIRE_FRAME_OK) {
        return false;
    }
    reattach_ask(r, m, hdr.command, r->info->bytes + WIRE_HDR_SIZE,
                 r->info->n_request - WIRE_HDR_SIZE, NULL, 0);
    return true;
}

static bool reattach_config(struct reattach *r, struct reattach_message *m)
{
    struct wire_region_access a = {.region = WIRE_PCI_CONFIG};
    unsigned width = 0;
    const int offset =
        r->setup->config ? setup_config_next(r->setup->config, &r->config, &width) : -1;

    if (offset < 0) {
        return false;
    }
    a.offset = (uint64_t)offset;
    a.count = width;
    reattach_ask(r, m, WIRE_REGION_WRITE, &a, sizeof a, r->setup->config->value + offset, width);
    return true;
}

/* The next run of vectors: set up; or, of those with a trigger, triggered once. */
static bool reattach_irqs(struct reattach *r, struct reattach_message *m, bool kick)
{
    struct setup_irqs_run run;
    struct wire_irq_set set = {.argsz = sizeof set};

    while (setup_irqs_next(&r->setup->irqs, &r->irqs, r->max_fds, &run)) {
        if (kick && !(run.flags & WIRE_IRQ_SET_ACTION_TRIGGER)) {
            continue;
        }
        set.index = run.index;
        set.start = run.start;
        set.count = run.count;
        set.flags = kick ? WIRE_IRQ_SET_DATA_NONE | WIRE_IRQ_SET_ACTION_TRIGGER : run.flags;
        reattach_ask(r, m, WIRE_DEVICE_SET_IRQS, &set, sizeof set, NULL, 0);
        if (!kick && run.fds) {
            m->fds = run.fds;
            m->n_fds = run.count;
        }
        return true;
    }
    return false;
}

static bool reattach_request(struct reattach *r, struct reattach_message *m)
{
    while (r->request) {
        const struct setup_request *const q = r->request;

        r->request = TAILQ_NEXT(q, link);
        if (q->whole && q->n_fds <= r->max_fds) {
            m->bytes = q->bytes;
            m->n = q->n;
            m->fds = q->fds;
            m->n_fds = q->n_fds;
            return true;
        }
    }
    return false;
}

/* Makes the next message of the step. Returns false if it has none left. */
static bool reattach_make(struct reattach *r, struct reattach_message *m)
{
    switch (r->step) {
    case REATTACH_MAPS:
        return reattach_map(r, m);
    case REATTACH_INFOS:
        return reattach_info(r, m);
    case REATTACH_CONFIG:
        return reattach_config(r, m);
    case REATTACH_INTERRUPTS:
        return reattach_irqs(r, m, false);
    case REATTACH_KICK:
        return reattach_irqs(r, m, true);
    case REATTACH_REQUESTS:
        return reattach_request(r, m);
    default:
        return false;
    }
}

bool reattach_next(struct reattach *r, struct reattach_message *m)
{
    if (r->waits) {
        return false;
    }
    while (r->step < r->end) {
        if (reattach_make(r, m)) {
            return true;
        }
        r->step++;
        r->irqs = 0;
        if (r->step == REATTACH_REQUESTS) {
            r->request = TAILQ_FIRST(&r->setup->requests);
        }
    }
    return false;
}

/* Returns the number at p, of 4 bytes; 0 if it is not there. */
static uint32_t reattach_number(const uint8_t *p, size_t n, size_t at)
{
    uint32_t number = 0;

    if (at + sizeof number <= n) {
        memcpy(&number, p + at, sizeof number);
    }
    return number;
}

/* Compares the answer with the kept one: its fixed part, and for a region its size and offset. */
static bool reattach_same(struct reattach *r, uint8_t *now, size_t n)
{
    const uint8_t *const kept = r->info->bytes + r->info->n_request;
    const size_t had = r->info->n_reply;
    const size_t compared = r->sent.command == WIRE_DEVICE_GET_REGION_INFO
                                ? sizeof(struct wire_region_info)
                                : REATTACH_COMPARED;

    for (size_t at = 0; at < compared; at += sizeof(uint32_t)) {
        const uint32_t old = reattach_number(kept, had, at);
        const uint32_t new = reattach_number(now, n, at);

        if (old != new) {
            r->difference = (struct ipc_difference){
                .what = IPC_DIFFERS_INFO,
                .command = r->sent.command,
                .index = reattach_number(kept, had, offsetof(struct wire_region_info, index)),
                .at = (uint32_t)at,
                .had = old,
                .has = new};
            return false;
        }
    }
    return true;
}

/* Judges the answer to a question about the device. */
static bool reattach_judge_info(struct reattach *r, const struct wire_hdr *hdr,
                                const uint8_t *payload, size_t n)
{
    uint8_t answer[WIRE_HDR_SIZE + sizeof(struct wire_region_info)] = {0};
    const size_t most = sizeof answer - WIRE_HDR_SIZE;
    const size_t have = n < most ? n : most;
    bool same;

    wire_put_hdr(answer, hdr);
    if (have > 0) {
        memcpy(answer + WIRE_HDR_SIZE, payload, have);
    }
    if (setup_strips(r->setup, SIDE_BACKEND, hdr)) {
        setup_strip(answer, WIRE_HDR_SIZE + have);
    }
    same = reattach_same(r, answer + WIRE_HDR_SIZE, have);
    r->info = TAILQ_NEXT(r->info, link);
    return same;
}

bool reattach_reply(struct reattach *r, const struct wire_hdr *hdr, const uint8_t *payload,
                    size_t n)
{
    const bool refused = (hdr->flags & WIRE_ERROR) != 0;

    if (!r->waits || hdr->id != r->sent.id || hdr->command != r->sent.command) {
        r->difference = (struct ipc_difference){.what = IPC_DIFFERS_STRAY,
                                                .command = hdr->command,
                                                .had = r->sent.command,
                                                .has = hdr->command};
        return false;
    }
    r->waits = false;
    if (refused && r->step != REATTACH_KICK) {
        r->difference = (struct ipc_difference){
            .what = IPC_DIFFERS_ERROR, .command = hdr->command, .has = hdr->error};
        return false;
    }
    return r->step != REATTACH_INFOS || reattach_judge_info(r, hdr, payload, n);
}
