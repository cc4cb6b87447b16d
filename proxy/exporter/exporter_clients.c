/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * evhttp gets its buffers of connections here, and frees them; a second reference keeps each until
 * its time is over, or its place is needed. One that evhttp has freed has no callbacks.
 */
#include "proxy/exporter/exporter_clients.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <event2/http.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"

struct exporter_client {
    struct bufferevent *buffer; /* a reference, or NULL */
    struct event due;
};

struct exporter_clients {
    struct timeval limit;
    size_t n;
    struct exporter_client all[];
};

static bool exporter_clients_is_over(const struct exporter_client *c)
{
    bufferevent_event_cb on_event = NULL;

    if (c->buffer) {
        bufferevent_getcb(c->buffer, NULL, NULL, &on_event, NULL);
    }
    return !on_event;
}

static void exporter_clients_forget(struct exporter_client *c)
{
    if (c->buffer) {
        evtimer_del(&c->due);
        bufferevent_decref(c->buffer);
        c->buffer = NULL;
    }
}

/* For evhttp it is as if the client had been silent for too long. */
static void exporter_clients_on_due(evutil_socket_t fd, short what, void *arg)
{
    struct exporter_client *const c = arg;

    (void)fd;
    (void)what;
    if (!exporter_clients_is_over(c)) {
        bufferevent_trigger_event(c->buffer, BEV_EVENT_READING | BEV_EVENT_TIMEOUT, 0);
    }
    exporter_clients_forget(c);
}

/* Makes the buffer of a connection that was accepted. */
static struct bufferevent *exporter_clients_on_accepted(struct event_base *base, void *arg)
{
    struct exporter_clients *const all = arg;
    struct bufferevent *const buffer = bufferevent_socket_new(base, -1, 0);
    struct exporter_client *c = all->all;

    while (!exporter_clients_is_over(c) && c < &all->all[all->n - 1]) {
        c++;
    }
    exporter_clients_forget(c);
    if (buffer) {
        bufferevent_incref(buffer);
        c->buffer = buffer;
        evtimer_assign(&c->due, base, exporter_clients_on_due, c);
        event_add(&c->due, &all->limit);
    }
    return buffer;
}

struct exporter_clients *exporter_clients_new(struct evhttp *http, size_t most, unsigned ms)
{
    struct exporter_clients *const all = calloc(1, sizeof *all + most * sizeof *all->all);

    if (all) {
        all->n = most;
        all->limit = clock_timeval(ms);
        evhttp_set_bevcb(http, exporter_clients_on_accepted, all);
    }
    return all;
}

void exporter_clients_free(struct exporter_clients *all)
{
    for (size_t i = 0; all && i < all->n; i++) {
        exporter_clients_forget(&all->all[i]);
    }
    free(all);
}
