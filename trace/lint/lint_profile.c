/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Hands messages to the checks of a profile, and reports what they find. Pure. */
#include <stddef.h>
#include <string.h>

#include "base/unconst.h"
#include "trace/decode/decode_fields.h"
#include "trace/lint/lint_session.h"

static void lint_profile_say(const struct profile_finding *f, void *arg)
{
    const struct lint_at *const at = arg;
    const enum profile profile = lint_profile_of(at->lint);
    const enum lint_code code = f->effect == PROFILE_WARNS || f->effect == PROFILE_FAILS
                                    ? LINT_WARNED_ABOUT
                                    : LINT_NOT_ACCEPTED;
    char text[384];

    lint_report(at->lint, at->known,
                &(struct lint_finding){.code = code,
                                       .level = lint_rule(code)->level,
                                       .session = at->session,
                                       .number = at->v.m->number,
                                       .read_ns = at->v.m->read_ns,
                                       .party = (enum side)at->v.m->sender,
                                       .id = at->v.hdr.id,
                                       .command = at->v.hdr.command,
                                       .section = profile_source(profile),
                                       .detail = profile_sentence(profile, f, text, sizeof text)});
}

static struct profile_sink lint_profile_sink(const struct lint_at *at)
{
    /* The sink only reads it. */
    return (struct profile_sink){
        .profile = lint_profile_of(at->lint), .fn = lint_profile_say, .arg = unconst_pointer(at)};
}

void lint_profile_request(const struct lint_at *at)
{
    const struct profile_sink to = lint_profile_sink(at);

    if (at->v.m->sender == SIDE_CLIENT) {
        profile_request(&to, at->v.hdr.command, at->v.p, at->v.n, at->v.m->n_fds);
    }
}

void lint_profile_version(const struct lint_at *at, const json_t *json)
{
    const struct profile_sink to = lint_profile_sink(at);

    profile_version(&to, &(struct profile_version){
                             .size = at->v.m->size, .json = json, .n_fds = at->v.m->n_fds});
}

/* Reads a number at an offset of the request that is answered; 0 if it was not kept. */
static uint32_t lint_profile_asked(const struct lint_at *at, size_t offset)
{
    uint8_t payload[TRACE_REMEMBERED];
    const size_t n = decode_asked(at->request, payload);
    uint32_t v = 0;

    if (offset + sizeof v <= n) {
        memcpy(&v, payload + offset, sizeof v);
    }
    return v;
}

/* Returns the region, or type of interrupts, that the answered request is about. */
static uint32_t lint_profile_index(const struct lint_at *at)
{
    const uint32_t arm = WIRE_IRQ_SET_DATA_EVENTFD | WIRE_IRQ_SET_ACTION_TRIGGER;

    switch (at->v.hdr.command) {
    case WIRE_REGION_READ:
    case WIRE_REGION_WRITE:
        return lint_profile_asked(at, offsetof(struct wire_region_access, region));
    case WIRE_DEVICE_SET_IRQS:
        /* Only an eventfd that is set matters. */
        return (lint_profile_asked(at, offsetof(struct wire_irq_set, flags)) & arm) == arm
                   ? lint_profile_asked(at, offsetof(struct wire_irq_set, index))
                   : UINT32_MAX;
    default:
        return lint_profile_asked(at, offsetof(struct wire_region_info, index));
    }
}

/*
 * The configuration space, if the reply begins with its header; capabilities are judged as far as
 * they were kept.
 */
static void lint_profile_config(const struct lint_at *at, const struct profile_sink *to)
{
    struct lint_device *const d = at->known->device;
    struct profile_pci pci = {.config = &d->config, .bars_known = true};
    struct wire_region_access a;
    size_t n;

    if (!wire_get(at->v.p, at->v.n, &a, sizeof a) || a.region != WIRE_PCI_CONFIG || a.offset != 0) {
        return;
    }
    n = at->v.n - sizeof a;
    n = n < a.count ? n : a.count;
    if (n < PCI_HEADER_SIZE || n > PCI_CONFIG_SIZE_EXPRESS ||
        (d->config.n == n && memcmp(d->config.bytes, at->v.p + sizeof a, n) == 0)) {
        return;
    }
    d->config.n = n;
    memcpy(d->config.bytes, at->v.p + sizeof a, n);
    for (unsigned i = 0; i < PCI_BARS; i++) {
        pci.bar[i] = d->region[i].size;
        pci.bars_known = pci.bars_known && d->region[i].known;
    }
    pci.intx_known = d->irq[WIRE_PCI_INTX].known;
    pci.intx = d->irq[WIRE_PCI_INTX].count;
    profile_pci(to, &pci);
}

/* Judges the content of a good reply. */
static void lint_profile_content(const struct lint_at *at, const struct profile_sink *to)
{
    struct wire_device_info info;
    struct wire_region_info region;

    switch (at->v.hdr.command) {
    case WIRE_DEVICE_GET_INFO:
        if (wire_get(at->v.p, at->v.n, &info, sizeof info)) {
            profile_info(to, &info);
        }
        break;
    case WIRE_DEVICE_GET_REGION_INFO:
        if (wire_get(at->v.p, at->v.n, &region, sizeof region)) {
            profile_region(to, &region);
        }
        break;
    case WIRE_REGION_READ:
        lint_profile_config(at, to);
        break;
    default:
        break;
    }
}

void lint_profile_reply(const struct lint_at *at)
{
    const struct profile_sink to = lint_profile_sink(at);
    const uint16_t command = at->v.hdr.command;
    uint32_t asked = 0;

    if (at->v.m->sender != SIDE_BACKEND) {
        return;
    }
    if (at->v.hdr.flags & WIRE_ERROR) {
        profile_error(&to, command, lint_profile_index(at), at->v.hdr.error);
        return;
    }
    if (command == WIRE_DEVICE_GET_REGION_INFO) {
        asked = lint_profile_asked(at, 0);
    } else if (command == WIRE_REGION_READ) {
        asked = lint_profile_asked(at, offsetof(struct wire_region_access, count));
    }
    profile_reply(&to, command, at->v.m->size, profile_room(command, at->request->hdr.size, asked),
                  at->v.m->n_fds);
    lint_profile_content(at, &to);
}
