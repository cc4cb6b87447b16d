/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The monitor: the only process with rights. It listens, accepts, dials, decides and records; it
 * parses no byte that a peer sent. monitor.c sets it up, handles its signals and stops it. Its
 * parts are in proxy/monitor/:
 *
 *   monitor_context.h         shared by all parts: loop, configuration, children, audit log
 *   route.c                   listening sockets
 *   monitor_session.c         sessions: their states, and the observers of their events
 *   monitor_session_dial.c    … from the accepted connection to the dialled backend
 *   decision.c                … and their verdicts, recorded before they take effect
 *   worker_pool.c             the relay workers: started, given work, watched, started again
 *   tracing/                  captures
 *   reload/                   another configuration
 *   control/                  poemctl's requests
 *   devices/                  devices that the broker starts
 *
 * No part includes this header. A part that depends on events in another one subscribes to them
 * (observers.h).
 */
#ifndef POEMD_PROXY_MONITOR_H
#define POEMD_PROXY_MONITOR_H

struct options;

/*
 * Runs the broker, with the users of its processes chosen, until it is stopped. The process is the
 * keeper's child, with the fds of proxy/ipc/fdstore_wire.h; the keeper learns when every socket
 * listens and every worker is ready. Returns the exit status: 0, or 3 if the broker could not run.
 */
int monitor_main(const struct options *options);

#endif
