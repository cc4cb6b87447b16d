/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Tries the rules of a configuration on running sessions. */
#ifndef POEMD_PROXY_MONITOR_RELOAD_RELOAD_TRY_H
#define POEMD_PROXY_MONITOR_RELOAD_RELOAD_TRY_H

#include "proxy/monitor/reload/reload_state.h"

/*
 * Tries the rules of r->tried on the next sessions that began under another configuration, until
 * the turn is long. Adds to the answer those that are denied, and ends them if that was requested.
 * Returns true when all are done.
 */
bool reload_try_some(struct reload *r) __attribute__((warn_unused_result));

#endif
