/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Starts the inspector and the threads beside it. */
#define _GNU_SOURCE
#include "proxy/monitor/inspection.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "policy/inspector/inspector.h"
#include "proxy/config/config.h"
#include "proxy/config/config_difference.h"
#include "proxy/monitor/monitor_context.h"

/* Opens the configured envelopes. */
static int inspection_open_envelopes(const struct config *c, struct inspector_envelope *out,
                                     size_t *n)
{
    *n = 0;
    if (c->envelopes.n > INSPECTOR_ENVELOPES) {
        log_error("more than %u envelopes are configured", INSPECTOR_ENVELOPES);
        return -E2BIG;
    }
    for (size_t i = 0; i < c->envelopes.n; i++) {
        const char *path = c->envelopes.items[i].text;
        const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

        if (fd < 0) {
            char shown[256];

            log_warning("cannot read the envelope \"%s\": %s",
                        log_escape(shown, sizeof shown, path, strlen(path)), strerror(errno));
            continue;
        }
        out[*n].fd = fd;
        log_escape(out[*n].name, sizeof out[*n].name, path, strlen(path));
        ++*n;
    }
    return 0;
}

/* Returns true if anything depends on the contents of an executable. */
static bool inspection_needed(const struct monitor_context *context, const struct config *config)
{
    bool needs = audit_writer_on(&context->audit_writer);

    for (size_t i = 0; i < config->n_routes; i++) {
        const struct rules *r = &config->routes[i].rules;

        needs = needs || rules_ask_processes(r);
    }
    return needs;
}

int inspection_start(struct inspector **out, const struct monitor_context *context,
                     const struct config *config)
{
    struct inspector_settings s = {.base = context->base,
                                   .uid = config->inspector.uid,
                                   .gid = config->inspector.gid,
                                   .keys = config->trusted,
                                   .n_keys = config->n_trusted,
                                   .revoked = config->revoked,
                                   .n_revoked = config->n_revoked};
    struct inspector_envelope envelopes[INSPECTOR_ENVELOPES];
    int err;

    *out = NULL;
    if (!inspection_needed(context, config)) {
        return 0;
    }
    s.exe_fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (s.exe_fd < 0) {
        return -errno;
    }
    s.envelopes = envelopes;
    err = inspection_open_envelopes(config, envelopes, &s.n_envelopes);
    if (!err) {
        err = inspector_new(out, &s);
    }
    for (size_t i = 0; i < s.n_envelopes; i++) {
        close(envelopes[i].fd);
    }
    close(s.exe_fd);
    return err;
}

static void inspection_on_difference(const struct config_difference *d, void *arg)
{
    static const char *const words[] = {"trust-key", "envelope", "revoked"};
    bool *const same = arg;

    for (size_t i = 0; d->word && i < sizeof words / sizeof *words; i++) {
        *same = *same && strcmp(d->word->word, words[i]) != 0;
    }
}

bool inspection_same(const struct config *a, const struct config *b)
{
    bool same = true;

    config_differences(a, b, inspection_on_difference, &same);
    return same;
}

static bool inspection_has_key(const struct config *c, const struct inspector_key *k)
{
    for (size_t i = 0; i < c->n_trusted; i++) {
        if (memcmp(c->trusted[i].key.fingerprint, k->key.fingerprint, sizeof k->key.fingerprint) ==
            0) {
            return true;
        }
    }
    return false;
}

bool inspection_gains(const struct config *before, const struct config *after)
{
    for (size_t i = 0; i < after->n_trusted; i++) {
        if (!inspection_has_key(before, &after->trusted[i])) {
            return true;
        }
    }
    return after->envelopes.n != before->envelopes.n ||
           (after->envelopes.n > 0 &&
            memcmp(after->envelope_ids, before->envelope_ids,
                   after->envelopes.n * sizeof *after->envelope_ids) != 0);
}
