/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* CONTROL_REPLACE, of the table in control_dispatch.c. */
#ifndef POEMD_PROXY_MONITOR_CONTROL_REPLACE_H
#define POEMD_PROXY_MONITOR_CONTROL_REPLACE_H

#include "proxy/monitor/control/control_client.h"

/* Begins a replacement; the answer follows when that is over. */
void control_dispatch_replace(struct control_client *c);

/* The client goes: nothing waits for its replacement, if it has begun one. */
void control_replace_forget(struct control_client *c);

#endif
