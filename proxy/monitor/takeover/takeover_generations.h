/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The configurations under which sessions of an earlier monitor go on. */
#ifndef POEMD_PROXY_MONITOR_TAKEOVER_TAKEOVER_GENERATIONS_H
#define POEMD_PROXY_MONITOR_TAKEOVER_TAKEOVER_GENERATIONS_H

#include "proxy/monitor/takeover/takeover_state.h"

/* Keeps the text of the configuration in force for the next monitor. */
void takeover_generations_in_force(struct takeover *to);

/*
 * Returns the configuration with this digest, borrowed until takeover_generations_end; NULL if it
 * cannot be read (logged).
 */
struct generation *takeover_generations_find(struct takeover *to,
                                             const uint8_t digest[STATE_DIGEST]);

/* Frees those that nothing uses. */
void takeover_generations_end(struct takeover *to);

#endif
