/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* poemctl reload: a running poemd reads its configuration again. */
#include "ctl/control/poemctl_control.h"

#include <stdio.h>
#include <string.h>

#include "ctl/poemctl_json.h"
#include "proxy/config/config.h"

#define FORMAT "poemd-reload/1"

/* The answer, by the kind of its parts. */
struct poemctl_reload_lists {
    json_t *head;
    json_t *errors;
    json_t *warnings;
    json_t *differences;
    json_t *sessions;
    long long n_errors; /* 0: those that are listed */
};

static void poemctl_reload_take_part(json_t *part, void *arg)
{
    struct poemctl_reload_lists *const l = arg;
    const struct {
        const char *name;
        json_t *list;
    } lists[] = {{"error", l->errors},
                 {"warning", l->warnings},
                 {"difference", l->differences},
                 {"session", l->sessions}};

    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        json_t *const value = json_object_get(part, lists[i].name);

        if (value && json_array_append(lists[i].list, value) < 0) {
            poemctl_error("reload", "out of memory");
        }
    }
    if (json_object_get(part, "reload")) {
        json_decref(l->head);
        l->head = json_incref(json_object_get(part, "reload"));
    }
    if (json_object_get(part, "errors")) {
        l->n_errors = control_number(part, "errors");
    }
}

/* Prints the errors as "poemd --check" does. */
static void poemctl_reload_print_errors(const struct poemctl_reload_lists *l)
{
    struct config_errors errors;
    const json_t *o;
    size_t i;

    config_errors_init(&errors);
    json_array_foreach(l->errors, i, o)
    {
        const struct config_place at = {(unsigned)control_number(o, "line"),
                                        (unsigned)control_number(o, "column")};

        config_errors_add_in(&errors, control_text(o, "file"), at, control_text(o, "hint"),
                             control_text(o, "text"));
    }
    if (l->n_errors > (long long)errors.total) {
        errors.total = (size_t)l->n_errors;
    }
    config_errors_print(&errors, control_text(l->head, "file"), stderr);
}

static void poemctl_reload_print_difference(const json_t *o)
{
    const json_t *const words = json_object_get(o, "words");
    const char *const route = control_text(o, "route");
    const json_t *word;
    size_t i;

    if (*route) {
        printf("route %s: ", route);
    }
    printf("%s", control_text(o, "change"));
    json_array_foreach(words, i, word)
    {
        printf("%s%s", i > 0 ? ", " : ": ", json_string_value(word));
    }
    printf("\n");
}

static void poemctl_reload_print_session(const json_t *o)
{
    const bool denied = strcmp(control_text(o, "verdict"), "deny") == 0;
    const char *const end = control_text(o, "end");

    printf("session %lld of route %s: %s: %s%s%s\n", control_number(o, "number"),
           control_text(o, "route"), denied ? "denied by the new rules" : "cannot be judged",
           control_text(o, "why"), strcmp(end, "no") == 0 ? "" : "; ",
           strcmp(end, "no") == 0 ? "" : end);
}

static void poemctl_reload_print(const struct poemctl_reload_lists *l)
{
    const json_t *o;
    size_t i;

    json_array_foreach(l->warnings, i, o)
    {
        fprintf(stderr, "poemctl: reload: warning: %s\n", json_string_value(o));
    }
    json_array_foreach(l->differences, i, o)
    {
        poemctl_reload_print_difference(o);
    }
    json_array_foreach(l->sessions, i, o)
    {
        poemctl_reload_print_session(o);
    }
    printf("%s: %s%s\n", control_text(l->head, "file"), control_text(l->head, "outcome"),
           json_array_size(l->differences) == 0 ? ", no difference" : "");
}

static int poemctl_reload_as_json(const struct poemctl_reload_lists *l, int code)
{
    json_t *const o = json_pack("{s:s}", "format", FORMAT);
    int bad = !o || json_object_update(o, l->head) < 0;

    bad = bad || json_object_set(o, "errors", l->errors) < 0 ||
          json_object_set(o, "warnings", l->warnings) < 0 ||
          json_object_set(o, "differences", l->differences) < 0 ||
          json_object_set(o, "sessions", l->sessions) < 0;
    if (bad) {
        json_decref(o);
        return poemctl_json("reload", NULL, code);
    }
    return poemctl_json("reload", o, code);
}

static int poemctl_reload_show(const struct poemctl_reload_lists *l, bool json)
{
    const char *const outcome = control_text(l->head, "outcome");
    const bool wrong = strcmp(outcome, "wrong") == 0;
    const bool failed = strcmp(outcome, "failed") == 0;
    const int code = wrong ? POEMCTL_NO : failed ? POEMCTL_COULD_NOT : POEMCTL_YES;

    if (json) {
        return poemctl_reload_as_json(l, code);
    }
    if (failed) {
        poemctl_error("reload", "%s; the configuration stays as it was",
                      control_text(l->head, "why"));
    } else if (wrong) {
        poemctl_reload_print_errors(l);
    } else {
        poemctl_reload_print(l);
    }
    return code;
}

struct options {
    const char *control;
    bool dry_run;
    bool end_denied;
    bool json;
};

static int poemctl_reload_ask(const struct options *o)
{
    struct control_request q = control_request(CONTROL_RELOAD);
    struct poemctl_reload_lists l = {.errors = json_array(),
                                     .warnings = json_array(),
                                     .differences = json_array(),
                                     .sessions = json_array()};
    int code;

    q.flags = (o->dry_run ? CONTROL_DRY_RUN : 0) | (o->end_denied ? CONTROL_END_DENIED : 0);
    code = control_ask_all("reload", o->control, &q, poemctl_reload_take_part, &l);
    if (code == POEMCTL_YES) {
        code = poemctl_reload_show(&l, o->json);
    }
    json_decref(l.head);
    json_decref(l.errors);
    json_decref(l.warnings);
    json_decref(l.differences);
    json_decref(l.sessions);
    return code;
}

static int poemctl_reload_main(int argc, char **argv)
{
    struct options o = {.control = NULL};

    if (!poemctl_parse(&poemctl_reload, argc, argv, &o)) {
        return POEMCTL_USAGE;
    }
    if (o.dry_run && o.end_denied) {
        poemctl_error("reload", "--dry-run changes nothing, so --end-denied cannot go with it");
        return poemctl_usage(&poemctl_reload);
    }
    return poemctl_reload_ask(&o);
}

static const struct cli_option options[] = {
    {.name = "dry-run", .help = "only show what would change", CLI_FLAG(struct options, dry_run)},
    {.name = "end-denied",
     .help = "end running sessions that the new rules deny",
     CLI_FLAG(struct options, end_denied)},
    POEMCTL_JSON_OPTION(struct options, json),
    POEMCTL_CONTROL_OPTION(struct options, control),
    POEMCTL_END_OPTION,
};

const struct poemctl_command poemctl_reload = {
    .name = "reload",
    .synopsis = "[--dry-run | --end-denied] [--json] [--control PATH]",
    .what = "make a running poemd read its configuration again",
    .manual = "poemctl-reload(1)",
    .options = options,
    .surplus = "it takes no argument",
    .run = poemctl_reload_main,
};
