/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Shared by poemctl's subcommands: exit codes, and error messages. */
#ifndef POEMD_CTL_POEMCTL_H
#define POEMD_CTL_POEMCTL_H

#include <stdbool.h>
#include <stdint.h>

/* Exit codes; the same for every subcommand. */
enum poemctl_exit {
    POEMCTL_YES = 0,
    POEMCTL_NO = 1,        /* a well-formed negative answer */
    POEMCTL_USAGE = 2,     /* the command line is wrong */
    POEMCTL_COULD_NOT = 3, /* the question could not be asked or answered */
};

/* A subcommand, or an action of one. Returns one of the exit codes. */
typedef int poemctl_command(int argc, char **argv);

/*
 * Runs an action under a name of two words ("trace show"), so that getopt's messages begin like
 * poemctl_error's. argv begins with the word by which the action was found; argv[0] is replaced
 * meanwhile.
 */
int poemctl_run(poemctl_command *run, const char *name, int argc, char **argv);

/* Returns true if the word is --help or -h. */
bool poemctl_wants_help(const char *word);

/*
 * Prints "poemctl: NAME: …" and a line feed to standard error. Foreign text must already be
 * escaped.
 */
void poemctl_error(const char *name, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Prints the subcommand's synopsis to standard error, with a hint at --help. Returns POEMCTL_USAGE.
 */
int poemctl_usage(const char *name);

/* Flushes standard output. Returns code, or POEMCTL_COULD_NOT if writing failed. */
int poemctl_finish(const char *name, int code);

/* Default timeout of the commands: as long as QEMU waits for an answer by default. */
#define POEMCTL_TIMEOUT_MS 5000

/* Reads the argument of --timeout. Returns false, after an error message, if it is wrong. */
bool poemctl_timeout(const char *name, const char *text, int *out);

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

/* ---- the subcommands ---- */

poemctl_command attest_main;
poemctl_command audit_main;
poemctl_command inspect_main;
poemctl_command poem_main;
poemctl_command policy_main;
poemctl_command probe_main;
poemctl_command recite_main;
poemctl_command sessions_main;
poemctl_command status_main;
poemctl_command taint_main;
poemctl_command trace_main;

#endif
