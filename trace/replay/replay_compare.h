/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Compares a message of the device with the recorded one and finds differences that no mask allows.
 * Pure.
 *
 * Not compared are the ids of the device's own commands, which it chooses freely; bytes that the
 * trace did not keep; and properties of fds other than their number and kind, since two runs never
 * have the same.
 */
#ifndef POEMD_TRACE_REPLAY_REPLAY_COMPARE_H
#define POEMD_TRACE_REPLAY_REPLAY_COMPARE_H

#include "trace/replay/replay_mask.h"
#include "trace/replay/replay_script.h"

enum replay_what {
    REPLAY_EQUAL,
    REPLAY_MASKED,  /* it differs, as a mask allows */
    REPLAY_COMMAND, /* another command */
    REPLAY_TYPE,    /* another flags word: a reply without its type, No_reply */
    REPLAY_ERROR,   /* an error instead of a reply, the reverse, or another errno */
    REPLAY_SIZE,    /* another size */
    REPLAY_BYTES,   /* another payload */
    REPLAY_FDS,     /* another number of fds, or another kind */
};

/* The message that came in place of the recorded one. */
struct replay_got {
    struct wire_hdr hdr;
    const uint8_t *payload; /* hdr.size - WIRE_HDR_SIZE bytes */
    unsigned n_fds;
    const uint8_t *fd_kinds; /* enum trace_fd_kind of each */
};

struct replay_difference {
    enum replay_what what;
    uint32_t at;    /* REPLAY_BYTES: the first byte that differs; REPLAY_FDS: index of the fd */
    uint32_t count; /* REPLAY_BYTES: number of bytes that differ */
    /* the recorded number: flags, errno, size, byte, number or kind of fds */
    uint64_t want;
    uint64_t got;
};

/*
 * Compares got with the recorded message; request is the one it replies to, or NULL. Returns the
 * first difference; always fills out.
 */
enum replay_what replay_compare(const struct replay_message *recorded,
                                const struct replay_message *request, const struct replay_got *got,
                                const struct replay_masks *masks, struct replay_difference *out);

/* Formats a difference: "byte 17 is 0xee, recorded 0xed (4 bytes differ)"; returns out. */
const char *replay_difference_text(const struct replay_difference *d, char *out, size_t size);

/* Returns a static name, "bytes", "error" … for JSON. */
const char *replay_what_name(enum replay_what what);

/* Describes the place that message m accesses: " BAR0 +0x8, 4 bytes"; returns out. */
const char *replay_place(const struct replay_message *m, char *out, size_t size);

#endif
