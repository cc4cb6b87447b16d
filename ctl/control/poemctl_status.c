/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The command poemctl status: shows the state of a running poemd. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "policy/rules/rules.h"
#include "ctl/poemctl.h"
#include "ctl/control/poemctl_control.h"
#include "ctl/poemctl_json.h"

#define FORMAT "poemd-status/1"

/* The collected parts of the answer. */
struct status {
    json_t *broker;
    json_t *routes;
    json_t *traces;
};

static void poemctl_status_take_part(json_t *part, void *arg)
{
    struct status *s = arg;
    json_t *o;

    if ((o = json_object_get(part, "broker"))) {
        json_decref(s->broker);
        s->broker = json_incref(o);
    } else if ((o = json_object_get(part, "route"))) {
        (void)json_array_append(s->routes, o);
    } else if ((o = json_object_get(part, "trace"))) {
        (void)json_array_append(s->traces, o);
    }
}

/* Returns the taint's letters with their meanings. */
static json_t *poemctl_status_taint_of(const json_t *broker)
{
    const char *letters = control_text(broker, "taint");
    json_t *list = json_array();
    uint32_t bits = 0;
    char bad;

    if (!taint_read(letters, &bits, &bad)) {
        bits = 0;
    }
    for (unsigned i = 0; i < TAINT_COUNT; i++) {
        const char letter[] = {taint_letter(i), '\0'};

        if (bits & (1u << i)) {
            (void)json_array_append_new(
                list, json_pack("{s:s,s:s}", "letter", letter, "meaning", taint_meaning(i)));
        }
    }
    return list;
}

static int poemctl_status_as_json(const struct status *s)
{
    json_t *doc = json_pack("{s:s}", "format", FORMAT);

    if (doc) {
        (void)json_object_update(doc, s->broker);
        (void)json_object_set_new(doc, "taints", poemctl_status_taint_of(s->broker));
        (void)json_object_set(doc, "routes", s->routes);
        (void)json_object_set(doc, "traces", s->traces);
    }
    return poemctl_json("status", doc, POEMCTL_YES);
}

/* ---- for people ---- */

static void poemctl_status_print_sessions(const json_t *o)
{
    const json_t *n = json_object_get(o, "sessions");

    printf("%lld of %lld session%s, %lld since the start", control_number(n, "now"),
           control_number(n, "most"), control_number(n, "most") == 1 ? "" : "s",
           control_number(n, "begun"));
}

/* Prints the longest time for which the process served no session. */
static void poemctl_status_print_turn(const json_t *o)
{
    const long long us = control_number(o, "longest-turn-us");

    printf("%lld.%lld ms", us / 1000, us / 100 % 10);
}

static void poemctl_status_print_broker(const json_t *b)
{
    const json_t *conf = json_object_get(b, "configuration");
    const json_t *audit = json_object_get(b, "audit");
    char time[48];

    printf("poemd %s, pid %lld, up %s since %s\n", control_text(b, "version"),
           control_number(b, "pid"), control_duration(b, time), control_text(b, "since"));
    if (json_is_object(conf)) {
        printf("configuration  %s, sha256 %s\n", control_text(conf, "file"),
               control_text(conf, "sha256"));
    } else {
        printf("configuration  the command line\n");
    }
    printf("all routes     ");
    poemctl_status_print_sessions(b);
    printf("\nlongest turn   ");
    poemctl_status_print_turn(b);
    printf("\naudit log      ");
    if (json_is_object(audit)) {
        printf("%s, %lld records%s\n", control_text(audit, "file"),
               control_number(audit, "records"),
               json_is_true(json_object_get(audit, "failing")) ? ", CANNOT BE WRITTEN" : "");
    } else {
        printf("none\n");
    }
}

static void poemctl_status_print_taint(const json_t *broker)
{
    json_t *list = poemctl_status_taint_of(broker);
    const json_t *t;
    size_t i;

    printf("taint          %s\n", control_text(broker, "taint"));
    json_array_foreach(list, i, t)
    {
        printf("               %s: %s\n", control_text(t, "letter"), control_text(t, "meaning"));
    }
    json_decref(list);
}

static void poemctl_status_print_workers(const json_t *broker)
{
    const json_t *w;
    size_t i;

    json_array_foreach(json_object_get(broker, "workers"), i, w)
    {
        printf("worker         pid %lld, %lld session%s, longest turn ", control_number(w, "pid"),
               control_number(w, "sessions"), control_number(w, "sessions") == 1 ? "" : "s");
        poemctl_status_print_turn(w);
        printf("%s\n", json_is_true(json_object_get(w, "ready")) ? "" : ", starting");
    }
}

/* Prints nothing unless devices have failed. */
static void status_print_devices(const json_t *devices)
{
    const long long failures = control_number(devices, "failures");
    const long long again_ms = control_number(devices, "again-ms");

    if (failures > 0) {
        printf("    devices: %lld failed in a row", failures);
        if (again_ms > 0) {
            printf("; the next one is started in %lld ms", again_ms);
        }
        printf("\n");
    }
}

static void poemctl_status_print_restarts(const json_t *restarts)
{
    const long long held = control_number(restarts, "held");
    const long long replacements = control_number(restarts, "replacements");

    if (held > 0) {
        printf(", %lld device%s lost and %lld replaced", held, POEMCTL_PLURAL(held),
               control_number(restarts, "replaced"));
    }
    if (replacements > 0) {
        printf(", %lld device%s replaced while in use", replacements, POEMCTL_PLURAL(replacements));
    }
}

/* Sessions that would go on with another process of their device; poemctl sessions has reasons. */
static void poemctl_status_print_possible(const json_t *sessions)
{
    const long long restartable = control_number(sessions, "restartable");
    const long long replaceable = control_number(sessions, "replaceable");

    if (restartable > 0 || replaceable > 0) {
        printf("    devices: %lld may be restarted, %lld may be replaced\n", restartable,
               replaceable);
    }
}

static void poemctl_status_print_route(const json_t *r)
{
    const bool spawned = json_is_string(json_object_get(r, "spawn"));
    const long long overdue = control_number(r, "overdue");

    printf("route %s: ", control_text(r, "name"));
    poemctl_status_print_sessions(r);
    printf(", taint %s", control_text(r, "taint"));
    control_print_observed(r);
    if (overdue > 0) {
        printf(", %lld request%s answered in the device's stead", overdue, POEMCTL_PLURAL(overdue));
    }
    poemctl_status_print_restarts(json_object_get(r, "restarts"));
    printf("\n    %s%s -> %s%s\n", control_text(r, "listen"),
           json_is_true(json_object_get(r, "listening")) ? "" : " (not listening)",
           spawned ? "spawn " : "", control_text(r, spawned ? "spawn" : "backend"));
    poemctl_status_print_possible(json_object_get(r, "sessions"));
    status_print_devices(json_object_get(r, "devices"));
}

static void poemctl_status_as_text(const struct status *s)
{
    const json_t *o;
    unsigned running = 0;
    size_t i;

    poemctl_status_print_broker(s->broker);
    poemctl_status_print_taint(s->broker);
    poemctl_status_print_workers(s->broker);
    json_array_foreach(s->routes, i, o)
    {
        poemctl_status_print_route(o);
    }
    json_array_foreach(s->traces, i, o)
    {
        running += strcmp(control_text(o, "state"), "ended") != 0;
    }
    if (running > 0) {
        printf("captures       %u: poemctl trace list\n", running);
    }
}

struct options {
    const char *control;
    bool json;
};

static int poemctl_status_ask(const struct options *o)
{
    const struct control_request q = control_request(CONTROL_STATUS);
    struct status s = {.routes = json_array(), .traces = json_array()};
    int code = control_ask_all("status", o->control, &q, poemctl_status_take_part, &s);

    if (code == POEMCTL_YES && o->json) {
        code = poemctl_status_as_json(&s);
    } else if (code == POEMCTL_YES) {
        poemctl_status_as_text(&s);
    }
    json_decref(s.broker);
    json_decref(s.routes);
    json_decref(s.traces);
    return code;
}

static int poemctl_status_main(int argc, char **argv)
{
    struct options o = {.control = NULL};

    return poemctl_parse(&poemctl_status, argc, argv, &o) ? poemctl_status_ask(&o) : POEMCTL_USAGE;
}

static const struct cli_option options[] = {
    POEMCTL_JSON_OPTION(struct options, json),
    POEMCTL_CONTROL_OPTION(struct options, control),
    POEMCTL_END_OPTION,
};

const struct poemctl_command poemctl_status = {
    .name = "status",
    .synopsis = "[--json] [--control PATH]",
    .what = "show what a running poemd is doing",
    .manual = "poemctl-status(1)",
    .options = options,
    .surplus = "it takes no argument",
    .run = poemctl_status_main,
};
