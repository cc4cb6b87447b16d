/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The users of the processes that a root monitor starts. Each kind has a user of its own: the
 * configured one; or an account of the kind's name (CONFIG_WORKER_ACCOUNT ...: created by
 * contrib/systemd's sysusers.d file), if nothing else runs as it at the moment; or a free number
 * (base/users.h). Each route's devices have one, too.
 */
#ifndef POEMD_PROXY_CONFIG_ACCOUNTS_H
#define POEMD_PROXY_CONFIG_ACCOUNTS_H

#include "proxy/config/config.h"

/*
 * Fills in the ids that config_resolve left open, if we are root, and logs a warning for each
 * configured user that runs something else. Returns 0 or -errno (logged).
 */
int accounts_choose(struct config *c) __attribute__((warn_unused_result));

/*
 * Does the same for a configuration that follows a running one: keeps the users of processes and
 * devices that are in both, and fills in those of new devices. Logs nothing. Returns 0 or -errno:
 * no number is free.
 */
int accounts_keep(struct config *c, const struct config *running)
    __attribute__((warn_unused_result));

#endif
