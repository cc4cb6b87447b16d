/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Puts a configuration in force. */
#ifndef POEMD_PROXY_MONITOR_RELOAD_RELOAD_APPLY_H
#define POEMD_PROXY_MONITOR_RELOAD_RELOAD_APPLY_H

#include "proxy/monitor/reload/reload_state.h"

/*
 * Puts the job's configuration in force, and takes it with the sockets. Returns NULL, or why it
 * cannot be done (static, or in text): then nothing has changed.
 */
const char *reload_apply(struct reload *r, struct reload_job *j, char *text, size_t size)
    __attribute__((warn_unused_result));

/* Frees inspectors, devices and routes of earlier configurations that nothing uses any more. */
void reload_apply_reap(struct reload *r, bool over);

#endif
