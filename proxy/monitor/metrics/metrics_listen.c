/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
#define _GNU_SOURCE
#include "proxy/monitor/metrics/metrics_listen.h"

#include <errno.h>
#include <event2/util.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/sock.h"
#include "proxy/ipc/fdstore.h"
#include "proxy/monitor/keep/state_fds.h"
#include "proxy/monitor/routes/listener.h"

/* The configured place as an address. */
static socklen_t metrics_listen_address(const struct config *c, struct sockaddr_storage *out)
{
    int n = sizeof *out;

    memset(out, 0, sizeof *out);
    if (c->metrics.path) {
        struct sockaddr_un *const sun = (struct sockaddr_un *)out;

        sun->sun_family = AF_UNIX;
        /* config_value has checked that it fits. */
        memcpy(sun->sun_path, c->metrics.path, strnlen(c->metrics.path, sizeof sun->sun_path - 1));
        return sizeof *sun;
    }
    return evutil_parse_sockaddr_port(c->metrics_address, (struct sockaddr *)out, &n) == 0
               ? (socklen_t)n
               : 0;
}

/* Returns true if the socket of an earlier monitor listens at the configured place. */
static bool metrics_listen_is_at(int fd, const struct config *c)
{
    struct sockaddr_storage want;
    struct sockaddr_storage is;
    socklen_t n = sizeof is;

    memset(&is, 0, sizeof is);
    (void)metrics_listen_address(c, &want);
    return getsockname(fd, (struct sockaddr *)&is, &n) == 0 && is.ss_family == want.ss_family &&
           memcmp(&is, &want, sizeof is) == 0;
}

static int metrics_listen_tcp(const struct config *c)
{
    static const int on = 1;
    struct sockaddr_storage address;
    const socklen_t n = metrics_listen_address(c, &address);
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int err;

    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(fd, (const struct sockaddr *)&address, n) == 0 && listen(fd, LIMIT_BACKLOG) == 0) {
        return fd;
    }
    err = -errno;
    sock_close(&fd);
    return err;
}

static int metrics_listen_open(const struct config *c)
{
    const struct config_control *const where = &c->metrics;

    return where->path
               ? sock_listen(where->path, where->mode, where->owner, where->group, LIMIT_BACKLOG)
               : metrics_listen_tcp(c);
}

int metrics_listen(const struct config *c, struct fdstore *store)
{
    const char *const place = c->metrics.path ? c->metrics.path : c->metrics_address;
    int fd = fdstore_take(store, STATE_NAME_METRICS);
    char shown[256];

    if (fd >= 0 && !metrics_listen_is_at(fd, c)) {
        fdstore_drop(store, STATE_NAME_METRICS);
        sock_close(&fd);
    }
    if (fd >= 0) {
        return fd;
    }
    fd = metrics_listen_open(c);
    if (fd < 0) {
        log_error("cannot serve metrics at \"%s\": %s%s",
                  log_escape(shown, sizeof shown, place, strlen(place)), strerror(-fd),
                  c->metrics.path ? listener_hint(fd) : "");
        return fd;
    }
    if (fdstore_keep(store, STATE_NAME_METRICS, fd) < 0) {
        log_debug("the socket for metrics does not outlive the monitor");
    }
    return fd;
}

void metrics_listen_close(int *fd, const struct config *c, struct fdstore *store)
{
    struct stat own;

    if (*fd >= 0 && c->metrics.path && sock_file_stat(*fd, c->metrics.path, &own) == 0) {
        sock_file_remove(c->metrics.path, own.st_dev, own.st_ino);
    }
    fdstore_drop(store, STATE_NAME_METRICS);
    sock_close(fd);
}
