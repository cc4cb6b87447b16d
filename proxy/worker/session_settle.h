/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* For session_resume.c: messages that a worker was sending when it was killed. */
#ifndef POEMD_PROXY_WORKER_SESSION_SETTLE_H
#define POEMD_PROXY_WORKER_SESSION_SETTLE_H

#include "proxy/worker/session.h"

struct session_settle;

/*
 * The message under way from this side is in doubt: asks its receiver (proxy/relay/settle.h), and
 * rests the direction meanwhile; or sends it again if it wants no reply. The session's report that
 * it goes on waits for the result. Returns REASON_NONE, or the reason for the session's end.
 */
enum session_reason session_settle_begin(struct session *s, struct channel_pair *l, enum side from)
    __attribute__((warn_unused_result));

/*
 * Takes out the answers to questions of the last worker. Returns REASON_NONE, or the reason for the
 * session's end.
 */
enum session_reason session_settle_go_on(struct session *s) __attribute__((warn_unused_result));

/* Frees it; NULL is allowed. */
void session_settle_free(struct session_settle *g);

#endif
