/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Scripted parties that know the recital protocol: what one sends, and what it makes of the answer.
 */
#ifndef POEMD_TESTS_DAEMON_RECITING_H
#define POEMD_TESTS_DAEMON_RECITING_H

#include <stdbool.h>

#include "handshake/recital.h"
#include "poem/poem.h"

/* The id of every VERSION message here. */
#define RECITING_ID 7

/*
 * A backend that answers a VERSION request, and recites the poem (NULL: does not) under a licence.
 * *challenged: whether it was asked to.
 */
void reciting_backend(int fd, const struct poem *poem, const char *licence, bool *challenged);

/* The same, which declares a licence as well; NULL: the one it recites under. */
void reciting_backend_declares(int fd, const struct poem *poem, const char *licence,
                               const char *declared, bool *challenged);

/* A client's request: a challenge, a recital of its own under a licence (NULL: none), or both. */
void reciting_client(int fd, struct recital_client *c, const struct poem *poem, bool challenge,
                     const char *licence);

/* The client receives the reply, and judges it. */
enum recital_outcome reciting_judge(int fd, const struct recital_client *c,
                                    struct recital_reply *told);

#endif
