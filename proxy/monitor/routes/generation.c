/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Counts the users of a configuration. */
#include "proxy/monitor/routes/generation.h"

#include <stdlib.h>

#include "base/text/hex.h"

struct generation *generation_new(const struct config *config)
{
    struct generation *const g = calloc(1, sizeof *g);

    if (g) {
        g->config = config;
        g->users = 1;
        if (config->from_file) {
            hex_text(config->digest, sizeof config->digest, g->digest);
        }
    }
    return g;
}

struct generation *generation_new_take(struct config *config)
{
    struct generation *const g = generation_new(config);

    if (g) {
        g->owned = config;
    }
    return g;
}

struct generation *generation_hold(struct generation *g)
{
    g->users++;
    return g;
}

void generation_release(struct generation *g)
{
    if (!g || --g->users > 0) {
        return;
    }
    if (g->owned) {
        config_deinit(g->owned);
        free(g->owned);
    }
    free(g);
}
