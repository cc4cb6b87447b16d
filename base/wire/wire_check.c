/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The pure checks of messages, by the table of vfio-user commands.
 *
 * Nothing here may read a clock, allocate, log or touch an fd. Every read of a peer's bytes goes
 * through wire_get, which copies, since they may be unaligned or too short.
 */
#include "base/wire/wire.h"

#include <assert.h>
#include <string.h>

#include "base/limits.h"
#include "base/wire/wire_command.h"

static_assert(sizeof(struct wire_hdr) == WIRE_HDR_SIZE, "header");
static_assert(sizeof(struct wire_version) == 4, "version");
static_assert(sizeof(struct wire_dma_map) == 32, "dma map");
static_assert(sizeof(struct wire_dma_unmap) == 24, "dma unmap");
static_assert(sizeof(struct wire_bitmap) == 16, "bitmap");
static_assert(sizeof(struct wire_device_info) == 16, "device info");
static_assert(sizeof(struct wire_region_info) == 32, "region info");
static_assert(sizeof(struct wire_cap) == 8, "capability");
static_assert(sizeof(struct wire_sparse) == 8, "sparse");
static_assert(sizeof(struct wire_sparse_area) == 16, "sparse area");
static_assert(sizeof(struct wire_cap_type) == 8, "type capability");
static_assert(sizeof(struct wire_region_io_fds) == 16, "io fds");
static_assert(sizeof(struct wire_io_fd) == 40, "io fd");
static_assert(sizeof(struct wire_irq_info) == 16, "irq info");
static_assert(sizeof(struct wire_irq_set) == 20, "irq set");
static_assert(sizeof(struct wire_region_access) == 16, "region access");
static_assert(sizeof(struct wire_dma_access) == sizeof(struct wire_region_access), "dma access");
static_assert(sizeof(struct wire_write_multi) == 8, "write multi");
static_assert(sizeof(struct wire_single_write) == 24, "single write");
static_assert(sizeof(struct wire_feature) == 8, "feature");
static_assert(sizeof(struct wire_feature_migration) == 8, "migration");
static_assert(sizeof(struct wire_feature_mig_state) == 8, "migration state");
static_assert(sizeof(struct wire_dma_logging) == 16, "dma logging");
static_assert(sizeof(struct wire_dma_logging_range) == 16, "dma logging range");
static_assert(sizeof(struct wire_dma_report) == 24, "dma report");
static_assert(sizeof(struct wire_mig_data) == 8, "migration data");

const char *wire_frame_text(enum wire_frame f)
{
    switch (f) {
    case WIRE_FRAME_OK:
        return "ok";
    case WIRE_FRAME_SHORT:
        return "incomplete header";
    case WIRE_FRAME_TOO_SMALL:
        return "message size below 16, the size of its header";
    case WIRE_FRAME_TOO_BIG:
        return "message size above the negotiated limit";
    }
    return "?";
}

enum wire_frame wire_get_hdr(const void *p, size_t n, uint32_t max_size, struct wire_hdr *hdr)
{
    if (n < WIRE_HDR_SIZE) {
        return WIRE_FRAME_SHORT;
    }
    memcpy(hdr, p, sizeof *hdr);
    if (hdr->size < WIRE_HDR_SIZE) {
        return WIRE_FRAME_TOO_SMALL;
    }
    return hdr->size > max_size ? WIRE_FRAME_TOO_BIG : WIRE_FRAME_OK;
}

void wire_put_hdr(void *p, const struct wire_hdr *hdr)
{
    memcpy(p, hdr, sizeof *hdr);
}

struct wire_hdr wire_reply_hdr(const struct wire_hdr *request, uint32_t payload_size)
{
    return (struct wire_hdr){.id = request->id,
                             .command = request->command,
                             .size = WIRE_HDR_SIZE + payload_size,
                             .flags = WIRE_TYPE_REPLY};
}

struct wire_hdr wire_error_hdr(const struct wire_hdr *request, int err)
{
    struct wire_hdr h = wire_reply_hdr(request, 0);

    h.flags |= WIRE_ERROR;
    h.error = (uint32_t)err;
    return h;
}

bool wire_get(const void *p, size_t n, void *out, size_t size)
{
    if (n < size) {
        return false;
    }
    memcpy(out, p, size);
    return true;
}

void *wire_put(void *p, const void *in, size_t size)
{
    memcpy(p, in, size);
    return (uint8_t *)p + size;
}

const char *wire_check_text(enum wire_check c)
{
    switch (c) {
    case WIRE_OK:
        return "ok";
    case WIRE_UNKNOWN_COMMAND:
        return "unknown command";
    case WIRE_UNKNOWN_TYPE:
        return "neither command nor reply";
    case WIRE_PAYLOAD_SHORT:
        return "payload shorter than its fixed part";
    case WIRE_PAYLOAD_LONG:
        return "payload longer than it may be";
    case WIRE_COUNT_MISMATCH:
        return "a count does not agree with the payload's size";
    case WIRE_ERROR_PAYLOAD:
        return "error reply with a payload";
    case WIRE_BAD_FLAGS:
        return "reserved or contradicting flags";
    case WIRE_BAD_OFFSET:
        return "capability list leaves its message";
    }
    return "?";
}

/* ---- checks beyond a fixed size, by command ---- */

static enum wire_check wire_agree(bool ok)
{
    return ok ? WIRE_OK : WIRE_COUNT_MISMATCH;
}

static bool wire_one_bit(uint32_t v)
{
    return v != 0 && (v & (v - 1)) == 0;
}

static enum wire_check wire_check_irq_set(const void *p, size_t n)
{
    struct wire_irq_set s;

    if (!wire_get(p, n, &s, sizeof s)) {
        return WIRE_PAYLOAD_SHORT;
    }
    if (!wire_one_bit(s.flags & WIRE_IRQ_SET_DATA_MASK) ||
        !wire_one_bit(s.flags & WIRE_IRQ_SET_ACTION_ALL) ||
        (s.flags & ~(WIRE_IRQ_SET_DATA_MASK | WIRE_IRQ_SET_ACTION_ALL))) {
        return WIRE_BAD_FLAGS;
    }
    if (s.flags & WIRE_IRQ_SET_DATA_BOOL) {
        return wire_agree(n - sizeof s == s.count);
    }
    return n == sizeof s ? WIRE_OK : WIRE_PAYLOAD_LONG;
}

static enum wire_check wire_check_write_multi(const void *p, size_t n)
{
    struct wire_write_multi m;
    struct wire_single_write w;
    size_t left;

    if (!wire_get(p, n, &m, sizeof m)) {
        return WIRE_PAYLOAD_SHORT;
    }
    left = n - sizeof m;
    if (left % sizeof w != 0 || left / sizeof w != m.wr_cnt) {
        return WIRE_COUNT_MISMATCH;
    }
    for (const uint8_t *q = (const uint8_t *)p + sizeof m; left > 0;
         q += sizeof w, left -= sizeof w) {
        if (!wire_get(q, left, &w, sizeof w) || w.count == 0 || w.count > sizeof w.data) {
            return WIRE_COUNT_MISMATCH;
        }
    }
    return WIRE_OK;
}

static enum wire_check wire_check_feature(const void *p, size_t n)
{
    struct wire_feature f;
    uint32_t methods;

    if (!wire_get(p, n, &f, sizeof f)) {
        return WIRE_PAYLOAD_SHORT;
    }
    methods = f.flags & ~WIRE_FEATURE_MASK;
    if (methods == 0 || (methods & ~(WIRE_FEATURE_GET | WIRE_FEATURE_SET | WIRE_FEATURE_PROBE))) {
        return WIRE_BAD_FLAGS;
    }
    if (!(methods & WIRE_FEATURE_PROBE) && !wire_one_bit(methods)) {
        return WIRE_BAD_FLAGS;
    }
    return WIRE_OK;
}

static enum wire_check wire_check_io_fds(const void *p, size_t n)
{
    struct wire_region_io_fds f;
    size_t left;

    if (!wire_get(p, n, &f, sizeof f)) {
        return WIRE_PAYLOAD_SHORT;
    }
    left = n - sizeof f;
    /* There may be fewer than count: if argsz was too small for them, none follows. */
    if (left == 0) {
        return WIRE_OK;
    }
    return wire_agree(f.count != 0 && left % f.count == 0 &&
                      left / f.count >= sizeof(struct wire_io_fd));
}

/* Checks the part after a complete fixed part. */
static enum wire_check wire_check_tail(const struct wire_command_info *c,
                                       const struct wire_body *body, const void *p, size_t n)
{
    switch ((enum wire_tail)body->tail) {
    case WIRE_TAIL_DATA:
        return wire_agree(n - body->fixed == wire_field_value(c->structure->count, p, n));
    case WIRE_TAIL_WRITES:
        return wire_check_write_multi(p, n);
    case WIRE_TAIL_IO_FDS:
        return wire_check_io_fds(p, n);
    case WIRE_TAIL_BOOLS:
        return wire_check_irq_set(p, n);
    case WIRE_TAIL_CAPS:
        return wire_region_caps(p, n, NULL, NULL);
    case WIRE_TAIL_FEATURE:
        return wire_check_feature(p, n);
    case WIRE_TAIL_REST:
        return n == body->fixed || n == c->structure->size ? WIRE_OK : WIRE_PAYLOAD_LONG;
    case WIRE_TAIL_JSON:
    case WIRE_TAIL_NONE:
        break;
    }
    return WIRE_OK;
}

enum wire_check wire_check(const struct wire_hdr *hdr, const void *p, size_t n)
{
    const struct wire_command_info *c = wire_command_find(hdr->command);
    const bool reply = wire_is_reply(hdr);
    const struct wire_body *body;

    if (!reply && (hdr->flags & WIRE_TYPE_MASK) != WIRE_TYPE_COMMAND) {
        return WIRE_UNKNOWN_TYPE;
    }
    if (hdr->flags & ~WIRE_FLAGS_KNOWN) {
        return WIRE_BAD_FLAGS;
    }
    if (!c) {
        return WIRE_UNKNOWN_COMMAND;
    }
    if (reply && (hdr->flags & WIRE_ERROR)) {
        return n == 0 ? WIRE_OK : WIRE_ERROR_PAYLOAD;
    }
    body = reply ? &c->reply : &c->request;
    if (n < body->fixed) {
        return WIRE_PAYLOAD_SHORT;
    }
    if (n > body->fixed && body->tail == WIRE_TAIL_NONE) {
        return WIRE_PAYLOAD_LONG;
    }
    return wire_check_tail(c, body, p, n);
}

/* ---- sizes ---- */

static uint32_t wire_saturate(uint64_t n)
{
    return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}

uint32_t wire_bound(const struct wire_hdr *hdr, const struct wire_takes *takes)
{
    const struct wire_body *body = wire_body_of(hdr);

    if (body->tail == WIRE_TAIL_DATA) {
        return wire_saturate(WIRE_HDR_SIZE + body->fixed + (uint64_t)takes->max_data);
    }
    if (body->bitmap > 0) {
        const uint64_t bitmap = WIRE_HDR_SIZE + body->bitmap + (uint64_t)takes->max_bitmap;

        return bitmap < LIMIT_MESSAGE_OVERHEAD ? LIMIT_MESSAGE_OVERHEAD : wire_saturate(bitmap);
    }
    return LIMIT_MESSAGE;
}

/* Returns the number of bytes that a request asks for in the reply's payload; 0: unknown. */
static uint64_t wire_asks_for_data(const struct wire_command_info *c, const void *p, size_t n)
{
    const struct wire_field *const count = c->structure->count;

    return wire_field_whole(count, n)
               ? wire_saturate(wire_field_value(count, p, n)) + (uint64_t)c->reply.fixed
               : 0;
}

uint32_t wire_asks(const struct wire_hdr *request, const void *p, size_t n)
{
    const struct wire_command_info *c = wire_command_find(request->command);
    uint64_t asks = 0;
    uint32_t argsz;

    if (!c || c->reply.fixed == 0) {
        return 0;
    }
    if (c->reply.tail == WIRE_TAIL_DATA) {
        asks = wire_asks_for_data(c, p, n);
    }
    /* It is the first field of every structure that has one. */
    if (c->structure->argsz && wire_get(p, n, &argsz, sizeof argsz)) {
        return wire_saturate(WIRE_HDR_SIZE + (argsz > asks ? argsz : asks));
    }
    return asks > 0 ? wire_saturate(WIRE_HDR_SIZE + asks) : 0;
}

/* ---- lists ---- */

enum wire_check wire_region_caps(const void *p, size_t n, wire_cap_fn *fn, void *arg)
{
    struct wire_region_info info;
    size_t at;
    size_t least = sizeof info;

    if (!wire_get(p, n, &info, sizeof info)) {
        return WIRE_PAYLOAD_SHORT;
    }
    if (!(info.flags & WIRE_REGION_FLAG_CAPS)) {
        return WIRE_OK;
    }
    /*
     * argsz above the bytes received: the sender was given too little room, and left out the list.
     */
    if (n == sizeof info && info.argsz > n) {
        return WIRE_OK;
    }
    for (at = info.cap_offset; at != 0;) {
        struct wire_cap cap;

        if (at < least || at > n || !wire_get((const uint8_t *)p + at, n - at, &cap, sizeof cap)) {
            return WIRE_BAD_OFFSET;
        }
        if (fn) {
            fn(&cap, (const uint8_t *)p + at, n - at, arg);
        }
        least = at + sizeof cap;
        at = cap.next;
    }
    return WIRE_OK;
}

bool wire_sparse_area_at(const void *p, size_t n, uint32_t i, struct wire_sparse_area *out)
{
    struct wire_sparse s;
    const size_t lists = sizeof(struct wire_cap) + sizeof s;
    size_t at;

    if (n < lists ||
        !wire_get((const uint8_t *)p + sizeof(struct wire_cap), sizeof s, &s, sizeof s) ||
        i >= s.nr_areas) {
        return false;
    }
    at = lists + (size_t)i * sizeof *out;
    return at <= n && wire_get((const uint8_t *)p + at, n - at, out, sizeof *out);
}

bool wire_io_fd_at(const void *p, size_t n, uint32_t i, struct wire_io_fd *out)
{
    struct wire_region_io_fds f;
    size_t stride;
    size_t at;

    if (!wire_get(p, n, &f, sizeof f) || i >= f.count) {
        return false;
    }
    /*
     * "each array entry is at offset i * ((argsz - 32) / count)" includes a header in argsz, which
     * no server does; so the entries' size is derived from the bytes themselves.
     */
    stride = (n - sizeof f) / f.count;
    if (stride < sizeof *out) {
        return false;
    }
    at = sizeof f + (size_t)i * stride;
    return wire_get((const uint8_t *)p + at, n - at, out, sizeof *out);
}
