/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Warns of files and folders of a configuration that other users could change. */
#ifndef POEMD_PROXY_CONFIG_PLACES_H
#define POEMD_PROXY_CONFIG_PLACES_H

#include "proxy/config/config.h"

/* Gets a warning: printable ASCII, with a remedy. */
typedef void places_fn(const char *text, void *arg);

/*
 * Checks the configuration's file, keys, poem, envelopes and audit log with all folders that lead
 * to them, and the folders of sockets, traces and the control socket. Calls fn for each that users
 * other than root and ourselves could change (base/trust.h).
 */
void places_check(const struct config *c, places_fn *fn, void *arg);

#endif
