/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The command poemctl policy: finds the question and calls it. */
#include "ctl/policy/poemctl_policy.h"

#include <stdio.h>
#include <string.h>

static const struct question {
    const char *name;
    const char *synopsis; /* behind the name */
    poemctl_command *run;
} questions[] = {
    {"check", "[--json] --config FILE", policy_check_main},
    {"explain",
     "[--json] [--party client|backend] [--declares EXPRESSION] [--recites EXPRESSION]\n"
     "           --config FILE --route NAME --pid PID",
     policy_explain_main},
    {"licence", "[--json] --with LICENCE EXPRESSION", policy_licence_main},
};

#define QUESTIONS (sizeof questions / sizeof *questions)

static void poemctl_policy_help(FILE *f, const char *question)
{
    const char *before = "usage:";

    for (size_t i = 0; i < QUESTIONS; i++) {
        if (!question || strcmp(questions[i].name, question) == 0) {
            fprintf(f, "%s poemctl policy %s %s\n", before, questions[i].name,
                    questions[i].synopsis);
            before = "      ";
        }
    }
    fprintf(f, "       more in poemctl-policy(1)\n");
}

int policy_usage(const char *question)
{
    poemctl_policy_help(stderr, question);
    return POEMCTL_USAGE;
}

int policy_main(int argc, char **argv)
{
    char name[32];

    if (argc < 2) {
        poemctl_error("policy", "which question?");
        return policy_usage(NULL);
    }
    if (poemctl_wants_help(argv[1])) {
        poemctl_policy_help(stdout, NULL);
        return poemctl_finish("policy", POEMCTL_YES);
    }
    for (size_t i = 0; i < QUESTIONS; i++) {
        if (strcmp(questions[i].name, argv[1]) != 0) {
            continue;
        }
        if (argc == 3 && poemctl_wants_help(argv[2])) {
            poemctl_policy_help(stdout, argv[1]);
            return poemctl_finish("policy", POEMCTL_YES);
        }
        snprintf(name, sizeof name, "policy %s", questions[i].name);
        return poemctl_run(questions[i].run, name, argc - 1, argv + 1);
    }
    poemctl_error("policy", "no such question");
    return policy_usage(NULL);
}
