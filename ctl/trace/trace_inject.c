/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* poemctl trace inject: faults on purpose in a session of a running poemd. */
#include <stdio.h>
#include <string.h>

#include "ctl/control/poemctl_control.h"
#include "ctl/trace/poemctl_trace.h"
#include "trace/decode/injection.h"

struct trace_inject_options {
    const char *control;
    bool clear;
};

/* Appends a rule to the request, on a line of its own. */
static bool trace_inject_add(struct control_request *q, const char *text)
{
    const size_t n = strlen(q->filter);
    struct injection rule;
    char why[512];

    if (!injection_read(&rule, text, why, sizeof why)) {
        poemctl_error("trace inject", "%s", why);
        return false;
    }
    injection_deinit(&rule);
    if (n + 1 + strlen(text) >= sizeof q->filter) {
        poemctl_error("trace inject", "the rules have more than %zu bytes", sizeof q->filter - 1);
        return false;
    }
    snprintf(q->filter + n, sizeof q->filter - n, "%s%s", n > 0 ? "\n" : "", text);
    return true;
}

static void trace_inject_print(json_t *part, void *arg)
{
    const json_t *const inject = json_object_get(part, "inject");
    const long long rules = control_number(inject, "rules");

    (void)arg;
    if (inject) {
        printf("session %lld: %lld rule%s in force\n", control_number(inject, "session"), rules,
               POEMCTL_PLURAL(rules));
    }
}

static int trace_inject_main(int argc, char **argv)
{
    struct control_request q = control_request(CONTROL_TRACE_INJECT);
    struct trace_inject_options o = {.control = NULL};
    char **const operands = poemctl_parse(&trace_inject, argc, argv, &o);

    if (!operands) {
        return POEMCTL_USAGE;
    }
    if (!poemctl_number("trace inject", operands[0], &q.number) ||
        o.clear == (operands[1] != NULL)) {
        return poemctl_usage(&trace_inject);
    }
    for (char **rule = operands + 1; *rule; rule++) {
        if (!trace_inject_add(&q, *rule)) {
            return POEMCTL_USAGE;
        }
    }
    return control_ask_all("trace inject", o.control, &q, trace_inject_print, NULL);
}

static const struct cli_option inject_options[] = {
    POEMCTL_CONTROL_OPTION(struct trace_inject_options, control),
    {"clear", 0, NULL, "inject nothing any more", CLI_FLAG(struct trace_inject_options, clear)},
    POEMCTL_END_OPTION,
};

const struct poemctl_command trace_inject = {
    .name = "trace inject",
    .synopsis = "[--control PATH] SESSION RULE ...\n[--control PATH] --clear SESSION",
    .what = "inject faults into a session on purpose",
    .manual = "poemctl-trace-inject(1)",
    .options = inject_options,
    .least = 1,
    .most = 1 + LIMIT_INJECT_RULES,
    .run = trace_inject_main,
};
