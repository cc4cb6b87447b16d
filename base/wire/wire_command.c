/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The description of vfio-user's commands, with its look-up functions. */
#include "base/wire/wire_command.h"

#define FIELD(type, member, kind, request, reply, names) \
    { \
#member, offsetof(struct wire_##type, member), \
            sizeof(((struct wire_##type *)NULL)->member), WIRE_##kind, WIRE_##request, \
            WIRE_##reply, names \
    }

/* ---- structures: fields in display order ---- */

/* One row per field: its kind, when to show it in a request and in a reply, its names. */
static const struct wire_field hdr_fields[] = {
    FIELD(hdr, id, DEC, SHOWN, SHOWN, NULL),
    FIELD(hdr, command, DEC, SHOWN, SHOWN, NULL),
    FIELD(hdr, size, DEC, SHOWN, SHOWN, NULL),
    FIELD(hdr, flags, FLAGS, SHOWN, SHOWN, wire_header_flags),
    FIELD(hdr, error, DEC, SHOWN, SHOWN, NULL),
};

static const struct wire_field version_fields[] = {
    FIELD(version, major, MAJOR, SHOWN, SHOWN, NULL),
    FIELD(version, minor, DEC, HIDDEN, HIDDEN, NULL),
};

static const struct wire_field dma_map_fields[] = {
    FIELD(dma_map, argsz, ARGSZ, VERBOSE, VERBOSE, NULL),
    FIELD(dma_map, address, ADDRESS, SHOWN, SHOWN, NULL),
    FIELD(dma_map, size, LENGTH, SHOWN, SHOWN, NULL),
    FIELD(dma_map, flags, FLAGS, SHOWN, SHOWN, wire_dma_flags),
    FIELD(dma_map, offset, HEX, SHOWN, SHOWN, NULL),
};

static const struct wire_field dma_unmap_fields[] = {
    FIELD(dma_unmap, argsz, ARGSZ, VERBOSE, VERBOSE, NULL),
    FIELD(dma_unmap, address, ADDRESS, SHOWN, SHOWN, NULL),
    FIELD(dma_unmap, size, LENGTH, SHOWN, SHOWN, NULL),
    FIELD(dma_unmap, flags, HEX, NONZERO, NONZERO, NULL),
};

static const struct wire_field device_info_fields[] = {
    FIELD(device_info, argsz, ARGSZ, VERBOSE, VERBOSE, NULL),
    FIELD(device_info, flags, FLAGS, RESERVED, SHOWN, wire_device_flags),
    FIELD(device_info, num_regions, DEC, RESERVED, SHOWN, NULL),
    FIELD(device_info, num_irqs, DEC, RESERVED, SHOWN, NULL),
};

static const struct wire_field region_info_fields[] = {
    FIELD(region_info, argsz, ARGSZ, VERBOSE, VERBOSE, NULL),
    FIELD(region_info, index, REGION, SHOWN, JSON, wire_regions),
    FIELD(region_info, flags, FLAGS, RESERVED, SHOWN, wire_region_flags),
    FIELD(region_info, cap_offset, DEC, RESERVED, HIDDEN, NULL),
    FIELD(region_info, size, HEX, RESERVED, SHOWN, NULL),
    FIELD(region_info, offset, HEX, RESERVED, SHOWN, NULL),
};

static const struct wire_field region_io_fds_fields[] = {
    FIELD(region_io_fds, argsz, ARGSZ, VERBOSE, VERBOSE, NULL),
    FIELD(region_io_fds, index, REGION, SHOWN, JSON, wire_regions),
    FIELD(region_io_fds, flags, HEX, RESERVED, NONZERO, NULL),
    FIELD(region_io_fds, count, COUNT, RESERVED, SHOWN, NULL),
};

static const struct wire_field io_fd_fields[] = {
    FIELD(io_fd, type, NAMED, BARE, BARE, wire_io_fd_types),
    FIELD(io_fd, offset, HEX, SHOWN, SHOWN, NULL),
    FIELD(io_fd, size, HEX, SHOWN, SHOWN, NULL),
    FIELD(io_fd, fd_index, DEC, SHOWN, SHOWN, NULL),
    FIELD(io_fd, flags, HEX, SHOWN, SHOWN, NULL),
    FIELD(io_fd, padding, HEX, HIDDEN, HIDDEN, NULL),
    FIELD(io_fd, datamatch, MATCH, SHOWN, SHOWN, NULL),
};

static const struct wire_field irq_info_fields[] = {
    FIELD(irq_info, argsz, ARGSZ, VERBOSE, VERBOSE, NULL),
    FIELD(irq_info, index, NAMED, BARE, JSON, wire_irqs),
    FIELD(irq_info, flags, FLAGS, RESERVED, SHOWN, wire_irq_flags),
    FIELD(irq_info, count, DEC, RESERVED, SHOWN, NULL),
};

static const struct wire_field irq_set_fields[] = {
    FIELD(irq_set, argsz, ARGSZ, VERBOSE, VERBOSE, NULL),
    FIELD(irq_set, index, NAMED, BARE, BARE, wire_irqs),
    FIELD(irq_set, flags, FLAGS, SHOWN, SHOWN, wire_irq_set_flags),
    FIELD(irq_set, start, DEC, SHOWN, SHOWN, NULL),
    FIELD(irq_set, count, COUNT, SHOWN, SHOWN, NULL),
};

static const struct wire_field region_access_fields[] = {
    FIELD(region_access, region, REGION, SHOWN, SHOWN, wire_regions),
    FIELD(region_access, offset, OFFSET, HIDDEN, HIDDEN, NULL),
    FIELD(region_access, count, COUNT, BARE, SHOWN, NULL),
};

static const struct wire_field dma_access_fields[] = {
    FIELD(dma_access, address, ADDRESS, SHOWN, SHOWN, NULL),
    FIELD(dma_access, count, COUNT, SHOWN, SHOWN, NULL),
};

static const struct wire_field write_multi_fields[] = {
    FIELD(write_multi, wr_cnt, COUNT, SHOWN, SHOWN, NULL),
};

static const struct wire_field single_write_fields[] = {
    FIELD(single_write, region, REGION, SHOWN, SHOWN, wire_regions),
    FIELD(single_write, offset, OFFSET, HIDDEN, HIDDEN, NULL),
    FIELD(single_write, count, COUNT, BARE, BARE, NULL),
    FIELD(single_write, data, BYTES, SHOWN, SHOWN, NULL),
};

static const struct wire_field feature_fields[] = {
    FIELD(feature, argsz, ARGSZ, VERBOSE, VERBOSE, NULL),
    FIELD(feature, flags, FEATURE, SHOWN, SHOWN, wire_feature_methods),
};

static const struct wire_field mig_data_fields[] = {
    FIELD(mig_data, argsz, ARGSZ, VERBOSE, VERBOSE, NULL),
    FIELD(mig_data, size, COUNT, SHOWN, SHOWN, NULL),
};

/* The names for programs. */
static const struct wire_field feature_migration_fields[] = {
    {"states", 0, sizeof(struct wire_feature_migration), WIRE_FLAGS, WIRE_SHOWN, WIRE_SHOWN,
     wire_migration_flags},
};

static const struct wire_field feature_mig_state_fields[] = {
    FIELD(feature_mig_state, device_state, NAMED, SHOWN, SHOWN, wire_mig_states),
    FIELD(feature_mig_state, data_fd, HEX, VERBOSE, VERBOSE, NULL),
};

static const struct wire_field dma_logging_fields[] = {
    FIELD(dma_logging, page_size, HEX, SHOWN, SHOWN, NULL),
    FIELD(dma_logging, num_ranges, COUNT, HIDDEN, HIDDEN, NULL),
    FIELD(dma_logging, reserved, HEX, HIDDEN, HIDDEN, NULL),
};

static const struct wire_field dma_logging_range_fields[] = {
    FIELD(dma_logging_range, iova, HEX, SHOWN, SHOWN, NULL),
    FIELD(dma_logging_range, length, HEX, SHOWN, SHOWN, NULL),
};

static const struct wire_field dma_report_fields[] = {
    FIELD(dma_report, iova, HEX, SHOWN, SHOWN, NULL),
    FIELD(dma_report, length, HEX, SHOWN, SHOWN, NULL),
    FIELD(dma_report, page_size, HEX, SHOWN, SHOWN, NULL),
};

static const struct wire_field bitmap_word_fields[] = {
    {"word", 0, sizeof(uint64_t), WIRE_HEX, WIRE_HIDDEN, WIRE_HIDDEN, NULL},
};

static const struct wire_field cap_fields[] = {
    FIELD(cap, id, DEC, HIDDEN, BARE, NULL),
    FIELD(cap, version, DEC, HIDDEN, SHOWN, NULL),
    FIELD(cap, next, DEC, HIDDEN, HIDDEN, NULL),
};

static const struct wire_field sparse_fields[] = {
    FIELD(sparse, nr_areas, COUNT, HIDDEN, HIDDEN, NULL),
    FIELD(sparse, reserved, HEX, HIDDEN, HIDDEN, NULL),
};

static const struct wire_field sparse_area_fields[] = {
    FIELD(sparse_area, offset, HEX, SHOWN, SHOWN, NULL),
    FIELD(sparse_area, size, HEX, SHOWN, SHOWN, NULL),
};

static const struct wire_field cap_type_fields[] = {
    FIELD(cap_type, type, HEX, SHOWN, SHOWN, NULL),
    FIELD(cap_type, subtype, HEX, SHOWN, SHOWN, NULL),
};

#define FIELDS(type) \
    .name = #type, .size = sizeof(struct wire_##type), .fields = type##_fields, \
    .n_fields = sizeof type##_fields / sizeof *type##_fields
#define STRUCT(type) static const struct wire_struct type = {FIELDS(type)}
/* Its argsz is its first field. */
#define ARGSZ(type) .argsz = &type##_fields[0]
#define COUNT(type, i) .count = &type##_fields[i]
#define LIST(type, title) .entry = &(type), .list = (title)

STRUCT(dma_logging_range);
STRUCT(io_fd);
STRUCT(sparse_area);
STRUCT(cap_type);
static const struct wire_struct bitmap_word = {
    .name = "bitmap_word", .size = sizeof(uint64_t), .fields = bitmap_word_fields, .n_fields = 1};
static const struct wire_struct single_write = {FIELDS(single_write), .whole = true,
                                                COUNT(single_write, 2)};

const struct wire_struct wire_header = {FIELDS(hdr), .whole = true};
const struct wire_struct wire_cap_header = {FIELDS(cap), .whole = true};
static const struct wire_struct version = {FIELDS(version), .whole = true};
static const struct wire_struct dma_map = {FIELDS(dma_map), ARGSZ(dma_map)};
static const struct wire_struct dma_unmap = {FIELDS(dma_unmap), ARGSZ(dma_unmap)};
static const struct wire_struct device_info = {FIELDS(device_info), ARGSZ(device_info)};
static const struct wire_struct region_info = {FIELDS(region_info), ARGSZ(region_info)};
static const struct wire_struct region_io_fds = {FIELDS(region_io_fds), ARGSZ(region_io_fds),
                                                 COUNT(region_io_fds, 3),
                                                 LIST(io_fd, "sub_regions")};
static const struct wire_struct irq_info = {FIELDS(irq_info), ARGSZ(irq_info)};
static const struct wire_struct irq_set = {FIELDS(irq_set), ARGSZ(irq_set), COUNT(irq_set, 4)};
static const struct wire_struct region_access = {FIELDS(region_access), .whole = true,
                                                 COUNT(region_access, 2)};
static const struct wire_struct dma_access = {FIELDS(dma_access), .whole = true,
                                              COUNT(dma_access, 1)};
static const struct wire_struct write_multi = {FIELDS(write_multi), .whole = true,
                                               COUNT(write_multi, 0), LIST(single_write, "writes")};
static const struct wire_struct feature = {FIELDS(feature), .whole = true, ARGSZ(feature)};
static const struct wire_struct mig_data = {FIELDS(mig_data), ARGSZ(mig_data), COUNT(mig_data, 1)};

static const struct wire_struct feature_migration = {FIELDS(feature_migration), .whole = true};
static const struct wire_struct feature_mig_state = {FIELDS(feature_mig_state)};
static const struct wire_struct dma_logging = {
    FIELDS(dma_logging), .whole = true, COUNT(dma_logging, 1), LIST(dma_logging_range, "ranges")};
static const struct wire_struct dma_report = {FIELDS(dma_report), .whole = true,
                                              LIST(bitmap_word, "bitmap")};
static const struct wire_struct sparse = {FIELDS(sparse), .whole = true, COUNT(sparse, 0),
                                          LIST(sparse_area, "areas")};

/* ---- parts of payloads ---- */

static const struct wire_part features[] = {
    {WIRE_FEATURE_MIGRATION, "MIGRATION", &feature_migration},
    {WIRE_FEATURE_MIG_DEVICE_STATE, "MIG_DEVICE_STATE", &feature_mig_state},
    {WIRE_FEATURE_DMA_LOGGING_START, "DMA_LOGGING_START", &dma_logging},
    {WIRE_FEATURE_DMA_LOGGING_STOP, "DMA_LOGGING_STOP", NULL},
    {WIRE_FEATURE_DMA_LOGGING_REPORT, "DMA_LOGGING_REPORT", &dma_report},
};

static const struct wire_part capabilities[] = {
    {WIRE_CAP_SPARSE_MMAP, "sparse_mmap", &sparse},
    {WIRE_CAP_TYPE, "type", &cap_type},
};

/* ---- commands ---- */

/* clang-format off */
#define NONE {.fixed = 0}
#define FIXED(type, ...) {.fixed = sizeof(struct wire_##type), __VA_ARGS__}
#define OPEN(type, what, ...) \
    {.fixed = sizeof(struct wire_##type), .tail = WIRE_TAIL_##what, __VA_ARGS__}
#define BITMAP(type, before) .bitmap = sizeof(struct wire_##type) + sizeof(struct wire_##before)
#define ROW(cmd, from, type, ...) \
    [WIRE_##cmd] = {.code = WIRE_##cmd, .name = #cmd, .section = "VFIO_USER_" #cmd, \
                    .sender = SIDE_##from, .structure = type, __VA_ARGS__}

const struct wire_command_info wire_commands[WIRE_COMMAND_CODES] = {
    ROW(VERSION, CLIENT, &version,
        .request = OPEN(version, JSON),
        .reply = OPEN(version, JSON, .fds = true)),
    ROW(DMA_MAP, CLIENT, &dma_map,
        .request = FIXED(dma_map, .fds = true),
        .reply = NONE),
    ROW(DMA_UNMAP, CLIENT, &dma_unmap,
        .request = FIXED(dma_unmap),
        .reply = FIXED(dma_unmap, .repeats = true, BITMAP(dma_unmap, bitmap))),
    ROW(DEVICE_GET_INFO, CLIENT, &device_info,
        .request = FIXED(device_info),
        .reply = FIXED(device_info)),
    ROW(DEVICE_GET_REGION_INFO, CLIENT, &region_info,
        .request = FIXED(region_info),
        .reply = OPEN(region_info, CAPS, .fds = true)),
    ROW(DEVICE_GET_REGION_IO_FDS, CLIENT, &region_io_fds,
        .request = FIXED(region_io_fds),
        .reply = OPEN(region_io_fds, IO_FDS, .fds = true)),
    ROW(DEVICE_GET_IRQ_INFO, CLIENT, &irq_info,
        .request = FIXED(irq_info),
        .reply = FIXED(irq_info)),
    ROW(DEVICE_SET_IRQS, CLIENT, &irq_set,
        .request = OPEN(irq_set, BOOLS, .fds = true),
        .reply = NONE),
    ROW(REGION_READ, CLIENT, &region_access,
        .request = FIXED(region_access),
        .reply = OPEN(region_access, DATA, .repeats = true)),
    ROW(REGION_WRITE, CLIENT, &region_access,
        .request = OPEN(region_access, DATA),
        .reply = FIXED(region_access, .repeats = true)),
    ROW(DMA_READ, BACKEND, &dma_access,
        .request = FIXED(dma_access),
        .reply = OPEN(dma_access, DATA, .repeats = true),
        .guest = true),
    ROW(DMA_WRITE, BACKEND, &dma_access,
        .request = OPEN(dma_access, DATA),
        .reply = {.fixed = WIRE_DMA_WRITE_REPLY_MIN, .tail = WIRE_TAIL_REST, .repeats = true},
        .guest = true),
    ROW(DEVICE_RESET, CLIENT, NULL,
        .request = NONE,
        .reply = NONE),
    ROW(REGION_WRITE_MULTI, CLIENT, &write_multi,
        .request = OPEN(write_multi, WRITES),
        .reply = FIXED(write_multi)),
    ROW(DEVICE_FEATURE, CLIENT, &feature,
        .request = OPEN(feature, FEATURE),
        .reply = OPEN(feature, FEATURE, BITMAP(feature, dma_report))),
    ROW(MIG_DATA_READ, CLIENT, &mig_data,
        .request = FIXED(mig_data),
        .reply = OPEN(mig_data, DATA)),
    ROW(MIG_DATA_WRITE, CLIENT, &mig_data,
        .request = OPEN(mig_data, DATA),
        .reply = NONE),
};
/* clang-format on */

/* ---- look-up ---- */

const struct wire_command_info *wire_command_at(size_t i)
{
    for (unsigned code = 0; code < WIRE_COMMAND_CODES; code++) {
        const struct wire_command_info *const c = wire_command_find((uint16_t)code);

        if (c && i-- == 0) {
            return c;
        }
    }
    return NULL;
}

size_t wire_command_count(void)
{
    size_t n = 0;

    for (unsigned code = 0; code < WIRE_COMMAND_CODES; code++) {
        n += wire_command_find((uint16_t)code) != NULL;
    }
    return n;
}

const char *wire_command_name(uint16_t code)
{
    const struct wire_command_info *c = wire_command_find(code);

    return c ? c->name : "?";
}

static const struct wire_part *wire_part_find(const struct wire_part *table, size_t n,
                                              uint32_t code)
{
    for (size_t i = 0; i < n; i++) {
        if (table[i].code == code) {
            return &table[i];
        }
    }
    return NULL;
}

const struct wire_part *wire_feature_find(uint32_t index)
{
    return wire_part_find(features, sizeof features / sizeof *features, index);
}

const struct wire_part *wire_cap_find(uint16_t id)
{
    return wire_part_find(capabilities, sizeof capabilities / sizeof *capabilities, id);
}

const char *wire_feature_name(uint32_t index)
{
    const struct wire_part *const part = wire_feature_find(index);

    return part ? part->name : NULL;
}

const char *wire_cap_name(uint16_t id)
{
    const struct wire_part *const part = wire_cap_find(id);

    return part ? part->name : NULL;
}

const struct wire_field *wire_field_find(const struct wire_struct *s, enum wire_kind kind)
{
    for (unsigned i = 0; s && i < s->n_fields; i++) {
        if (s->fields[i].kind == kind) {
            return &s->fields[i];
        }
    }
    return NULL;
}

bool wire_reserved_set(const struct wire_struct *s, const void *p, size_t n)
{
    for (const struct wire_field *f = s->fields; f < s->fields + s->n_fields; f++) {
        if (f->request >= WIRE_NONZERO && wire_field_value(f, p, n) != 0) {
            return true;
        }
    }
    return false;
}

uint64_t wire_field_partial(const struct wire_field *f, const void *p, size_t n)
{
    const size_t here = n <= f->offset ? 0 : n - f->offset < f->size ? n - f->offset : f->size;
    uint64_t v64 = 0;
    uint32_t v32 = 0;
    uint16_t v16 = 0;
    uint8_t bytes[sizeof v64] = {0};

    if (here > 0) {
        memcpy(bytes, (const uint8_t *)p + f->offset, here);
    }
    switch (f->size) {
    case sizeof v64:
        memcpy(&v64, bytes, sizeof v64);
        return v64;
    case sizeof v32:
        memcpy(&v32, bytes, sizeof v32);
        return v32;
    case sizeof v16:
        memcpy(&v16, bytes, sizeof v16);
        return v16;
    default:
        return *bytes;
    }
}
