/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The command poemctl policy: finds the question, and hands over. */
#include "proxy/poemctl_policy.h"

#include <string.h>

static const struct question {
    const char *name;
    poemctl_command *run;
} questions[] = {
    {"check", policy_check_main},
    {"explain", policy_explain_main},
    {"licence", policy_licence_main},
};

int policy_main(int argc, char **argv)
{
    if (argc < 2) {
        poemctl_error("policy", "which question?");
        return poemctl_usage("policy");
    }
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        if (strcmp(questions[i].name, argv[1]) == 0) {
            return questions[i].run(argc - 1, argv + 1);
        }
    }
    poemctl_error("policy", "no such question");
    return poemctl_usage("policy");
}
