/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Routes are found from the place that follows from their number. The worker can write to the
 * tallies at any time, so they are copied before they are added.
 */
#include "proxy/monitor/workers/worker_tallies.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"

/* Of a place: free, and so since the beginning; free again; or used, by this plus the route. */
#define TALLIES_NEVER 0u
#define TALLIES_FREE 1u
#define TALLIES_USED 2u

struct worker_tallies {
    const struct tally *all; /* mapped */
    int fd;
    off_t at; /* of the first, in the file */
    uint32_t n;
    uint64_t owners[];
};

struct worker_tallies *worker_tallies_new(const struct worker_pages *pages)
{
    const uint32_t n = pages->tallies;
    struct worker_tallies *t;
    void *all;

    if (n == 0) {
        return NULL;
    }
    t = calloc(1, sizeof *t + n * sizeof *t->owners);
    if (!t) {
        return NULL;
    }
    t->n = n;
    t->at = (off_t)session_page_tallies_at(pages->n);
    t->fd = dup(pages->fd);
    all = t->fd < 0 ? MAP_FAILED
                    : mmap(NULL, n * sizeof *t->all, PROT_READ, MAP_SHARED, t->fd, t->at);
    if (all == MAP_FAILED) {
        log_warning("metrics: messages of a worker cannot be counted");
        if (t->fd >= 0) {
            close(t->fd);
        }
        free(t);
        return NULL;
    }
    t->all = all;
    return t;
}

void worker_tallies_free(struct worker_tallies *t)
{
    if (t) {
        munmap((void *)(uintptr_t)t->all, t->n * sizeof *t->all);
        close(t->fd);
        free(t);
    }
}

/* Returns the route's place, or n. *room: one that it could have, or n. */
static uint32_t worker_tallies_find(const struct worker_tallies *t, unsigned route, uint32_t *room)
{
    uint32_t at = route % t->n;

    *room = t->n;
    for (uint32_t i = 0; i < t->n; i++, at = (at + 1) % t->n) {
        if (t->owners[at] == TALLIES_USED + (uint64_t)route) {
            return at;
        }
        if (t->owners[at] < TALLIES_USED && *room == t->n) {
            *room = at;
        }
        if (t->owners[at] == TALLIES_NEVER) {
            break;
        }
    }
    return t->n;
}

uint32_t worker_tallies_take(struct worker_tallies *t, unsigned route)
{
    uint32_t room;
    uint32_t at;

    if (!t) {
        return 0;
    }
    at = worker_tallies_find(t, route, &room);
    if (at == t->n && room < t->n) {
        at = room;
        t->owners[at] = TALLIES_USED + (uint64_t)route;
    }
    return at < t->n ? at + 1 : 0;
}

void worker_tallies_claim(struct worker_tallies *t, unsigned route, uint32_t number)
{
    uint32_t room;

    if (!t || number == 0 || number > t->n || t->owners[number - 1] >= TALLIES_USED) {
        return;
    }
    /* Each place before it must look used, or the route would not be found there. */
    for (uint32_t at = route % t->n; at != number - 1; at = (at + 1) % t->n) {
        if (t->owners[at] == TALLIES_NEVER) {
            t->owners[at] = TALLIES_FREE;
        }
    }
    if (worker_tallies_find(t, route, &room) == t->n) {
        t->owners[number - 1] = TALLIES_USED + (uint64_t)route;
    }
}

void worker_tallies_give_back(struct worker_tallies *t, unsigned route)
{
    static const struct tally none;
    uint32_t room;
    uint32_t at;

    if (!t) {
        return;
    }
    at = worker_tallies_find(t, route, &room);
    if (at < t->n && pwrite(t->fd, &none, sizeof none, t->at + (off_t)(at * sizeof none)) ==
                         (ssize_t)sizeof none) {
        t->owners[at] = TALLIES_FREE;
    }
}

void worker_tallies_add(const struct worker_tallies *t, unsigned route, struct tally *sum)
{
    struct tally copy;
    uint32_t room;
    uint32_t at;

    if (!t) {
        return;
    }
    at = worker_tallies_find(t, route, &room);
    if (at < t->n) {
        memcpy(&copy, &t->all[at], sizeof copy);
        tally_add(sum, &copy);
    }
}
