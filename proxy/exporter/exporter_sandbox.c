/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The rights that the exporter keeps: its socket and the channel. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/confine/confine.h"
#include "proxy/exporter/exporter.h"
#include "proxy/exporter/exporter_parts.h"

/* The program, a snapshot of LIMIT_ROUTES with its text, and a copy for each slow client. */
#define MEMORY (1ull << 30)

static const struct filter_call exporter_calls[] = {
    /* clients */
    FILTER_CALL(accept4),
    FILTER_CALL(readv),
    FILTER_CALL(writev),
    FILTER_CALL_IF(ioctl, FILTER_IS_INT(1, FIONREAD)),
    FILTER_CALL_IF(getsockopt, FILTER_IS_INT(1, SOL_SOCKET)),
    FILTER_CALL(getpeername),
    /* the size of a snapshot */
    FILTER_CALL(fstat),
    FILTER_CALL(newfstatat),
    FILTER_CALL(pread64),
    /* room where the audit log is */
    FILTER_CALL(fstatfs),
};

int exporter_sandbox(const struct exporter_start *s)
{
    const struct confine_plan plan = {.who = "exporter",
                                      .uid = s->uid,
                                      .gid = s->gid,
                                      .nofile = EXPORTER_FDS,
                                      .memory = MEMORY,
                                      .user_namespace = true,
                                      .calls = exporter_calls,
                                      .n_calls = sizeof exporter_calls / sizeof *exporter_calls};

    return confine_enter(&plan);
}
