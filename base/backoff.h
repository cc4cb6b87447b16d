/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The delay before a process is started again. Pure, apart from the count. */
#ifndef POEMD_BASE_BACKOFF_H
#define POEMD_BASE_BACKOFF_H

#include <stdint.h>

/*
 * Returns the delay in milliseconds after this many consecutive failures: LIMIT_RESPAWN_MS, doubled
 * for each, up to LIMIT_RESPAWN_MAX_MS.
 */
unsigned backoff_ms(unsigned failures);

/*
 * The same for a process that has failed once more, after so many milliseconds: counts it in
 * *failures, which begin anew if it has lived for LIMIT_RESPAWN_MAX_MS.
 */
unsigned backoff_next_ms(unsigned *failures, uint64_t lived_ms);

#endif
