/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The shadow of a PCI configuration space. */
#include "proxy/relay/setup/setup_config.h"

#include <string.h>

#define CACHE_LINE 0x0cu
#define LATENCY 0x0du
#define INTERRUPT_LINE 0x3cu

/* Returns true if the device keeps what is written to this byte. */
static bool setup_config_keeps(uint64_t offset)
{
    return offset == SETUP_CONFIG_COMMAND || offset == SETUP_CONFIG_COMMAND + 1 ||
           offset == CACHE_LINE || offset == LATENCY || offset == INTERRUPT_LINE;
}

/* Cuts the range to the configuration space. */
static uint32_t setup_config_cut(uint64_t offset, uint32_t count)
{
    if (offset >= SETUP_CONFIG_SIZE) {
        return 0;
    }
    return count < SETUP_CONFIG_SIZE - offset ? count : (uint32_t)(SETUP_CONFIG_SIZE - offset);
}

void setup_config_wrote(struct setup_config *c, uint64_t offset, const uint8_t *data,
                        uint32_t count)
{
    const uint32_t n = setup_config_cut(offset, count);

    if (n == 0) {
        return;
    }
    memcpy(c->value + offset, data, n);
    for (uint64_t i = offset; i < offset + n && i < SETUP_CONFIG_HEADER; i++) {
        c->known[i] = setup_config_keeps(i);
        c->seen[i] = c->value[i];
    }
    if (n <= SETUP_CONFIG_ACCESS) {
        c->width[offset] = (uint8_t)n;
        return;
    }
    for (uint32_t i = 0; i < n; i += 4) {
        c->width[offset + i] = (uint8_t)(n - i < 4 ? n - i : 4);
    }
}

void setup_config_read(struct setup_config *c, uint64_t offset, const uint8_t *data, uint32_t count)
{
    const uint32_t n = setup_config_cut(offset, count);

    for (uint64_t i = 0; i < n && offset + i < SETUP_CONFIG_HEADER; i++) {
        c->known[offset + i] = true;
        c->seen[offset + i] = data[i];
    }
}

bool setup_config_knows(const struct setup_config *c, uint64_t offset, uint32_t count)
{
    if (offset >= SETUP_CONFIG_HEADER || count > SETUP_CONFIG_HEADER - offset) {
        return false;
    }
    for (uint64_t i = offset; i < offset + count; i++) {
        if (!c->known[i]) {
            return false;
        }
    }
    return true;
}

void setup_config_reset(struct setup_config *c)
{
    memset(c, 0, sizeof *c);
}

/* Returns true if a write there reaches the command register. */
static bool setup_config_commands(unsigned offset, unsigned width)
{
    return offset < SETUP_CONFIG_COMMAND + 2 && offset + width > SETUP_CONFIG_COMMAND;
}

int setup_config_next(const struct setup_config *c, unsigned *at, unsigned *width)
{
    /* Twice through the space: the second time only for the command register. */
    for (; *at < 2 * SETUP_CONFIG_SIZE; ++*at) {
        const unsigned offset = *at % SETUP_CONFIG_SIZE;
        const bool last = *at >= SETUP_CONFIG_SIZE;

        if (c->width[offset] > 0 && setup_config_commands(offset, c->width[offset]) == last) {
            ++*at;
            *width = c->width[offset];
            return (int)offset;
        }
    }
    return -1;
}
