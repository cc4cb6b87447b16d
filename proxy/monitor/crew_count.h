/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* What has passed in the sessions of the crew, as its workers tell it (crew_count). */
#ifndef POEMD_PROXY_MONITOR_CREW_COUNT_H
#define POEMD_PROXY_MONITOR_CREW_COUNT_H

#include "proxy/monitor/crew.h"

/*
 * What a worker tells that has been asked; checked by ipc_counts_sound. Sessions that have ended
 * meanwhile are none of its tickets any more.
 */
void crew_take_counts(struct crew_member *w, const struct ipc_counts *c);

/* The worker's ticket of that number, or NULL. */
struct ticket *crew_ticket(struct crew_member *w, uint64_t id);

#endif
