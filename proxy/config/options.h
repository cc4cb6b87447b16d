/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The command line of poemd (poemd(8)): it becomes a configuration, or the process is done.
 */
#ifndef POEMD_PROXY_CONFIG_OPTIONS_H
#define POEMD_PROXY_CONFIG_OPTIONS_H

#include <stddef.h>
#include <stdio.h>

#include "proxy/config/config.h"

/* Exit statuses of the project's programs. */
enum options_status {
    STATUS_YES = 0,
    STATUS_NO = 1, /* a well-formed negative answer */
    STATUS_USAGE = 2,
    STATUS_FAILED = 3, /* could not */
};

enum options_outcome {
    OPTIONS_RUN,  /* the config is complete: serve it */
    OPTIONS_DONE, /* all has been said: exit with status */
};

struct options {
    struct config config;
    int ready_fd; /* open and close-on-exec, or -1: "\n" goes there when every socket listens */
    enum options_status status;
};

/*
 * Reads the command line, and the file that it names. Answers (--help, --version, --check) go to
 * out, errors to err. A relative path of a socket is made absolute. In both outcomes o is to be
 * deinit'ed.
 */
enum options_outcome options_read(struct options *o, int argc, char **argv, FILE *out, FILE *err)
    __attribute__((warn_unused_result));

void options_deinit(struct options *o);

/* Name of the i-th option without its dashes; NULL past the last. For the check of the manual. */
const char *options_name(size_t i);

#endif
