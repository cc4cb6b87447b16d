/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Tries the rules of a configuration on running sessions. */
#ifndef POEMD_PROXY_MONITOR_RELOAD_RELOAD_TRY_H
#define POEMD_PROXY_MONITOR_RELOAD_RELOAD_TRY_H

#include "proxy/monitor/reload/reload_state.h"

enum reload_try {
    RELOAD_TRY_DONE, /* with all sessions */
    RELOAD_TRY_MORE, /* the turn is long: call it again in the next one */
    RELOAD_TRY_WAIT, /* call it again in LIMIT_RELOAD_LOOK_MS: the next one is in its handshake */
};

/*
 * Tries the rules of r->tried on the next sessions that began under another configuration. Adds to
 * the answer those that are denied. If that was requested, ends them, and waits for sessions in
 * their handshake, which the earlier rules may allow; one that takes too long ends.
 */
enum reload_try reload_try_some(struct reload *r) __attribute__((warn_unused_result));

#endif
