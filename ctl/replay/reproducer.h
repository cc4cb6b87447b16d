/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Writes a session of a trace as a program that plays its client to a device, without poemd: the
 * session's messages as a table, behind playback.py or playback.c, which play it.
 */
#ifndef POEMD_CTL_REPLAY_REPRODUCER_H
#define POEMD_CTL_REPLAY_REPRODUCER_H

#include "ctl/replay/replay_read.h"

enum reproducer_language { REPRODUCER_IN_C, REPRODUCER_IN_PYTHON };

/*
 * Writes the program to standard output. Returns POEMCTL_YES, or POEMCTL_COULD_NOT after an error
 * message of the action about the trace file.
 */
int reproducer_write(const struct replay_reading *in, enum reproducer_language language,
                     const char *action, const char *file) __attribute__((warn_unused_result));

#endif
