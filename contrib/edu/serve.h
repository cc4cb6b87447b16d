/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The edu process: listens, and serves one client after another until it is asked to stop. */
#ifndef POEMD_EDU_SERVE_H
#define POEMD_EDU_SERVE_H

#include "contrib/edu/options.h"

/*
 * Serves until SIGTERM or SIGINT, or the end of the only client. The device recites poem, or
 * ignores recitals if it is NULL. Returns 0, or -errno after logging it.
 */
int edu_serve_clients(const struct options *o, const struct poem *poem)
    __attribute__((warn_unused_result));

#endif
