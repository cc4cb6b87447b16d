/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The command line of a device that the broker starts itself, split into words. Pure. There is no
 * shell: poemd.conf(5), "backend spawn".
 *
 *   blanks set words apart, but not between '…' or "…", where everything stands for itself
 *   %fd    is the number of the device's socket: exactly once, alone or within a word
 *   %%     is %
 */
#ifndef POEMD_PROXY_CONFIG_COMMAND_H
#define POEMD_PROXY_CONFIG_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/limits.h"
#include "proxy/config/config_value.h"

#define COMMAND_WORDS 128u

/* Not to be copied: argv points into text. */
struct command {
    size_t n;
    char *argv[COMMAND_WORDS + 1]; /* NULL behind the last */
    char text[LIMIT_CONFIG_LINE + 16];
};

/*
 * Splits text, fd being its socket's number. The first word is an absolute path. False: *f says why
 * it is no command, and c is of no use.
 */
bool command_read(struct command *c, const char *text, int fd, struct value_fault *f)
    __attribute__((warn_unused_result));

#endif
