/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Counts the users of a configuration. */
#define _GNU_SOURCE
#include "proxy/monitor/routes/generation.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text/hex.h"
#include "proxy/ipc/fdstore.h"
#include "proxy/monitor/keep/state_fds.h"

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

int generation_keep(struct generation *g, struct fdstore *store, uint64_t number)
{
    const struct config *const c = g->config;
    char name[STATE_NAME_SIZE];
    int fd;
    int err;

    if (!store || !c->from_file || !c->text) {
        return 0;
    }
    fd = memfd_create("poemd-configuration", MFD_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    /* Others must not be able to write to it: config_load would refuse it. */
    (void)fchmod(fd, S_IRUSR | S_IWUSR);
    err = pwrite(fd, c->text, c->text_size, 0) == (ssize_t)c->text_size ? 0 : -ENOSPC;
    if (!err) {
        err = fdstore_keep(store, state_fds_text(g->digest, number, name), fd);
    }
    close(fd);
    if (!err) {
        generation_kept(g, store, number);
    }
    return err;
}

void generation_kept(struct generation *g, struct fdstore *store, uint64_t number)
{
    g->store = store;
    g->number = number;
}

struct generation *generation_hold(struct generation *g)
{
    g->users++;
    return g;
}

void generation_release(struct generation *g)
{
    char name[STATE_NAME_SIZE];

    if (!g || --g->users > 0) {
        return;
    }
    if (g->store) {
        fdstore_drop(g->store, state_fds_text(g->digest, g->number, name));
    }
    if (g->owned) {
        config_deinit(g->owned);
        free(g->owned);
    }
    free(g);
}
