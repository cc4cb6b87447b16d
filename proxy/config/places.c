/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Goes through all paths of a configuration. */
#include "proxy/config/places.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/trust.h"

#define PLACES_TEXT 2048u

struct places {
    places_fn *fn;
    void *arg;
};

static void places_warn(const struct places *p, const char *what, const char *path,
                        const struct trust_fault *fault)
{
    char shown[512];
    char at[512];
    char who[64];
    char text[PLACES_TEXT];

    log_escape(shown, sizeof shown, path, strlen(path));
    log_escape(at, sizeof at, fault->path, strlen(fault->path));
    trust_text(fault, who, sizeof who);
    if (strcmp(path, fault->path) == 0) {
        snprintf(text, sizeof text, "%s \"%s\": %s; make root or poemd its only owner and writer",
                 what, shown, who);
    } else {
        snprintf(text, sizeof text,
                 "%s \"%s\" can be replaced through \"%s\": %s; make root or poemd its only owner "
                 "and writer, or choose another place",
                 what, shown, at, who);
    }
    p->fn(text, p->arg);
}

/* Checks a file that is read or appended to; if it does not exist, only its folders. */
static void places_file(const struct places *p, const char *what, const char *path)
{
    struct trust_fault fault;

    if (path && trust_look(path, &fault) == 1) {
        places_warn(p, what, path, &fault);
    }
}

/* Checks the folder of a file that poemd creates. */
static void places_folder(const struct places *p, const char *what, const char *path)
{
    struct trust_fault fault;

    if (path && trust_look_folder(path, &fault) == 1) {
        places_warn(p, what, path, &fault);
    }
}

static void places_route(const struct places *p, const struct config_route *r)
{
    char what[LIMIT_NAME + 40];

    snprintf(what, sizeof what, "route %s: its socket", r->name);
    places_folder(p, what, r->listen);
    snprintf(what, sizeof what, "route %s: its trace", r->name);
    places_folder(p, what, r->trace_file);
    snprintf(what, sizeof what, "route %s: its device's memory", r->name);
    places_folder(p, what, r->adopt);
}

void places_check(const struct config *c, places_fn *fn, void *arg)
{
    const struct places p = {.fn = fn, .arg = arg};

    places_file(&p, "the configuration", c->file);
    for (size_t i = 0; i < c->files.n; i++) {
        places_file(&p, "the included file", c->files.items[i].text);
    }
    places_file(&p, "the poem", c->poem_file);
    places_file(&p, "the audit log", c->audit_file);
    places_file(&p, "the audit log's key", c->audit_key);
    for (size_t i = 0; i < c->trust_keys.n; i++) {
        places_file(&p, "the trusted key", c->trust_keys.items[i].text);
    }
    for (size_t i = 0; i < c->envelopes.n; i++) {
        places_file(&p, "the envelope", c->envelopes.items[i].text);
    }
    places_file(&p, "the revocation list", c->revoked_file);
    places_folder(&p, "the control socket", c->control.path);
    for (size_t i = 0; i < c->n_routes; i++) {
        places_route(&p, &c->routes[i]);
    }
}
