/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The audit log of a monitor that goes on. */
#ifndef POEMD_PROXY_MONITOR_TAKEOVER_TAKEOVER_RECORDS_H
#define POEMD_PROXY_MONITOR_TAKEOVER_TAKEOVER_RECORDS_H

#include "proxy/monitor/takeover/takeover_state.h"

/* Records that, and why, this monitor goes on. */
void takeover_records_resumed(const struct takeover *to);

/* Records the ends of sessions that an earlier monitor has not got to the disk. */
void takeover_records_ends(const struct takeover *to);

/* Records the end of a session that cannot be restored, and frees its block. */
void takeover_records_lost_take(const struct takeover *to, uint32_t block,
                                const struct state_session *s);

#endif
