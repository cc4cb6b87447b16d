/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Retires devices, and frees them once they have ended. */
#include "proxy/monitor/reload/reload_spawn.h"

#include <stdlib.h>

#include "proxy/config/config_difference.h"
#include "proxy/monitor/routes/route.h"

bool reload_spawn_stays(const struct route *route, const struct config_route *config)
{
    return route->spawn && config->spawn &&
           !config_difference_in(route->config, config, "backend") &&
           route->config->spawn_uid == config->spawn_uid &&
           route->config->spawn_gid == config->spawn_gid;
}

void reload_spawn_retire(struct reload *r, struct route *route, struct reload_retired *retired)
{
    if (!retired) {
        return;
    }
    spawn_retire(route->spawn);
    *retired = (struct reload_retired){.spawn = route->spawn,
                                       .generation = generation_hold(route->generation)};
    SLIST_INSERT_HEAD(&r->retired, retired, link);
    route->spawn = NULL;
}

bool reload_spawn_adopt(struct reload *r, struct spawn *retired, struct generation *g)
{
    struct reload_retired *const each = calloc(1, sizeof *each);

    if (each) {
        *each = (struct reload_retired){.spawn = retired, .generation = generation_hold(g)};
        SLIST_INSERT_HEAD(&r->retired, each, link);
    }
    return each != NULL;
}

void reload_spawn_stop(struct reload *r)
{
    struct reload_retired *each;

    SLIST_FOREACH(each, &r->retired, link)
    {
        spawn_stop(each->spawn);
    }
}

static void reload_spawn_drop(struct reload *r, struct reload_retired *s)
{
    SLIST_REMOVE(&r->retired, s, reload_retired, link);
    spawn_free(s->spawn);
    generation_release(s->generation);
    free(s);
}

void reload_spawn_reap(struct reload *r, bool over)
{
    struct reload_retired *each;
    struct reload_retired *next;

    SLIST_FOREACH_SAFE(each, &r->retired, link, next)
    {
        if (over || spawn_is_over(each->spawn)) {
            reload_spawn_drop(r, each);
        }
    }
}
