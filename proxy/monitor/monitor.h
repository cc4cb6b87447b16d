/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The monitor: the one process with rights. It listens, accepts, dials, decides and records; it
 * parses no byte that a peer sent.
 *
 *   monitor.c                 the process: set up, signals, stop
 *   monitor_context.h         what every part may use: loop, configuration, children, audit log
 *   route.c                   listening sockets
 *   monitor_session.c         sessions: their states, and the observers of their events
 *   monitor_session_dial.c    … from the accepted connection to the dialled backend
 *   decision.c                … and their verdicts, recorded before they take effect
 *   worker_pool.c             the relay workers: started, given work, watched, started again
 *   tracing/                  captures
 *   control/                  poemctl's requests
 *   devices/                  devices that the broker starts
 *
 * No part includes this header. A part that must know what happens in another one subscribes to
 * its events (observers.h).
 */
#ifndef POEMD_PROXY_MONITOR_MONITOR_H
#define POEMD_PROXY_MONITOR_MONITOR_H

struct config;

/*
 * Runs the broker until it is stopped. Writes "\n" to ready_fd (taken; -1 if there is no reader)
 * when every socket listens and every worker is ready. Returns the exit status: 0, or 3 if the
 * broker could not run.
 */
int monitor_main(const struct config *config, int ready_fd);

#endif
