/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * As many fds in flight as the kernel lets one user have: then every sendmsg with fds fails with
 * ETOOMANYREFS, until some have been received.
 */
#ifndef POEMD_TESTS_UNIT_RELAY_FLIGHT_H
#define POEMD_TESTS_UNIT_RELAY_FLIGHT_H

#include "base/fdset.h"

struct flight {
    int pair[2];
    struct fdset fds;
};

/*
 * Fills it. The kernel counts by user, against the sender's RLIMIT_NOFILE, and the superuser may
 * have any number: so this process becomes another user where it is root, and its limit is lowered
 * for good.
 */
void flight_fill(struct flight *f);

/* Receives all of them, so that others may be sent. */
void flight_empty(struct flight *f);

#endif
