/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The keeper: the process that was started, and that signals are sent to. It has copies of the fds
 * that sessions need, so that these outlive the monitor, and is the parent of the monitor, the
 * workers and the devices. It starts the monitor again if that dies, and parses nothing but the
 * lines of proxy/ipc/fdstore_wire.h.
 *
 * It forwards SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1 and SIGUSR2 to the monitor, and ends with
 * the monitor's status when that ends by itself. When it ends, no process of the broker is left; if
 * it is killed, the kernel sends the monitor SIGTERM and kills the devices.
 *
 *   keeper_message.c  the monitor's messages, read
 *   keeper_store.c    the fds, and the service manager's store
 *   keeper_monitor.c  a monitor's start
 *   keeper_rest.c     the end of all other processes
 *   keeper_upgrade.c  going on as another program
 */
#ifndef POEMD_PROXY_KEEPER_KEEPER_H
#define POEMD_PROXY_KEEPER_KEEPER_H

/* argv[1] of the keeper. The ready fd, the log's level and the command line follow. */
#define KEEPER_ARG "--keeper"

/*
 * Has the service manager start this broker again: ends all processes at once, and leaves the
 * sessions' fds in the manager's store. Without a manager it is a stop like SIGTERM.
 */
#define KEEPER_LEAVE_SIGNAL (SIGRTMIN + 1)

/*
 * Executes the keeper in this process, whose command line argv (argc words) is good. ready_fd, or
 * -1, gets "\n" when the broker serves. log_level is an enum log_level. Returns -errno if it
 * cannot.
 */
int keeper_execute(int argc, char **argv, int ready_fd, int log_level);

/*
 * Runs the keeper with the command line that keeper_execute, or an earlier program that was the
 * keeper (keeper_upgrade.h), has made. Returns the exit status.
 */
int keeper_main(int argc, char **argv);

#endif
