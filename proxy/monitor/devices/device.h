/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A device's process, forked and executed, on one end of a socket pair. spawn.c manages its life.
 *
 * It gets: /dev/null as standard input, a pipe as standard output and error, its socket, and
 * nothing else; "/" as its working directory; only PATH as its environment, so that it runs the
 * same however the broker was started; a process group of its own; default signals; no new
 * privileges by exec; if poemd may create one, a pid namespace in which its pid is unique among
 * devices. The device and its children are killed with the keeper, as device.c explains.
 */
#ifndef POEMD_PROXY_MONITOR_DEVICES_DEVICE_H
#define POEMD_PROXY_MONITOR_DEVICES_DEVICE_H

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

/* The socket's number in the device. */
#define DEVICE_SOCKET_FD 3

/* All pointers are borrowed. */
struct device_plan {
    char *const *argv; /* argv[0] is the program's path */
    bool become;       /* run it as uid, gid and groups */
    uid_t uid;
    gid_t gid;
    const gid_t *groups;
    size_t n_groups;
    struct rlimit nofile;
    bool sibling;  /* both processes are the keeper's children (sibling_fork), … */
    int parent_fd; /* … and this is its pidfd; otherwise -1 */
};

/* The reason for which a device could not be executed, sent through status_fd. */
enum device_step { DEVICE_SET_UP, DEVICE_BECOME, DEVICE_EXECUTE };

struct device_fault {
    int step; /* enum device_step */
    int err;  /* errno */
};

struct device {
    pid_t pid;       /* leads its process group */
    pid_t guard_pid; /* another child, to be killed and collected when the device has ended */
    int pidfd;       /* of siblings: the device's … */
    int guard_pidfd; /* … and the guard's; otherwise -1 */
    int socket_fd;   /* ours; non-blocking */
    int output_fd;   /* reads the device's output; non-blocking */
    int status_fd;   /* reaches EOF when the program is executed; a device_fault may come before */
};

/* Starts a device, whose fds are the caller's. Returns 0, or -errno with nothing left behind but
 * killed siblings, which the keeper collects. */
int device_start(struct device *d, const struct device_plan *plan)
    __attribute__((warn_unused_result));

#endif
