/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The workers' settings, from the configuration and this process's own limit of open files. */
#define _GNU_SOURCE
#include "proxy/config/worker_pool_settings.h"

#include <string.h>
#include <sys/resource.h>

#include "base/sealed.h"
#include "proxy/ipc/tally.h"

/*
 * Returns the most sessions at once. A reload can add routes, so it is max-sessions if there is
 * room for so many; otherwise twice those of each route, as others may be ending.
 */
static uint64_t worker_pool_settings_sessions(const struct config *c, uint64_t room)
{
    uint64_t n = 0;

    if (c->most_sessions <= room) {
        return c->most_sessions;
    }
    for (size_t i = 0; i < c->n_routes; i++) {
        n += 2 * (uint64_t)c->routes[i].sessions;
    }
    return n < c->most_sessions ? n : c->most_sessions;
}

/*
 * Returns the part of a low limit from which sessions borrow: at most what is left, but at least
 * one message's fds.
 */
static uint64_t worker_pool_settings_spare(uint64_t room)
{
    room = room > LIMIT_FDS_SHARE ? room : LIMIT_FDS_SHARE;
    return room < LIMIT_FDS_SPARE ? room : LIMIT_FDS_SPARE;
}

/*
 * Returns the fds that are kept for other processes of devices: of twice the sessions of each route
 * that keeps them, as others may be ending.
 */
static uint64_t worker_pool_settings_kept(const struct config *c)
{
    uint64_t n = 0;

    for (size_t i = 0; i < c->n_routes; i++) {
        n += config_route_mappable(&c->routes[i]) != CONFIG_MAPPABLE_PASS
                 ? 2 * (uint64_t)c->routes[i].sessions * LIMIT_SETUP_FDS
                 : 0;
    }
    return n;
}

void worker_pool_settings_fds(const struct config *c, uint64_t most, struct worker_settings *s)
{
    const uint64_t base = LIMIT_WORKER_SPARE_FDS + LIMIT_REFUSALS +
                          (uint64_t)LIMIT_FDS_PER_SESSION * c->most_sessions;
    const uint64_t room = (most > base ? most - base : 0) / 2;
    const uint64_t kept = worker_pool_settings_kept(c);
    /* A reload can have all routes keep them. */
    const uint64_t may = 2ull * LIMIT_SETUP_FDS * c->most_sessions;
    const uint64_t least = base + (kept < room ? kept : room);
    const uint64_t spare =
        worker_pool_settings_spare(most > least ? (most - least) / c->workers : 0);
    const uint64_t fixed = least + spare * c->workers;
    const uint64_t sessions =
        worker_pool_settings_sessions(c, most > fixed ? (most - fixed) / LIMIT_FDS_SHARE : 0);
    uint64_t share = sessions > 0 && most > fixed ? (most - fixed) / sessions : 0;

    share = share < LIMIT_FDS_SHARE ? share : LIMIT_FDS_SHARE;
    s->fd_share = share > 0 ? (uint32_t)share : 1;
    s->fd_spare = (uint32_t)spare;
    s->nofile = fixed + share * sessions;
    s->nofile_most = s->nofile + (may > kept ? may - kept : 0);
}

/*
 * Returns a worker's limit of address space, if every session uses all that it may, and so many
 * keep their maps.
 */
static uint64_t worker_pool_settings_space(const struct config *c, uint64_t with_maps)
{
    /* A ring is mapped twice, so that a message which wraps around is contiguous. */
    return LIMIT_WORKER_MEMORY + LIMIT_MEMORY_PER_SESSION * c->most_sessions +
           2 * (uint64_t)c->trace_buffer_mib * 1048576 +
           (config_has_metrics(c) ? LIMIT_ROUTES * sizeof(struct tally) : 0) +
           LIMIT_MEMORY_PER_DMA_SESSION *
               (with_maps < c->most_sessions ? with_maps : c->most_sessions);
}

uint64_t worker_pool_settings_memory(const struct config *c)
{
    uint64_t with_maps = 0;

    for (size_t i = 0; i < c->n_routes; i++) {
        with_maps +=
            c->routes[i].dma_at.line || c->audit_file ? 2 * (uint64_t)c->routes[i].sessions : 0;
    }
    return worker_pool_settings_space(c, with_maps);
}

static uint64_t worker_pool_settings_most(void)
{
    struct rlimit l;

    return getrlimit(RLIMIT_NOFILE, &l) < 0 ? 0 : (uint64_t)l.rlim_max;
}

uint64_t worker_pool_settings_nofile(const struct config *c)
{
    struct worker_settings s;

    worker_pool_settings_fds(c, worker_pool_settings_most(), &s);
    return s.nofile;
}

int worker_pool_settings_write(const struct config *c, const struct poem *poem,
                               const pid_t monitors[LIMIT_MONITORS])
{
    struct worker_settings s;
    const struct sealed_part parts[] = {{&s, sizeof s}, {poem->text, poem->size}};

    memset(&s, 0, sizeof s);
    s.log_level = c->log_level;
    s.uid = c->worker.uid;
    s.gid = c->worker.gid;
    s.memory = worker_pool_settings_memory(c);
    /* A reload can add "dma" words to any route. */
    s.memory_most = worker_pool_settings_space(c, c->most_sessions);
    s.poem_size = (uint32_t)poem->size;
    s.orphan_ms = c->orphan_ms;
    memcpy(s.monitors, monitors, sizeof s.monitors);
    worker_pool_settings_fds(c, worker_pool_settings_most(), &s);
    if (s.fd_share < LIMIT_FDS_SHARE_USUAL) {
        log_warning("the limit of open files allows each session only %u fds in flight: raise it, "
                    "or lower the routes' sessions",
                    s.fd_share);
    }
    return sealed_new("poemd-settings", parts, sizeof parts / sizeof *parts);
}
