/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The client's commands: a request's payload in, a reply's payload out.
 */
#ifndef POEMD_EDU_COMMAND_H
#define POEMD_EDU_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/fdset.h"
#include "base/wire.h"
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
    struct fdset *fds; /* that came with it; those that are kept are taken out */

    uint8_t *out; /* room for the reply's payload: a LIMIT_MESSAGE_OVERHEAD and the data limit */
    struct fdset *out_fds; /* to go with the reply; empty before */
};

/*
 * Carries a command other than VERSION out. The length of the reply's payload at c->out, or a
 * negative errno for an error reply: -EINVAL: malformed or not possible; -ENOTSUP: not a command of
 * this server; else what the command's own function says.
 */
ssize_t command_run(struct command *c) __attribute__((warn_unused_result));

/* "VFIO_USER_DEVICE_FEATURE" and the migration data; called by command_run. */
ssize_t edu_command_feature(struct command *c);
ssize_t edu_command_mig_data_read(struct command *c);
ssize_t edu_command_mig_data_write(struct command *c);

#endif
