/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Waiting for a file that somebody writes: until it is there, until it has grown, until its writer
 * has closed it, or until the user has seen enough.
 */
#ifndef POEMD_CTL_TRACE_FOLLOW_H
#define POEMD_CTL_TRACE_FOLLOW_H

#include <stdbool.h>

struct follow {
    int inotify_fd; /* -1: none */
    int dir;        /* watches, -1: none */
    int file;
    const char *path; /* borrowed */
};

enum follow_event {
    FOLLOW_GROWN,  /* perhaps: read on */
    FOLLOW_IDLE,   /* nothing for a while */
    FOLLOW_CLOSED, /* whoever wrote it does so no more */
    FOLLOW_STOP,   /* SIGINT or SIGTERM */
    FOLLOW_FAILED,
};

/* Begins; from here on SIGINT and SIGTERM are events. 0 or -errno. follow_end in every case. */
int follow_begin(struct follow *f, const char *path) __attribute__((warn_unused_result));
void follow_end(struct follow *f);

/* Waits until the file is there. 0 or -errno; -EINTR: the user has seen enough. */
int follow_until_there(struct follow *f) __attribute__((warn_unused_result));

enum follow_event follow_wait(struct follow *f) __attribute__((warn_unused_result));

/* Whether a signal has come. */
bool follow_stopped(void);

#endif
