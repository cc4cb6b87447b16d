/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The command poemctl policy check: lists statements of a policy that can never have an effect. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "ctl/poemctl_json.h"
#include "ctl/policy/poemctl_policy.h"
#include "ctl/policy/policy_findings.h"
#include "ctl/policy/policy_load.h"
#include "proxy/config/preset.h"

#define FORMAT "poemd-policy-check/1"
#define NAME "policy check"

struct options {
    bool json;
    const char *path;
};

struct telling {
    const char *path; /* escaped */
    json_t *list;     /* NULL: print as text */
    unsigned n;
};

static bool policy_check_parse(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {
        {"config", required_argument, NULL, 'c'},
        {"json", no_argument, NULL, 'j'},
        {NULL, 0, NULL, 0},
    };
    int c;

    *o = (struct options){0};
    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        switch (c) {
        case 'c':
            o->path = optarg;
            break;
        case 'j':
            o->json = true;
            break;
        default:
            return false;
        }
    }
    if (!o->path || optind != argc) {
        poemctl_error(NAME, o->path ? "one --config and nothing else" : "--config FILE is needed");
        return false;
    }
    return true;
}

static void policy_check_notify(const struct policy_finding *f, void *arg)
{
    struct telling *t = arg;
    char place[PRESET_PLACE_SIZE];

    t->n++;
    if (t->list) {
        (void)json_array_append_new(t->list, json_pack("{s:s?, s:i, s:s*, s:s}", "route", f->route,
                                                       "line", (int)preset_line(f->line), "preset",
                                                       preset_of(f->line), "text", f->text));
        return;
    }
    printf("%s", t->path);
    if (preset_of(f->line)) {
        printf(": %s", preset_place(f->line, place));
    } else if (f->line) {
        printf(":%u", f->line);
    }
    printf(": %s%s%s%s\n", f->route ? "route " : "", f->route ? f->route : "", f->route ? ": " : "",
           f->text);
}

static int policy_check_check(const struct options *o, const struct config *c)
{
    char shown[512];
    struct telling t = {.path = log_escape(shown, sizeof shown, o->path, strlen(o->path)),
                        .list = o->json ? json_array() : NULL};

    policy_findings(c, rules_today(), policy_check_notify, &t);
    if (o->json) {
        return poemctl_json(
            NAME,
            json_pack("{s:s, s:s, s:o}", "format", FORMAT, "config", shown, "findings", t.list),
            t.n ? POEMCTL_NO : POEMCTL_YES);
    }
    if (t.n == 0) {
        printf("%s: every statement can matter\n", shown);
    }
    return t.n ? POEMCTL_NO : POEMCTL_YES;
}

int policy_check_main(int argc, char **argv)
{
    struct options o;
    struct config c;
    int code;

    if (!policy_check_parse(argc, argv, &o)) {
        return policy_usage("check");
    }
    if (!policy_load(NAME, &c, o.path)) {
        return POEMCTL_COULD_NOT;
    }
    code = policy_check_check(&o, &c);
    config_deinit(&c);
    return poemctl_finish(NAME, code);
}
