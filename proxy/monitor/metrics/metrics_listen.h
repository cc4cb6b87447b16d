/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The socket at which metrics are served. It outlives the monitor, so that no scrape is refused. */
#ifndef POEMD_PROXY_MONITOR_METRICS_METRICS_LISTEN_H
#define POEMD_PROXY_MONITOR_METRICS_METRICS_LISTEN_H

#include "proxy/config/config.h"

struct fdstore;

/*
 * Listens as configured, or goes on with the socket of an earlier monitor at that place. Returns
 * the fd, which the caller owns, or -errno (logged).
 */
int metrics_listen(const struct config *c, struct fdstore *store)
    __attribute__((warn_unused_result));

/* Closes the socket, and removes its file. */
void metrics_listen_close(int *fd, const struct config *c, struct fdstore *store);

#endif
