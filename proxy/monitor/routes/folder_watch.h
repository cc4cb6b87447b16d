/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Watches the folders that are instances of templates: those in which they come and go, by
 * inotify(7). One that does not exist yet is looked for at each beat.
 */
#ifndef POEMD_PROXY_MONITOR_ROUTES_FOLDER_WATCH_H
#define POEMD_PROXY_MONITOR_ROUTES_FOLDER_WATCH_H

#include <stdbool.h>

#include "proxy/config/config.h"

struct event_base;
struct folder_watch;

/* Returns 0 with *out set, or -errno. */
int folder_watch_new(struct folder_watch **out, struct event_base *base)
    __attribute__((warn_unused_result));

/* NULL is allowed. */
void folder_watch_free(struct folder_watch *w);

/*
 * Call every LIMIT_BEAT_MS with the configuration in force (borrowed for the call). Returns true if
 * folders have come or gone since its last call, or may have.
 */
bool folder_watch_beat(struct folder_watch *w, const struct config *c);

#endif
