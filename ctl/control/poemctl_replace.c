/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* poemctl replace: a session, or all of a route, goes on with another process of its device. */
#include "ctl/control/poemctl_control.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/sock.h"
#include "ctl/control/replace_device.h"
#include "ctl/poemctl_json.h"

struct options {
    const char *control;
    const char *backend;
    const char *spawn;
    bool dry_run;
    bool json;
};

/* What happens to the sessions one after the other. */
struct replace {
    const struct options *options;
    json_t *numbers; /* of a route's sessions; owned */
    json_t *answers; /* if they are collected; owned */
    bool done;       /* the last one was */
    pid_t device;    /* that was started, or 0 */
    bool used;       /* it serves a session, or may do so */
};

static void poemctl_replace_print(const json_t *r)
{
    const char *const outcome = control_text(r, "outcome");
    const double ms = (double)control_number(r, "pause-us") / 1000;

    if (strcmp(outcome, "replaced") == 0) {
        printf("session %lld: replaced %s by %s; paused for %.1f ms, %lld bytes of state\n",
               control_number(r, "session"), control_text(r, "before"), control_text(r, "after"),
               ms, control_number(r, "state-bytes"));
    } else if (strcmp(outcome, "possible") == 0) {
        printf("session %lld: %s could be replaced by %s; paused for %.1f ms\n",
               control_number(r, "session"), control_text(r, "before"), control_text(r, "after"),
               ms);
    } else {
        printf("session %lld: %s at step \"%s\": %s\n", control_number(r, "session"), outcome,
               control_text(r, "failed"), control_text(r, "why"));
    }
}

static void poemctl_replace_take_part(json_t *part, void *arg)
{
    struct replace *const p = arg;
    json_t *const r = json_object_get(part, "replacement");

    if (!r) {
        return;
    }
    p->done = strcmp(control_text(r, "outcome"), "replaced") == 0 ||
              strcmp(control_text(r, "outcome"), "possible") == 0;
    p->used = p->used || strcmp(control_text(r, "outcome"), "replaced") == 0;
    if (p->answers) {
        (void)json_array_append(p->answers, r);
    } else {
        poemctl_replace_print(r);
    }
}

/* Connects to the other process. Returns the fd, or -1 after an error message. */
static int poemctl_replace_connect(struct replace *p)
{
    const char *const path = p->options->backend;
    const int fd =
        p->device > 0 ? replace_device_connect(p->device, path) : sock_connect(path, false);

    if (fd == -ECHILD) {
        p->device = 0;
        poemctl_error("replace", "the command has ended, and nothing listens at \"%s\"", path);
    } else if (fd == -ETIMEDOUT) {
        poemctl_error("replace", "the command has not made the socket \"%s\" in time", path);
    } else if (fd < 0) {
        poemctl_error("replace", "cannot connect to \"%s\": %s", path, strerror(-fd));
    }
    return fd < 0 ? -1 : fd;
}

/* Has one session go on with a new connection to the other process. */
static int poemctl_replace_session(struct replace *p, uint64_t number)
{
    const struct options *const o = p->options;
    struct control_request q = control_request(CONTROL_REPLACE);
    int fd = poemctl_replace_connect(p);
    int code;

    if (fd < 0) {
        return POEMCTL_COULD_NOT;
    }
    q.number = number;
    q.flags = o->dry_run ? CONTROL_DRY_RUN : 0;
    p->done = false;
    code = control_ask_all_fd("replace", o->control, &q, fd, poemctl_replace_take_part, p);
    sock_close(&fd);
    if (code == POEMCTL_COULD_NOT) {
        /* The answer may have been lost on its way. */
        p->used = true;
    }
    return code != POEMCTL_YES || p->done ? code : POEMCTL_NO;
}

static void poemctl_replace_take_session(json_t *part, void *arg)
{
    struct replace *const p = arg;
    const json_t *const s = json_object_get(part, "session");

    if (s && strcmp(control_text(s, "state"), "relaying") == 0) {
        (void)json_array_append_new(p->numbers, json_integer(control_number(s, "number")));
    }
}

/* All sessions of a route, until one cannot. */
static int poemctl_replace_route(struct replace *p, const char *route)
{
    struct control_request q = control_request(CONTROL_SESSIONS);
    int code;
    size_t i;
    json_t *number;

    if (strlen(route) > LIMIT_NAME) {
        poemctl_error("replace", "a route's name has at most %u bytes", LIMIT_NAME);
        return POEMCTL_NO;
    }
    memcpy(q.route, route, strlen(route));
    p->numbers = json_array();
    code = control_ask_all("replace", p->options->control, &q, poemctl_replace_take_session, p);
    if (code == POEMCTL_YES && json_array_size(p->numbers) == 0) {
        poemctl_error("replace", "no session of route \"%s\" relays", route);
        code = POEMCTL_NO;
    }
    json_array_foreach(p->numbers, i, number)
    {
        if (code == POEMCTL_YES) {
            code = poemctl_replace_session(p, (uint64_t)json_integer_value(number));
        }
    }
    json_decref(p->numbers);
    return code;
}

/* Starts the other process, if that is asked for. Returns false after an error message. */
static bool poemctl_replace_spawn(struct replace *p)
{
    const struct options *const o = p->options;
    int fd;

    if (!o->spawn) {
        return true;
    }
    fd = sock_connect(o->backend, false);
    if (fd >= 0) {
        sock_close(&fd);
        poemctl_error("replace",
                      "a process listens at \"%s\" already: choose another path, or "
                      "leave out --spawn",
                      o->backend);
        return false;
    }
    p->device = replace_device_start(o->spawn);
    if (p->device < 0) {
        poemctl_error("replace", "cannot start the command: %s", strerror(-p->device));
        return false;
    }
    return true;
}

/* Replaces what the operand names. */
static int poemctl_replace_operand(struct replace *p, const char *operand)
{
    const bool numbered = operand[strspn(operand, "0123456789")] == '\0';
    uint64_t number = 0;
    int code;

    if (numbered && !poemctl_number("replace", operand, &number)) {
        return POEMCTL_USAGE;
    }
    if (!poemctl_replace_spawn(p)) {
        return POEMCTL_COULD_NOT;
    }
    code = numbered ? poemctl_replace_session(p, number) : poemctl_replace_route(p, operand);
    if (p->device > 0 && !p->used) {
        replace_device_end(p->device);
    }
    return code;
}

static int poemctl_replace_main(int argc, char **argv)
{
    struct options o = {.control = NULL};
    char **const operands = poemctl_parse(&poemctl_replace, argc, argv, &o);
    struct replace p = {.options = &o};
    int code;

    if (!operands) {
        return POEMCTL_USAGE;
    }
    if (!operands[0] || !o.backend) {
        poemctl_error("replace", "%s is missing", operands[0] ? "--backend" : "SESSION or ROUTE");
        return poemctl_usage(&poemctl_replace);
    }
    p.answers = o.json ? json_array() : NULL;
    code = poemctl_replace_operand(&p, operands[0]);
    if (o.json && (code == POEMCTL_YES || code == POEMCTL_NO)) {
        return poemctl_json(
            "replace",
            json_pack("{s:s,s:o}", "format", "poemd-replace/1", "replacements", p.answers), code);
    }
    json_decref(p.answers);
    return code;
}

static const struct cli_option options[] = {
    {"backend", 0, "PATH", "the socket of the other process", CLI_TEXT(struct options, backend)},
    {"spawn", 0, "COMMAND", "first start the other process, which makes that socket",
     CLI_TEXT(struct options, spawn)},
    {"dry-run", 0, NULL, "only find out whether it could work", CLI_FLAG(struct options, dry_run)},
    POEMCTL_JSON_OPTION(struct options, json),
    POEMCTL_CONTROL_OPTION(struct options, control),
    POEMCTL_END_OPTION,
};

const struct poemctl_command poemctl_replace = {
    .name = "replace",
    .synopsis = "[--spawn COMMAND] [--dry-run] [--json] [--control PATH] --backend PATH "
                "SESSION | ROUTE",
    .what = "replace the device of a running session by another process",
    .manual = "poemctl-replace(1)",
    .options = options,
    .most = 1,
    .surplus = "one session, or one route",
    .run = poemctl_replace_main,
};
