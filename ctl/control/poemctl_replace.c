/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* poemctl replace: a session, or all of a route, goes on with another process of its device. */
#include "ctl/control/poemctl_control.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/sock.h"
#include "ctl/poemctl_json.h"

struct options {
    const char *control;
    const char *backend;
    bool dry_run;
    bool json;
};

/* What happens to the sessions one after the other. */
struct replace {
    const struct options *options;
    json_t *numbers; /* of a route's sessions; owned */
    json_t *answers; /* if they are collected; owned */
    bool done;       /* the last one was */
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
    if (p->answers) {
        (void)json_array_append(p->answers, r);
    } else {
        poemctl_replace_print(r);
    }
}

/* Has one session go on with a new connection to the other process. */
static int poemctl_replace_session(struct replace *p, uint64_t number)
{
    const struct options *const o = p->options;
    struct control_request q = control_request(CONTROL_REPLACE);
    int fd = sock_connect(o->backend, false);
    int code;

    if (fd < 0) {
        poemctl_error("replace", "cannot connect to \"%s\": %s", o->backend, strerror(-fd));
        return POEMCTL_COULD_NOT;
    }
    q.number = number;
    q.flags = o->dry_run ? CONTROL_DRY_RUN : 0;
    p->done = false;
    code = control_ask_all_fd("replace", o->control, &q, fd, poemctl_replace_take_part, p);
    sock_close(&fd);
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

static int poemctl_replace_main(int argc, char **argv)
{
    struct options o = {.control = NULL};
    char **const operands = poemctl_parse(&poemctl_replace, argc, argv, &o);
    struct replace p = {.options = &o};
    uint64_t number;
    int code;

    if (!operands) {
        return POEMCTL_USAGE;
    }
    if (!operands[0] || !o.backend) {
        poemctl_error("replace", "%s is missing", operands[0] ? "--backend" : "SESSION or ROUTE");
        return poemctl_usage(&poemctl_replace);
    }
    p.answers = o.json ? json_array() : NULL;
    if (operands[0][strspn(operands[0], "0123456789")] == '\0') {
        code = poemctl_number("replace", operands[0], &number) ? poemctl_replace_session(&p, number)
                                                               : POEMCTL_USAGE;
    } else {
        code = poemctl_replace_route(&p, operands[0]);
    }
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
    {"dry-run", 0, NULL, "only find out whether it could work", CLI_FLAG(struct options, dry_run)},
    POEMCTL_JSON_OPTION(struct options, json),
    POEMCTL_CONTROL_OPTION(struct options, control),
    POEMCTL_END_OPTION,
};

const struct poemctl_command poemctl_replace = {
    .name = "replace",
    .synopsis = "[--dry-run] [--json] [--control PATH] --backend PATH SESSION | ROUTE",
    .what = "replace the device of a running session by another process",
    .manual = "poemctl-replace(1)",
    .options = options,
    .most = 1,
    .surplus = "one session, or one route",
    .run = poemctl_replace_main,
};
