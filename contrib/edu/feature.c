/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The commands of migration: device features, migration data, the dirty log. Part of command.h,
 * with the same contract.
 */
#include <errno.h>
#include <string.h>

#include "contrib/edu/command.h"

/* A feature's request behind its fixed part, and the reply under construction. */
struct feature_request {
    struct command *c;
    struct wire_feature head;
    const uint8_t *data;
    size_t n;
};

/* Writes the reply to a GET: the head with its final argsz, then n bytes of data in two parts. */
static ssize_t edu_feature_answer_get(const struct feature_request *f, const void *data, size_t n)
{
    struct wire_feature head = f->head;

    if (f->head.argsz < sizeof head + n) {
        return -EINVAL;
    }
    head.argsz = (uint32_t)(sizeof head + n);
    wire_put(wire_put(f->c->out, &head, sizeof head), data, n);
    return (ssize_t)(sizeof head + n);
}

/* "The reply payload must be the same as the request payload for setting or probing a feature." */
static ssize_t edu_feature_answer_same(const struct feature_request *f)
{
    memcpy(f->c->out, f->c->p, f->c->n);
    return (ssize_t)f->c->n;
}

static ssize_t edu_feature_get_migration(const struct feature_request *f)
{
    const struct wire_feature_migration m = {.flags = WIRE_MIGRATION_STOP_COPY};

    return edu_feature_answer_get(f, &m, sizeof m);
}

static ssize_t edu_feature_get_state(const struct feature_request *f)
{
    const struct wire_feature_mig_state s = {.device_state = f->c->migration->state};

    return edu_feature_answer_get(f, &s, sizeof s);
}

static ssize_t edu_feature_set_state(const struct feature_request *f)
{
    struct wire_feature_mig_state s;
    int err;

    if (f->n != sizeof s || !wire_get(f->data, f->n, &s, sizeof s)) {
        return -EINVAL;
    }
    err = migration_set(f->c->migration, f->c->device, s.device_state);
    return err ? err : edu_feature_answer_same(f);
}

static ssize_t edu_feature_set_logging_start(const struct feature_request *f)
{
    struct wire_dma_logging_range ranges[DIRTY_RANGES];
    struct wire_dma_logging l;
    ssize_t n;
    int err;

    if (!wire_get(f->data, f->n, &l, sizeof l) || l.num_ranges > DIRTY_RANGES ||
        f->n != sizeof l + l.num_ranges * sizeof *ranges) {
        return -EINVAL;
    }
    memcpy(ranges, f->data + sizeof l, l.num_ranges * sizeof *ranges);
    err = dirty_start(&f->c->device->dma.dirty, ranges, l.num_ranges);
    if (err) {
        return err;
    }
    n = edu_feature_answer_same(f);
    /* "On output the device will return the page size it selected." */
    l.page_size = DIRTY_PAGE;
    wire_put(f->c->out + sizeof f->head, &l, sizeof l);
    return n;
}

static ssize_t edu_feature_set_logging_stop(const struct feature_request *f)
{
    if (!f->c->device->dma.dirty.on) {
        return -EINVAL;
    }
    dirty_stop(&f->c->device->dma.dirty);
    return edu_feature_answer_same(f);
}

static ssize_t edu_feature_get_logging_report(const struct feature_request *f)
{
    struct dirty *dirty = &f->c->device->dma.dirty;
    struct wire_feature head = f->head;
    struct wire_dma_report report;
    uint64_t size;
    uint8_t *out;

    if (!dirty->on || f->n != sizeof report || !wire_get(f->data, f->n, &report, sizeof report)) {
        return -EINVAL;
    }
    size = dirty_bitmap_size(&report);
    /* The bitmap counts as data: it must fit the negotiated limit for one message. */
    if (size == 0 || size > f->c->caps->client.max_data_xfer_size ||
        size > f->c->caps->device.max_data_xfer_size ||
        head.argsz < sizeof head + sizeof report + size) {
        return -EINVAL;
    }
    head.argsz = (uint32_t)(sizeof head + sizeof report + size);
    out = wire_put(f->c->out, &head, sizeof head);
    out = wire_put(out, &report, sizeof report);
    dirty_report(dirty, &report, out);
    return (ssize_t)head.argsz;
}

static const struct {
    enum wire_feature_index index;
    ssize_t (*get)(const struct feature_request *f); /* NULL: not a method of this feature */
    ssize_t (*set)(const struct feature_request *f);
} features[] = {
    {WIRE_FEATURE_MIGRATION, edu_feature_get_migration, NULL},
    {WIRE_FEATURE_MIG_DEVICE_STATE, edu_feature_get_state, edu_feature_set_state},
    {WIRE_FEATURE_DMA_LOGGING_START, NULL, edu_feature_set_logging_start},
    {WIRE_FEATURE_DMA_LOGGING_STOP, NULL, edu_feature_set_logging_stop},
    {WIRE_FEATURE_DMA_LOGGING_REPORT, edu_feature_get_logging_report, NULL},
};

ssize_t edu_command_feature(struct command *c)
{
    struct feature_request f = {.c = c};

    memcpy(&f.head, c->p, sizeof f.head);
    f.data = c->p + sizeof f.head;
    f.n = c->n - sizeof f.head;
    if (f.head.argsz < sizeof f.head) {
        return -EINVAL;
    }
    for (size_t i = 0; i < sizeof features / sizeof *features; i++) {
        const bool get = f.head.flags & WIRE_FEATURE_GET;
        const bool set = f.head.flags & WIRE_FEATURE_SET;

        if (features[i].index != (f.head.flags & WIRE_FEATURE_MASK)) {
            continue;
        }
        if ((get && !features[i].get) || (set && !features[i].set)) {
            return -ENOTSUP;
        }
        if (f.head.flags & WIRE_FEATURE_PROBE) {
            return edu_feature_answer_same(&f);
        }
        return get ? features[i].get(&f) : features[i].set(&f);
    }
    return -ENOTSUP;
}

ssize_t edu_command_mig_data_read(struct command *c)
{
    struct wire_mig_data m;
    ssize_t n;

    memcpy(&m, c->p, sizeof m);
    if (m.size > c->caps->device.max_data_xfer_size || m.argsz < sizeof m ||
        m.argsz - sizeof m < m.size) {
        return -EINVAL;
    }
    n = migration_read(c->migration, c->out + sizeof m, m.size);
    if (n < 0) {
        return n;
    }
    m.size = (uint32_t)n;
    m.argsz = (uint32_t)sizeof m + m.size;
    wire_put(c->out, &m, sizeof m);
    return (ssize_t)m.argsz;
}

ssize_t edu_command_mig_data_write(struct command *c)
{
    struct wire_mig_data m;

    memcpy(&m, c->p, sizeof m);
    if (m.size > c->caps->device.max_data_xfer_size) {
        return -EINVAL;
    }
    return migration_write(c->migration, c->p + sizeof m, m.size);
}
