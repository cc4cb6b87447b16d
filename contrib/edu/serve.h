/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The edu process: listens, and serves one client after another until it is told to end.
 */
#ifndef POEMD_EDU_SERVE_H
#define POEMD_EDU_SERVE_H

#include "contrib/edu/options.h"

/*
 * Serves until SIGTERM or SIGINT, or the end of the only client. poem: what the device recites, or
 * NULL where it knows of none. 0 or -errno, which is logged.
 */
int edu_serve_serve(const struct options *o, const struct poem *poem)
    __attribute__((warn_unused_result));

#endif
