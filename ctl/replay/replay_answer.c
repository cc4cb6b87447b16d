/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Answers DMA commands from the guest's memory. */
#include "ctl/replay/replay_answer.h"

#include <errno.h>

#include "base/limits.h"

void replay_answer_write(const struct replay_memory *m, const struct wire_hdr *hdr, const void *p,
                         size_t n)
{
    struct wire_dma_access a;

    if (hdr->command == WIRE_DMA_WRITE && wire_get(p, n, &a, sizeof a) && a.count == n - sizeof a) {
        (void)!replay_memory_write(m, a.address, (const uint8_t *)p + sizeof a, (size_t)a.count);
    }
}

static bool replay_answer_put_error(struct replay_link *l, const struct wire_hdr *request, int err)
{
    const struct wire_hdr hdr = wire_error_hdr(request, err);
    uint8_t *const out = replay_link_put(l, WIRE_HDR_SIZE);

    if (out) {
        wire_put_hdr(out, &hdr);
    }
    return out != NULL;
}

static bool replay_answer_put_memory(struct replay_link *l, const struct replay_memory *m,
                                     const struct wire_hdr *request,
                                     const struct wire_dma_access *a)
{
    const uint64_t size = sizeof *a + a->count;
    struct wire_hdr hdr;
    uint8_t *out;
    int err;

    if (a->count > LIMIT_REPLAY_MESSAGE) {
        return replay_answer_put_error(l, request, EINVAL);
    }
    hdr = wire_reply_hdr(request, (uint32_t)size);
    out = replay_link_put(l, hdr.size);
    if (!out) {
        return false;
    }
    wire_put_hdr(out, &hdr);
    err = replay_memory_read(m, a->address, wire_put(out + WIRE_HDR_SIZE, a, sizeof *a),
                             (size_t)a->count);
    return err == 0 || replay_answer_put_error(l, request, -err);
}

bool replay_answer_put(struct replay_link *l, const struct replay_memory *m,
                       const struct wire_hdr *hdr, const void *p, size_t n)
{
    const struct wire_hdr reply = wire_reply_hdr(hdr, sizeof(struct wire_dma_access));
    struct wire_dma_access a;
    uint8_t *out;

    if (!wire_get(p, n, &a, sizeof a)) {
        return replay_answer_put_error(l, hdr, EINVAL);
    }
    if (hdr->command == WIRE_DMA_READ) {
        return replay_answer_put_memory(l, m, hdr, &a);
    }
    if (hdr->command != WIRE_DMA_WRITE) {
        return replay_answer_put_error(l, hdr, ENOTSUP);
    }
    out = replay_link_put(l, reply.size);
    if (out) {
        wire_put_hdr(out, &reply);
        wire_put(out + WIRE_HDR_SIZE, &a, sizeof a);
    }
    return out != NULL;
}
