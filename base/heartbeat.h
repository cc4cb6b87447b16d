/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Whether a child process still makes its turns: the arithmetic of silence.
 *
 * The owner calls heartbeat_beat() every LIMIT_BEAT_MS, sends the question that it asks for, and
 * calls heartbeat_heard() for whatever the child sends. A child is hung after LIMIT_SILENT_MS of
 * silence in which it could have answered. Not counted is time in which
 *
 *   this process did not run    a beat that comes late counts as one beat, so that a suspended or
 *                               starved machine makes nobody hung
 *   the child waited for a CPU  of a child that is runnable only its CPU time counts, of another
 *                               one not what it has waited for a CPU (/proc/PID/schedstat): on a
 *                               busy machine the child's turn comes late without its fault
 *
 * A child in the kernel's uninterruptible sleep waits for a disk, or for its own pages from one: it
 * has LIMIT_HELD_MS. A child that sleeps without an answer, is stopped, or computes without end is
 * counted in full.
 */
#ifndef POEMD_BASE_HEARTBEAT_H
#define POEMD_BASE_HEARTBEAT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/limits.h"

/* How a process spends its time. */
struct heartbeat_sample {
    char state;       /* as ps shows it: R runnable, D in uninterruptible sleep; '\0' unknown */
    bool times;       /* the kernel reports these, of its whole life: */
    uint64_t ran_ns;  /* on a CPU */
    uint64_t wait_ns; /* ready to run, without a CPU */
};

struct heartbeat {
    bool asked;         /* an answer is awaited, or that the process begins its work */
    bool starting;      /* … the latter */
    uint64_t beat_ms;   /* time of the last beat */
    unsigned missed;    /* beats without an answer, in a row */
    unsigned silent_ms; /* counted so far */
    unsigned held_ms;
    struct heartbeat_sample last;
};

enum heartbeat_news {
    HEARTBEAT_ASK,  /* send a question */
    HEARTBEAT_WAIT, /* the last one is not answered yet */
    HEARTBEAT_HUNG, /* kill the process */
};

/* The process has been started; its first message is awaited. now_ms: of CLOCK_MONOTONIC. */
void heartbeat_start(struct heartbeat *h, uint64_t now_ms);

/* One beat; s is how the process does now. Pure. */
enum heartbeat_news heartbeat_beat(struct heartbeat *h, uint64_t now_ms,
                                   const struct heartbeat_sample *s);

/* The process has sent something. */
void heartbeat_heard(struct heartbeat *h);

/* Whether a whole beat has passed without an answer: give the process nothing new. */
bool heartbeat_late(const struct heartbeat *h);

/* Looks in /proc how a process does. A child's number is its own until it is collected. */
void heartbeat_look(pid_t pid, struct heartbeat_sample *s);

#endif
