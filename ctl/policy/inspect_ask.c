/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Inspects a peer's executable with an inspector of this program's own: the same child without
 * privileges that the broker uses. Waits for it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/sock.h"
#include "base/users.h"
#include "ctl/policy/inspect.h"

/* Longer than an inspection may take, so that the inspector's own error is shown. */
#define TIMEOUT_MS (INSPECTOR_JOB_MS + INSPECTOR_RUN_MS)

struct asked {
    struct event_base *base;
    const struct inspection *found; /* held */
};

static void inspect_ask_on_done(const struct inspection *r, void *arg)
{
    struct asked *a = arg;

    a->found = inspection_hold(r);
    (void)event_base_loopbreak(a->base);
}

/* Returns the inspection of one file, held, or NULL if out of memory. */
static const struct inspection *inspect_ask_file(struct inspector *inspector,
                                                 struct event_base *base,
                                                 const struct peer_exe *exe)
{
    const struct inspection *const known = inspector_look(inspector, exe);
    const struct inspector_asker who = {.uid = geteuid()};
    struct asked asked = {.base = base};

    if (known) {
        return inspection_hold(known);
    }
    if (inspector_ask(inspector, exe, &who, TIMEOUT_MS, inspect_ask_on_done, &asked) == 0 ||
        event_base_dispatch(base) < 0) {
        return NULL;
    }
    return asked.found;
}

/* Has the files inspected one after the other. */
static int inspect_ask_code(struct inspect *i, struct inspector *inspector, struct event_base *base)
{
    peer_code_list(&i->code, i->peer.pid, i->peer.pidfd);
    i->found = calloc(i->code.n + 1, sizeof *i->found);
    if (!i->found) {
        return -ENOMEM;
    }
    for (size_t k = 0; k < i->code.n; k++) {
        struct peer_exe file;

        if (i->code.items[k].kind == PEER_CODE_FILE && !i->code.items[k].unknown.why &&
            peer_code_open(&i->code.items[k], i->peer.pid, i->peer.pidfd, &file)) {
            i->found[k] = inspect_ask_file(inspector, base, &file);
            sock_close(&file.fd);
        }
    }
    i->mapped = (struct rules_mapped){.list = &i->code, .found = i->found};
    return 0;
}

static int inspect_ask_peer(struct inspect *i, const struct inspector_settings *s)
{
    const struct inspection *r = NULL;
    struct inspector *inspector;
    int err = inspector_new(&inspector, s);

    if (err) {
        return err;
    }
    r = inspect_ask_file(inspector, s->base, &i->peer.exe);
    if (r) {
        i->inspection = *r;
        inspection_release(r);
        err = i->wants_code && i->peer.pidfd >= 0 ? inspect_ask_code(i, inspector, s->base) : 0;
    } else {
        err = -ENOMEM;
    }
    inspector_free(inspector);
    return err;
}

void inspect_deinit(struct inspect *i)
{
    for (size_t k = 0; i->found && k < i->code.n; k++) {
        inspection_release(i->found[k]);
    }
    free(i->found);
    i->found = NULL;
    peer_code_deinit(&i->code);
}

int inspect_ask(struct inspect *i, const struct inspector_settings *trust)
{
    struct inspector_settings s = *trust;
    /* The user that root's inspector becomes. */
    int err = geteuid() == 0 ? users_pick(1, &s.uid) : 0;

    s.gid = s.uid;
    s.base = event_base_new();
    s.exe_fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (err) {
        /* Only fds that are closed below may be open from here on. */
    } else if (!s.base || s.exe_fd < 0) {
        err = s.base ? -errno : -ENOMEM;
    } else {
        err = inspect_ask_peer(i, &s);
    }
    if (s.base) {
        event_base_free(s.base);
    }
    sock_close(&s.exe_fd);
    return err;
}
