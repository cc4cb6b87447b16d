/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Sessions of an earlier monitor: from their records to sessions. */
#ifndef POEMD_PROXY_MONITOR_TAKEOVER_TAKEOVER_SESSION_H
#define POEMD_PROXY_MONITOR_TAKEOVER_TAKEOVER_SESSION_H

#include "proxy/monitor/takeover/takeover_state.h"

/* Restores all of them, and goes on with each as its state demands. */
void takeover_session_all(struct takeover *to);

/* Answers or hangs up on clients that have no record. */
void takeover_session_rest(struct takeover *to);

#endif
