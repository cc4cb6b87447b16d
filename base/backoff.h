/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The delay before a process is started again. Pure. */
#ifndef POEMD_BASE_BACKOFF_H
#define POEMD_BASE_BACKOFF_H

/*
 * Returns the delay in milliseconds after this many consecutive failures: LIMIT_RESPAWN_MS, doubled
 * for each, up to LIMIT_RESPAWN_MAX_MS.
 */
unsigned backoff_ms(unsigned failures);

#endif
