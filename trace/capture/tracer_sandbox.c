/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The rights that the tracer keeps: files received open, and rings. */
#define _GNU_SOURCE
#include <fcntl.h>

#include "base/confine/confine.h"
#include "trace/capture/tracer.h"
#include "trace/capture/tracer_parts.h"

static const struct filter_call tracer_calls[] = {
    /* captures' files and pipes: their kind and flags */
    FILTER_CALL(fstat),
    FILTER_CALL(newfstatat),
    /* cutting off a block that did not fit on a full disk */
    FILTER_CALL(lseek),
    FILTER_CALL(ftruncate),
    FILTER_CALL_IF(fcntl, FILTER_IS_INT(1, F_GETFL)),
    FILTER_CALL_IF(fcntl, FILTER_IS_INT(1, F_SETFL)),
    /* checking a ring's size and seals */
    FILTER_CALL_IF(fcntl, FILTER_IS_INT(1, F_GET_SEALS)),
};

int tracer_sandbox(const struct tracer_start *s)
{
    const struct confine_plan plan = {.who = "tracer",
                                      .uid = s->uid,
                                      .gid = s->gid,
                                      .nofile = s->nofile,
                                      .memory = s->memory,
                                      .user_namespace = true,
                                      .calls = tracer_calls,
                                      .n_calls = sizeof tracer_calls / sizeof *tracer_calls};

    return confine_enter(&plan);
}
