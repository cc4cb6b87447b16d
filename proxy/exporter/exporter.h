/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The exporter: a process without rights that serves the broker's figures by HTTP to Prometheus and
 * the like ("metrics" in poemd.conf(5)), so that neither a flood of clients nor a fault of the HTTP
 * server can reach the monitor.
 *
 * The monitor re-executes its own program as { EXPORTER_NAME, EXPORTER_ARG } with a channel, a
 * sealed struct exporter_start, the listening socket and, if there is an audit log, its folder.
 *
 *   exporter   EXPORTER_ASK, one byte
 *   monitor    one byte with the fd of a snapshot (snapshot.h)
 *
 * The exporter waits for the monitor; nothing waits for the exporter. A snapshot serves all that
 * ask within EXPORTER_FRESH_MS. If the monitor does not answer, clients get 503.
 */
#ifndef POEMD_PROXY_EXPORTER_EXPORTER_H
#define POEMD_PROXY_EXPORTER_EXPORTER_H

#include <stdint.h>
#include <sys/types.h>

#include "base/log.h"

/* argv[0] of an exporter, as ps shows it, and argv[1], by which main recognises it. */
#define EXPORTER_NAME "poemd-exporter"
#define EXPORTER_ARG "--exporter"

#define EXPORTER_CHANNEL_FD 3
#define EXPORTER_START_FD 4
#define EXPORTER_LISTEN_FD 5
#define EXPORTER_FOLDER_FD 6

#define EXPORTER_ASK '?'
#define EXPORTER_ANSWER '!'

/* Clients at once: a few collectors, and some that hang. Others wait in the socket's queue. */
#define EXPORTER_CLIENTS 32u

/* The process's fds: the loop's own, log, channel, socket, folder, a snapshot; clients. */
#define EXPORTER_FDS (16u + EXPORTER_CLIENTS)

/* Age up to which a snapshot is sent again, in ms: two collectors may ask at the same moment. */
#define EXPORTER_FRESH_MS 200u

/* Time for the monitor to answer: the workers have LIMIT_CONTROL_COUNT_MS of it. */
#define EXPORTER_PATIENCE_MS 2000

/* Time in which a client must send something, or read, in s; that for all of it, in ms. */
#define EXPORTER_CLIENT_S 5
#define EXPORTER_CLIENT_MS 10000u

/* Bytes of a request. */
#define EXPORTER_REQUEST_MAX 8192

struct exporter_start {
    enum log_level log_level;
    uid_t uid; /* user to become, if the monitor is root */
    gid_t gid;
    uint32_t has_folder; /* EXPORTER_FOLDER_FD is the folder of the audit log */
};

/* Runs the exporter. Returns the exit status. */
int exporter_main(void);

#endif
