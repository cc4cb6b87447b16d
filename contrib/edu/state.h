/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The edu device's whole state as bytes, for migration. README.md has the format. */
#ifndef POEMD_EDU_STATE_H
#define POEMD_EDU_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "contrib/edu/device.h"

#define STATE_VERSION 1u

/* Every saved state has this size: 16 head, 72 registers, the three memories, 4 checksum. */
#define STATE_SIZE (16u + 72u + EDU_CONFIG_SIZE + EDU_BUFFER_SIZE + EDU_PAGE_SIZE + 4u)

/* Writes the state of d, which must be stopped, to out, STATE_SIZE bytes. */
void state_save(const struct device *d, uint8_t *out);

/*
 * Loads a saved state of n bytes. Returns 0, or -EINVAL, with d unchanged, if it is damaged, of
 * another version, or of a different device.
 */
int state_load(struct device *d, const uint8_t *p, size_t n) __attribute__((warn_unused_result));

#endif
