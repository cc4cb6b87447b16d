/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Reads configurations again, from texts that the keeper has. */
#include "proxy/monitor/takeover/takeover_generations.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text/hex.h"
#include "base/text/numbers.h"
#include "proxy/config/accounts.h"
#include "proxy/config/options.h"
#include "proxy/ipc/fdstore.h"
#include "proxy/monitor/keep/state_fds.h"
#include "proxy/monitor/monitor_context.h"
#include "proxy/monitor/takeover/takeover_keep.h"

/* Writes what the names of the texts with this digest begin with. */
static void takeover_generations_prefix(const uint8_t digest[STATE_DIGEST],
                                        char out[STATE_NAME_SIZE])
{
    char hex[2 * STATE_DIGEST + 1];

    snprintf(out, STATE_NAME_SIZE, STATE_NAME_TEXT "%s.", hex_text(digest, STATE_DIGEST, hex));
}

/* Takes a text with this digest. Returns it and its number, or -ENOENT. */
static int takeover_generations_text(const struct takeover *to, const uint8_t digest[STATE_DIGEST],
                                     uint64_t *number)
{
    struct fdstore *const store = to->subject.context->store;
    char prefix[STATE_NAME_SIZE];
    char name[STATE_NAME_SIZE];
    const char *kept;

    takeover_generations_prefix(digest, prefix);
    kept = fdstore_next(store, prefix, NULL);
    if (!kept || !numbers_decimal(kept + strlen(prefix), UINT64_MAX, number)) {
        return -ENOENT;
    }
    snprintf(name, sizeof name, "%s", kept);
    return fdstore_take(store, name);
}

void takeover_generations_in_force(struct takeover *to)
{
    struct monitor_context *const context = to->subject.context;
    struct generation *const g = context->generation;
    uint64_t number;
    int fd = -ENOENT;

    if (to->resumes && g->config->from_file) {
        fd = takeover_generations_text(to, g->config->digest, &number);
    }
    if (fd >= 0) {
        close(fd);
        generation_kept(g, context->store, number);
    }
    takeover_keep_generation(context);
}

/* Reads the text (taken) as the file of the same command line. Returns NULL if it cannot. */
static struct config *takeover_generations_load_take(const struct takeover *to, int text_fd)
{
    struct config *const c = calloc(1, sizeof *c);
    struct config_errors e;
    int err;

    config_errors_init(&e);
    if (!c || lseek(text_fd, 0, SEEK_SET) < 0) {
        close(text_fd);
        free(c);
        return NULL;
    }
    err = config_init(c);
    if (err) {
        close(text_fd);
    } else {
        err = options_reload_text_take(to->subject.options, c, text_fd, &e);
    }
    if (!err) {
        err = accounts_keep(c, to->subject.context->config);
    }
    if (err) {
        log_error("cannot read an earlier configuration again, under which sessions began: %s",
                  e.n > 0 ? e.error[0].text : strerror(-err));
        config_deinit(c);
        free(c);
        return NULL;
    }
    return c;
}

static struct generation *takeover_generations_load(const struct takeover *to,
                                                    const uint8_t digest[STATE_DIGEST])
{
    struct generation *g = NULL;
    struct config *c;
    uint64_t number;
    int fd;

    if (!options_file(to->subject.options)) {
        return NULL;
    }
    fd = takeover_generations_text(to, digest, &number);
    if (fd < 0) {
        log_error("an earlier configuration, under which sessions began, is not kept");
        return NULL;
    }
    c = takeover_generations_load_take(to, fd);
    if (c) {
        g = generation_new_take(c);
    }
    if (g) {
        g->inspector = to->subject.context->inspector;
        generation_kept(g, to->subject.context->store, number);
    } else if (c) {
        config_deinit(c);
        free(c);
    }
    return g;
}

struct generation *takeover_generations_find(struct takeover *to,
                                             const uint8_t digest[STATE_DIGEST])
{
    static const uint8_t none[STATE_DIGEST];
    struct generation *const current = to->subject.context->generation;
    struct takeover_generation *g;

    if (current->config->from_file ? memcmp(current->config->digest, digest, STATE_DIGEST) == 0
                                   : memcmp(digest, none, STATE_DIGEST) == 0) {
        return current;
    }
    SLIST_FOREACH(g, &to->generations, link)
    {
        if (memcmp(g->digest, digest, STATE_DIGEST) == 0) {
            return g->generation;
        }
    }
    g = calloc(1, sizeof *g);
    if (!g) {
        return NULL;
    }
    memcpy(g->digest, digest, STATE_DIGEST);
    g->generation = takeover_generations_load(to, digest);
    SLIST_INSERT_HEAD(&to->generations, g, link);
    return g->generation;
}

void takeover_generations_end(struct takeover *to)
{
    struct takeover_generation *g;

    while ((g = SLIST_FIRST(&to->generations))) {
        SLIST_REMOVE_HEAD(&to->generations, link);
        generation_release(g->generation);
        free(g);
    }
}
