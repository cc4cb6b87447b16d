/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The files and folders of a configuration that other users could change: it is warned of each, by
 * its name.
 */
#ifndef POEMD_PROXY_CONFIG_PLACES_H
#define POEMD_PROXY_CONFIG_PLACES_H

#include "proxy/config/config.h"

/* A warning: printable ASCII, with what to do. */
typedef void places_fn(const char *text, void *arg);

/*
 * Looks at the configuration's file, keys, poem, envelopes and audit log with all folders that lead
 * to them, and at the folders of sockets, traces and the control socket: whether somebody but root
 * and ourselves could change them (base/trust.h). Calls fn for each that is so.
 */
void places_check(const struct config *c, places_fn *fn, void *arg);

#endif
