/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * poemctl, the operator's one tool: finds the command and calls it. A command is a struct
 * poemctl_command in its own file, a row in the list here, and a section in poemctl(1) or a page of
 * its own.
 */
#include "ctl/poemctl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sock_path.h"
#include "base/text/edit_distance.h"
#include "policy/inspector/inspector.h"

/* Usage is folded at spaces before this column. */
#define COLUMNS 80u

static const struct poemctl_command *const commands[] = {
    &poemctl_attest,  &poemctl_audit,   &poemctl_doctor,
    &poemctl_inspect, &poemctl_poem,    &poemctl_policy,
    &poemctl_probe,   &poemctl_recite,  &poemctl_reload,
    &poemctl_replace, &poemctl_run,     &poemctl_sessions,
    &poemctl_status,  &poemctl_stop,    &poemctl_taint,
    &poemctl_trace,   &poemctl_upgrade, NULL,
};

/* ---- usage ---- */

const char *poemctl_word(const struct poemctl_command *c)
{
    const char *const space = strrchr(c->name, ' ');

    return space ? space + 1 : c->name;
}

static const struct poemctl_command *poemctl_find(const struct poemctl_command *const *list,
                                                  const char *word)
{
    while (*list && strcmp(poemctl_word(*list), word) != 0) {
        list++;
    }
    return *list;
}

/* Returns the command or action of the list that a word is most like, or NULL. */
static const struct poemctl_command *poemctl_nearest(const struct poemctl_command *const *list,
                                                     const char *word)
{
    const struct poemctl_command *nearest = NULL;
    const size_t n = strlen(word);
    size_t least = edit_distance_most(n) + 1;

    for (; *list; list++) {
        const char *const name = poemctl_word(*list);
        const size_t mistakes = edit_distance(word, n, name, strlen(name));

        if (mistakes < least) {
            nearest = *list;
            least = mistakes;
        }
    }
    return nearest;
}

/* The same for a word in the place of a command, which may be another command's action. */
static const struct poemctl_command *poemctl_nearest_command(const char *word)
{
    const struct poemctl_command *action = NULL;

    for (size_t i = 0; commands[i] && !action; i++) {
        action = commands[i]->actions ? poemctl_find(commands[i]->actions, word) : NULL;
    }
    return action ? action : poemctl_nearest(commands, word);
}

/* The length of the next piece of a synopsis: to a space that is in no brackets, or the line's end.
 */
static size_t poemctl_piece(const char *text)
{
    size_t n = 0;
    int depth = 0;

    for (; text[n] && text[n] != '\n' &&
           (text[n] != ' ' || depth > 0 || text[n + 1] == '|' || text[n - 1] == '|');
         n++) {
        depth += (text[n] == '[') - (text[n] == ']');
    }
    return n;
}

/* A form of a synopsis, folded. */
static const char *poemctl_print_form(FILE *f, const char *before, const char *name,
                                      const char *form)
{
    const int indent = fprintf(f, "%s poemctl %s", before, name);
    size_t column = (size_t)indent;

    while (*form && *form != '\n') {
        const size_t n = poemctl_piece(form);

        if (column + 1 + n >= COLUMNS) {
            fprintf(f, "\n%*s", indent, "");
            column = (size_t)indent;
        }
        fprintf(f, " %.*s", (int)n, form);
        column += 1 + n;
        form += n + (form[n] == ' ');
    }
    fputc('\n', f);
    return form + (*form == '\n');
}

/* All forms of a command, or of all its actions, the first one behind before. */
/* NOLINTNEXTLINE(misc-no-recursion): actions have no actions of their own. */
static void poemctl_print_usage(FILE *f, const char *before, const struct poemctl_command *c)
{
    const char *form = c->synopsis;

    if (c->actions) {
        for (size_t i = 0; c->actions[i]; i++) {
            poemctl_print_usage(f, i == 0 ? before : "      ", c->actions[i]);
        }
        return;
    }
    do {
        form = poemctl_print_form(f, before, c->name, form);
        before = "      ";
    } while (*form);
}

static void poemctl_help(FILE *f)
{
    fprintf(f, "usage: poemctl COMMAND [ARGUMENTS]\n"
               "       poemctl help [COMMAND [ACTION]]\n"
               "       poemctl COMMAND --help\n"
               "       poemctl --help | --version | --completion [bash | zsh | fish]\n\n");
    for (size_t i = 0; commands[i]; i++) {
        fprintf(f, "  %-10s%s\n", commands[i]->name, commands[i]->what);
    }
    fprintf(f, "\nExit status: 0 yes, 1 no, 2 usage, 3 could not. More in poemctl(1).\n");
}

static void poemctl_help_command(FILE *f, const struct poemctl_command *c)
{
    poemctl_print_usage(f, "usage:", c);
    if (!c->actions) {
        fprintf(f, "\n%s\n\n", c->what);
        cli_help(f, c->options);
    }
    fprintf(f, "\nMore in %s.\n", c->manual);
}

int poemctl_usage(const struct poemctl_command *c)
{
    poemctl_print_usage(stderr, "usage:", c);
    fprintf(stderr, "       more by --help and in %s\n", c->manual);
    return POEMCTL_USAGE;
}

/* ---- what commands share ---- */

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

int poemctl_could_not(const char *name, const char *path, const char *why)
{
    char shown[512];

    poemctl_error(name, "%s: %s", log_escape(shown, sizeof shown, path, strlen(path)), why);
    return POEMCTL_COULD_NOT;
}

char **poemctl_parse(const struct poemctl_command *c, int argc, char **argv, void *values)
{
    char program[64];
    unsigned n;
    int first;

    snprintf(program, sizeof program, "poemctl: %s", c->name);
    first = cli_parse(program, c->options, argc, argv, values);
    n = first < 0 ? 0 : (unsigned)(argc - first);
    if (first >= 0 && n >= c->least && n <= c->most) {
        return argv + first;
    }
    if (first >= 0 && n < c->least) {
        poemctl_error(c->name, "%s", c->missing ? c->missing : "too few arguments");
    } else if (first >= 0) {
        poemctl_error(c->name, "%s", c->surplus ? c->surplus : "too many arguments");
    }
    (void)poemctl_usage(c);
    return NULL;
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

    if (!cli_number(text, 1, UINT64_MAX, out)) {
        poemctl_error(name, "\"%s\" is not a number",
                      log_escape(shown, sizeof shown, text, strlen(text)));
        return false;
    }
    return true;
}

/* Flushes standard output, and reports what could not be written. */
static int poemctl_finish(const char *name, int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout)) {
        return code;
    }
    poemctl_error(name, "standard output: %s", strerror(errno));
    return POEMCTL_COULD_NOT;
}

/* ---- finding the command ---- */

static bool poemctl_wants_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

/* NOLINTNEXTLINE(misc-no-recursion): actions have no actions of their own. */
static int poemctl_call(const struct poemctl_command *c, int argc, char **argv)
{
    const struct poemctl_command *action;
    char shown[64];

    if (argc == 2 && poemctl_wants_help(argv[1])) {
        poemctl_help_command(stdout, c);
        return POEMCTL_YES;
    }
    if (c->run) {
        return c->run(argc, argv);
    }
    if (argc < 2) {
        poemctl_error(c->name, "which action?");
        return poemctl_usage(c);
    }
    action = poemctl_find(c->actions, argv[1]);
    if (!action) {
        action = poemctl_nearest(c->actions, argv[1]);
        poemctl_error(c->name, "no action \"%s\"%s%s%s",
                      log_escape(shown, sizeof shown, argv[1], strlen(argv[1])),
                      action ? ": did you mean \"" : "", action ? poemctl_word(action) : "",
                      action ? "\"?" : "");
        return poemctl_usage(c);
    }
    return poemctl_call(action, argc - 1, argv + 1);
}

static int poemctl_no_command(const char *word)
{
    const struct poemctl_command *const nearest = poemctl_nearest_command(word);
    char shown[64];

    fprintf(stderr, "poemctl: no command \"%s\"%s%s%s\n       poemctl help shows all commands\n",
            log_escape(shown, sizeof shown, word, strlen(word)), nearest ? ": did you mean \"" : "",
            nearest ? nearest->name : "", nearest ? "\"?" : "");
    return POEMCTL_USAGE;
}

/* poemctl help [COMMAND [ACTION]] */
static int poemctl_help_main(int argc, char **argv)
{
    const struct poemctl_command *c;
    char shown[64];

    if (argc < 2) {
        poemctl_help(stdout);
        return POEMCTL_YES;
    }
    c = poemctl_find(commands, argv[1]);
    if (!c) {
        return poemctl_no_command(argv[1]);
    }
    if (argc > 2) {
        c = c->actions ? poemctl_find(c->actions, argv[2]) : NULL;
    }
    if (!c || argc > 3) {
        poemctl_error("help", "%s has no action \"%s\"", argv[1],
                      log_escape(shown, sizeof shown, argv[argc - 1], strlen(argv[argc - 1])));
        return POEMCTL_USAGE;
    }
    poemctl_help_command(stdout, c);
    return POEMCTL_YES;
}

static int poemctl_complete_main(const char *shell)
{
    if (!poemctl_complete(stdout, commands, shell)) {
        poemctl_error("--completion", "bash, zsh or fish");
        return POEMCTL_USAGE;
    }
    return poemctl_finish("completion", POEMCTL_YES);
}

int main(int argc, char **argv)
{
    const struct poemctl_command *c;

    if (argc < 2) {
        poemctl_help(stderr);
        return POEMCTL_USAGE;
    }
    if (strcmp(argv[1], INSPECTOR_ARG) == 0) {
        return inspector_main();
    }
    if (poemctl_wants_help(argv[1])) {
        poemctl_help(stdout);
        return poemctl_finish("help", POEMCTL_YES);
    }
    if (strcmp(argv[1], "help") == 0) {
        return poemctl_finish("help", poemctl_help_main(argc - 1, argv + 1));
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("poemctl %s\n", POEMD_VERSION);
        return poemctl_finish("version", POEMCTL_YES);
    }
    if (strcmp(argv[1], "--completion") == 0) {
        return poemctl_complete_main(argc > 2 ? argv[2] : "bash");
    }
    c = poemctl_find(commands, argv[1]);
    if (!c) {
        return poemctl_no_command(argv[1]);
    }
    return poemctl_finish(c->name, poemctl_call(c, argc - 1, argv + 1));
}
