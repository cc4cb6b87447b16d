/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * How long a test waits for something that must come before it calls it missing.
 *
 * Tests wait on events; these numbers only end a wait that has already failed, so they are generous
 * and no test's result depends on them. Under a wrapper (valgrind) everything is slower.
 */
#ifndef POEMD_TESTS_SUPPORT_PATIENCE_H
#define POEMD_TESTS_SUPPORT_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>

/* Milliseconds until a missing event fails the test. */
int patience_ms(void);

/* A moment by which something must have come. */
struct patience {
    int64_t end_ms; /* of CLOCK_MONOTONIC */
};

/* Begins to wait. */
struct patience patience_begin(void);

/* What is left in milliseconds; 0: it is lost. */
int patience_left(const struct patience *p);

/*
 * For what has no event to wait on (/proc): naps for a moment and says whether to look again.
 */
bool patience_again(const struct patience *p) __attribute__((warn_unused_result));

#endif
