/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Metrics, from the monitor's side: counts what the rest of the monitor does not, starts the
 * exporter (proxy/exporter/exporter.h), and hands it a snapshot when it asks for one.
 *
 *   metrics.c           the exporter's process, and its questions
 *   metrics_count.c     counters of routes and workers
 *   metrics_listen.c    the socket that the exporter serves
 *   metrics_snapshot.c  the figures as a file, made in as many turns as that takes
 *
 * The exporter is as little trusted as a worker: all that it can do is ask, and it is answered at
 * most once in LIMIT_METRICS_MS.
 */
#ifndef POEMD_PROXY_MONITOR_METRICS_METRICS_H
#define POEMD_PROXY_MONITOR_METRICS_METRICS_H

#include <sys/types.h>

struct metrics;
struct metrics_subject;

/*
 * Listens, counts from now on, and starts the exporter. Sets *out to NULL if no metrics are
 * configured. subject is copied. Returns 0 or -errno (logged).
 */
int metrics_new(struct metrics **out, const struct metrics_subject *subject)
    __attribute__((warn_unused_result));

/* Returns the exporter's pid, or -1 if there is none. NULL is allowed, here and below. */
pid_t metrics_pid(const struct metrics *m);

/* Stops serving: removes the socket's file, and has the exporter exit. */
void metrics_close(struct metrics *m);

/* Frees it, before the routes are freed. */
void metrics_free(struct metrics *m);

#endif
