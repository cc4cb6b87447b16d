/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Inspects a peer's executable with an inspector of this program's own: the same child without
 * privileges that the broker uses. Waits for it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/sock.h"
#include "base/users.h"
#include "ctl/policy/inspect.h"

/* Longer than an inspection may take, so that the inspector's own error is shown. */
#define TIMEOUT_MS (INSPECTOR_JOB_MS + INSPECTOR_RUN_MS)

struct asked {
    struct event_base *base;
    struct inspection *to;
};

static void inspect_ask_on_done(const struct inspection *r, void *arg)
{
    const struct asked *a = arg;

    *a->to = *r;
    (void)event_base_loopbreak(a->base);
}

static int inspect_ask_peer(struct inspect *i, const struct inspector_settings *s)
{
    struct asked asked = {.base = s->base, .to = &i->inspection};
    const struct inspector_asker who = {.uid = geteuid()};
    struct inspector *inspector;
    int err = inspector_new(&inspector, s);

    if (err) {
        return err;
    }
    if (inspector_ask(inspector, &i->peer.exe, &who, TIMEOUT_MS, inspect_ask_on_done, &asked) ==
            0 ||
        event_base_dispatch(s->base) < 0) {
        err = -ENOMEM;
    }
    inspector_free(inspector);
    return err;
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
