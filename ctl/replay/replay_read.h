/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Reads one session of a trace file as a script. */
#ifndef POEMD_CTL_REPLAY_REPLAY_READ_H
#define POEMD_CTL_REPLAY_REPLAY_READ_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "trace/replay/replay_script.h"

struct replay_reading {
    bool one_session; /* only this one; else the trace must have one session only */
    uint64_t session; /* … its number; after reading: of the session that was read */
    unsigned leg;     /* TRACE_LEG_*, on which the messages were seen */
    struct replay_script script;
    bool chosen;
    char route[LIMIT_NAME * 4 + 1]; /* escaped */
    char why[512];                  /* not empty: why it cannot be replayed */
};

/*
 * Takes the value of an option --session. Returns false after an error message of the action if it
 * is no number.
 */
bool replay_read_choice(struct replay_reading *r, const char *action, const char *text)
    __attribute__((warn_unused_result));

/*
 * Reads the session from file ("-": standard input) into r, of which the first three members are
 * set and the others 0. A trace that is cut off is read up to there. Returns POEMCTL_YES, or
 * another exit code after an error message of the action. Call replay_script_deinit in either case.
 */
int replay_read(struct replay_reading *r, const char *action, const char *file)
    __attribute__((warn_unused_result));

#endif
