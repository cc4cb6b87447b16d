/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Compares replayed messages with recorded ones: bytes in, the first difference out. */
#define _GNU_SOURCE
#include "trace/replay/replay_compare.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/wire/wire_command.h"
#include "trace/decode/access.h"
#include "trace/decode/names.h"

/* Finds the place that a message accesses, from its kept bytes. */
static bool replay_compare_find_place(const struct replay_message *m, struct access *out)
{
    const struct trace_message t = replay_captured(m);

    return access_read(&t, out) && out->kind != ACCESS_NONE;
}

/* A reply is described by its request, which has more fields and was kept whole. */
static struct replay_about replay_compare_about(const struct replay_message *recorded,
                                                const struct replay_message *request)
{
    struct replay_about a = {.command = recorded->hdr.command};
    struct access place;

    if (replay_compare_find_place(request ? request : recorded, &place) &&
        place.kind == ACCESS_REGION) {
        a.has_region = true;
        a.region = place.region;
        a.offset = place.offset;
        a.has_data = a.command == WIRE_REGION_READ;
        a.data_from = sizeof(struct wire_region_access);
    }
    return a;
}

static bool replay_compare_set(struct replay_difference *d, enum replay_what what, uint64_t want,
                               uint64_t got)
{
    if (want == got) {
        return false;
    }
    d->what = what;
    d->want = want;
    d->got = got;
    return true;
}

static uint32_t replay_compare_error_of(const struct wire_hdr *h)
{
    return h->flags & WIRE_ERROR ? h->error : 0;
}

static bool replay_compare_heads_differ(const struct replay_message *r,
                                        const struct replay_got *got, struct replay_difference *d)
{
    if (replay_compare_set(d, REPLAY_COMMAND, r->hdr.command, got->hdr.command)) {
        return true;
    }
    /* An error in place of a reply, or the reverse, is reported with its errno. */
    if (replay_compare_set(d, REPLAY_ERROR, r->hdr.flags & WIRE_ERROR,
                           got->hdr.flags & WIRE_ERROR) ||
        replay_compare_set(d, REPLAY_ERROR, replay_compare_error_of(&r->hdr),
                           replay_compare_error_of(&got->hdr))) {
        d->want = replay_compare_error_of(&r->hdr);
        d->got = replay_compare_error_of(&got->hdr);
        return true;
    }
    return replay_compare_set(d, REPLAY_TYPE, r->hdr.flags, got->hdr.flags) ||
           replay_compare_set(d, REPLAY_SIZE, r->hdr.size, got->hdr.size);
}

/* Returns true if bytes differ that may not. *masked: bytes differ that may. */
static bool replay_compare_bytes_differ(const struct replay_message *r,
                                        const struct replay_got *got,
                                        const struct replay_masks *masks,
                                        const struct replay_about *a, struct replay_difference *d,
                                        bool *masked)
{
    const uint8_t *const want = r->data + WIRE_HDR_SIZE;
    const uint32_t n = r->kept - WIRE_HDR_SIZE;

    d->count = 0;
    if (n == 0 || memcmp(want, got->payload, n) == 0) {
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (want[i] == got->payload[i]) {
            continue;
        }
        if (replay_mask_byte(masks, a, i)) {
            *masked = true;
        } else if (d->count++ == 0) {
            d->at = i;
            (void)replay_compare_set(d, REPLAY_BYTES, want[i], got->payload[i]);
        }
    }
    return d->count > 0;
}

static bool replay_compare_fds_differ(const struct replay_message *r, const struct replay_got *got,
                                      struct replay_difference *d)
{
    d->at = UINT32_MAX;
    if (replay_compare_set(d, REPLAY_FDS, r->n_fds, got->n_fds)) {
        return true;
    }
    for (unsigned i = 0; i < r->n_fds; i++) {
        d->at = i;
        if (r->fds[i].kind != TRACE_FD_UNKNOWN &&
            replay_compare_set(d, REPLAY_FDS, r->fds[i].kind, got->fd_kinds[i])) {
            return true;
        }
    }
    return false;
}

enum replay_what replay_compare(const struct replay_message *recorded,
                                const struct replay_message *request, const struct replay_got *got,
                                const struct replay_masks *masks, struct replay_difference *out)
{
    const struct replay_about a = replay_compare_about(recorded, request);
    bool masked = false;

    *out = (struct replay_difference){.what = REPLAY_EQUAL};
    if (replay_compare_heads_differ(recorded, got, out) ||
        replay_compare_bytes_differ(recorded, got, masks, &a, out, &masked) ||
        replay_compare_fds_differ(recorded, got, out)) {
        if (replay_mask_all(masks, &a)) {
            out->what = REPLAY_MASKED;
        }
    } else if (masked) {
        out->what = REPLAY_MASKED;
    }
    return out->what;
}

/* ---- texts ---- */

static const char *replay_compare_errno_text(uint64_t error, char *out, size_t size)
{
    const char *const name = names_errno((uint32_t)error);

    if (error == 0) {
        return "none";
    }
    if (name) {
        return name;
    }
    snprintf(out, size, "%" PRIu64, error);
    return out;
}

const char *replay_difference_text(const struct replay_difference *d, char *out, size_t size)
{
    char want[24];
    char got[24];

    switch (d->what) {
    case REPLAY_EQUAL:
    case REPLAY_MASKED:
        snprintf(out, size, "%s", replay_what_name(d->what));
        break;
    case REPLAY_COMMAND:
        snprintf(out, size, "the command is %s, recorded %s", wire_command_name((uint16_t)d->got),
                 wire_command_name((uint16_t)d->want));
        break;
    case REPLAY_TYPE:
        snprintf(out, size, "the flags are 0x%" PRIx64 ", recorded 0x%" PRIx64, d->got, d->want);
        break;
    case REPLAY_ERROR:
        snprintf(out, size, "the error is %s, recorded %s",
                 replay_compare_errno_text(d->got, got, sizeof got),
                 replay_compare_errno_text(d->want, want, sizeof want));
        break;
    case REPLAY_SIZE:
        snprintf(out, size, "the size is %" PRIu64 ", recorded %" PRIu64, d->got, d->want);
        break;
    case REPLAY_BYTES:
        snprintf(out, size,
                 "byte %" PRIu32 " of the payload is 0x%02" PRIx64 ", recorded 0x%02" PRIx64
                 " (%" PRIu32 " differ)",
                 d->at, d->got, d->want, d->count);
        break;
    case REPLAY_FDS:
        if (d->at == UINT32_MAX) {
            snprintf(out, size, "%" PRIu64 " fds came, recorded %" PRIu64, d->got, d->want);
        } else {
            snprintf(out, size, "fd %" PRIu32 " is a %s, recorded a %s", d->at,
                     names_fd_kind((uint8_t)d->got), names_fd_kind((uint8_t)d->want));
        }
        break;
    }
    return out;
}

const char *replay_what_name(enum replay_what what)
{
    static const char *const names[] = {
        [REPLAY_EQUAL] = "equal", [REPLAY_MASKED] = "masked", [REPLAY_COMMAND] = "command",
        [REPLAY_TYPE] = "type",   [REPLAY_ERROR] = "error",   [REPLAY_SIZE] = "size",
        [REPLAY_BYTES] = "bytes", [REPLAY_FDS] = "fds"};

    return names[what];
}

const char *replay_place(const struct replay_message *m, char *out, size_t size)
{
    struct access a;
    const char *name;

    out[0] = '\0';
    if (!replay_compare_find_place(m, &a)) {
        return out;
    }
    if (a.kind == ACCESS_MEMORY) {
        snprintf(out, size, " 0x%" PRIx64 ", %" PRIu64 " bytes", a.offset, a.count);
        return out;
    }
    name = wire_name_of(wire_regions, a.region);
    if (!name) {
        snprintf(out, size, " region %" PRIu32 " +0x%" PRIx64 ", %" PRIu64 " bytes", a.region,
                 a.offset, a.count);
    } else if (a.count == 0) {
        snprintf(out, size, " %s", name);
    } else {
        snprintf(out, size, " %s +0x%" PRIx64 ", %" PRIu64 " bytes", name, a.offset, a.count);
    }
    return out;
}
