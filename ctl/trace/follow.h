/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Follows a file that is being written: waits until it exists, until it has grown, until its writer
 * has closed it, or until the user interrupts.
 */
#ifndef POEMD_CTL_TRACE_FOLLOW_H
#define POEMD_CTL_TRACE_FOLLOW_H

#include <stdbool.h>

struct follow {
    int inotify_fd; /* -1 if none */
    int dir;        /* watches; -1 if none */
    int file;
    const char *path; /* borrowed */
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
void follow_end(struct follow *f);

/* Waits until the file exists. Returns 0 or -errno; -EINTR after SIGINT or SIGTERM. */
int follow_until_there(struct follow *f) __attribute__((warn_unused_result));

enum follow_event follow_wait(struct follow *f) __attribute__((warn_unused_result));

/* Returns true after SIGINT or SIGTERM. */
bool follow_stopped(void);

#endif
