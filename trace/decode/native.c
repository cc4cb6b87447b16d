/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Which bytes of each command's payload are numbers, and swapping them. Pure; bounded by the bytes
 * that are there, whatever sizes they claim.
 */
#include "trace/decode/native.h"

#include <string.h>

/*
 * Widths of a payload's numbers: those of the fixed part, then those of each entry of the list that
 * follows (0: no list, or data). 'd' stands for 8 bytes of data.
 */
struct layout {
    const char *fixed;
    const char *entry;
};

static const struct layout requests[] = {
    [WIRE_VERSION] = {"22", ""},
    [WIRE_DMA_MAP] = {"44888", ""},
    [WIRE_DMA_UNMAP] = {"4488", ""},
    [WIRE_DEVICE_GET_INFO] = {"4444", ""},
    [WIRE_DEVICE_GET_REGION_INFO] = {"444488", ""},
    [WIRE_DEVICE_GET_REGION_IO_FDS] = {"4444", "8844448"},
    [WIRE_DEVICE_GET_IRQ_INFO] = {"4444", ""},
    [WIRE_DEVICE_SET_IRQS] = {"44444", ""},
    [WIRE_REGION_READ] = {"844", ""},
    [WIRE_REGION_WRITE] = {"844", ""},
    [WIRE_DMA_READ] = {"88", ""},
    [WIRE_DMA_WRITE] = {"88", ""},
    [WIRE_REGION_WRITE_MULTI] = {"8", "844d"},
    [WIRE_DEVICE_FEATURE] = {"44", ""},
    [WIRE_MIG_DATA_READ] = {"44", ""},
    [WIRE_MIG_DATA_WRITE] = {"44", ""},
};

static const struct layout features[] = {
    [WIRE_FEATURE_MIGRATION] = {"8", ""},
    [WIRE_FEATURE_MIG_DEVICE_STATE] = {"44", ""},
    [WIRE_FEATURE_DMA_LOGGING_START] = {"844", "88"},
    [WIRE_FEATURE_DMA_LOGGING_STOP] = {"", ""},
    [WIRE_FEATURE_DMA_LOGGING_REPORT] = {"888", "8"},
};

static void native_reverse(uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        const uint8_t b = p[i];

        p[i] = p[n - 1 - i];
        p[n - 1 - i] = b;
    }
}

/* Swaps one structure's numbers; returns its size, or 0 if it is incomplete. */
static size_t native_turn(const char *widths, uint8_t *p, size_t n)
{
    size_t at = 0;

    for (; *widths; widths++) {
        const size_t width = *widths == 'd' ? 8 : (size_t)(*widths - '0');

        if (n - at < width) {
            return 0;
        }
        if (*widths != 'd') {
            native_reverse(p + at, width);
        }
        at += width;
    }
    return at;
}

static size_t native_turn_all(const struct layout *l, uint8_t *p, size_t n)
{
    size_t at;
    size_t step;

    if (!l->fixed) {
        return 0;
    }
    at = native_turn(l->fixed, p, n);
    if (*l->entry && (at > 0 || !*l->fixed)) {
        while ((step = native_turn(l->entry, p + at, n - at)) > 0) {
            at += step;
        }
    }
    return at;
}

/* Swaps a region's capabilities, each once and forwards only, in wire_region_caps's order. */
static void native_turn_caps(uint8_t *p, size_t n)
{
    struct wire_region_info info;
    struct wire_cap cap;
    struct wire_sparse sparse;
    size_t least = sizeof info;

    if (!wire_get(p, n, &info, sizeof info) || !(info.flags & WIRE_REGION_FLAG_CAPS)) {
        return;
    }
    for (size_t at = info.cap_offset; at >= least && at < n; at = cap.next) {
        if (native_turn("224", p + at, n - at) == 0 ||
            !wire_get(p + at, n - at, &cap, sizeof cap)) {
            return;
        }
        least = at + sizeof cap;
        (void)native_turn("44", p + least, n - least);
        if (cap.id == WIRE_CAP_SPARSE_MMAP &&
            wire_get(p + least, n - least, &sparse, sizeof sparse)) {
            size_t area = least + sizeof sparse;

            for (uint32_t i = 0; i < sparse.nr_areas && native_turn("88", p + area, n - area) > 0;
                 i++) {
                area += sizeof(struct wire_sparse_area);
            }
        }
    }
}

static void native_turn_feature(uint8_t *p, size_t n, size_t at)
{
    struct wire_feature f;
    uint32_t index;

    if (!wire_get(p, n, &f, sizeof f)) {
        return;
    }
    index = f.flags & WIRE_FEATURE_MASK;
    if (index < sizeof features / sizeof *features) {
        (void)native_turn_all(&features[index], p + at, n - at);
    }
}

static void native_turn_payload(const struct wire_hdr *hdr, uint8_t *p, size_t n)
{
    size_t at;

    if (hdr->command >= sizeof requests / sizeof *requests) {
        return;
    }
    /* The only reply with a shorter structure than its request. */
    if (hdr->command == WIRE_DMA_WRITE && n == WIRE_DMA_WRITE_REPLY_MIN) {
        (void)native_turn("84", p, n);
        return;
    }
    at = native_turn_all(&requests[hdr->command], p, n);
    if (hdr->command == WIRE_DEVICE_GET_REGION_INFO) {
        native_turn_caps(p, n);
    } else if (hdr->command == WIRE_DEVICE_FEATURE) {
        native_turn_feature(p, n, at);
    }
}

static bool native_foreign_it(uint8_t flags)
{
    const uint16_t one = 1;
    uint8_t first;

    memcpy(&first, &one, sizeof first);
    return (first == 0) != ((flags & TRACE_BIG_ENDIAN) != 0);
}

bool native_foreign(const struct trace_message *m)
{
    return native_foreign_it(m->flags);
}

bool native_header(const struct trace_message *m, struct wire_hdr *hdr)
{
    if (m->kept < WIRE_HDR_SIZE) {
        return false;
    }
    memcpy(hdr, m->data, sizeof *hdr);
    if (native_foreign_it(m->flags)) {
        (void)native_turn("224444", (uint8_t *)hdr, sizeof *hdr);
    }
    return true;
}

size_t native_head(const uint8_t *head, size_t n, uint8_t flags, const struct wire_hdr *hdr,
                   void *out, size_t size)
{
    size_t length;

    if (n <= WIRE_HDR_SIZE) {
        return 0;
    }
    length = n - WIRE_HDR_SIZE < size ? n - WIRE_HDR_SIZE : size;
    memcpy(out, head + WIRE_HDR_SIZE, length);
    if (native_foreign_it(flags)) {
        native_turn_payload(hdr, out, length);
    }
    return length;
}

size_t native_payload(const struct trace_message *m, const struct wire_hdr *hdr, void *out,
                      size_t n)
{
    return native_head(m->data, m->kept, m->flags, hdr, out, n);
}
