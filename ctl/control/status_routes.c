/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Judges routes by a table of states; the first that a route is in counts. */
#define _GNU_SOURCE
#include "ctl/control/status_routes.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "ctl/control/poemctl_control.h"
#include "ctl/poemctl.h"

/* Routes that need attention with a line of their own: with the rest, they fit 24 lines. */
#define STATUS_ROUTES_LINES 9u

static bool status_routes_deaf(const json_t *r)
{
    return !json_is_true(json_object_get(r, "listening"));
}

static bool status_routes_failing(const json_t *r)
{
    return control_number(json_object_get(r, "devices"), "failures") > 0;
}

static bool status_routes_full(const json_t *r)
{
    const json_t *n = json_object_get(r, "sessions");

    /* A route for one session is meant to be full. */
    return control_number(n, "most") > 1 && control_number(n, "now") >= control_number(n, "most");
}

static bool status_routes_overdue(const json_t *r)
{
    return control_number(r, "overdue") > 0;
}

static bool status_routes_lost(const json_t *r)
{
    const json_t *restarts = json_object_get(r, "restarts");

    return control_number(restarts, "held") > control_number(restarts, "replaced");
}

static bool status_routes_tainted(const json_t *r)
{
    return strcmp(control_text(r, "taint"), "-") != 0;
}

static bool status_routes_busy(const json_t *r)
{
    return control_number(json_object_get(r, "sessions"), "now") > 0;
}

static bool status_routes_idle(const json_t *r)
{
    (void)r;
    return true;
}

/* The worst first, as in STATUS_ROUTES_WORDS. The last two need no attention. */
static const struct {
    const char *word;
    bool (*is_in)(const json_t *route);
    const char *text;
} states[] = {
    {"not-listening", status_routes_deaf, "not listening"},
    {"failing", status_routes_failing, "devices fail"},
    {"lost", status_routes_lost, "device lost"},
    {"overdue", status_routes_overdue, "device is late"},
    {"full", status_routes_full, "full"},
    {"tainted", status_routes_tainted, "tainted"},
    {"busy", status_routes_busy, "in use"},
    {"idle", status_routes_idle, "not in use"},
};

#define STATUS_ROUTES_STATES (sizeof states / sizeof *states)
#define STATUS_ROUTES_BUSY (STATUS_ROUTES_STATES - 2)
#define STATUS_ROUTES_IDLE (STATUS_ROUTES_STATES - 1)

static size_t status_routes_state_of(const json_t *r)
{
    size_t i = 0;

    while (i < STATUS_ROUTES_IDLE && !states[i].is_in(r)) {
        i++;
    }
    return i;
}

void status_routes_judge(json_t *routes)
{
    json_t *r;
    size_t i;

    json_array_foreach(routes, i, r)
    {
        (void)json_object_set_new(r, "state", json_string(states[status_routes_state_of(r)].word));
    }
}

void status_routes_filter(json_t *routes, int state, const char *pattern)
{
    for (size_t i = json_array_size(routes); i-- > 0;) {
        const json_t *r = json_array_get(routes, i);

        if ((state != STATUS_ROUTES_ANY && status_routes_state_of(r) != (size_t)state) ||
            (pattern && fnmatch(pattern, control_text(r, "name"), 0) != 0)) {
            (void)json_array_remove(routes, i);
        }
    }
}

static void status_routes_print_sessions(const json_t *r)
{
    const json_t *n = json_object_get(r, "sessions");
    const long long most = control_number(n, "most");

    printf("%lld of %lld session%s", control_number(n, "now"), most, POEMCTL_PLURAL(most));
}

void status_routes_print_begun(const json_t *o)
{
    status_routes_print_sessions(o);
    printf(", %lld since the start", control_number(json_object_get(o, "sessions"), "begun"));
}

/* ---- one route ---- */

/* Prints nothing unless devices have failed. */
static void status_routes_print_devices(const json_t *devices)
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

static void status_routes_print_restarts(const json_t *restarts)
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
static void status_routes_print_possible(const json_t *sessions)
{
    const long long restartable = control_number(sessions, "restartable");
    const long long replaceable = control_number(sessions, "replaceable");

    if (restartable > 0 || replaceable > 0) {
        printf("    devices: %lld may be restarted, %lld may be replaced\n", restartable,
               replaceable);
    }
}

void status_routes_print_whole(const json_t *route)
{
    const bool spawned = json_is_string(json_object_get(route, "spawn"));
    const long long overdue = control_number(route, "overdue");

    printf("route %s: ", control_text(route, "name"));
    status_routes_print_begun(route);
    printf(", taint %s", control_text(route, "taint"));
    control_print_observed(route);
    if (overdue > 0) {
        printf(", %lld request%s answered in the device's stead", overdue, POEMCTL_PLURAL(overdue));
    }
    status_routes_print_restarts(json_object_get(route, "restarts"));
    printf("\n    %s%s -> %s%s\n", control_text(route, "listen"),
           json_is_true(json_object_get(route, "listening")) ? "" : " (not listening)",
           spawned ? "spawn " : "", control_text(route, spawned ? "spawn" : "backend"));
    status_routes_print_possible(json_object_get(route, "sessions"));
    status_routes_print_devices(json_object_get(route, "devices"));
}

/* ---- all routes ---- */

static void status_routes_print_line(const json_t *r, size_t state, bool first)
{
    printf("%-15s%.24s: %s, ", first ? "attention" : "", control_text(r, "name"),
           states[state].text);
    status_routes_print_sessions(r);
    if (status_routes_tainted(r)) {
        printf(", taint %s", control_text(r, "taint"));
    }
    printf("\n");
}

void status_routes_print_summary(const json_t *routes)
{
    size_t counts[STATUS_ROUTES_STATES] = {0};
    unsigned lines = 0;
    size_t left;
    const json_t *r;
    size_t i;

    json_array_foreach(routes, i, r)
    {
        counts[status_routes_state_of(r)]++;
    }
    left = json_array_size(routes) - counts[STATUS_ROUTES_BUSY] - counts[STATUS_ROUTES_IDLE];
    printf("routes         %zu in order: %zu in use, %zu not in use\n",
           json_array_size(routes) - left, counts[STATUS_ROUTES_BUSY], counts[STATUS_ROUTES_IDLE]);
    for (size_t state = 0; state < STATUS_ROUTES_BUSY; state++) {
        json_array_foreach(routes, i, r)
        {
            if (status_routes_state_of(r) == state && lines < STATUS_ROUTES_LINES) {
                status_routes_print_line(r, state, lines++ == 0);
                left--;
                counts[state]--;
            }
        }
    }
    for (size_t state = 0; state < STATUS_ROUTES_BUSY && left > 0; state++) {
        if (counts[state] > 0) {
            printf("               and %zu more: poemctl status --state %s\n", counts[state],
                   states[state].word);
        }
    }
}
