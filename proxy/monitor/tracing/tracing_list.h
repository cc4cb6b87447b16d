/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* All captures, including those that have ended lately. */
#ifndef POEMD_PROXY_MONITOR_TRACING_TRACING_LIST_H
#define POEMD_PROXY_MONITOR_TRACING_TRACING_LIST_H

#include "proxy/monitor/tracing/tracing_capture.h"

/* The number of ended captures that are still listed. */
#define TRACING_REMEMBERED 64u

/* Creates a capture as requested, with this number. Returns NULL if out of memory. */
struct capture *tracing_list_add(struct tracing *t, const struct tracing_request *r,
                                 struct route *route, uint64_t id)
    __attribute__((warn_unused_result));
void tracing_list_remove(struct tracing *t, struct capture *c);

struct capture *tracing_find(const struct tracing *t, uint64_t id);

/*
 * Returns the capture with the next greater number, or NULL. Ending one may free another, so loops
 * proceed by number.
 */
struct capture *tracing_behind(const struct tracing *t, uint64_t id);

void tracing_set_ended(struct tracing *t, struct capture *c, uint32_t why);

/* Adds the capture's counts. */
void tracing_list_count(const struct capture *c, struct tracing_totals *to);

#endif
