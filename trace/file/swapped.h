/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Numbers in this machine's byte order, or in the other one if swap is true. Pure. */
#ifndef POEMD_TRACE_FILE_SWAPPED_H
#define POEMD_TRACE_FILE_SWAPPED_H

#include <byteswap.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t swapped_get16(bool swap, const uint8_t *p)
{
    uint16_t v;

    memcpy(&v, p, sizeof v);
    return swap ? bswap_16(v) : v;
}

static inline uint32_t swapped_get32(bool swap, const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof v);
    return swap ? bswap_32(v) : v;
}

static inline uint64_t swapped_get64(bool swap, const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof v);
    return swap ? bswap_64(v) : v;
}

#endif
