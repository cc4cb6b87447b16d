/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Shared by poemctl's commands: their description, exit codes, and error messages. */
#ifndef POEMD_CTL_POEMCTL_H
#define POEMD_CTL_POEMCTL_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/cli.h"
#include "trace/lint/profile.h"

/* Exit codes; the same for every subcommand. */
enum poemctl_exit {
    POEMCTL_YES = 0,
    POEMCTL_NO = 1,        /* a well-formed negative answer */
    POEMCTL_USAGE = 2,     /* the command line is wrong */
    POEMCTL_COULD_NOT = 3, /* the question could not be asked or answered */
};

/*
 * A command, or an action of one. Its file defines it; poemctl.c or the command that it belongs to
 * lists it. Parsing, usage, --help and shell completion follow from it; a test compares it with the
 * manual.
 */
struct poemctl_command {
    const char *name;     /* with the command's before an action's: "trace show" */
    const char *synopsis; /* what may follow the name, a form on each line */
    const char *what;     /* one line */
    const char *manual;   /* "poemctl(1)" */
    const struct cli_option *options;
    /* Operands, how many at least and at most; what is reported if there are fewer, or more. */
    unsigned least;
    unsigned most;
    const char *missing; /* error texts; NULL: a general one */
    const char *surplus;
    /* Returns one of the exit codes. argv[0] is the last word of the name. */
    int (*run)(int argc, char **argv);
    /* Or NULL and a list of actions, which ends with NULL. */
    const struct poemctl_command *const *actions;
};

/* The ending of a noun behind a number: "1 message", "2 messages". */
#define POEMCTL_PLURAL(n) ((n) == 1 ? "" : "s")

/* Operands without an upper limit. */
#define POEMCTL_ANY UINT_MAX

/*
 * Stores the command's options in values. Returns its operands, which end with NULL, or NULL if the
 * command line is wrong: that and the usage have been reported, and the exit code is POEMCTL_USAGE.
 */
char **poemctl_parse(const struct poemctl_command *c, int argc, char **argv, void *values)
    __attribute__((warn_unused_result));

/* Prints the command's usage to standard error. Returns POEMCTL_USAGE. */
int poemctl_usage(const struct poemctl_command *c);

/*
 * Prints "poemctl: NAME: …" and a line feed to standard error. Foreign text must already be
 * escaped.
 */
void poemctl_error(const char *name, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Prints "poemctl: NAME: PATH: why" to standard error, path escaped. Returns POEMCTL_COULD_NOT. */
int poemctl_could_not(const char *name, const char *path, const char *why);

/* Default timeout of the commands: as long as QEMU waits for an answer by default. */
#define POEMCTL_TIMEOUT_MS 5000

/* The option --timeout, in ms. */
#define POEMCTL_TIMEOUT_OPTION(type, member) \
    { \
        .name = "timeout", .value = "MS", .help = "wait so long for each answer (5000)", \
        CLI_NUMBER(type, member, 1, 600000) \
    }

/* The option --json. */
#define POEMCTL_JSON_OPTION(type, member) \
    { \
        .name = "json", .help = "print JSON", CLI_FLAG(type, member) \
    }

/* The option --for, an enum profile in an int. */
#define POEMCTL_FOR_OPTION(type, member) \
    { \
        .name = "for", .value = PROFILE_WORDS, \
        .help = "what the program at the other end does not accept (qemu)", \
        CLI_CHOICE(type, member) \
    }

/* The end of a table of options. */
#define POEMCTL_END_OPTION \
    { \
        .name = NULL \
    }

/*
 * Returns true if path exists, or is not a text that other programs take as a socket's address
 * ("@name", "fd:3"). Returns false after an error message.
 */
bool poemctl_socket(const char *name, const char *path);

/*
 * Reads the number of a session or a capture. Returns false, after an error message, if it is
 * wrong.
 */
bool poemctl_number(const char *name, const char *text, uint64_t *out);

/* Returns the last word of a command's name: an action's own. */
const char *poemctl_word(const struct poemctl_command *c);

/* ---- the commands ---- */

extern const struct poemctl_command poemctl_attest;
extern const struct poemctl_command poemctl_audit;
extern const struct poemctl_command poemctl_doctor;
extern const struct poemctl_command poemctl_inspect;
extern const struct poemctl_command poemctl_poem;
extern const struct poemctl_command poemctl_policy;
extern const struct poemctl_command poemctl_probe;
extern const struct poemctl_command poemctl_recite;
extern const struct poemctl_command poemctl_reload;
extern const struct poemctl_command poemctl_replace;
extern const struct poemctl_command poemctl_run;
extern const struct poemctl_command poemctl_sessions;
extern const struct poemctl_command poemctl_status;
extern const struct poemctl_command poemctl_stop;
extern const struct poemctl_command poemctl_taint;
extern const struct poemctl_command poemctl_trace;
extern const struct poemctl_command poemctl_upgrade;

/*
 * Prints a script for a shell ("bash", "zsh", "fish") that completes the commands of the list,
 * which ends with NULL. Returns false if it is another shell.
 */
bool poemctl_complete(FILE *f, const struct poemctl_command *const *commands, const char *shell)
    __attribute__((warn_unused_result));

#endif
