/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The vfio-user wire format, version 0.0, as specified in QEMU's docs/interop/vfio-user.rst.
 *
 * The daemon, the sample device, the tools and the tests all use this one description. Pure: bytes
 * in, outcome out; no fd, clock, log or allocation. Quoted names in comments are the
 * specification's sections.
 *
 * All numbers travel in the host's byte order. The structures below have no padding (asserted), so
 * encoding is a copy; decoding copies too, since a peer's bytes may be unaligned.
 */
#ifndef POEMD_BASE_WIRE_WIRE_H
#define POEMD_BASE_WIRE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "Commands" */
enum wire_command {
    WIRE_VERSION = 1,
    WIRE_DMA_MAP = 2,
    WIRE_DMA_UNMAP = 3,
    WIRE_DEVICE_GET_INFO = 4,
    WIRE_DEVICE_GET_REGION_INFO = 5,
    WIRE_DEVICE_GET_REGION_IO_FDS = 6,
    WIRE_DEVICE_GET_IRQ_INFO = 7,
    WIRE_DEVICE_SET_IRQS = 8,
    WIRE_REGION_READ = 9,
    WIRE_REGION_WRITE = 10,
    WIRE_DMA_READ = 11,
    WIRE_DMA_WRITE = 12,
    WIRE_DEVICE_RESET = 13,
    WIRE_REGION_WRITE_MULTI = 15,
    WIRE_DEVICE_FEATURE = 16,
    WIRE_MIG_DATA_READ = 17,
    WIRE_MIG_DATA_WRITE = 18,
};

/* "Header": the flags word. */
#define WIRE_TYPE_MASK 0xfu
#define WIRE_TYPE_COMMAND 0x0u
#define WIRE_TYPE_REPLY 0x1u
#define WIRE_NO_REPLY 0x10u
#define WIRE_ERROR 0x20u
#define WIRE_FLAGS_KNOWN (WIRE_TYPE_MASK | WIRE_NO_REPLY | WIRE_ERROR)

#define WIRE_HDR_SIZE 16u

/* "Header" */
struct wire_hdr {
    uint16_t id;
    uint16_t command;
    uint32_t size; /* of the whole message, including this header */
    uint32_t flags;
    uint32_t error; /* errno, in a reply with WIRE_ERROR */
};

/* "VFIO_USER_VERSION": precedes the JSON. */
struct wire_version {
    uint16_t major;
    uint16_t minor;
};

#define WIRE_DMA_READABLE 0x1u
#define WIRE_DMA_WRITEABLE 0x2u
/*
 * Not in the specification; in libvfio-user since June 2026. How to access the memory behind the
 * fd: by mmap, or by pread and pwrite. Without an fd either is an error.
 */
#define WIRE_DMA_MMAP 0x4u
#define WIRE_DMA_FILE_IO 0x8u
#define WIRE_DMA_KNOWN (WIRE_DMA_READABLE | WIRE_DMA_WRITEABLE | WIRE_DMA_MMAP | WIRE_DMA_FILE_IO)

/* "VFIO_USER_DMA_MAP" request */
struct wire_dma_map {
    uint32_t argsz;
    uint32_t flags; /* WIRE_DMA_* */
    uint64_t offset;
    uint64_t address;
    uint64_t size;
};

/*
 * Flags of DMA_UNMAP that the specification no longer has; libvfio-user accepts them: the reply
 * must contain the range's dirty bitmap, or everything is unmapped.
 */
#define WIRE_UNMAP_BITMAP 0x1u
#define WIRE_UNMAP_ALL 0x2u

/*
 * "VFIO_USER_DMA_UNMAP" request and reply; with WIRE_UNMAP_BITMAP a struct wire_bitmap follows,
 * which neither the specification nor wire_check covers.
 */
struct wire_dma_unmap {
    uint32_t argsz;
    uint32_t flags;
    uint64_t address;
    uint64_t size;
};

/* In a request, the requested bitmap; in a reply, size bytes of a bitmap follow. */
struct wire_bitmap {
    uint64_t page_size;
    uint64_t size; /* in bytes */
};

#define WIRE_DEVICE_FLAG_RESET 0x1u
#define WIRE_DEVICE_FLAG_PCI 0x2u

/* "VFIO_USER_DEVICE_GET_INFO" request and reply */
struct wire_device_info {
    uint32_t argsz;
    uint32_t flags; /* WIRE_DEVICE_FLAG_* */
    uint32_t num_regions;
    uint32_t num_irqs;
};

#define WIRE_REGION_FLAG_READ 0x1u
#define WIRE_REGION_FLAG_WRITE 0x2u
#define WIRE_REGION_FLAG_MMAP 0x4u
#define WIRE_REGION_FLAG_CAPS 0x8u

/* PCI devices' region indexes (linux/vfio.h, VFIO_PCI_*_REGION_INDEX). */
enum wire_pci_region {
    WIRE_PCI_BAR0 = 0,
    WIRE_PCI_BAR5 = 5,
    WIRE_PCI_ROM = 6,
    WIRE_PCI_CONFIG = 7,
    WIRE_PCI_VGA = 8,
    WIRE_PCI_NUM_REGIONS = 9,
};

/* PCI devices' interrupt indexes (linux/vfio.h, VFIO_PCI_*_IRQ_INDEX). */
enum wire_pci_irq {
    WIRE_PCI_INTX = 0,
    WIRE_PCI_MSI = 1,
    WIRE_PCI_MSIX = 2,
    WIRE_PCI_ERR = 3,
    WIRE_PCI_REQ = 4,
    WIRE_PCI_NUM_IRQS = 5,
};

/* "VFIO_USER_DEVICE_GET_REGION_INFO" request and reply; capabilities may follow a reply's. */
struct wire_region_info {
    uint32_t argsz;
    uint32_t flags; /* WIRE_REGION_FLAG_* */
    uint32_t index;
    uint32_t cap_offset; /* from the start of this structure; 0: no capabilities */
    uint64_t size;
    uint64_t offset;
};

#define WIRE_CAP_SPARSE_MMAP 1u
#define WIRE_CAP_TYPE 2u

/* "VFIO cap header format" */
struct wire_cap {
    uint16_t id; /* WIRE_CAP_* */
    uint16_t version;
    uint32_t next; /* from the start of the region info structure; 0 ends the list */
};

/* "VFIO region info cap sparse mmap": follows its struct wire_cap; nr_areas areas follow it. */
struct wire_sparse {
    uint32_t nr_areas;
    uint32_t reserved;
};

struct wire_sparse_area {
    uint64_t offset;
    uint64_t size;
};

/* linux/vfio.h, struct vfio_region_info_cap_type: follows its struct wire_cap. */
struct wire_cap_type {
    uint32_t type;
    uint32_t subtype;
};

/* "VFIO_USER_DEVICE_GET_REGION_IO_FDS" request and reply; count sub-regions follow a reply's. */
struct wire_region_io_fds {
    uint32_t argsz;
    uint32_t flags;
    uint32_t index;
    uint32_t count;
};

#define WIRE_IO_FD_IOEVENTFD 0u
#define WIRE_IO_FD_IOREGIONFD 1u

/* "Sub-Region IO FD info format"; both types have this shape. */
struct wire_io_fd {
    uint64_t offset;
    uint64_t size;
    uint32_t fd_index;
    uint32_t type; /* WIRE_IO_FD_* */
    uint32_t flags;
    uint32_t padding;
    uint64_t datamatch; /* or user_data */
};

#define WIRE_IRQ_INFO_EVENTFD 0x1u
#define WIRE_IRQ_INFO_MASKABLE 0x2u
#define WIRE_IRQ_INFO_AUTOMASKED 0x4u
#define WIRE_IRQ_INFO_NORESIZE 0x8u

/* "VFIO_USER_DEVICE_GET_IRQ_INFO" request and reply */
struct wire_irq_info {
    uint32_t argsz;
    uint32_t flags; /* WIRE_IRQ_INFO_* */
    uint32_t index;
    uint32_t count;
};

#define WIRE_IRQ_SET_DATA_NONE 0x1u
#define WIRE_IRQ_SET_DATA_BOOL 0x2u
#define WIRE_IRQ_SET_DATA_EVENTFD 0x4u
#define WIRE_IRQ_SET_DATA_MASK 0x7u
#define WIRE_IRQ_SET_ACTION_MASK 0x8u
#define WIRE_IRQ_SET_ACTION_UNMASK 0x10u
#define WIRE_IRQ_SET_ACTION_TRIGGER 0x20u
#define WIRE_IRQ_SET_ACTION_ALL 0x38u

/* "VFIO_USER_DEVICE_SET_IRQS" request; count booleans follow with WIRE_IRQ_SET_DATA_BOOL. */
struct wire_irq_set {
    uint32_t argsz;
    uint32_t flags; /* WIRE_IRQ_SET_* */
    uint32_t index;
    uint32_t start;
    uint32_t count;
};

/* "VFIO_USER_REGION_READ", "VFIO_USER_REGION_WRITE"; data follows if the message carries it. */
struct wire_region_access {
    uint64_t offset;
    uint32_t region;
    uint32_t count;
};

/* "VFIO_USER_DMA_READ", "VFIO_USER_DMA_WRITE"; data follows if the message carries it. */
struct wire_dma_access {
    uint64_t address;
    uint64_t count;
};

/*
 * The reply to DMA_WRITE: its count has 4 bytes in the specification. QEMU and libvfio-user send 16
 * bytes in all (they reuse the request's structure), so both lengths are legal in a reply.
 */
#define WIRE_DMA_WRITE_REPLY_MIN 12u

/* "VFIO_USER_REGION_WRITE_MULTI"; number of writes that follow (request) or were done (reply) */
struct wire_write_multi {
    uint64_t wr_cnt;
};

/* "Single Device Write Format" */
struct wire_single_write {
    uint64_t offset;
    uint32_t region;
    uint32_t count; /* 1 to 8 */
    uint8_t data[8];
};

#define WIRE_FEATURE_MASK 0xffffu
#define WIRE_FEATURE_GET 0x10000u
#define WIRE_FEATURE_SET 0x20000u
#define WIRE_FEATURE_PROBE 0x40000u

/* "Device Features" */
enum wire_feature_index {
    WIRE_FEATURE_MIGRATION = 1,
    WIRE_FEATURE_MIG_DEVICE_STATE = 2,
    WIRE_FEATURE_DMA_LOGGING_START = 6,
    WIRE_FEATURE_DMA_LOGGING_STOP = 7,
    WIRE_FEATURE_DMA_LOGGING_REPORT = 8,
};

/* "VFIO_USER_DEVICE_FEATURE" request and reply; the feature's data follows. */
struct wire_feature {
    uint32_t argsz;
    uint32_t flags; /* index | WIRE_FEATURE_* */
};

#define WIRE_MIGRATION_STOP_COPY 0x1u
#define WIRE_MIGRATION_P2P 0x2u
#define WIRE_MIGRATION_PRE_COPY 0x4u

/* "VFIO_DEVICE_FEATURE_MIGRATION" */
struct wire_feature_migration {
    uint64_t flags; /* WIRE_MIGRATION_* */
};

/* "VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE" */
enum wire_mig_state {
    WIRE_MIG_ERROR = 0,
    WIRE_MIG_STOP = 1,
    WIRE_MIG_RUNNING = 2,
    WIRE_MIG_STOP_COPY = 3,
    WIRE_MIG_RESUMING = 4,
    WIRE_MIG_RUNNING_P2P = 5,
    WIRE_MIG_PRE_COPY = 6,
    WIRE_MIG_PRE_COPY_P2P = 7,
};

struct wire_feature_mig_state {
    uint32_t device_state; /* enum wire_mig_state */
    uint32_t data_fd;      /* unused in vfio-user */
};

/* "VFIO_DEVICE_FEATURE_DMA_LOGGING_START"; num_ranges ranges follow. */
struct wire_dma_logging {
    uint64_t page_size;
    uint32_t num_ranges;
    uint32_t reserved;
};

struct wire_dma_logging_range {
    uint64_t iova;
    uint64_t length;
};

/* "VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT"; the bitmap follows in a reply. */
struct wire_dma_report {
    uint64_t iova;
    uint64_t length;
    uint64_t page_size;
};

/* "VFIO_USER_MIG_DATA_READ", "VFIO_USER_MIG_DATA_WRITE"; data follows if the message carries it. */
struct wire_mig_data {
    uint32_t argsz;
    uint32_t size;
};

/* ---- header ---- */

enum wire_frame {
    WIRE_FRAME_OK,
    WIRE_FRAME_SHORT,     /* fewer than WIRE_HDR_SIZE bytes: try again with more */
    WIRE_FRAME_TOO_SMALL, /* its size is below that of the header */
    WIRE_FRAME_TOO_BIG,   /* … above the limit */
};

/* Returns text for an outcome, for logs. Static. */
const char *wire_frame_text(enum wire_frame f);

/*
 * Reads a header from n bytes at p. max_size limits hdr.size, in bytes of the whole message. Fills
 * in hdr in every case except WIRE_FRAME_SHORT. "Header".
 */
enum wire_frame wire_get_hdr(const void *p, size_t n, uint32_t max_size, struct wire_hdr *hdr);

/* Writes a header to WIRE_HDR_SIZE bytes at p. */
void wire_put_hdr(void *p, const struct wire_hdr *hdr);

static inline bool wire_is_reply(const struct wire_hdr *h)
{
    return (h->flags & WIRE_TYPE_MASK) == WIRE_TYPE_REPLY;
}

/* Returns the header of a successful reply to request, with payload_size bytes of payload. */
struct wire_hdr wire_reply_hdr(const struct wire_hdr *request, uint32_t payload_size);

/* Returns the header of an error reply (Reply and Error set, no payload). err is an errno > 0. */
struct wire_hdr wire_error_hdr(const struct wire_hdr *request, int err);

/* ---- sizes ---- */

/* A party's limits from VERSION, or the defaults. */
struct wire_takes {
    uint32_t max_data;   /* max_data_xfer_size: data of one DMA, REGION or MIG_DATA message */
    uint32_t max_bitmap; /* migration.max_bitmap_size: bytes of a dirty bitmap */
};

/*
 * Returns the largest message with this header's command and type for such a receiver, in bytes
 * with its header, at most UINT32_MAX. Messages with data are limited by max_data, replies that may
 * contain a dirty bitmap by max_bitmap, and all others, which the specification does not bound, by
 * LIMIT_MESSAGE. In any case a reply may be as large as its request asks for (wire_asks). "Message
 * sizes".
 */
uint32_t wire_bound(const struct wire_hdr *hdr, const struct wire_takes *takes);

/*
 * Returns the largest reply that the request asks for, by its count or its argsz, in bytes with its
 * header, at most UINT32_MAX; n bytes of its payload are at p. Returns 0 if it asks for none.
 */
uint32_t wire_asks(const struct wire_hdr *request, const void *p, size_t n);

/* ---- payloads ---- */

/*
 * Copies the fixed structure of size bytes from the n bytes at p to out. Returns false, with out
 * unchanged, if n is smaller. Only for structures of this header.
 */
bool wire_get(const void *p, size_t n, void *out, size_t size) __attribute__((warn_unused_result));

/* Copies the structure to p and returns the first byte after it. The caller has made room. */
void *wire_put(void *p, const void *in, size_t size);

enum wire_check {
    WIRE_OK,
    WIRE_UNKNOWN_COMMAND, /* not in the specification */
    WIRE_UNKNOWN_TYPE,    /* neither command nor reply */
    WIRE_PAYLOAD_SHORT,   /* the fixed part is incomplete */
    WIRE_PAYLOAD_LONG,    /* bytes after the fixed part that are not allowed */
    WIRE_COUNT_MISMATCH,  /* a count does not match the bytes that follow */
    WIRE_ERROR_PAYLOAD,   /* an error reply with a payload */
    WIRE_BAD_FLAGS,       /* flags that exclude each other, or reserved ones */
    WIRE_BAD_OFFSET,      /* a capability list that leaves its message or loops */
};

/* Returns text for an outcome, for logs. Static. */
const char *wire_check_text(enum wire_check c);

/*
 * Checks a whole message against the specification: n payload bytes at p after hdr. wire_get_hdr
 * has checked hdr.size itself. Relayed messages are not judged by this; a device, a client and the
 * tools use it.
 */
enum wire_check wire_check(const struct wire_hdr *hdr, const void *p, size_t n);

/* ---- lists ---- */

/* Called by wire_region_caps for each capability: its header and the n bytes from its start. */
typedef void wire_cap_fn(const struct wire_cap *cap, const void *p, size_t n, void *arg);

/*
 * Walks the capabilities of a GET_REGION_INFO reply with n bytes of payload at p; fn may be NULL.
 * Returns WIRE_OK, WIRE_PAYLOAD_SHORT, or WIRE_BAD_OFFSET (an offset into the fixed part, outside,
 * or not above the previous one: lists that go backwards could loop).
 */
enum wire_check wire_region_caps(const void *p, size_t n, wire_cap_fn *fn, void *arg);

/* Gets the i-th area of a sparse-mmap capability of n bytes at p. Returns false past its end. */
bool wire_sparse_area_at(const void *p, size_t n, uint32_t i, struct wire_sparse_area *out)
    __attribute__((warn_unused_result));

/* Gets the i-th sub-region of a GET_REGION_IO_FDS reply of n bytes. Returns false past its end. */
bool wire_io_fd_at(const void *p, size_t n, uint32_t i, struct wire_io_fd *out)
    __attribute__((warn_unused_result));

#endif
