/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The command poemctl policy check: lists statements of a policy that can never have an effect. */
#include <stdio.h>
#include <string.h>

#include "base/members.h"
#include "base/text/date.h"
#include "ctl/poemctl_json.h"
#include "ctl/policy/poemctl_policy.h"
#include "ctl/policy/policy_findings.h"
#include "ctl/policy/policy_load.h"
#include "proxy/config/config_where.h"

#define FORMAT "poemd-policy-check/1"
#define NAME "policy check"

struct options {
    bool json;
    const char *path;
};

struct telling {
    const struct config *config;
    const char *path; /* escaped */
    json_t *list;     /* NULL: print as text */
    unsigned n;
};

static void policy_check_notify(const struct policy_finding *f, void *arg)
{
    struct telling *t = arg;
    const char *const file = config_where_file_of(t->config, f->line);
    char shown[512];
    char place[CONFIG_WHERE_SIZE];

    t->n++;
    if (t->list) {
        (void)json_array_append_new(
            t->list, members_object((const struct member[]){
                         {"route", members_text(f->route)},
                         {"line", json_integer(config_where_line(f->line))},
                         {"preset", members_optional(config_where_preset_of(f->line))},
                         {"file", members_optional(file)},
                         {"text", json_string(f->text)},
                         {NULL, NULL}}));
        return;
    }
    printf("%s", file ? log_escape(shown, sizeof shown, file, strlen(file)) : t->path);
    if (config_where_preset_of(f->line)) {
        printf(": %s", config_where(t->config, f->line, place));
    } else if (f->line) {
        printf(":%u", config_where_line(f->line));
    }
    printf(": %s%s%s%s\n", f->route ? "route " : "", f->route ? f->route : "", f->route ? ": " : "",
           f->text);
}

static int policy_check_config(const struct options *o, const struct config *c)
{
    char shown[512];
    struct telling t = {.config = c,
                        .path = log_escape(shown, sizeof shown, o->path, strlen(o->path)),
                        .list = o->json ? json_array() : NULL};

    policy_findings(c, date_today(), policy_check_notify, &t);
    if (o->json) {
        return poemctl_json(
            NAME,
            json_pack("{s:s, s:s, s:o}", "format", FORMAT, "config", shown, "findings", t.list),
            t.n ? POEMCTL_NO : POEMCTL_YES);
    }
    if (t.n == 0) {
        printf("%s: every statement can have an effect\n", shown);
    }
    return t.n ? POEMCTL_NO : POEMCTL_YES;
}

static int policy_check_main(int argc, char **argv)
{
    struct options o = {.path = NULL};
    struct config c;
    int code;

    if (!poemctl_parse(&policy_check, argc, argv, &o)) {
        return POEMCTL_USAGE;
    }
    if (!o.path) {
        poemctl_error(NAME, "--config FILE is needed");
        return poemctl_usage(&policy_check);
    }
    if (!policy_load(NAME, &c, o.path)) {
        return POEMCTL_COULD_NOT;
    }
    code = policy_check_config(&o, &c);
    config_deinit(&c);
    return code;
}

static const struct cli_option options[] = {
    POEMCTL_JSON_OPTION(struct options, json),
    POLICY_CONFIG_OPTION(struct options, path),
    POEMCTL_END_OPTION,
};

const struct poemctl_command policy_check = {
    .name = NAME,
    .synopsis = "[--json] --config FILE",
    .what = "find statements that can never matter",
    .manual = "poemctl-policy(1)",
    .options = options,
    .surplus = "one --config and nothing else",
    .run = policy_check_main,
};
