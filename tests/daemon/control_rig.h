/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A rig whose poemd has a control socket, and the asking of it, packet by packet. */
#ifndef POEMD_TESTS_DAEMON_CONTROL_RIG_H
#define POEMD_TESTS_DAEMON_CONTROL_RIG_H

#include <jansson.h>

#include "proxy/ipc/control_wire.h"
#include "tests/daemon/rig.h"

/* Where its control socket is; static storage. */
const char *control_path(void);

/* Route r with these statements, one worker, and "control" with these arguments behind its path. */
void control_rig_start(struct rig *r, const char *control_arguments, const char *route_statements);

/*
 * The same, with the tracer already there: route r has a flight recorder of its own, which is
 * capture 1.
 */
void control_rig_start_tracing(struct rig *r);

/* A request of that type, all else being nothing. */
struct control_request control_request_of(enum control_type type);

/* Connects; sends n bytes of any kind, with fds (n_fds of them). */
int control_connect(void);
void control_send(int fd, const void *p, size_t n, const int *fds, unsigned n_fds);

/* The next part, a new reference; fails the test unless there is one with this status. */
json_t *control_receive(int fd, enum control_status status, bool *last);

/*
 * Asks, and puts all parts but empty ones into an array, a new reference; all must be well. The
 * connection is closed by poemd then.
 */
json_t *control_answer_to(const struct control_request *q);

/* Asks, and checks that the only answer is this status, with text in its "error". */
void control_expect(const struct control_request *q, enum control_status status, const char *text);

/* The only answer that comes at fd is this one; then it is closed. */
void control_expect_at(int fd, enum control_status status, const char *text);

/* The object under name in part i of an answer, borrowed; fails where it is none. */
json_t *control_part_of(const json_t *answer, size_t i, const char *name);

#endif
