/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What a service manager is notified of (sd_notify(3)): that the monitor makes its turns, and one
 * sentence on its sessions and its health.
 */
#ifndef POEMD_PROXY_MONITOR_SERVICE_STATUS_H
#define POEMD_PROXY_MONITOR_SERVICE_STATUS_H

struct monitor_session_table;
struct route_table;
struct worker_pool;

/* The most characters of the sentence, and its NUL. */
#define SERVICE_STATUS_SIZE 200u

struct service_status {
    char text[SERVICE_STATUS_SIZE]; /* as sent last */
};

/* Called every LIMIT_BEAT_MS. Sends the sentence if it has changed. */
void service_status_beat(struct service_status *s, const struct route_table *routes,
                         const struct monitor_session_table *sessions,
                         const struct worker_pool *workers);

#endif
