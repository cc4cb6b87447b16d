/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* poemctl upgrade: a running poemd goes on as another program. */
#define _GNU_SOURCE
#include "ctl/control/poemctl_control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fdset.h"
#include "base/sock.h"

struct options {
    const char *control;
    const char *program; /* NULL: the file from which poemd was started */
};

/* How long the next monitor may take to answer: it, and after it the one of the earlier program. */
#define UPGRADE_PATIENCE_MS ((uint64_t)3 * LIMIT_UPGRADE_READY_MS)

/* Waits until the monitor has gone: it keeps the connection open until then. */
static void poemctl_upgrade_await_end(const struct control_connection *c)
{
    char byte;

    while (recv(c->fd, &byte, sizeof byte, 0) > 0) {
    }
}

/* Returns true if poemd answers, rather than a process of it that is ending. */
static bool poemctl_upgrade_answers(const char *path)
{
    const struct control_request q = control_request(CONTROL_STATUS);
    int fd = sock_connect_packets(control_path(path));
    struct fdset none;
    char byte;
    bool answers;

    fdset_init(&none);
    answers = fd >= 0 && sock_send_all(fd, &q, sizeof q, &none) == 0 &&
              recv(fd, &byte, sizeof byte, 0) > 0;
    sock_close(&fd);
    return answers;
}

/* Waits until poemd answers at its control socket again. Returns false if it does not. */
static bool poemctl_upgrade_await_next(const char *path)
{
    const uint64_t end = clock_ms() + UPGRADE_PATIENCE_MS;
    const struct timespec nap = {.tv_nsec = 20000000};

    do {
        if (poemctl_upgrade_answers(path)) {
            return true;
        }
        nanosleep(&nap, NULL);
    } while (clock_ms() < end);
    poemctl_error("upgrade", "poemd does not answer any more: see its log");
    return false;
}

static void poemctl_upgrade_take_broker(json_t *part, void *arg)
{
    json_t **const broker = arg;
    json_t *const o = json_object_get(part, "broker");

    if (o) {
        json_decref(*broker);
        *broker = json_incref(o);
    }
}

/* Asks the next monitor how it went, and prints that. */
static int poemctl_upgrade_write_result(const struct options *o)
{
    const struct control_request q = control_request(CONTROL_STATUS);
    json_t *broker = NULL;
    const json_t *upgrade;
    int code = control_ask_all("upgrade", o->control, &q, poemctl_upgrade_take_broker, &broker);

    upgrade = json_object_get(broker, "upgrade");
    if (code == POEMCTL_YES && strcmp(control_text(upgrade, "outcome"), "done") == 0) {
        printf("upgraded from %s to %s\n", control_text(upgrade, "from"),
               control_text(broker, "version"));
    } else if (code == POEMCTL_YES) {
        poemctl_error("upgrade", "poemd has gone back to the earlier program, since the new one "
                                 "did not get ready: see its log");
        code = POEMCTL_NO;
    }
    json_decref(broker);
    return code;
}

/* Reads the answer. Returns POEMCTL_YES if the program is good, and poemd goes on as it. */
static int poemctl_upgrade_read(struct control_connection *c)
{
    bool refused = false;
    bool last = false;
    json_t *part;
    int code;

    while (!last) {
        code = control_next(c, &part, &last);
        if (code != POEMCTL_YES) {
            return code;
        }
        if (json_object_get(part, "upgrade")) {
            refused =
                strcmp(control_text(json_object_get(part, "upgrade"), "outcome"), "checked") != 0;
        }
        if (json_object_get(part, "line")) {
            fprintf(stderr, "%s\n", control_text(part, "line"));
        }
        json_decref(part);
    }
    if (refused) {
        poemctl_error("upgrade", "the program cannot go on; nothing has changed");
    }
    return refused ? POEMCTL_NO : POEMCTL_YES;
}

static int poemctl_upgrade_ask(const struct options *o, int fd)
{
    const struct control_request q =
        control_request(o->program ? CONTROL_UPGRADE_TO : CONTROL_UPGRADE);
    struct control_connection c;
    int code;

    if (!control_ask(&c, "upgrade", o->control, &q, fd)) {
        return POEMCTL_COULD_NOT;
    }
    code = poemctl_upgrade_read(&c);
    if (code == POEMCTL_YES) {
        poemctl_upgrade_await_end(&c);
    }
    control_hang_up(&c);
    if (code != POEMCTL_YES) {
        return code;
    }
    return poemctl_upgrade_await_next(o->control) ? poemctl_upgrade_write_result(o)
                                                  : POEMCTL_COULD_NOT;
}

static int poemctl_upgrade_main(int argc, char **argv)
{
    struct options o = {.control = NULL};
    char **const operands = poemctl_parse(&poemctl_upgrade, argc, argv, &o);
    int fd = -1;
    int code;

    if (!operands) {
        return POEMCTL_USAGE;
    }
    o.program = operands[0];
    if (o.program) {
        fd = open(o.program, O_RDONLY | O_CLOEXEC);
        if (fd < 0) {
            poemctl_error("upgrade", "cannot open \"%s\": %s", o.program, strerror(errno));
            return POEMCTL_COULD_NOT;
        }
    }
    code = poemctl_upgrade_ask(&o, fd);
    sock_close(&fd);
    return code;
}

static const struct cli_option options[] = {
    POEMCTL_CONTROL_OPTION(struct options, control),
    POEMCTL_END_OPTION,
};

const struct poemctl_command poemctl_upgrade = {
    .name = "upgrade",
    .synopsis = "[PROGRAM] [--control PATH]",
    .what = "have a running poemd go on as another program",
    .manual = "poemctl-upgrade(1)",
    .options = options,
    .most = 1,
    .surplus = "it takes one program",
    .run = poemctl_upgrade_main,
};
