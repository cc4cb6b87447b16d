/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* poemctl stop: ends a running poemd. */
#define _GNU_SOURCE
#include "ctl/control/poemctl_control.h"

#include <stdio.h>
#include <sys/socket.h>

struct options {
    const char *control;
    bool drain;
};

/* Waits until poemd has gone: it keeps the connection open until then. */
static void poemctl_stop_await(const struct control_connection *c)
{
    char byte;

    while (recv(c->fd, &byte, sizeof byte, 0) > 0) {
    }
}

static int poemctl_stop_ask(const struct options *o)
{
    struct control_request q = control_request(CONTROL_STOP);
    struct control_connection c;
    bool last;
    json_t *part;
    int code;

    q.flags = o->drain ? CONTROL_DRAIN : 0;
    if (!control_ask(&c, "stop", o->control, &q, -1)) {
        return POEMCTL_COULD_NOT;
    }
    code = control_next(&c, &part, &last);
    if (code == POEMCTL_YES) {
        const long long n = control_number(json_object_get(part, "stop"), "sessions");

        if (o->drain && n > 0) {
            printf("waiting for the end of %lld session%s\n", n, POEMCTL_PLURAL(n));
            fflush(stdout);
        }
        poemctl_stop_await(&c);
        printf("stopped\n");
    }
    json_decref(part);
    control_hang_up(&c);
    return code;
}

static int poemctl_stop_main(int argc, char **argv)
{
    struct options o = {.control = NULL};

    return poemctl_parse(&poemctl_stop, argc, argv, &o) ? poemctl_stop_ask(&o) : POEMCTL_USAGE;
}

static const struct cli_option options[] = {
    {.name = "drain",
     .help = "take no new session, and wait for those that run",
     CLI_FLAG(struct options, drain)},
    POEMCTL_CONTROL_OPTION(struct options, control),
    POEMCTL_END_OPTION,
};

const struct poemctl_command poemctl_stop = {
    .name = "stop",
    .synopsis = "[--drain] [--control PATH]",
    .what = "stop a running poemd",
    .manual = "poemctl-stop(1)",
    .options = options,
    .surplus = "it takes no argument",
    .run = poemctl_stop_main,
};
