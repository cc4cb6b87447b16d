/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The command poemctl sessions: lists the sessions of a running poemd with their peers, or ends
 * one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/poemctl.h"
#include "ctl/control/poemctl_control.h"
#include "ctl/poemctl_json.h"

#define FORMAT "poemd-sessions/1"

/* ---- for people ---- */

static void poemctl_sessions_print_licences(const json_t *session, const char *party)
{
    const json_t *l;
    size_t i;

    json_array_foreach(json_object_get(session, "licences"), i, l)
    {
        if (strcmp(control_text(l, "of"), party) == 0) {
            printf(", %s (%s, %s)", control_text(l, "licence"), control_text(l, "grade"),
                   control_text(l, "source"));
        }
    }
}

static void poemctl_sessions_print_party(const json_t *session, const char *party)
{
    const json_t *p = json_object_get(session, party);
    const json_t *exe = json_object_get(p, "exe");
    const char *path = control_text(exe, "path");

    if (!p) {
        return;
    }
    printf("    %-8s", party);
    if (json_object_get(p, "pid")) {
        printf(" pid %lld", control_number(p, "pid"));
    }
    if (json_object_get(p, "uid")) {
        printf(" uid %lld", control_number(p, "uid"));
    }
    if (json_object_get(p, "vm")) {
        printf(" vm \"%s\"", control_text(p, "vm"));
    }
    printf(" %s%s", *path ? path : "executable unknown",
           json_is_true(json_object_get(exe, "deleted")) ? " (deleted)" : "");
    poemctl_sessions_print_licences(session, party);
    if (json_object_get(exe, "verity") || json_object_get(exe, "ima")) {
        printf(", measured by %s", json_object_get(exe, "verity") ? "fs-verity" : "IMA");
    }
    printf("\n");
}

static void poemctl_sessions_print_counts(const json_t *session, const char *member)
{
    const json_t *c = json_object_get(session, member);

    if (json_is_object(c)) {
        const long long messages = control_number(c, "messages");
        const long long bytes = control_number(c, "bytes");
        const long long fds = control_number(c, "fds");

        printf("    %-10s %lld message%s, %lld byte%s, %lld fd%s\n", member, messages,
               POEMCTL_PLURAL(messages), bytes, POEMCTL_PLURAL(bytes), fds, POEMCTL_PLURAL(fds));
    }
}

static void poemctl_sessions_print_restart(const json_t *restart)
{
    if (json_is_true(json_object_get(restart, "held"))) {
        printf("    held       until another process of its device comes\n");
    } else if (json_is_true(json_object_get(restart, "possible"))) {
        printf("    restart    its device may be restarted\n");
    } else if (restart) {
        printf("    restart    it ends with its device: %s\n", control_text(restart, "why"));
    }
}

static void poemctl_sessions_print_replace(const json_t *replace)
{
    if (json_is_true(json_object_get(replace, "possible"))) {
        printf("    replace    its device may be replaced%s\n",
               json_is_true(json_object_get(replace, "migration"))
                   ? ""
                   : " if it supports migration: try poemctl replace --dry-run");
    } else if (replace) {
        printf("    replace    its device cannot be replaced: %s\n", control_text(replace, "why"));
    }
}

static void poemctl_sessions_print_session(const json_t *s)
{
    const json_t *rule = json_object_get(s, "rule");
    const long long overdue = control_number(s, "overdue");
    char time[48];

    printf("%lld %s: %s for %s", control_number(s, "number"), control_text(s, "route"),
           control_text(s, "state"), control_duration(s, time));
    if (rule) {
        printf(", %s, taint %s", control_text(s, "verdict"), control_text(s, "taint"));
    }
    control_print_observed(s);
    printf("\n");
    poemctl_sessions_print_party(s, "client");
    poemctl_sessions_print_party(s, "backend");
    if (rule) {
        printf("    because  %s\n", control_text(rule, "why"));
    }
    poemctl_sessions_print_counts(s, "to-backend");
    poemctl_sessions_print_counts(s, "to-client");
    poemctl_sessions_print_restart(json_object_get(s, "restart"));
    poemctl_sessions_print_replace(json_object_get(s, "replace"));
    if (overdue > 0) {
        printf("    overdue    %lld request%s answered in the device's stead\n", overdue,
               POEMCTL_PLURAL(overdue));
    }
}

/* ---- listing ---- */

/* Prints each part as it comes, or collects them. */
static void poemctl_sessions_take_part(json_t *part, void *arg)
{
    json_t *list = arg;
    json_t *session = json_object_get(part, "session");

    if (list) {
        (void)json_array_append(list, session);
    } else {
        poemctl_sessions_print_session(session);
    }
}

static int poemctl_sessions_list_sessions(const char *path, const char *route, bool json)
{
    struct control_request q = control_request(CONTROL_SESSIONS);
    json_t *list;
    int code;

    if (strlen(route) > LIMIT_NAME) {
        poemctl_error("sessions", "a route's name has at most %u bytes", LIMIT_NAME);
        return POEMCTL_NO;
    }
    memcpy(q.route, route, strlen(route));
    list = json ? json_array() : NULL;
    code = control_ask_all("sessions", path, &q, poemctl_sessions_take_part, list);
    if (json && code == POEMCTL_YES) {
        return poemctl_json("sessions", json_pack("{s:s,s:o}", "format", FORMAT, "sessions", list),
                            code);
    }
    json_decref(list);
    return code;
}

/* ---- ending ---- */

static void sessions_print_result(json_t *part, void *arg)
{
    const json_t *end = json_object_get(part, "end");

    (void)arg;
    if (end) {
        printf("session %lld: %s\n", control_number(end, "number"), control_text(end, "result"));
    }
}

static int poemctl_sessions_end_session(const char *path, const char *text)
{
    struct control_request q = control_request(CONTROL_SESSION_END);

    if (!poemctl_number("sessions", text, &q.number)) {
        return poemctl_usage(&poemctl_sessions);
    }
    return control_ask_all("sessions", path, &q, sessions_print_result, NULL);
}

static void poemctl_sessions_print_detached(json_t *part, void *arg)
{
    const json_t *detach = json_object_get(part, "detach");

    (void)arg;
    if (detach) {
        printf("session %lld: its device is being detached\n", control_number(detach, "number"));
    }
}

static int poemctl_sessions_detach(const char *path, const char *text)
{
    struct control_request q = control_request(CONTROL_SESSION_DETACH);

    if (!poemctl_number("sessions", text, &q.number)) {
        return poemctl_usage(&poemctl_sessions);
    }
    return control_ask_all("sessions", path, &q, poemctl_sessions_print_detached, NULL);
}

struct options {
    const char *control;
    const char *end;    /* a number; NULL: sessions are listed */
    const char *detach; /* … */
    bool json;
};

static int poemctl_sessions_main(int argc, char **argv)
{
    struct options o = {.control = NULL};
    char **const operands = poemctl_parse(&poemctl_sessions, argc, argv, &o);

    if (!operands) {
        return POEMCTL_USAGE;
    }
    if ((o.end || o.detach) && (o.json || operands[0] || (o.end && o.detach))) {
        poemctl_error("sessions", "--end and --detach go alone");
        return poemctl_usage(&poemctl_sessions);
    }
    if (o.detach) {
        return poemctl_sessions_detach(o.control, o.detach);
    }
    return o.end
               ? poemctl_sessions_end_session(o.control, o.end)
               : poemctl_sessions_list_sessions(o.control, operands[0] ? operands[0] : "", o.json);
}

static const struct cli_option options[] = {
    POEMCTL_JSON_OPTION(struct options, json),
    {"end", 0, "NUMBER", "end the session with this number", CLI_TEXT(struct options, end)},
    {"detach", 0, "NUMBER", "detach the session's device", CLI_TEXT(struct options, detach)},
    POEMCTL_CONTROL_OPTION(struct options, control),
    POEMCTL_END_OPTION,
};

const struct poemctl_command poemctl_sessions = {
    .name = "sessions",
    .synopsis = "[--json] [--control PATH] [ROUTE]\n--end NUMBER [--control PATH]\n"
                "--detach NUMBER [--control PATH]",
    .what = "show the sessions of a running poemd, or end one",
    .manual = "poemctl-sessions(1)",
    .options = options,
    .most = 1,
    .surplus = "of one route, or of all",
    .run = poemctl_sessions_main,
};
