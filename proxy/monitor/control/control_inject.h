/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The request to inject faults into a session. */
#ifndef POEMD_PROXY_MONITOR_CONTROL_CONTROL_INJECT_H
#define POEMD_PROXY_MONITOR_CONTROL_CONTROL_INJECT_H

#include "proxy/monitor/control/control_client.h"

void control_dispatch_inject(struct control_client *c);

#endif
