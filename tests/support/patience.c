/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The tests' only clock. Touches no fd.
 */
#define _GNU_SOURCE
#include "tests/support/patience.h"

#include <stdlib.h>
#include <time.h>

/*
 * Ends a test that hangs, on any machine. Beside processes of a higher priority an inspector took
 * more than 20 s for what it reads in one.
 */
#define PATIENCE_MS 60000
#define PATIENCE_WRAPPED_MS 90000

/* Short beside a test, long beside a read of /proc. */
#define NAP_NS 2000000L

int patience_ms(void)
{
    const char *wrapper = getenv("POEMD_WRAPPER");

    return wrapper && *wrapper ? PATIENCE_WRAPPED_MS : PATIENCE_MS;
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

struct patience patience_begin(void)
{
    return (struct patience){.end_ms = now_ms() + patience_ms()};
}

int patience_left(const struct patience *p)
{
    const int64_t left = p->end_ms - now_ms();

    return left > 0 ? (int)left : 0;
}

bool patience_again(const struct patience *p)
{
    if (patience_left(p) == 0) {
        return false;
    }
    nanosleep(&(struct timespec){.tv_nsec = NAP_NS}, NULL);
    return true;
}
