/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A rig whose route r is captured, and its trace read back.
 */
#ifndef POEMD_TESTS_DAEMON_TRACE_RIG_H
#define POEMD_TESTS_DAEMON_TRACE_RIG_H

#include "tests/daemon/rig.h"
#include "tests/support/stream.h"
#include "trace/file/reader.h"

/* What both sides offer where it does not matter. */
#define TRACE_RIG_CAPS "{\"capabilities\":{\"max_msg_fds\":16}}"

/* Packets of VERSION: two requests, two replies. */
#define TRACE_RIG_VERSIONS 4u

/*
 * Starts poemd with one worker, file_statements, and "trace FILE trace_words" in route r. FILE is
 * trace_rig_file(0). No session has been before.
 */
void trace_rig_start(struct rig *r, const char *file_statements, const char *trace_words);

/* The same with "trace FILE" for a file elsewhere. */
void trace_rig_start_at(struct rig *r, const char *file);

/* Ends poemd, which writes all that it has, and checks that nothing is left. */
void trace_rig_stop(struct rig *r);

/* The path of the trace, or of old file number n of it. Static storage, four of them in turn. */
const char *trace_rig_file(unsigned n);

/* The pids of the tracer and of the only worker. Waits until there is one. */
pid_t trace_rig_tracer(const struct rig *r);
pid_t trace_rig_worker(const struct rig *r);

/* A stream of so many commands of a kind; passed on to the backend. */
void trace_rig_stream(struct stream *s, unsigned n, uint16_t command, size_t payload);
void trace_rig_pass(const struct pair *p, const struct stream *s);

/* What a trace comes to. */
struct trace_sums {
    unsigned sessions;
    uint64_t messages;
    uint64_t lost;     /* that packets tell of */
    uint64_t seen;     /* by the last statistics, of all sessions */
    uint64_t all_lost; /* … */
    unsigned over;     /* sessions that have ended */
    enum trace_outcome outcome;
    char section[256];
    char comment[8192]; /* of the last session */
    char ending[128];   /* … */
};

/* Called for each message, in the order of the file. */
typedef void trace_rig_fn(const struct trace_item *item, void *arg);

/* Reads a whole trace; fn may be NULL. Its numbers must rise within each session. */
struct trace_sums trace_rig_read(const char *path, trace_rig_fn *fn, void *arg);

/* Waits until the file has so many messages. */
void trace_rig_await(const char *path, uint64_t messages);

#endif
