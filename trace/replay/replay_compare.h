/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A message of the device's beside the recorded one: what differs, where nothing allows it to.
 * Pure.
 *
 * Not compared are the ids of the device's own commands, which are its own to choose; bytes that
 * the trace did not keep; and of fds all but their number and kind, since two runs never have the
 * same.
 */
#ifndef POEMD_TRACE_REPLAY_REPLAY_COMPARE_H
#define POEMD_TRACE_REPLAY_REPLAY_COMPARE_H

#include "trace/replay/replay_mask.h"
#include "trace/replay/replay_script.h"

enum replay_what {
    REPLAY_EQUAL,
    REPLAY_MASKED,  /* it differs, where it may */
    REPLAY_COMMAND, /* another command */
    REPLAY_TYPE,    /* another flags word: a reply without its type, No_reply */
    REPLAY_ERROR,   /* an error instead of none, none instead of one, or another errno */
    REPLAY_SIZE,    /* another size */
    REPLAY_BYTES,   /* another payload */
    REPLAY_FDS,     /* another number of fds, or another kind */
};

/* What came in the recorded message's place. */
struct replay_got {
    struct wire_hdr hdr;
    const uint8_t *payload; /* hdr.size - WIRE_HDR_SIZE bytes */
    unsigned n_fds;
    const uint8_t *fd_kinds; /* enum trace_fd_kind of each */
};

struct replay_difference {
    enum replay_what what;
    uint32_t at;    /* REPLAY_BYTES: the payload's first byte that differs; REPLAY_FDS: which fd */
    uint32_t count; /* REPLAY_BYTES: how many do */
    uint64_t want;  /* the recorded number: flags, errno, size, byte, number or kind of fds */
    uint64_t got;
};

/*
 * Compares got with the recorded message, a reply to request (NULL: it is none). Returns what
 * differs first; out is filled in every case.
 */
enum replay_what replay_compare(const struct replay_message *recorded,
                                const struct replay_message *request, const struct replay_got *got,
                                const struct replay_masks *masks, struct replay_difference *out);

/* "byte 17 is 0xee, recorded 0xed (4 bytes differ)"; returns out. */
const char *replay_difference_text(const struct replay_difference *d, char *out, size_t size);

/* "bytes", "error" … for JSON. Static. */
const char *replay_what_name(enum replay_what what);

/* What message m is about, and how: " BAR0 +0x8, 4 bytes"; returns out. */
const char *replay_place(const struct replay_message *m, char *out, size_t size);

#endif
