/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* How long to wait before a process is started again. Pure. */
#ifndef POEMD_BASE_BACKOFF_H
#define POEMD_BASE_BACKOFF_H

/*
 * Returns the milliseconds to wait after this many failures in a row before: LIMIT_RESPAWN_MS,
 * doubled for each, up to LIMIT_RESPAWN_MAX_MS.
 */
unsigned backoff_ms(unsigned failures);

#endif
