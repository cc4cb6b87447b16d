/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The line in the log about a session's end. */
#ifndef POEMD_PROXY_MONITOR_MONITOR_SESSION_LOG_H
#define POEMD_PROXY_MONITOR_MONITOR_SESSION_LOG_H

struct monitor_session_table;

/* Logs the end of each session from now on. */
void monitor_session_log(struct monitor_session_table *table);

#endif
