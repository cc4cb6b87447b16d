/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Follows a file or a pipe that is being written: waits until it exists, until it has grown, until
 * its writer has closed it, or until the user interrupts.
 */
#ifndef POEMD_CTL_TRACE_FOLLOW_H
#define POEMD_CTL_TRACE_FOLLOW_H

#include <stdbool.h>
#include <stdint.h>

struct follow {
    int inotify_fd; /* -1 for a pipe */
    int dir;        /* watches; -1 if none */
    int file;
    const char *path; /* borrowed */
    int pipe_fd;      /* borrowed; -1 for a file */
    bool ready;       /* the last answer of follow_ready */
    uint64_t stop_ms; /* when a pipe is given up after SIGINT or SIGTERM; 0: no signal yet */
};

enum follow_event {
    FOLLOW_GROWN,  /* perhaps: read on */
    FOLLOW_IDLE,   /* no event for a while */
    FOLLOW_CLOSED, /* by its writer */
    FOLLOW_STOP,   /* SIGINT or SIGTERM */
    FOLLOW_FAILED,
};

/*
 * Starts to watch; from here on SIGINT and SIGTERM count as events. Returns 0 or -errno. Call
 * follow_end in either case.
 */
int follow_begin(struct follow *f, const char *path) __attribute__((warn_unused_result));

/*
 * The same for a pipe, FIFO, socket or terminal, which is read only if follow_ready returns true.
 * After SIGINT or SIGTERM it still waits 0.5 s for the writer to end, since a writer in the same
 * pipeline gets the signal as well, and then sends its last counts.
 */
int follow_begin_pipe(struct follow *f, int fd) __attribute__((warn_unused_result));
void follow_end(struct follow *f);

/* Waits until the file exists. Returns 0 or -errno; -EINTR after SIGINT or SIGTERM. */
int follow_until_there(struct follow *f) __attribute__((warn_unused_result));

enum follow_event follow_wait(struct follow *f) __attribute__((warn_unused_result));

/* Returns true if a read of the pipe does not block; arg is the struct follow. */
bool follow_ready(void *arg);

/* Returns true if a read that returned nothing has reached the pipe's end. */
bool follow_at_end(const struct follow *f);

/* Returns true after SIGINT or SIGTERM. */
bool follow_stopped(void);

#endif
