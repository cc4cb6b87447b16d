/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The command line of poemd (poemd(8)): turned into a configuration, or answered at once. */
#ifndef POEMD_PROXY_CONFIG_OPTIONS_H
#define POEMD_PROXY_CONFIG_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "proxy/config/config.h"

/* Exit statuses of the project's programs. */
enum options_status {
    STATUS_YES = 0,
    STATUS_NO = 1, /* a negative answer to a valid question */
    STATUS_USAGE = 2,
    STATUS_FAILED = 3, /* could not */
};

enum options_outcome {
    OPTIONS_RUN,  /* the config is complete: serve it */
    OPTIONS_DONE, /* answered: exit with status */
};

struct options_given;

struct options {
    struct config config;
    char *const *words;          /* the command line, borrowed, without the program's name */
    struct options_given *given; /* the command line, for options_reload; owned */
    int ready_fd; /* open and close-on-exec, or -1: gets "\n" when every socket listens */
    bool awaited; /* something waits for that */
    enum options_status status;
};

/*
 * Reads the command line, and its configuration file. Writes answers (--help, --version, --check)
 * to out, errors to err. Makes relative socket paths absolute. Call options_deinit after both
 * outcomes.
 */
enum options_outcome options_read(struct options *o, int argc, char **argv, FILE *out, FILE *err)
    __attribute__((warn_unused_result));

/*
 * Does the same for the monitor, whose command line the keeper's process has read before: leaves
 * the ready_fd alone, which is the keeper's. text_fd has the text of the configuration file that an
 * earlier monitor had in force, or is -1: then the file is read. It is taken.
 */
enum options_outcome options_read_again(struct options *o, int argc, char **argv, int text_fd,
                                        FILE *out, FILE *err) __attribute__((warn_unused_result));

void options_deinit(struct options *o);

/* Returns the configuration file as it was given, or NULL. */
const char *options_file(const struct options *o);

/*
 * Reads the configuration file again into c, which config_init has initialized, with the same
 * options. For a thread beside others: changes nothing but c and e, but looks up users by name,
 * which no other thread may do meanwhile. o was started with OPTIONS_RUN and a file. Returns 0,
 * -EINVAL with errors added to e, or another -errno if the file could not be read.
 */
int options_reload(const struct options *o, struct config *c, struct config_errors *e)
    __attribute__((warn_unused_result));

/* Does the same with the text that the file had at another time; takes text_fd, at its start. */
int options_reload_text_take(const struct options *o, struct config *c, int text_fd,
                             struct config_errors *e) __attribute__((warn_unused_result));

/* Returns the name of the i-th option without its dashes, or NULL. For the check of the manual. */
const char *options_name(size_t i);

#endif
