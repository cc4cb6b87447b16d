/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Chooses users, before anything is started for them. */
#define _GNU_SOURCE
#include "proxy/config/accounts.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/users.h"
#include "proxy/config/config_difference.h"
#include "proxy/config/config_index.h"

/* The ids that are picked together: worker, inspector, tracer, exporter; then devices. */
#define KINDS 4u

/* Logs a process that runs as a configured user besides those about to be started. */
static void accounts_warn(const char *what, const char *user, uid_t uid)
{
    struct users_process p;
    char shown[64];
    char name[64];

    if (uid != 0 && users_find(uid, 1, getppid(), &p)) {
        log_warning("%s run as user \"%s\", as does pid=%ld (%s), which may then trace and signal "
                    "them; give them a user that nothing else uses",
                    what, log_escape(shown, sizeof shown, user, strlen(user)), (long)p.pid,
                    log_escape(name, sizeof name, p.name, strlen(p.name)));
    }
}

static void accounts_set(struct config_ids *ids, uid_t number)
{
    struct users_process p;

    /* An account of a kind's name is used only if nothing runs as it: another poemd may. */
    if (ids->uid == CONFIG_NO_UID || users_find(ids->uid, 1, getppid(), &p)) {
        ids->uid = number;
        ids->gid = number;
    }
}

static void accounts_set_devices(struct config *c, uid_t first)
{
    for (size_t i = 0; i < c->n_routes; i++) {
        struct config_route *const r = &c->routes[i];

        if (!r->spawn) {
            continue;
        }
        if (r->spawn_user) {
            accounts_warn("devices", r->spawn_user, r->spawn_uid);
            continue;
        }
        r->spawn_uid = first == CONFIG_NO_UID ? first : first + (uid_t)i;
        r->spawn_gid = r->spawn_group ? r->spawn_gid : r->spawn_uid;
    }
}

/* Returns true if a process has no user, which only happens if no number is free. */
static bool accounts_missing(const struct config *c)
{
    bool missing = c->worker.uid == CONFIG_NO_UID || c->inspector.uid == CONFIG_NO_UID ||
                   c->tracer.uid == CONFIG_NO_UID || c->exporter.uid == CONFIG_NO_UID;

    for (size_t i = 0; i < c->n_routes; i++) {
        missing = missing || (c->routes[i].spawn && c->routes[i].spawn_uid == CONFIG_NO_UID);
    }
    return missing;
}

int accounts_choose(struct config *c)
{
    uid_t first;
    int err;

    if (geteuid() != 0) {
        return 0;
    }
    err = users_pick(KINDS + (unsigned)c->n_routes, &first);
    if (c->user) {
        accounts_warn("workers", c->user, c->worker.uid);
    } else {
        accounts_set(&c->worker, err ? CONFIG_NO_UID : first);
    }
    accounts_set(&c->inspector, err ? CONFIG_NO_UID : first + 1);
    accounts_set(&c->tracer, err ? CONFIG_NO_UID : first + 2);
    accounts_set(&c->exporter, err ? CONFIG_NO_UID : first + 3);
    accounts_set_devices(c, err ? CONFIG_NO_UID : first + KINDS);
    if (accounts_missing(c)) {
        log_error(
            "no user ids are free for workers, inspector, tracer, exporter and devices (a user "
            "namespace may map too few): create the accounts %s, %s, %s and %s, and configure a "
            "\"user\" for devices",
            CONFIG_WORKER_ACCOUNT, CONFIG_INSPECTOR_ACCOUNT, CONFIG_TRACER_ACCOUNT,
            CONFIG_EXPORTER_ACCOUNT);
        return -EADDRNOTAVAIL;
    }
    return 0;
}

/* Returns true if a device of the running configuration has the number. */
static bool accounts_is_taken(const struct config *running, uid_t uid)
{
    bool taken = false;

    for (size_t i = 0; i < running->n_routes; i++) {
        taken = taken || (running->routes[i].spawn && running->routes[i].spawn_uid == uid);
    }
    return taken;
}

/* Keeps a device's user, if it was chosen by us before. Returns false if it needs one. */
static bool accounts_keep_device(struct config_route *r, const struct config *running)
{
    const struct config_route *const old = config_route_find(running, r->name);

    if (!r->spawn || r->spawn_user) {
        return true;
    }
    if (!old || !old->spawn || old->spawn_user) {
        return false;
    }
    r->spawn_uid = old->spawn_uid;
    r->spawn_gid = r->spawn_group ? r->spawn_gid : r->spawn_uid;
    return true;
}

int accounts_keep(struct config *c, const struct config *running)
{
    unsigned wanted = 0;
    uid_t next;
    int err;

    c->worker = running->worker;
    c->inspector = running->inspector;
    c->tracer = running->tracer;
    c->exporter = running->exporter;
    if (geteuid() != 0) {
        return 0;
    }
    for (size_t i = 0; i < c->n_routes; i++) {
        wanted += !accounts_keep_device(&c->routes[i], running);
    }
    /* Numbers of running routes whose devices are between two starts look free, so as many more. */
    err = wanted > 0 ? users_pick(wanted + (unsigned)running->n_routes, &next) : 0;
    for (size_t i = 0; !err && wanted > 0 && i < c->n_routes; i++) {
        struct config_route *const r = &c->routes[i];

        if (accounts_keep_device(r, running)) {
            continue;
        }
        while (accounts_is_taken(running, next)) {
            next++;
        }
        r->spawn_uid = next++;
        r->spawn_gid = r->spawn_group ? r->spawn_gid : r->spawn_uid;
    }
    return err;
}
