/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The command poemctl trace: finds the action and calls it. */
#include "ctl/trace/poemctl_trace.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"

/* In the order of the help: capturing first, then reading, then replaying. */
static const struct action {
    const char *name;
    const char *synopsis; /* behind the name; continuation lines are indented by 12 */
    poemctl_command *run;
} actions[] = {
    {"start",
     "[--control PATH] [-w FILE] [--payload BYTES|all|guest] [--filter FILTER]\n"
     "            [--memory MIB] [--wait] SESSION|--route ROUTE",
     trace_start_main},
    {"stop", "[--control PATH] NUMBER", trace_stop_main},
    {"dump", "[--control PATH] NUMBER", trace_dump_main},
    {"list", "[--control PATH] [--json]", trace_list_main},
    {"show",
     "[--json] [--follow] [--filter FILTER] [--color auto|always|never]\n"
     "            [--time relative|absolute|delta] [--verbose] FILE",
     trace_show_main},
    {"lint", "[--json] FILE", trace_lint_main},
    {"stats", "[--json] [--filter FILTER] [--html OUT] FILE", trace_stats_main},
    {"export", "--chrome OUT [--filter FILTER] FILE", trace_export_main},
    {"extract", "[--session N] [--after S] [--before S] [--filter FILTER] -w OUT FILE",
     trace_extract_main},
    {"replay",
     "[--json] [--session N] [--leg client|backend] [--mask MASK]...\n"
     "            [--timeout MS] [--fast] [--as-device] FILE SOCKET",
     trace_replay_main},
    {"diff", "[--json] A B", trace_diff_main},
    {NULL, NULL, NULL},
};

static void poemctl_trace_help(FILE *f, const char *action)
{
    const char *before = "usage:";

    for (const struct action *a = actions; a->name; a++) {
        if (!action || strcmp(a->name, action) == 0) {
            fprintf(f, "%s poemctl trace %s %s\n", before, a->name, a->synopsis);
            before = "      ";
        }
    }
    fprintf(f, "       more in poemctl-trace(1)\n");
}

int trace_usage(const char *action)
{
    poemctl_trace_help(stderr, action);
    return POEMCTL_USAGE;
}

int trace_main(int argc, char **argv)
{
    char shown[64];

    if (argc < 2) {
        poemctl_error("trace", "which action?");
        return trace_usage(NULL);
    }
    if (poemctl_wants_help(argv[1])) {
        poemctl_trace_help(stdout, NULL);
        return poemctl_finish("trace", POEMCTL_YES);
    }
    for (const struct action *a = actions; a->name; a++) {
        if (strcmp(a->name, argv[1]) != 0) {
            continue;
        }
        if (argc == 3 && poemctl_wants_help(argv[2])) {
            poemctl_trace_help(stdout, a->name);
            return poemctl_finish("trace", POEMCTL_YES);
        }
        snprintf(shown, sizeof shown, "trace %s", a->name);
        return poemctl_run(a->run, shown, argc - 1, argv + 1);
    }
    poemctl_error("trace", "no action \"%s\"",
                  log_escape(shown, sizeof shown, argv[1], strlen(argv[1])));
    return trace_usage(NULL);
}
