/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Keeps each session's state in the state file, and its sockets with the keeper, so that the next
 * monitor can go on with it if this one dies.
 *
 * A socket is kept before the record that needs it, and a change before what follows from it.
 */
#ifndef POEMD_PROXY_MONITOR_TAKEOVER_TAKEOVER_KEEP_H
#define POEMD_PROXY_MONITOR_TAKEOVER_TAKEOVER_KEEP_H

struct monitor_context;
struct monitor_session_table;

/*
 * Keeps sessions from now on, if there is a state file; subscribe it after those that set what a
 * session has at its beginning.
 */
void takeover_keep_init(struct monitor_session_table *sessions);

/*
 * Keeps the text of the configuration in force, unless it is kept already, so that the next monitor
 * goes on with it whatever has become of the file. An error is logged.
 */
void takeover_keep_generation(struct monitor_context *context);

#endif
