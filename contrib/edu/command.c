/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * All commands except those of migration (feature.c). No socket: fds are passed in sets.
 *
 * command_run checks the payload with wire_check before it calls a command's function, so the fixed
 * part is complete, and counts match the data behind it.
 */
#define _GNU_SOURCE
#include "contrib/edu/command.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/log.h"
#include "base/wire/wire_command.h"

/* Copies the fixed part of a request, which wire_check has found complete. */
#define REQUEST(c, type, name) \
    type name; \
    memcpy(&(name), (c)->p, sizeof(name))

/* Writes a structure to the beginning of the reply. */
static ssize_t edu_command_reply(struct command *c, const void *p, size_t n)
{
    wire_put(c->out, p, n);
    return (ssize_t)n;
}

/* Adds a duplicate of fd to the reply. Returns 0 or -errno. */
static int edu_command_reply_fd_dup(struct command *c, int fd)
{
    const int copy_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);

    return copy_fd < 0 ? -errno : fdset_add_take(c->out_fds, copy_fd);
}

/* ---- DMA ---- */

static ssize_t edu_command_dma_map(struct command *c)
{
    struct dma_table *table = &c->device->dma.table;
    int fd;
    int err;

    REQUEST(c, struct wire_dma_map, map);
    if (c->fds->n > 1) {
        return -EINVAL;
    }
    fd = fdset_steal(c->fds, 0);
    err = dma_table_map(table, &map, &fd);
    if (fd >= 0) {
        err = fdset_add_take(c->fds, fd) == 0 ? err : -ENOSPC;
    }
    return err;
}

static ssize_t edu_command_dma_unmap(struct command *c)
{
    struct dma *dma = &c->device->dma;
    int err;

    REQUEST(c, struct wire_dma_unmap, unmap);
    if (unmap.argsz < sizeof unmap || unmap.flags != 0) {
        return -EINVAL;
    }
    err = dma_table_unmap(&dma->table, unmap.address, unmap.size);
    if (err) {
        return err;
    }
    /* "must release all references to that DMA region before replying" */
    if (dma_touches(dma, unmap.address, unmap.size)) {
        dma_pause(dma);
    }
    return edu_command_reply(c, &unmap, sizeof unmap);
}

/* ---- device and region info ---- */

static ssize_t edu_command_get_info(struct command *c)
{
    const struct wire_device_info info = {.argsz = sizeof info,
                                          .flags = WIRE_DEVICE_FLAG_RESET | WIRE_DEVICE_FLAG_PCI,
                                          .num_regions = WIRE_PCI_NUM_REGIONS,
                                          .num_irqs = WIRE_PCI_NUM_IRQS};

    REQUEST(c, struct wire_device_info, request);
    return request.argsz < sizeof info ? -EINVAL : edu_command_reply(c, &info, sizeof info);
}

/* The part behind BAR 2's region info: one area, the shared page. */
struct sparse_page {
    struct wire_cap cap;
    struct wire_sparse sparse;
    struct wire_sparse_area area;
};

static ssize_t edu_command_get_region_info(struct command *c)
{
    const struct sparse_page page = {.cap = {.id = WIRE_CAP_SPARSE_MMAP, .version = 1},
                                     .sparse = {.nr_areas = 1},
                                     .area = {.offset = EDU_PAGE, .size = EDU_PAGE_SIZE}};
    struct wire_region_info info = {.argsz = sizeof info};
    int err;

    REQUEST(c, struct wire_region_info, request);
    if (request.argsz < sizeof info || request.index >= WIRE_PCI_NUM_REGIONS) {
        return -EINVAL;
    }
    info.index = request.index;
    info.size = device_region_size(info.index);
    info.flags = info.size ? WIRE_REGION_FLAG_READ | WIRE_REGION_FLAG_WRITE : 0;
    if (info.index != WIRE_PCI_BAR0 + 2 || !c->mmap || c->caps->client.max_msg_fds == 0) {
        return edu_command_reply(c, &info, sizeof info);
    }
    info.flags |= WIRE_REGION_FLAG_MMAP | WIRE_REGION_FLAG_CAPS;
    info.argsz = sizeof info + sizeof page;
    /* QEMU requires an offset within argsz even if the list itself does not fit yet. */
    info.cap_offset = sizeof info;
    if (request.argsz < info.argsz) {
        /* The client will ask again with more room, and receives the fd then. */
        return edu_command_reply(c, &info, sizeof info);
    }
    err = edu_command_reply_fd_dup(c, c->device->bar2.memory_fd);
    if (err) {
        return err;
    }
    wire_put(wire_put(c->out, &info, sizeof info), &page, sizeof page);
    return (ssize_t)info.argsz;
}

static ssize_t edu_command_get_region_io_fds(struct command *c)
{
    const struct wire_io_fd doorbell = {
        .offset = EDU_DOORBELL, .size = 4, .fd_index = 0, .type = WIRE_IO_FD_IOEVENTFD};
    struct wire_region_io_fds info = {.argsz = sizeof info};
    int err;

    REQUEST(c, struct wire_region_io_fds, request);
    if (request.argsz < sizeof info || request.flags != 0 || request.count != 0 ||
        request.index >= WIRE_PCI_NUM_REGIONS) {
        return -EINVAL;
    }
    info.index = request.index;
    if (info.index != WIRE_PCI_BAR0 + 2 || c->caps->client.max_msg_fds == 0) {
        return edu_command_reply(c, &info, sizeof info);
    }
    info.count = 1;
    info.argsz = sizeof info + sizeof doorbell;
    if (request.argsz < info.argsz) {
        return edu_command_reply(c, &info, sizeof info);
    }
    err = edu_command_reply_fd_dup(c, c->device->bar2.doorbell_fd);
    if (err) {
        return err;
    }
    wire_put(wire_put(c->out, &info, sizeof info), &doorbell, sizeof doorbell);
    return (ssize_t)info.argsz;
}

/* ---- interrupts ---- */

static ssize_t edu_command_get_irq_info(struct command *c)
{
    struct wire_irq_info info = {.argsz = sizeof info};
    int err;

    REQUEST(c, struct wire_irq_info, request);
    if (request.argsz < sizeof info) {
        return -EINVAL;
    }
    info.index = request.index;
    err = edu_irq_info(&info);
    return err ? err : edu_command_reply(c, &info, sizeof info);
}

static ssize_t edu_command_set_irqs(struct command *c)
{
    int err;

    REQUEST(c, struct wire_irq_set, set);
    err = irq_set(&c->device->irq, &set, c->p + sizeof set, c->fds);
    if (!err) {
        device_show_irq(c->device);
    }
    return err;
}

/* ---- regions ---- */

static ssize_t edu_command_region_read(struct command *c)
{
    int err;

    REQUEST(c, struct wire_region_access, access);
    if (access.count > c->caps->device.max_data_xfer_size) {
        return -EINVAL;
    }
    err =
        device_read(c->device, access.region, access.offset, c->out + sizeof access, access.count);
    if (err) {
        return err;
    }
    wire_put(c->out, &access, sizeof access);
    return (ssize_t)(sizeof access + access.count);
}

static ssize_t edu_command_region_write(struct command *c)
{
    int err;

    REQUEST(c, struct wire_region_access, access);
    if (access.count > c->caps->device.max_data_xfer_size) {
        return -EINVAL;
    }
    err = device_write(c->device, access.region, access.offset, c->p + sizeof access, access.count);
    return err ? err : edu_command_reply(c, &access, sizeof access);
}

/*
 * "the number of device writes completed": stops at the first write that fails; an error only if
 * none was done.
 */
static ssize_t edu_command_region_write_multi(struct command *c)
{
    const uint8_t *at = c->p + sizeof(struct wire_write_multi);
    struct wire_write_multi done = {.wr_cnt = 0};

    REQUEST(c, struct wire_write_multi, all);
    if (!c->caps->device.write_multiple) {
        return -ENOTSUP;
    }
    while (done.wr_cnt < all.wr_cnt) {
        struct wire_single_write w;

        memcpy(&w, at, sizeof w);
        if (device_write(c->device, w.region, w.offset, w.data, w.count) != 0) {
            break;
        }
        at += sizeof w;
        done.wr_cnt++;
    }
    return done.wr_cnt == 0 && all.wr_cnt != 0 ? -EINVAL : edu_command_reply(c, &done, sizeof done);
}

static ssize_t edu_command_device_reset_command(struct command *c)
{
    device_reset(c->device);
    migration_init(c->migration);
    return 0;
}

/* ---- the table ---- */

static const struct {
    enum wire_command code;
    ssize_t (*run)(struct command *c);
} commands[] = {
    {WIRE_DMA_MAP, edu_command_dma_map},
    {WIRE_DMA_UNMAP, edu_command_dma_unmap},
    {WIRE_DEVICE_GET_INFO, edu_command_get_info},
    {WIRE_DEVICE_GET_REGION_INFO, edu_command_get_region_info},
    {WIRE_DEVICE_GET_REGION_IO_FDS, edu_command_get_region_io_fds},
    {WIRE_DEVICE_GET_IRQ_INFO, edu_command_get_irq_info},
    {WIRE_DEVICE_SET_IRQS, edu_command_set_irqs},
    {WIRE_REGION_READ, edu_command_region_read},
    {WIRE_REGION_WRITE, edu_command_region_write},
    {WIRE_DEVICE_RESET, edu_command_device_reset_command},
    {WIRE_REGION_WRITE_MULTI, edu_command_region_write_multi},
    {WIRE_DEVICE_FEATURE, edu_command_feature},
    {WIRE_MIG_DATA_READ, edu_command_mig_data_read},
    {WIRE_MIG_DATA_WRITE, edu_command_mig_data_write},
};

/* Checks that a client may send the message. Returns 0 or -errno. */
static int edu_command_check(const struct command *c)
{
    const struct wire_command_info *info = wire_command_find(c->hdr->command);
    enum wire_check wrong;

    if (!info || info->sender != SIDE_CLIENT) {
        return -ENOTSUP;
    }
    wrong = wire_check(c->hdr, c->p, c->n);
    if (wrong != WIRE_OK) {
        log_warning("%s: %s", info->name, wire_check_text(wrong));
        return -EINVAL;
    }
    if ((c->fds->n != 0 && !info->request.fds) || c->fds->n > c->caps->device.max_msg_fds) {
        log_warning("%s: unexpected file descriptors (%u)", info->name, c->fds->n);
        return -EINVAL;
    }
    return 0;
}

ssize_t command_run(struct command *c)
{
    const int err = edu_command_check(c);

    if (err) {
        return err;
    }
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (commands[i].code == c->hdr->command) {
            return commands[i].run(c);
        }
    }
    /* A second VERSION. */
    return -EINVAL;
}
