/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A shadow of a device's PCI configuration space: what the client has written, and what is known of
 * its header. A part of setup.h. Pure.
 *
 * A written byte is known only if the device keeps what is written there (PCI Local Bus
 * Specification 3.0, 6.2: command, cache line size, latency timer, interrupt line). Others, such as
 * base addresses, are known once they have been read again. Only the header of 64 bytes is known at
 * all: what lies behind it can be a window to something else.
 */
#ifndef POEMD_PROXY_RELAY_SETUP_SETUP_CONFIG_H
#define POEMD_PROXY_RELAY_SETUP_SETUP_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#define SETUP_CONFIG_SIZE 4096u
#define SETUP_CONFIG_HEADER 64u

/* The longest access that is kept as it was made; a longer write is kept in parts of 4 bytes. */
#define SETUP_CONFIG_ACCESS 8u

/* The command register, which comes last: it lets the device begin. */
#define SETUP_CONFIG_COMMAND 4u

struct setup_config {
    uint8_t value[SETUP_CONFIG_SIZE];  /* as written */
    uint8_t width[SETUP_CONFIG_SIZE];  /* of the write that begins here; 0: none */
    uint8_t seen[SETUP_CONFIG_HEADER]; /* as it would be read, if known */
    bool known[SETUP_CONFIG_HEADER];
};

/* The client has written, or the device has returned, count bytes. Ranges outside are cut. */
void setup_config_wrote(struct setup_config *c, uint64_t offset, const uint8_t *data,
                        uint32_t count);
void setup_config_read(struct setup_config *c, uint64_t offset, const uint8_t *data,
                       uint32_t count);

/* Returns true if these bytes are known, which are then at seen[offset]. */
bool setup_config_knows(const struct setup_config *c, uint64_t offset, uint32_t count);

/* The device has been reset: nothing is written or known any more. */
void setup_config_reset(struct setup_config *c);

/*
 * Finds the first write at or behind *at; the command register comes last. *at is 0 at first, and
 * is moved behind it. Returns its offset, with its length in *width; or -1 if there is none left.
 */
int setup_config_next(const struct setup_config *c, unsigned *at, unsigned *width);

#endif
