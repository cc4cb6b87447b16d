/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A monitor goes on where an earlier one has ended: with the fds that the keeper has, and with the
 * state file (proxy/monitor/keep/).
 *
 *   relays             goes on in its worker, or in a new one, from its page, if that has died
 *   accepted, dialing  begins anew, with what is left of its time: nothing of it has been read
 *   in its handshake   is refused with an error reply, by its worker if that lives
 *   ending, refused    ends, is refused
 *   ended              is recorded, if its record is not on disk
 *
 * Sessions keep their numbers, verdicts, taints, and the configuration under which they began.
 */
#ifndef POEMD_PROXY_MONITOR_TAKEOVER_TAKEOVER_H
#define POEMD_PROXY_MONITOR_TAKEOVER_TAKEOVER_H

#include "proxy/monitor/takeover/takeover_state.h"

/*
 * Opens the state of an earlier monitor, or begins a new one, as context->state. Without a keeper
 * there is none. Returns 0 or -errno (logged).
 */
int takeover_open(struct takeover *to, const struct takeover_subject *subject)
    __attribute__((warn_unused_result));

/*
 * Restores numbers, counts and routes. Call it once the routes are there, before any session.
 * Returns the time of the broker's start, of clock_ms().
 */
uint64_t takeover_counts(struct takeover *to);

/* Goes on with workers that live. Call it before the pool starts others. */
void takeover_workers(struct takeover *to);

/*
 * Restores the sessions, with spawned devices that live on. Call it when all observe, and routes
 * have their devices, none of which is started so far. host is borrowed.
 */
void takeover_sessions(struct takeover *to, const struct spawn_host *host);

/*
 * Records that this monitor goes on, and ends that are not on disk. Call it once the audit log is
 * open. Returns false if there was no earlier monitor.
 */
bool takeover_record(struct takeover *to);

/* Ends what nothing goes on with: processes, sockets, files. */
void takeover_end(struct takeover *to);

/* Call at the monitor's end: nothing of it is left for another one. */
void takeover_forget(struct monitor_context *context);

#endif
