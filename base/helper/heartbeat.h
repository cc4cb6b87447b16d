/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Checks that a child process still makes its turns, by measuring its silence.
 *
 * The owner calls heartbeat_beat() every LIMIT_BEAT_MS, sends the question that it returns, and
 * calls heartbeat_heard() for every message from the child. A child is hung after LIMIT_SILENT_MS
 * of silence in which it could have answered. Time is not counted while
 *
 *   this process did not run    a late beat counts as one beat, so that no child counts as hung on
 * a suspended or starved machine the child waited for a CPU  only the CPU time of a runnable child
 * counts; for any other, not its wait for a CPU (/proc/PID/schedstat): on a busy machine the
 * child's turn comes late through no fault of its own
 *
 * A child in the kernel's uninterruptible sleep waits for a disk, or for its own pages from one:
 * its limit is LIMIT_HELD_MS. A child that sleeps without answering, is stopped, or computes
 * endlessly is counted in full.
 */
#ifndef POEMD_BASE_HELPER_HEARTBEAT_H
#define POEMD_BASE_HELPER_HEARTBEAT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/limits.h"

/* A sample of a process's state and times. */
struct heartbeat_sample {
    char state;       /* as in ps: R runnable, D in uninterruptible sleep; '\0' unknown */
    bool times;       /* the kernel reports these, for its whole life: */
    uint64_t ran_ns;  /* on a CPU */
    uint64_t wait_ns; /* ready to run, without a CPU */
};

struct heartbeat {
    bool asked;         /* an answer, or the process's first message, is awaited */
    bool starting;      /* … the latter */
    uint64_t beat_ms;   /* time of the last beat */
    unsigned missed;    /* beats without an answer, in a row */
    unsigned silent_ms; /* counted so far */
    unsigned held_ms;
    struct heartbeat_sample last;
};

enum heartbeat_news {
    HEARTBEAT_ASK,  /* send a question */
    HEARTBEAT_WAIT, /* the last question is not answered yet */
    HEARTBEAT_HUNG, /* kill the process */
};

/* The process has been started, and its first message is awaited. now_ms: of CLOCK_MONOTONIC. */
void heartbeat_start(struct heartbeat *h, uint64_t now_ms);

/* Does one beat; s is a current sample of the process. Pure. */
enum heartbeat_news heartbeat_beat(struct heartbeat *h, uint64_t now_ms,
                                   const struct heartbeat_sample *s);

/* The process has sent something. */
void heartbeat_heard(struct heartbeat *h);

/* Returns true if a whole beat has passed without an answer: do not give the process new work. */
bool heartbeat_late(const struct heartbeat *h);

/* Samples a process from /proc. A child's pid is not reused until it is collected. */
void heartbeat_look(pid_t pid, struct heartbeat_sample *s);

#endif
