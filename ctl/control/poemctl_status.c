/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The command poemctl status: shows the state of a running poemd. */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "policy/rules/rules.h"
#include "ctl/poemctl.h"
#include "ctl/control/poemctl_control.h"
#include "ctl/control/status_routes.h"
#include "ctl/poemctl_json.h"

#define FORMAT "poemd-status/1"

/* Seconds between two screens, and what empties one: the cursor goes to its top, the rest away. */
#define WATCH_S 2
#define CLEAR "\033[H\033[J"

/* The collected parts of the answer. */
struct status {
    json_t *broker;
    json_t *routes;
    json_t *traces;
    bool filtered; /* routes are those that were asked for */
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

/* Prints the longest time for which a process served no session. */
static void poemctl_status_print_turn(long long us)
{
    printf("%lld.%lld ms", us / 1000, us / 100 % 10);
}

static void poemctl_status_print_broker(const json_t *b, bool brief)
{
    const json_t *conf = json_object_get(b, "configuration");
    const json_t *audit = json_object_get(b, "audit");
    char time[48];

    printf("poemd %s, pid %lld, up %s since %s\n", control_text(b, "version"),
           control_number(b, "pid"), control_duration(b, time), control_text(b, "since"));
    if (json_is_object(conf)) {
        printf("configuration  %s, sha256 %.*s\n", control_text(conf, "file"), brief ? 12 : 64,
               control_text(conf, "sha256"));
    } else {
        printf("configuration  the command line\n");
    }
    printf("all routes     ");
    status_routes_print_begun(b);
    printf("\nlongest turn   ");
    poemctl_status_print_turn(control_number(b, "longest-turn-us"));
    printf("\naudit log      ");
    if (json_is_object(audit)) {
        printf("%s, %lld records%s\n", control_text(audit, "file"),
               control_number(audit, "records"),
               json_is_true(json_object_get(audit, "failing")) ? ", CANNOT BE WRITTEN" : "");
    } else {
        printf("none\n");
    }
}

static void poemctl_status_print_taint(const json_t *broker, bool brief)
{
    json_t *list = poemctl_status_taint_of(broker);
    const json_t *t;
    size_t i;

    printf("taint          %s\n", control_text(broker, "taint"));
    for (i = 0; !brief && (t = json_array_get(list, i)); i++) {
        printf("               %s: %s\n", control_text(t, "letter"), control_text(t, "meaning"));
    }
    json_decref(list);
}

/* Prints all workers on one line. */
static void poemctl_status_sum_workers(const json_t *broker)
{
    const json_t *list = json_object_get(broker, "workers");
    long long longest_us = 0;
    size_t starting = 0;
    const json_t *w;
    size_t i;

    json_array_foreach(list, i, w)
    {
        const long long us = control_number(w, "longest-turn-us");

        longest_us = us > longest_us ? us : longest_us;
        starting += !json_is_true(json_object_get(w, "ready"));
    }
    printf("workers        %zu, %zu of them starting, longest turn ", json_array_size(list),
           starting);
    poemctl_status_print_turn(longest_us);
    printf("\n");
}

static void poemctl_status_print_workers(const json_t *broker)
{
    const json_t *w;
    size_t i;

    json_array_foreach(json_object_get(broker, "workers"), i, w)
    {
        printf("worker         pid %lld, %lld session%s, longest turn ", control_number(w, "pid"),
               control_number(w, "sessions"), control_number(w, "sessions") == 1 ? "" : "s");
        poemctl_status_print_turn(control_number(w, "longest-turn-us"));
        printf("%s\n", json_is_true(json_object_get(w, "ready")) ? "" : ", starting");
    }
}

static void poemctl_status_as_text(const struct status *s)
{
    const json_t *o;
    const bool brief = !s->filtered && json_array_size(s->routes) > STATUS_ROUTES_WHOLE;
    unsigned running = 0;
    size_t i;

    poemctl_status_print_broker(s->broker, brief);
    poemctl_status_print_taint(s->broker, brief);
    if (brief) {
        poemctl_status_sum_workers(s->broker);
        status_routes_print_summary(s->routes);
    } else {
        poemctl_status_print_workers(s->broker);
    }
    json_array_foreach(s->routes, i, o)
    {
        if (!brief) {
            status_routes_print_whole(o);
        }
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
    int state;
    bool json;
    bool watch;
};

static int poemctl_status_ask(const struct options *o, const char *pattern)
{
    const struct control_request q = control_request(CONTROL_STATUS);
    struct status s = {.routes = json_array(),
                       .traces = json_array(),
                       .filtered = pattern || o->state != STATUS_ROUTES_ANY};
    int code = control_ask_all("status", o->control, &q, poemctl_status_take_part, &s);

    status_routes_judge(s.routes);
    status_routes_filter(s.routes, o->state, pattern);
    if (code == POEMCTL_YES && o->watch) {
        printf(CLEAR);
    }
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

/* Asks again and again, also while poemd is restarted. Returns if the terminal is gone. */
static int poemctl_status_watch(const struct options *o, const char *pattern)
{
    static const struct timespec pause = {.tv_sec = WATCH_S};
    static char screen[1 << 16];

    /* One write for each screen. */
    (void)setvbuf(stdout, screen, _IOFBF, sizeof screen);
    do {
        (void)poemctl_status_ask(o, pattern);
    } while (fflush(stdout) == 0 && nanosleep(&pause, NULL) == 0);
    return POEMCTL_COULD_NOT;
}

static int poemctl_status_main(int argc, char **argv)
{
    struct options o = {.state = STATUS_ROUTES_ANY};
    char **const operands = poemctl_parse(&poemctl_status, argc, argv, &o);

    if (!operands) {
        return POEMCTL_USAGE;
    }
    if (o.watch && (o.json || !isatty(STDOUT_FILENO))) {
        poemctl_error("status", "--watch is for a terminal, and without --json");
        return poemctl_usage(&poemctl_status);
    }
    return o.watch ? poemctl_status_watch(&o, operands[0]) : poemctl_status_ask(&o, operands[0]);
}

static const struct cli_option options[] = {
    POEMCTL_JSON_OPTION(struct options, json),
    {"state", 0, STATUS_ROUTES_WORDS, "show the routes in this state",
     CLI_CHOICE(struct options, state)},
    {"watch", 0, NULL, "show it anew every 2 s", CLI_FLAG(struct options, watch)},
    POEMCTL_CONTROL_OPTION(struct options, control),
    POEMCTL_END_OPTION,
};

const struct poemctl_command poemctl_status = {
    .name = "status",
    .synopsis = "[--json] [--watch] [--state STATE] [--control PATH] [ROUTE]",
    .what = "show what a running poemd is doing",
    .manual = "poemctl-status(1)",
    .options = options,
    .most = 1,
    .surplus = "of one route, or of those that match a pattern",
    .run = poemctl_status_main,
};
