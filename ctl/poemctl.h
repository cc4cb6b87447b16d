/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What poemctl's subcommands share: exit codes, and how they say what went wrong.
 */
#ifndef POEMD_CTL_POEMCTL_H
#define POEMD_CTL_POEMCTL_H

#include <stdbool.h>
#include <stdint.h>

/* Exit codes; the same for every subcommand. */
enum poemctl_exit {
    POEMCTL_YES = 0,
    POEMCTL_NO = 1,        /* a well-formed negative answer */
    POEMCTL_USAGE = 2,     /* the command line makes no sense */
    POEMCTL_COULD_NOT = 3, /* the question could not be put, or not be answered */
};

/* A subcommand, or an action of one. Returns one of the exit codes. */
typedef int poemctl_command(int argc, char **argv);

/*
 * Runs it as name ("trace show"): what getopt says then begins as poemctl_error's lines do. argv
 * begins with the word by which it was found, and argv[0] is replaced meanwhile.
 */
int poemctl_run(poemctl_command *run, const char *name, int argc, char **argv);

/* Whether the word asks for help: --help or -h. */
bool poemctl_wants_help(const char *word);

/* "poemctl: NAME: …" to standard error, with a line end. Foreign text comes in escaped. */
void poemctl_error(const char *name, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The subcommand's synopsis to standard error, with the way to more. Returns POEMCTL_USAGE. */
int poemctl_usage(const char *name);

/* Flushes standard output: what could not be written is an error. Returns code, or COULD_NOT. */
int poemctl_finish(const char *name, int code);

/* As long as QEMU waits for an answer by default: how long the commands wait, unless told. */
#define POEMCTL_TIMEOUT_MS 5000

/* Reads the argument of --timeout; false, said on standard error, where it is none. */
bool poemctl_timeout(const char *name, const char *text, int *out);

/*
 * Whether path can be a socket's: one that is there always, one that is not unless it is what other
 * programs take as an address ("@name", "fd:3"); false is reported on standard error.
 */
bool poemctl_socket(const char *name, const char *path);

/* Reads the number of a session or a capture; false, said on standard error, where it is none. */
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
