/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The command line of a device that the broker starts itself, split into words. Pure. There is no
 * shell: poemd.conf(5), "backend spawn".
 *
 *   blanks separate words, but not between '…' or "…", where every byte is literal
 *   %fd    is the number of the device's socket: exactly once, alone or within a word
 *   %%     is %
 */
#ifndef POEMD_PROXY_CONFIG_COMMAND_H
#define POEMD_PROXY_CONFIG_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "base/limits.h"
#include "proxy/config/value_fault.h"

#define COMMAND_WORDS 128u

/* Not to be copied: argv points into text. */
struct command {
    size_t n;
    char *argv[COMMAND_WORDS + 1]; /* NULL behind the last */
    char text[LIMIT_CONFIG_LINE + 16];
};

/*
 * Splits text; fd is the number of its socket. The first word is an absolute path. Returns false
 * with the reason in *f; c must not be used then.
 */
bool command_read(struct command *c, const char *text, int fd, struct value_fault *f)
    __attribute__((warn_unused_result));

#endif
