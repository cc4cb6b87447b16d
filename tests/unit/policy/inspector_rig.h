/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * One inspector of the test's own program: a real one, or a bad one, and one who asks it.
 */
#ifndef POEMD_TESTS_UNIT_POLICY_INSPECTOR_RIG_H
#define POEMD_TESTS_UNIT_POLICY_INSPECTOR_RIG_H

#include "policy/inspector/inspector.h"
#include "tests/support/unit.h"

/* The test's one inspector, and what it is started with; no database unless the test says so. */
extern struct event_base *base;
extern struct inspector *inspector;
extern struct inspector_settings settings;

/* The last answer, and how many there were. */
extern struct inspection answer;
extern unsigned answers;

/* The file that is asked about. */
extern struct peer_exe exe;
extern struct inspector_asker asker; /* for whom it is inspected */

/* A case whose tests each have the rig. */
TCase *inspector_case(Suite *s, const char *name);

/* For main: where this process was started as an inspector, its whole life; it does not return. */
void inspector_rig_main(int argc, char **argv);

/* Starts the inspector; bad: which bad one (be_bad), NULL for a real one. */
void start(const char *bad);

void await_ready(void);

/* Runs the loop until so many answers have come in all. */
void await(unsigned n);

/* Counts an answer. */
inspector_done on_done;

void take_file(const char *path);

/* Asks about the file, and waits for the answer. */
enum inspection_outcome inspect(unsigned timeout_ms);
void assert_inspected(const char *path);

void write_file(const char *path, const char *text);

#endif
