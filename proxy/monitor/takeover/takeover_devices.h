/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Spawned devices that live on: they go on with their sessions. */
#ifndef POEMD_PROXY_MONITOR_TAKEOVER_TAKEOVER_DEVICES_H
#define POEMD_PROXY_MONITOR_TAKEOVER_TAKEOVER_DEVICES_H

#include "proxy/monitor/takeover/takeover_state.h"

struct monitor_session;

/* Finds the session's device again. Returns false if it does not exist any more. */
bool takeover_devices_adopt(struct takeover *to, struct monitor_session *t,
                            const struct spawn_kept *kept) __attribute__((warn_unused_result));

/*
 * Returns the devices that a route had with earlier commands, the last ones, for spawn_start; or
 * NULL.
 */
struct spawn *takeover_devices_before(const struct takeover *to, const struct route *r);

/* Hands the devices with earlier commands over to the monitor. */
void takeover_devices_end(struct takeover *to);

#endif
