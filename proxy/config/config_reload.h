/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Reads the configuration that is to follow a running one, and checks it as a whole. */
#ifndef POEMD_PROXY_CONFIG_CONFIG_RELOAD_H
#define POEMD_PROXY_CONFIG_CONFIG_RELOAD_H

#include "proxy/config/options.h"
#include "proxy/config/places.h"

/*
 * Reads the file of o again into c, which config_init has initialized, with its keys, envelopes and
 * lists; what cannot change while poemd runs (CONFIG_FIXED) is an error. Calls warn for each place
 * that others can change. May block, and may run in a thread: see options_reload. Returns 0,
 * -EINVAL with errors added to e, or another -errno if the file could not be read.
 */
int config_reload(const struct options *o, const struct config *running, struct config *c,
                  struct config_errors *e, places_fn *warn, void *arg)
    __attribute__((warn_unused_result));

#endif
