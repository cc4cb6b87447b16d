/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The checks of a configuration that is to follow a running one. */
#define _GNU_SOURCE
#include "proxy/config/config_reload.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/trust.h"
#include "policy/inspector/inspector.h"
#include "proxy/config/accounts.h"
#include "proxy/config/config_difference.h"
#include "proxy/config/config_index.h"

static const char config_reload_restart[] = "restart poemd to change it";

/* A difference is an error if its statement cannot change. */
static void config_reload_on_difference(const struct config_difference *d, void *arg)
{
    struct config_errors *const e = arg;
    char word[64];

    if (d->kind == CONFIG_DIFFERENCE_WORD && (d->word->flags & CONFIG_FIXED)) {
        config_errors_add(e, d->at, config_reload_restart, "\"%s\" cannot change while poemd runs",
                          config_difference_word(d->word, word));
    }
}

/* A socket that stays keeps its owner and mode: changing these by its path would not be safe. */
static void config_reload_check_sockets(const struct config *running, const struct config *c,
                                        struct config_errors *e)
{
    for (size_t i = 0; i < c->n_routes; i++) {
        const struct config_route *const r = &c->routes[i];
        const struct config_route *const old = config_route_at(running, r->listen);

        if (old && (r->mode != old->mode || r->owner != old->owner || r->group != old->group)) {
            config_errors_add(e, r->listen_at, "choose another path, or restart poemd",
                              "mode, owner and group of a socket in use cannot change");
        }
    }
}

/* Two captures cannot write to one file, and the first one takes a moment to end. */
static void config_reload_check_traces(const struct config *running, const struct config *c,
                                       struct config_errors *e)
{
    for (size_t i = 0; i < c->n_routes; i++) {
        const struct config_route *const r = &c->routes[i];
        const struct config_route *const old = config_route_find(running, r->name);

        if (old && old->trace_file && r->trace_file &&
            strcmp(old->trace_file, r->trace_file) == 0 && config_difference_in(old, r, "trace")) {
            config_errors_add(e, r->trace_at, "choose another file, or restart poemd",
                              "the settings of a trace cannot change in the same file");
        }
    }
}

/* A folder that is missing is found here, since a dry run creates nothing. */
static void config_reload_check_folder(const char *path, struct config_place at, const char *what,
                                       struct config_errors *e)
{
    struct trust_fault fault;
    char shown[128];

    if (path && trust_look_folder(path, &fault) == -ENOENT) {
        config_errors_add(e, at, "create it first", "cannot %s \"%s\": its folder is missing", what,
                          log_escape(shown, sizeof shown, path, strlen(path)));
    }
}

static void config_reload_check_folders(const struct config *c, struct config_errors *e)
{
    for (size_t i = 0; i < c->n_routes; i++) {
        const struct config_route *const r = &c->routes[i];

        config_reload_check_folder(r->listen, r->listen_at, "listen on", e);
        config_reload_check_folder(r->trace_file, r->trace_at, "write", e);
    }
}

static void config_reload_check_envelopes(const struct config *c, struct config_errors *e)
{
    if (c->envelopes.n > INSPECTOR_ENVELOPES) {
        config_errors_add(e, c->envelopes.items[INSPECTOR_ENVELOPES].at, NULL,
                          "more than %u envelopes", INSPECTOR_ENVELOPES);
    }
    for (size_t i = 0; i < c->envelopes.n; i++) {
        const char *const path = c->envelopes.items[i].text;
        struct inspector_envelope envelope;
        const int err = inspector_envelope_open(&envelope, path);
        char shown[128];

        if (err) {
            config_errors_add(e, c->envelopes.items[i].at, NULL,
                              "cannot read the envelope \"%s\": %s",
                              log_escape(shown, sizeof shown, path, strlen(path)), strerror(-err));
        } else {
            close(envelope.fd);
        }
    }
}

/* Without root's rights, devices can only run as poemd's own user and group. */
static void config_reload_check_devices(const struct config *c, struct config_errors *e)
{
    for (size_t i = 0; geteuid() != 0 && i < c->n_routes; i++) {
        const struct config_route *const r = &c->routes[i];

        if (r->spawn && ((r->spawn_user && r->spawn_uid != geteuid()) ||
                         (r->spawn_group && r->spawn_gid != getegid()))) {
            config_errors_add(e, r->spawn_user ? r->spawn_user_at : r->spawn_group_at,
                              "leave out \"user\" and \"group\", or start poemd as root",
                              "only root can start a device as another user or group");
        }
    }
}

static int config_reload_check(const struct config *running, struct config *c,
                               struct config_errors *e)
{
    const size_t before = e->total;

    config_differences(running, c, config_reload_on_difference, e);
    c->most_sessions = running->most_sessions;
    if (c->max_sessions > running->most_sessions) {
        config_errors_add(e, c->max_sessions_at, config_reload_restart,
                          "\"max-sessions\" cannot exceed the %u that poemd was started with",
                          running->most_sessions);
    }
    config_reload_check_sockets(running, c, e);
    config_reload_check_traces(running, c, e);
    config_reload_check_folders(c, e);
    config_reload_check_envelopes(c, e);
    config_reload_check_devices(c, e);
    if (e->total == before && accounts_keep(c, running) < 0) {
        config_errors_add(e, (struct config_place){0, 0}, "configure a \"user\" for each device",
                          "no user ids are free for devices");
    }
    return e->total > before ? -EINVAL : 0;
}

int config_reload(const struct options *o, const struct config *running, struct config *c,
                  struct config_errors *e, places_fn *warn, void *arg)
{
    const int err = options_reload(o, c, e);

    if (err) {
        return err;
    }
    places_check(c, warn, arg);
    return config_reload_check(running, c, e);
}
