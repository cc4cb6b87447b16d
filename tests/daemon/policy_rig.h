/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * poemd with a policy: beside route r, by which the rig measures once the test's program has been
 * looked at, a route p with the rules under test, and clients that are processes of their own.
 *
 * Where a rule or an audit log asks who the parties are, poemd has an inspector: one child more.
 */
#ifndef POEMD_TESTS_DAEMON_POLICY_RIG_H
#define POEMD_TESTS_DAEMON_POLICY_RIG_H

#include <sys/types.h>

#include "tests/daemon/rig.h"

struct policy_rig {
    struct rig rig;
    char listen[RIG_PATH]; /* route p's socket, which every user may connect to */
    char global[512];      /* statements outside of routes */
};

/* Paths and a backend; the folder can be entered by others. */
void policy_init(struct policy_rig *p);

/*
 * Starts poemd with these statements in route p, and takes the measure. In them @EXE, @DIGEST, @UID
 * and @GID are those of the test, which is the backend, and the client where no other is started.
 */
void policy_launch(struct policy_rig *p, const char *statements);

/* Both at once. */
void policy_start(struct policy_rig *p, const char *statements);

/* Configures and starts poemd without measuring. */
void policy_run(struct policy_rig *p, const char *statements);

/* The same as rig_stop. */
void policy_stop(struct policy_rig *p);

/* ---- what becomes of a session ---- */

struct policy_result {
    int err;            /* what the client was told: 0, or an errno */
    char verdict[1200]; /* the log's line */
    char taint[16];     /* the letters that the log has; "-" where it has none */
};

/* The test connects to route p and exchanges VERSION with these JSONs; one ping where it is let. */
void policy_session(struct policy_rig *p, const char *request, const char *reply,
                    struct policy_result *out);

/* Receives the reply to VERSION: 0, or the errno in it. */
int policy_receive(int client_fd);

/* The log's lines on the verdict, err being what the client was told. */
void policy_hear(struct policy_rig *p, int err, struct policy_result *out);

/* Takes the next connection of the backend and answers VERSION; the connection. */
int policy_answer(struct policy_rig *p, const char *reply);

/* Fails unless the session was refused with EACCES, and the log says why and would_pass. */
void policy_expect_denied(const struct policy_result *r, const char *why, const char *would_pass);

/* Fails unless it was let, with these letters of taint. */
void policy_expect_let(const struct policy_result *r, const char *taint);

/* ---- clients of their own ---- */

struct policy_client {
    pid_t pid;
    int fd; /* to command it */
};

/* What main must call first: a test's program is its clients' as well. */
void policy_client_main(int argc, char **argv);

/* Starts the program at path, a copy of the test's own, as a client of route p. It waits. */
void policy_client_exec(struct policy_client *c, const char *path, const char *listen);

/* Makes a copy of the test's program at path. */
void policy_copy_self(const char *path);

/* A client of the same program under this user and group. It waits. */
void policy_client_user(struct policy_client *c, uid_t id, const char *listen);

/*
 * A client that connects at once, and whose child is to use the socket; the client itself has gone,
 * or stays. The child waits.
 */
void policy_client_forked(struct policy_client *c, bool stays, const char *listen);

/* Has it exchange VERSION with the backend. What becomes of it goes to out. */
void policy_client_go(struct policy_rig *p, struct policy_client *c, struct policy_result *out);

/* Ends it. */
void policy_client_end(struct policy_client *c);

/* ---- tools ---- */

/* Runs a program to its end, its output going to the rig's log. The exit status. */
int policy_tool(struct policy_rig *p, const char *const argv[]);

/* poemctl's path. */
const char *policy_poemctl(void);

#endif
