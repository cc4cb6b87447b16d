/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * poemctl's side of the control socket: control_wire.h. Which socket is asked is said by --control,
 * else by POEMD_CONTROL in the environment, else it is the usual one.
 */
#ifndef POEMD_CTL_CONTROL_POEMCTL_CONTROL_H
#define POEMD_CTL_CONTROL_POEMCTL_CONTROL_H

#include <jansson.h>
#include <stdbool.h>

#include "proxy/ipc/control_wire.h"
#include "ctl/poemctl.h"

/* A row of a command's getopt table. */
#define POEMCTL_CONTROL_OPTION \
    { \
        "control", required_argument, NULL, 'C' \
    }

/* A request of that type, all else being nothing. */
struct control_request control_request(enum control_type type);

struct control_connection {
    const char *name; /* of the command, for messages */
    int fd;
};

/*
 * Connects to path (NULL: none was given) and asks; fd (-1: none; borrowed) goes with the request.
 * What fails is said on standard error. True: to be control_hung_up.
 */
bool control_ask(struct control_connection *c, const char *name, const char *path,
                 const struct control_request *q, int fd);
void control_hang_up(struct control_connection *c);

/*
 * The next part of the answer, *last saying whether it was the last one: a new reference in *part.
 * POEMCTL_YES; else what the answer was, which has been said on standard error, and no reference.
 */
int control_next(struct control_connection *c, json_t **part, bool *last);

/*
 * Asks, and calls fn for each part of the answer but for empty ones. Returns an exit code; what
 * fails has been said.
 */
typedef void control_part_fn(json_t *part, void *arg);
int control_ask_all(const char *name, const char *path, const struct control_request *q,
                    control_part_fn *fn, void *arg);

/* ---- how parts are shown ---- */

/* The text of a member, "" where there is none. */
const char *control_text(const json_t *o, const char *member);

/* The number of a member, 0 where there is none. */
long long control_number(const json_t *o, const char *member);

/* The member "ms" of o: "3 d 4 h", "5 min 3 s", "2 s". Returns out. */
const char *control_duration(const json_t *o, char out[48]);

#endif
