/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * poemctl's side of the control socket: control_wire.h. The socket is the one of --control, else of
 * POEMD_CONTROL in the environment, else the default.
 */
#ifndef POEMD_CTL_CONTROL_POEMCTL_CONTROL_H
#define POEMD_CTL_CONTROL_POEMCTL_CONTROL_H

#include <jansson.h>
#include <stdbool.h>

#include "proxy/ipc/control_wire.h"
#include "ctl/poemctl.h"

/* The option --control. */
#define POEMCTL_CONTROL_OPTION(type, member) \
    { \
        .name = "control", .value = "PATH", .help = "the socket of that poemd", \
        CLI_TEXT(type, member) \
    }

/* Returns a request of that type, with all else zero. */
struct control_request control_request(enum control_type type);

/* Returns the path of the socket: path, unless it is NULL. */
const char *control_path(const char *path);

struct control_connection {
    const char *name; /* of the command, for messages */
    int fd;
};

/*
 * Connects to path (NULL: not given) and sends the request with fd (borrowed; -1 if none). Reports
 * errors. If it returns true, call control_hang_up in the end.
 */
bool control_ask(struct control_connection *c, const char *name, const char *path,
                 const struct control_request *q, int fd);
void control_hang_up(struct control_connection *c);

/*
 * Reads the next part of the answer; *last is true for the last one. Returns POEMCTL_YES with a new
 * reference in *part; else another exit code after an error message, without a reference.
 */
int control_next(struct control_connection *c, json_t **part, bool *last);

/*
 * Sends a request and calls fn for each part of the answer, except empty ones. Returns an exit
 * code; reports errors.
 */
typedef void control_part_fn(json_t *part, void *arg);
int control_ask_all(const char *name, const char *path, const struct control_request *q,
                    control_part_fn *fn, void *arg);

/* The same with an fd (borrowed; -1: none). */
int control_ask_all_fd(const char *name, const char *path, const struct control_request *q, int fd,
                       control_part_fn *fn, void *arg);

/* ---- members of parts ---- */

/* Returns the text of a member, or "". */
const char *control_text(const json_t *o, const char *member);

/* Prints ", observed M" if the object's "observed" has letters. */
void control_print_observed(const json_t *o);

/* Returns the number of a member, or 0. */
long long control_number(const json_t *o, const char *member);

/* Formats the member "ms" of o: "3 d 4 h", "5 min 3 s", "2 s". Returns out. */
const char *control_duration(const json_t *o, char out[48]);

#endif
