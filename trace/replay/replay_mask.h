/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Masks: allowed differences between two runs of a device. A mask is terms separated by spaces:
 *
 *   command=NAME[,NAME]...   replies to these commands, and the device's own commands
 *                            of these names
 *   region=N[,N]...          … that access these regions
 *   offset=A[..B]            … the bytes of these registers of the region
 *   bytes=A[..B]             … these bytes of the payload
 *
 * All terms must hold. With "offset" or "bytes", those bytes of a message may differ, else all of
 * it: its bytes, size, error and fds. Numbers are decimal, or hexadecimal with 0x. Pure.
 */
#ifndef POEMD_TRACE_REPLAY_REPLAY_MASK_H
#define POEMD_TRACE_REPLAY_REPLAY_MASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REPLAY_MASKS_MAX 64u
#define REPLAY_MASK_VALUES 16u

struct replay_range {
    bool said;
    uint64_t first;
    uint64_t last;
};

struct replay_mask {
    unsigned n_commands; /* 0: any */
    uint32_t commands[REPLAY_MASK_VALUES];
    unsigned n_regions; /* 0: any, also messages without a region */
    uint32_t regions[REPLAY_MASK_VALUES];
    struct replay_range offset;
    struct replay_range bytes;
};

struct replay_masks {
    unsigned n;
    struct replay_mask masks[REPLAY_MASKS_MAX];
};

/*
 * Adds the mask in text. Returns false on an error, with the fault and the expected words in why.
 */
bool replay_mask_add(struct replay_masks *m, const char *text, char *why, size_t size)
    __attribute__((warn_unused_result));

/* The properties of a message that masks look at. */
struct replay_about {
    uint16_t command;
    bool has_region;
    uint32_t region;
    uint64_t offset;    /* of its data's first byte in the region */
    uint32_t data_from; /* index of the payload's byte at which data begins */
    bool has_data;
};

/* Returns true if all of the message may differ. */
bool replay_mask_all(const struct replay_masks *m, const struct replay_about *about);

/* Returns true if byte i of the message's payload may differ. */
bool replay_mask_byte(const struct replay_masks *m, const struct replay_about *about, uint32_t i);

#endif
