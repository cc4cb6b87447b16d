/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Reads which region or guest memory a message accesses from its fixed part. Pure. */
#include "trace/decode/access.h"

#include <string.h>

#include "trace/decode/native.h"

/*
 * The largest fixed part of a command with a place, and of REGION_WRITE_MULTI with its first write.
 */
#define FIXED_MAX 32u

static void access_read_region(const uint8_t *p, size_t n, struct access *out)
{
    struct wire_region_access a;

    if (wire_get(p, n, &a, sizeof a)) {
        out->kind = ACCESS_REGION;
        out->offset = a.offset;
        out->region = a.region;
        out->count = a.count;
    }
}

/* The index is at the same offset in GET_REGION_INFO and GET_REGION_IO_FDS. */
static void access_read_region_info(const uint8_t *p, size_t n, struct access *out)
{
    struct wire_region_io_fds head;
    struct wire_region_info info;

    if (wire_get(p, n, &head, sizeof head)) {
        out->kind = ACCESS_REGION;
        out->region = head.index;
    }
    if (out->hdr.command == WIRE_DEVICE_GET_REGION_INFO && wire_is_reply(&out->hdr) &&
        wire_get(p, n, &info, sizeof info)) {
        out->size = info.size;
    }
}

static void access_set_memory(struct access *out, uint64_t address, uint64_t count)
{
    out->kind = ACCESS_MEMORY;
    out->offset = address;
    out->count = count;
}

static void access_read_memory(const uint8_t *p, size_t n, struct access *out)
{
    struct wire_dma_map map;
    struct wire_dma_unmap unmap;
    struct wire_dma_access dma;

    if (out->hdr.command == WIRE_DMA_MAP && wire_get(p, n, &map, sizeof map)) {
        access_set_memory(out, map.address, map.size);
    } else if (out->hdr.command == WIRE_DMA_UNMAP && wire_get(p, n, &unmap, sizeof unmap)) {
        access_set_memory(out, unmap.address, unmap.size);
    } else if ((out->hdr.command == WIRE_DMA_READ || out->hdr.command == WIRE_DMA_WRITE) &&
               wire_get(p, n, &dma, sizeof dma)) {
        access_set_memory(out, dma.address, dma.count);
    }
}

static void access_read_place(const uint8_t *p, size_t n, struct access *out)
{
    switch (out->hdr.command) {
    case WIRE_REGION_READ:
    case WIRE_REGION_WRITE:
        access_read_region(p, n, out);
        break;
    case WIRE_REGION_WRITE_MULTI:
        if (!wire_is_reply(&out->hdr) && n > sizeof(struct wire_write_multi)) {
            access_read_region(p + sizeof(struct wire_write_multi),
                               n - sizeof(struct wire_write_multi), out);
        }
        break;
    case WIRE_DEVICE_GET_REGION_INFO:
    case WIRE_DEVICE_GET_REGION_IO_FDS:
        access_read_region_info(p, n, out);
        break;
    case WIRE_DMA_MAP:
    case WIRE_DMA_UNMAP:
    case WIRE_DMA_READ:
    case WIRE_DMA_WRITE:
        access_read_memory(p, n, out);
        break;
    default:
        break;
    }
}

bool access_read(const struct trace_message *m, struct access *out)
{
    uint8_t fixed[FIXED_MAX];
    struct wire_hdr hdr;

    if (!native_header(m, &hdr)) {
        return false;
    }
    *out = (struct access){.hdr = hdr};
    access_read_place(fixed, native_payload(m, &hdr, fixed, sizeof fixed), out);
    return true;
}

void access_of_request(const struct trace_request *r, struct access *out)
{
    uint8_t fixed[FIXED_MAX];

    *out = (struct access){.hdr = r->hdr};
    access_read_place(fixed, native_head(r->head, r->kept, r->flags, &r->hdr, fixed, sizeof fixed),
                      out);
}

size_t access_writes(const struct trace_message *m, struct access *out)
{
    uint8_t p[sizeof(struct wire_write_multi) + ACCESS_WRITES * sizeof(struct wire_single_write)];
    struct wire_write_multi multi;
    struct wire_single_write one;
    struct wire_hdr hdr;
    size_t n;
    size_t i = 0;

    if (!native_header(m, &hdr)) {
        return 0;
    }
    n = native_payload(m, &hdr, p, sizeof p);
    if (!wire_get(p, n, &multi, sizeof multi)) {
        return 0;
    }
    for (size_t at = sizeof multi; i < multi.wr_cnt && i < ACCESS_WRITES; at += sizeof one, i++) {
        /* Of a truncated write, the place and the count may still have been kept. */
        if (at + sizeof(struct wire_region_access) > n) {
            break;
        }
        out[i] = (struct access){.hdr = hdr};
        access_read_region(p + at, n - at, &out[i]);
    }
    return i;
}
