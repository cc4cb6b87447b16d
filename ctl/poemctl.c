/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * poemctl, the operator's one tool: finds the subcommand and calls it. A subcommand is a row in the
 * table here, a function of the type poemctl_command, and a section in poemctl(1).
 */
#include "ctl/poemctl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sock_path.h"
#include "policy/inspector/inspector.h"

struct command {
    const char *name;
    const char *synopsis; /* behind the name */
    const char *what;
    poemctl_command *run;
};

#define TIMEOUT_MS_MAX 600000

static const struct command commands[] = {
    {"attest", "EXE --licence EXPRESSION --key KEY [-o FILE] | --note EXPRESSION",
     "sign under which licence an executable is, or have it noted inside", attest_main},
    {"audit", "verify|checkpoint|prove|check-proof|report|keygen ...",
     "verify an audit log, prove from it, report of it: poemctl-audit(1)", audit_main},
    {"inspect", "[--json] [--trust KEY]... [--envelope FILE]... EXE|SOCKET|--pid PID",
     "show who a peer is, and what is known of its licence", inspect_main},
    {"poem", "[--json] [--grant | --check FILE]", "show the poem and its grant, or compare a file",
     poem_main},
    {"policy", "check|explain|licence ...",
     "find useless rules, explain a verdict, a licence: poemctl-policy(1)", policy_main},
    {"probe", "[--json] [--timeout MS] SOCKET", "show what is behind a vfio-user socket",
     probe_main},
    {"recite", "[--json] [--timeout MS] [--poem FILE] SOCKET",
     "demand the poem of whoever listens there", recite_main},
    {"sessions", "[--json] [--control PATH] [ROUTE] | --end NUMBER [--control PATH]",
     "show who speaks to whom through a running poemd, or end a session", sessions_main},
    {"status", "[--json] [--control PATH]", "show what a running poemd is doing", status_main},
    {"taint", "[--json] LETTERS|NUMBER", "say what the letters of a taint mean", taint_main},
    {"trace", "ACTION ...", "capture what passes, read and replay it: poemctl-trace(1)",
     trace_main},
};

#define COMMANDS (sizeof commands / sizeof *commands)

static const struct command *poemctl_find(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}

static void poemctl_help(FILE *f)
{
    fprintf(f, "usage: poemctl COMMAND [ARGUMENTS]\n"
               "       poemctl --help | --version\n\n");
    for (size_t i = 0; i < COMMANDS; i++) {
        fprintf(f, "  %s %s\n      %s\n", commands[i].name, commands[i].synopsis, commands[i].what);
    }
    fprintf(f, "\nExit status: 0 yes, 1 no, 2 usage, 3 could not. More in poemctl(1).\n");
}

void poemctl_error(const char *name, const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    /* A single write: the daemon may be writing to the same terminal. */
    fprintf(stderr, "poemctl: %s: %s\n", name, text);
}

int poemctl_run(poemctl_command *run, const char *name, int argc, char **argv)
{
    char *const word = argv[0];
    char said[64];
    int code;

    snprintf(said, sizeof said, "poemctl: %s", name);
    argv[0] = said;
    code = run(argc, argv);
    argv[0] = word;
    return code;
}

bool poemctl_wants_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static void poemctl_usage_it(FILE *f, const struct command *c)
{
    if (c) {
        fprintf(f, "usage: poemctl %s %s\n", c->name, c->synopsis);
    }
    fprintf(f, "       poemctl --help shows all commands\n");
}

int poemctl_usage(const char *name)
{
    poemctl_usage_it(stderr, poemctl_find(name));
    return POEMCTL_USAGE;
}

bool poemctl_timeout(const char *name, const char *text, int *out)
{
    char *end;
    long v;

    errno = 0;
    v = strtol(text, &end, 10);
    if (errno || end == text || *end != '\0' || v < 1 || v > TIMEOUT_MS_MAX) {
        poemctl_error(name, "--timeout: milliseconds, 1 to %d", TIMEOUT_MS_MAX);
        return false;
    }
    *out = (int)v;
    return true;
}

bool poemctl_socket(const char *name, const char *path)
{
    const char *fault = access(path, F_OK) < 0 ? sock_path_fault(path) : NULL;
    char shown[256];

    if (fault) {
        poemctl_error(name, "\"%s\" is not a path: %s",
                      log_escape(shown, sizeof shown, path, strlen(path)), fault);
    }
    return fault == NULL;
}

bool poemctl_number(const char *name, const char *text, uint64_t *out)
{
    char shown[64];
    char *end;

    errno = 0;
    *out = strtoull(text, &end, 10);
    if (errno || text[strspn(text, "0123456789")] != '\0' || *out == 0) {
        poemctl_error(name, "\"%s\" is no number",
                      log_escape(shown, sizeof shown, text, strlen(text)));
        return false;
    }
    return true;
}

int poemctl_finish(const char *name, int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout)) {
        return code;
    }
    poemctl_error(name, "standard output: %s", strerror(errno));
    return POEMCTL_COULD_NOT;
}

int main(int argc, char **argv)
{
    const struct command *c;
    char name[64];

    if (argc < 2) {
        poemctl_help(stderr);
        return POEMCTL_USAGE;
    }
    if (poemctl_wants_help(argv[1])) {
        poemctl_help(stdout);
        return poemctl_finish("help", POEMCTL_YES);
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("poemctl %s\n", POEMD_VERSION);
        return poemctl_finish("version", POEMCTL_YES);
    }
    if (strcmp(argv[1], INSPECTOR_ARG) == 0) {
        return inspector_main();
    }
    c = poemctl_find(argv[1]);
    if (!c) {
        fprintf(stderr, "poemctl: no command \"%s\"\n",
                log_escape(name, sizeof name, argv[1], strlen(argv[1])));
        return poemctl_usage("");
    }
    /* trace and policy print a help of their own. */
    if (argc == 3 && poemctl_wants_help(argv[2]) && c->run != trace_main && c->run != policy_main) {
        poemctl_usage_it(stdout, c);
        return poemctl_finish(c->name, POEMCTL_YES);
    }
    return poemctl_run(c->run, c->name, argc - 1, argv + 1);
}
