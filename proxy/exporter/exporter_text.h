/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A snapshot as text for Prometheus: OpenMetrics 1.0, or the older text format 0.0.4. */
#ifndef POEMD_PROXY_EXPORTER_EXPORTER_TEXT_H
#define POEMD_PROXY_EXPORTER_EXPORTER_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxy/exporter/snapshot.h"

struct evbuffer;

enum exporter_format { EXPORTER_TEXT, EXPORTER_OPENMETRICS, EXPORTER_FORMATS };

/* A snapshot whose parts lie behind each other in memory. */
struct exporter_figures {
    const struct snapshot_broker *broker;
    const struct snapshot_route *routes;
    const struct snapshot_worker *workers;
    bool has_room;
    uint64_t room; /* bytes that are free where the audit log is */
};

/*
 * Finds the parts of a snapshot of n bytes, which begins at a multiple of 8. Returns false if the
 * size is not that of its counts, or a name does not end. Pure.
 */
bool exporter_figures_of(struct exporter_figures *f, const void *snapshot, size_t n)
    __attribute__((warn_unused_result));

/* Returns the format for a request's Accept header (NULL: none). Pure. */
enum exporter_format exporter_format_of(const char *accept);

/* Returns the media type of a format. Static. */
const char *exporter_media_type(enum exporter_format format);

/* Adds all families to out. Returns false if out of memory. */
bool exporter_text_write(struct evbuffer *out, const struct exporter_figures *f,
                         enum exporter_format format) __attribute__((warn_unused_result));

#endif
