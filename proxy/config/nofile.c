/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Counts the fds that a configuration needs. */
#define _GNU_SOURCE
#include "proxy/config/nofile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/resource.h>

#include "base/confine/confine.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/sock.h"
#include "proxy/config/config.h"

/* Descriptors that the monitor needs in addition to listeners, workers and sessions that begin. */
#define SPARE_FDS (64 + 2 * LIMIT_CONTROL_CLIENTS)

uint64_t nofile_wanted(const struct config *c)
{
    const unsigned kept = LIMIT_REFUSALS_KEPT;
    uint64_t devices = 0;

    /* Each device has a pipe that is read, and two more fds while it starts. */
    for (size_t i = 0; i < c->n_routes; i++) {
        devices += c->routes[i].spawn ? 3 * (uint64_t)c->routes[i].sessions : 0;
    }
    return SPARE_FDS + c->n_routes + (2ull + kept) * c->workers +
           (uint64_t)LIMIT_FDS_PER_SESSION * c->max_sessions + devices;
}

void nofile_raise(const struct config *c)
{
    const uint64_t wanted = nofile_wanted(c);

    if (confine_raise_nofile(wanted) < wanted) {
        log_warning(
            "the limit of open files is too low for %u sessions: raise it, or lower max-sessions",
            c->max_sessions);
    }
}

void nofile_widen(const struct config *c)
{
    struct rlimit limit = {.rlim_cur = 0};
    /* Twice as many: while its parties are looked at, each session needs as many fds again. */
    uint64_t n = 2 * nofile_wanted(c);
    int fd = open("/", O_PATH | O_CLOEXEC);
    int last_fd = -1;

    (void)getrlimit(RLIMIT_NOFILE, &limit);
    n = n < limit.rlim_cur ? n : limit.rlim_cur;
    if (fd >= 0 && n > 0 && n <= INT_MAX) {
        last_fd = fcntl(fd, F_DUPFD_CLOEXEC, (int)n - 1);
    }
    if (last_fd < 0) {
        log_debug("cannot enlarge the table of open files in advance: %s", strerror(errno));
    }
    sock_close(&last_fd);
    sock_close(&fd);
}
