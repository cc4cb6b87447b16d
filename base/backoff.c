/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
#include "base/backoff.h"

#include "base/limits.h"

unsigned backoff_ms(unsigned failures)
{
    unsigned ms = LIMIT_RESPAWN_MS;

    while (failures-- > 0 && ms < LIMIT_RESPAWN_MAX_MS) {
        ms *= 2;
    }
    return ms < LIMIT_RESPAWN_MAX_MS ? ms : LIMIT_RESPAWN_MAX_MS;
}

unsigned backoff_next_ms(unsigned *failures, uint64_t lived_ms)
{
    if (lived_ms >= LIMIT_RESPAWN_MAX_MS) {
        *failures = 0;
    }
    return backoff_ms((*failures)++);
}
