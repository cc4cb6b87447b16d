/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The client's commands: turns a request's payload into a reply's payload. */
#ifndef POEMD_EDU_COMMAND_H
#define POEMD_EDU_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/fdset.h"
#include "base/wire/wire.h"
#include "contrib/edu/device.h"
#include "contrib/edu/migration.h"
#include "contrib/edu/negotiate.h"

struct command {
    struct device *device;
    struct migration *migration;
    const struct negotiate_result *caps;
    bool mmap; /* the shared page may be mapped */

    const struct wire_hdr *hdr;
    const uint8_t *p; /* n payload bytes */
    size_t n;
    struct fdset *fds; /* received with it; fds that are kept are taken out */

    /* the reply's payload: room for LIMIT_MESSAGE_OVERHEAD and the data limit */
    uint8_t *out;
    struct fdset *out_fds; /* to send with the reply; empty before */
};

/*
 * Executes a command other than VERSION. Returns the length of the reply's payload at c->out, or a
 * negative errno for an error reply: -EINVAL if it is malformed or impossible, -ENOTSUP if this
 * server does not have the command, else the error of the command's own function.
 */
ssize_t command_run(struct command *c) __attribute__((warn_unused_result));

/* "VFIO_USER_DEVICE_FEATURE" and migration data; called by command_run. */
ssize_t edu_command_feature(struct command *c);
ssize_t edu_command_mig_data_read(struct command *c);
ssize_t edu_command_mig_data_write(struct command *c);

#endif
