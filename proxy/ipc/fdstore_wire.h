/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What the monitor and the keeper (proxy/keeper/) send each other, over a SEQPACKET pair: texts of
 * lines NAME=VALUE. Those of systemd's fd store have its names and its meaning (sd_notify(3)), so
 * that the keeper can pass them on:
 *
 *   FDSTORE=1 FDNAME=... FDPOLL=0   keep the fd that comes with this, under this name; an fd that
 *                                   has the name already is replaced
 *   FDSTOREREMOVE=1 FDNAME=...      close that fd
 *   READY=1                         all sockets listen and all workers are ready
 *   STOPPING=1                      the broker stops
 *   RELOADING=1 MONOTONIC_USEC=...  a reload has begun at that time …
 *   RELOADED=1                      … and is over, which systemd is sent as READY=1
 *   WATCHDOG=1                      the monitor makes its turns; every LIMIT_BEAT_MS. With
 *   STATUS=...                      a sentence on its state, if that has changed
 *
 * These are the keeper's own, for the processes that the monitor starts as the keeper's children:
 *
 *   FORKING=1    the monitor is about to start processes: collect none that has no name yet
 *   FORKING=0    they have their names: CHILD_PREFIX and their pid; the fd is a pidfd
 *   UPGRADE=1    the fd that comes with this is the program with which the keeper goes on when the
 *                monitor has ended
 *   COLLECT=PID  the process has ended: collect it and drop its name. Answered with
 *   COLLECTED=PID STATUS  the status of waitpid; the keeper sends nothing else
 */
#ifndef POEMD_PROXY_IPC_FDSTORE_WIRE_H
#define POEMD_PROXY_IPC_FDSTORE_WIRE_H

/* argv[0] of the keeper, and its name. */
#define KEEPER_NAME "poemd-keeper"

/*
 * The first argument of a monitor; the command line follows as it was given. Its fds: the socket to
 * the keeper; a file with the names of the kept fds, each with a newline behind it; these fds, in
 * the same order.
 */
#define MONITOR_NAME "poemd-monitor"
#define MONITOR_ARG "--monitor"
#define MONITOR_KEEPER_FD 3
#define MONITOR_NAMES_FD 4
#define MONITOR_FIRST_FD 5

/* The most characters of a name, as in systemd. They are printable ASCII, and not ":". */
#define FDSTORE_NAME_MAX 255u

/* Begins the name of a process's pidfd; its pid in decimal follows. systemd does not get these. */
#define FDSTORE_CHILD_PREFIX "c"

/* The most bytes of a message. */
#define FDSTORE_MESSAGE_MAX 512u

#endif
