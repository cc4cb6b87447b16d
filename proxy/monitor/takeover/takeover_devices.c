/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Devices of routes, and of what these were before a reload. */
#include "proxy/monitor/takeover/takeover_devices.h"

#include <stdlib.h>

#include "base/log.h"
#include "proxy/config/config_difference.h"
#include "proxy/monitor/monitor_session.h"
#include "proxy/monitor/routes/route.h"

/* Returns the devices with the command that the session's route had when it began, or NULL. */
static struct spawn *takeover_devices_find(struct takeover *to, const struct monitor_session *t)
{
    struct takeover_devices *d;

    if (t->route->spawn && !t->route->gone &&
        !config_difference_in(t->route->config, t->config, "backend")) {
        return t->route->spawn;
    }
    SLIST_FOREACH(d, &to->devices, link)
    {
        if (d->route == t->route && d->generation == t->generation) {
            return d->spawn;
        }
    }
    d = calloc(1, sizeof *d);
    if (!d || spawn_new(&d->spawn, to->host, t->config) < 0) {
        free(d);
        return NULL;
    }
    d->route = t->route;
    d->generation = generation_hold(t->generation);
    SLIST_INSERT_HEAD(&to->devices, d, link);
    return d->spawn;
}

bool takeover_devices_adopt(struct takeover *to, struct monitor_session *t,
                            const struct spawn_kept *kept)
{
    struct spawn *const s = t->config->spawn ? takeover_devices_find(to, t) : NULL;

    return s && spawn_adopt(s, kept, &t->device);
}

struct spawn *takeover_devices_before(const struct takeover *to, const struct route *r)
{
    const struct takeover_devices *d;
    struct spawn *last = NULL;

    SLIST_FOREACH(d, &to->devices, link)
    {
        if (d->route == r) {
            spawn_retire(d->spawn);
            spawn_start(d->spawn, last);
            last = d->spawn;
        }
    }
    return last;
}

void takeover_devices_end(struct takeover *to)
{
    struct takeover_devices *d;

    while ((d = SLIST_FIRST(&to->devices))) {
        SLIST_REMOVE_HEAD(&to->devices, link);
        spawn_retire(d->spawn);
        if (!to->subject.retire(to->subject.retire_arg, d->spawn, d->generation)) {
            log_error("out of memory for devices of an earlier configuration");
        }
        generation_release(d->generation);
        free(d);
    }
}
