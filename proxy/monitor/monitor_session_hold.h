/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The monitor's part in "on backend loss hold": looks for a new process of the device, has it
 * judged, and ends the session when the route's time is over.
 *
 *   DIALS   the same path, or the route's next device, with pauses that double
 *   GREETS  the worker exchanges VERSION with it
 *   JUDGED  its verdict has been sent to the worker, which sets it up
 *
 * From GREETS and JUDGED it is DIALS again if the worker does not take the process.
 */
#ifndef POEMD_PROXY_MONITOR_MONITOR_SESSION_HOLD_H
#define POEMD_PROXY_MONITOR_MONITOR_SESSION_HOLD_H

#include <stddef.h>

struct ipc_difference;
struct monitor_session_table;

/* Holds sessions that lose their devices, from now on. Call before monitor_session_dial_init. */
void monitor_session_hold_init(struct monitor_session_table *table);

/* Describes the difference in text, and returns text. */
const char *monitor_session_hold_differs(const struct ipc_difference *d, char *text, size_t size);

#endif
