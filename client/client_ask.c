/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The client's individual requests: each builds a payload, and compares the reply with it.
 *
 * client.c does all sending and receiving; this file uses no socket or clock.
 */
#include "client/client.h"

#include "base/limits.h"

/* Sends a request with a reply of one fixed structure, copied to out, or of none (out_n 0). */
static enum client_outcome client_ask_fixed(struct client *c, enum wire_command command,
                                            const void *in, size_t in_n, void *out, size_t out_n)
{
    const void *p;
    size_t n;
    const enum client_outcome o = client_request(c, command, in, in_n, NULL, 0, NULL, &p, &n, NULL);

    if (o != CLIENT_OK) {
        return o;
    }
    return n == out_n && (out_n == 0 || wire_get(p, n, out, out_n))
               ? CLIENT_OK
               : client_malformed(c, "a reply with a size other than the command's");
}

enum client_outcome client_device_info(struct client *c, struct wire_device_info *out)
{
    const struct wire_device_info in = {.argsz = sizeof in};

    return client_ask_fixed(c, WIRE_DEVICE_GET_INFO, &in, sizeof in, out, sizeof *out);
}

/*
 * Sends a request that starts with argsz, and repeats it if the reply needs more room. The fds of
 * the final reply are added to fds; those of a truncated one are closed.
 */
static enum client_outcome ask_argsz(struct client *c, enum wire_command command, void *in,
                                     size_t in_n, const void **payload, size_t *n,
                                     struct fdset *fds)
{
    enum client_outcome o;
    struct fdset got;
    uint32_t need = (uint32_t)in_n;
    uint32_t asked;

    fdset_init(&got);
    do {
        asked = need;
        wire_put(in, &asked, sizeof asked);
        fdset_close(&got);
        o = client_request(c, command, in, in_n, NULL, 0, NULL, payload, n, &got);
        if (o == CLIENT_OK && !wire_get(*payload, *n, &need, sizeof need)) {
            o = client_malformed(c, wire_check_text(WIRE_PAYLOAD_SHORT));
        }
    } while (o == CLIENT_OK && asked == in_n && need > *n && need <= LIMIT_MESSAGE_OVERHEAD);
    if (o == CLIENT_OK && need > *n) {
        o = client_malformed(c, "a reply shorter than its argsz");
    }
    if (o == CLIENT_OK && fds && fdset_append_take(fds, &got)) {
        o = client_malformed(c, "more fds than the caller has room for");
    }
    fdset_close(&got);
    return o;
}

enum client_outcome client_region_info(struct client *c, uint32_t index,
                                       struct wire_region_info *out, const void **payload,
                                       size_t *n, struct fdset *fds)
{
    struct wire_region_info in = {.index = index};
    const enum client_outcome o =
        ask_argsz(c, WIRE_DEVICE_GET_REGION_INFO, &in, sizeof in, payload, n, fds);

    if (o != CLIENT_OK) {
        return o;
    }
    return wire_get(*payload, *n, out, sizeof *out) && out->index == index
               ? CLIENT_OK
               : client_malformed(c, "region info for another region");
}

enum client_outcome client_region_io_fds(struct client *c, uint32_t index,
                                         struct wire_region_io_fds *out, const void **payload,
                                         size_t *n, struct fdset *fds)
{
    struct wire_region_io_fds in = {.index = index};
    const enum client_outcome o =
        ask_argsz(c, WIRE_DEVICE_GET_REGION_IO_FDS, &in, sizeof in, payload, n, fds);

    if (o != CLIENT_OK) {
        return o;
    }
    return wire_get(*payload, *n, out, sizeof *out) && out->index == index
               ? CLIENT_OK
               : client_malformed(c, "IO fds for another region");
}

enum client_outcome client_irq_info(struct client *c, uint32_t index, struct wire_irq_info *out)
{
    const struct wire_irq_info in = {.argsz = sizeof in, .index = index};
    const enum client_outcome o =
        client_ask_fixed(c, WIRE_DEVICE_GET_IRQ_INFO, &in, sizeof in, out, sizeof *out);

    return o == CLIENT_OK && out->index != index
               ? client_malformed(c, "interrupt info for another index")
               : o;
}

static bool client_ask_same_access(const struct wire_region_access *a,
                                   const struct wire_region_access *b)
{
    return a->offset == b->offset && a->region == b->region && a->count == b->count;
}

enum client_outcome client_region_read(struct client *c, uint32_t region, uint64_t offset, void *p,
                                       uint32_t n)
{
    const struct wire_region_access in = {.offset = offset, .region = region, .count = n};
    struct wire_region_access out;
    const void *payload;
    size_t got;
    const enum client_outcome o =
        client_request(c, WIRE_REGION_READ, &in, sizeof in, NULL, 0, NULL, &payload, &got, NULL);

    if (o != CLIENT_OK) {
        return o;
    }
    if (!wire_get(payload, got, &out, sizeof out) || !client_ask_same_access(&in, &out) ||
        !wire_get((const uint8_t *)payload + sizeof out, got - sizeof out, p, n)) {
        return client_malformed(c, "a read reply for another offset or length");
    }
    return CLIENT_OK;
}

enum client_outcome client_region_write(struct client *c, uint32_t region, uint64_t offset,
                                        const void *p, uint32_t n)
{
    const struct wire_region_access in = {.offset = offset, .region = region, .count = n};
    struct wire_region_access out;
    const void *payload;
    size_t got;
    const enum client_outcome o =
        client_request(c, WIRE_REGION_WRITE, &in, sizeof in, p, n, NULL, &payload, &got, NULL);

    if (o != CLIENT_OK) {
        return o;
    }
    return wire_get(payload, got, &out, sizeof out) && client_ask_same_access(&in, &out)
               ? CLIENT_OK
               : client_malformed(c, "a write reply for another offset or length");
}

enum client_outcome client_dma_map(struct client *c, uint64_t address, uint64_t size,
                                   uint64_t offset, uint32_t flags, int fd)
{
    const struct wire_dma_map in = {
        .argsz = sizeof in, .flags = flags, .offset = offset, .address = address, .size = size};
    /* Not owned: sendmsg borrows the fd, and this function never closes it. */
    const struct fdset fds = {.n = fd >= 0 ? 1 : 0, .fds = {fd}};
    const void *p;
    size_t n;

    return client_request(c, WIRE_DMA_MAP, &in, sizeof in, NULL, 0, &fds, &p, &n, NULL);
}

enum client_outcome client_dma_unmap(struct client *c, uint64_t address, uint64_t size)
{
    const struct wire_dma_unmap in = {.argsz = sizeof in, .address = address, .size = size};
    struct wire_dma_unmap out = {0};
    const enum client_outcome o =
        client_ask_fixed(c, WIRE_DMA_UNMAP, &in, sizeof in, &out, sizeof out);

    return o == CLIENT_OK && (out.address != address || out.size != size)
               ? client_malformed(c, "an unmap reply for another range")
               : o;
}

enum client_outcome client_set_irqs(struct client *c, uint32_t index, uint32_t start,
                                    uint32_t count, const struct fdset *eventfds)
{
    const struct wire_irq_set in = {.argsz = sizeof in,
                                    .flags =
                                        WIRE_IRQ_SET_DATA_EVENTFD | WIRE_IRQ_SET_ACTION_TRIGGER,
                                    .index = index,
                                    .start = start,
                                    .count = count};
    const void *p;
    size_t n;

    return client_request(c, WIRE_DEVICE_SET_IRQS, &in, sizeof in, NULL, 0, eventfds, &p, &n, NULL);
}

/* Sends DEVICE_FEATURE without data; *payload is the part after the reply's fixed structure. */
static enum client_outcome client_ask_feature(struct client *c, uint32_t flags, uint32_t room,
                                              const uint8_t **payload, size_t *n)
{
    const struct wire_feature in = {.argsz = (uint32_t)sizeof in + room, .flags = flags};
    struct wire_feature out;
    const void *p;
    enum client_outcome o =
        client_request(c, WIRE_DEVICE_FEATURE, &in, sizeof in, NULL, 0, NULL, &p, n, NULL);

    if (o != CLIENT_OK) {
        return o;
    }
    if (!wire_get(p, *n, &out, sizeof out) ||
        (out.flags & WIRE_FEATURE_MASK) != (flags & WIRE_FEATURE_MASK)) {
        return client_malformed(c, "a reply for another device feature");
    }
    *payload = (const uint8_t *)p + sizeof out;
    *n -= sizeof out;
    return CLIENT_OK;
}

enum client_outcome client_feature_probe(struct client *c, uint32_t index, uint32_t methods)
{
    const uint8_t *p;
    size_t n;

    return client_ask_feature(c, index | methods | WIRE_FEATURE_PROBE, 0, &p, &n);
}

enum client_outcome client_feature_get(struct client *c, uint32_t index, void *out, uint32_t size)
{
    const uint8_t *p = NULL;
    size_t n = 0;
    const enum client_outcome o = client_ask_feature(c, index | WIRE_FEATURE_GET, size, &p, &n);

    if (o != CLIENT_OK) {
        return o;
    }
    return wire_get(p, n, out, size) ? CLIENT_OK
                                     : client_malformed(c, wire_check_text(WIRE_PAYLOAD_SHORT));
}

enum client_outcome client_reset(struct client *c)
{
    return client_ask_fixed(c, WIRE_DEVICE_RESET, NULL, 0, NULL, 0);
}
