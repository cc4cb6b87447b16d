/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What every Check suite does around its tests: fds are compared before and after each test and
 * around the whole suite, and each test has a folder of its own where it wants one.
 */
#ifndef POEMD_TESTS_UNIT_H
#define POEMD_TESTS_UNIT_H

#include <check.h>
#include <stddef.h>

/*
 * For every assertion that holds, Check writes to a file, for the place of a crash: a system call
 * each, which took half the time of suites with long loops. A test's first ones are written.
 */
void unit_mark_point(const char *file, int line);
#define _mark_point(file, line) unit_mark_point(file, line)

/* A case of the suite whose tests must each leave the open fds as they were. */
TCase *unit_case(Suite *s, const char *name);

/* Runs the suite and frees it. For main: EXIT_SUCCESS or EXIT_FAILURE. */
int unit_run(Suite *s);

/*
 * A folder for the running test alone, removed with all that is in it after the test (also a
 * failed one). Static storage.
 */
const char *unit_folder(void);

/* A path in that folder; static storage, four of them in turn. */
const char *unit_path(const char *name);

/*
 * The step by which a test goes through an exhaustive range: usual, four times that with
 * sanitizers, or 1 if POEMD_SOAK is set in the environment (tests/run soak).
 */
size_t unit_step(size_t usual);

#endif
