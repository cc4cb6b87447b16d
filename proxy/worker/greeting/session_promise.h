/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* What a device's process has promised in its VERSION reply, and its successor must keep. */
#ifndef POEMD_PROXY_WORKER_GREETING_SESSION_PROMISE_H
#define POEMD_PROXY_WORKER_GREETING_SESSION_PROMISE_H

#include <stdbool.h>

#include "handshake/version.h"
#include "proxy/ipc/ipc.h"

/*
 * Returns true if the new process promises no less than the client has been promised; if not, with
 * the difference in *d. was->json has the capabilities alone.
 */
bool session_promise_kept(const struct version_offer *was, const struct version_offer *now,
                          struct ipc_difference *d) __attribute__((warn_unused_result));

#endif
