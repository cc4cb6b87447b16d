/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Whom the processes become that a root monitor starts. Each kind has a user of its own: the one
 * that the configuration names; or an account of the kind's name (CONFIG_WORKER_ACCOUNT ...: made
 * by contrib/systemd's sysusers.d file) that nothing else runs as at the moment; or a number that
 * is free (base/users.h). Each route's devices have one, too.
 */
#ifndef POEMD_PROXY_CONFIG_ACCOUNTS_H
#define POEMD_PROXY_CONFIG_ACCOUNTS_H

#include "proxy/config/config.h"

/*
 * Fills in the ids that config_resolve left open, if we are root, and logs a warning for each named
 * user that runs something else. 0, or -errno, which has been logged.
 */
int accounts_choose(struct config *c) __attribute__((warn_unused_result));

#endif
