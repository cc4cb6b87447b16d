/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * "mappable adopt PATH": the memory of a device that is gone, which its client still has mapped, at
 * the path where the next process opens it. A memfd, or a file that has been removed, cannot get a
 * name again; so the path is a symbolic link into /proc, to the fd that a worker holds. A process
 * needs the right to look at that worker to follow it: root has that.
 *
 * A file that has the memory itself, since the device opened it there, stays as it is.
 */
#ifndef POEMD_PROXY_MONITOR_DEVICES_MEMORY_LINK_H
#define POEMD_PROXY_MONITOR_DEVICES_MEMORY_LINK_H

#include <stdbool.h>
#include <sys/types.h>

/* A link that was made. Ready when zeroed: none was. */
struct memory_link {
    char target[48];
};

/*
 * Makes the link to fd number fd of that process; replaces one that an earlier monitor or session
 * has left. Returns 0, -EEXIST (another file is there), or -errno.
 */
int memory_link_make(struct memory_link *l, const char *path, pid_t worker, int fd)
    __attribute__((warn_unused_result));

/* Removes the link, if it is still there. */
void memory_link_drop(struct memory_link *l, const char *path);

#endif
