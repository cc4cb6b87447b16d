/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What the monitor of one program leaves to that of the next about an upgrade: a file in memory
 * that the keeper has. It stays, so that the outcome of the last upgrade can be shown.
 */
#ifndef POEMD_PROXY_MONITOR_UPGRADE_UPGRADE_NOTE_H
#define POEMD_PROXY_MONITOR_UPGRADE_UPGRADE_NOTE_H

#include <stdbool.h>
#include <stdint.h>

struct fdstore;

enum upgrade_outcome {
    UPGRADE_NONE,
    UPGRADE_PENDING,
    UPGRADE_DONE,
    UPGRADE_FAILED, /* the earlier program went on */
    UPGRADE_OUTCOMES,
};

struct upgrade_note {
    uint32_t version; /* UPGRADE_NOTE_VERSION */
    uint32_t outcome; /* enum upgrade_outcome */
    uint64_t device;  /* of the new program's file … */
    uint64_t inode;   /* … and its number there */
    uint32_t signal;  /* 1: a signal asked for it; otherwise: */
    uint32_t uid;
    int32_t pid;
    char from[36]; /* the version of the program before; ends in NUL */
};

/* Keeps the note for the next monitor. Returns 0 or -errno. */
int upgrade_note_keep(struct fdstore *store, const struct upgrade_note *note)
    __attribute__((warn_unused_result));

/*
 * Reads the note of an earlier monitor. One that is pending is settled by whether this process runs
 * the new program; returns true if it was. *out is UPGRADE_NONE if there is no sound note.
 */
bool upgrade_note_take(struct fdstore *store, struct upgrade_note *out);

#endif
