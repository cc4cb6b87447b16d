/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A device's process, forked and executed, on one end of a socket pair. What becomes of it is
 * spawn.c's.
 *
 * It gets: /dev/null as standard input, a pipe as standard output and error, its socket, and
 * nothing else; "/" as its folder; PATH alone as its environment, so that it is the same however
 * the broker was started; a process group of its own; signals as they are by default; no new
 * privileges by exec; if poemd may make one, a pid namespace in which its number is no other
 * device's. It, and what it has forked, is killed with the monitor: device.c says how.
 */
#ifndef POEMD_PROXY_MONITOR_DEVICES_DEVICE_H
#define POEMD_PROXY_MONITOR_DEVICES_DEVICE_H

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

/* The socket's number in the device. */
#define DEVICE_SOCKET_FD 3

/* All borrowed. */
struct device_plan {
    char *const *argv; /* argv[0] is the program's path */
    bool become;       /* uid, gid and groups are to be its own */
    uid_t uid;
    gid_t gid;
    const gid_t *groups;
    size_t n_groups;
    struct rlimit nofile;
};

/* Why a device could not be executed, as it comes through status_fd. */
enum device_step { DEVICE_SET_UP, DEVICE_BECOME, DEVICE_EXECUTE };

struct device_fault {
    int step; /* enum device_step */
    int err;  /* errno */
};

struct device {
    pid_t pid;       /* it leads its group */
    pid_t guard_pid; /* another child, to be killed and collected when the device has ended */
    int socket_fd;   /* ours; non-blocking */
    int output_fd;   /* reads what it writes; non-blocking */
    int status_fd;   /* ends when it executes its program; before that a device_fault may come */
};

/* Starts one. 0 or -errno: there is no process then and no fd. The fds are the caller's. */
int device_start(struct device *d, const struct device_plan *plan)
    __attribute__((warn_unused_result));

#endif
