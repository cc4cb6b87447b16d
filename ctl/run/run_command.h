/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Finds the vfio-user sockets in the command line of a VMM, and puts others in their places. Asks
 * only for the working directory.
 *
 *   QEMU              an argument that is a JSON object with "driver" "vfio-user-pci" and
 *                     "socket" {"type": "unix", "path": PATH}
 *   cloud-hypervisor  an argument socket=PATH[,...] behind --user-device
 */
#ifndef POEMD_CTL_RUN_RUN_COMMAND_H
#define POEMD_CTL_RUN_RUN_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/un.h>

/* Devices of one command. */
#define RUN_DEVICES 16u

#define RUN_PATH sizeof(((struct sockaddr_un *)0)->sun_path)

struct run_device {
    char backend[RUN_PATH]; /* the socket that the command names */
    char listen[RUN_PATH];  /* the one that it gets instead */
};

struct run_command {
    char **argv; /* owned, as are the arguments in it that were changed */
    char *changed[RUN_DEVICES];
    size_t n_devices;
    struct run_device device[RUN_DEVICES];
};

/*
 * Copies the arguments, which end with NULL; socket number i becomes FOLDER/i. Returns NULL, or a
 * static text that says why it could not. Call run_command_deinit in either case.
 */
const char *run_command_init(struct run_command *c, char **argv, const char *folder)
    __attribute__((warn_unused_result));
void run_command_deinit(struct run_command *c);

#endif
