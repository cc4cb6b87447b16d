/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What an inspector gives up. Theory:
 *
 *   It reads executables that their makers may have bent to break it, and needs for that the open
 *   file alone. Besides, it reads dpkg's database and copyright files, by folders that its parent
 *   has opened. So: another user and an empty root where the parent is root; no new privileges;
 *   Landlock with these two folders, to be read; no process, no file made, no core; as much memory,
 *   CPU time and fds as an inspection takes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/confine.h"
#include "policy/inspector_channel.h"

static int limits(void)
{
    static const struct {
        int resource;
        rlim_t most;
    } all[] = {
        {RLIMIT_NOFILE, INSPECTOR_FDS + INSPECTOR_SPARE_FDS},
        {RLIMIT_CPU, INSPECTOR_CPU},
        {RLIMIT_FSIZE, 0},
        {RLIMIT_NPROC, 0},
        {RLIMIT_CORE, 0},
        /* The last: the sanitizers' shadow memory is larger than any limit. */
        {RLIMIT_AS, INSPECTOR_MEMORY},
    };

    for (size_t i = 0; i < sizeof all / sizeof *all - (confine_keeps_eyes() ? 1 : 0); i++) {
        const int err = confine_limit(all[i].resource, all[i].most);

        if (err) {
            return err;
        }
    }
    return 0;
}

int inspector_sandbox(const struct inspector_start *s)
{
    const int readable_fds[] = {s->dpkg_fd, s->doc_fd};
    int err = 0;

    if (geteuid() == 0) {
        err = confine_become(s->uid, s->gid, true, "inspector");
    }
    if (!err && prctl(PR_SET_DUMPABLE, confine_keeps_eyes(), 0, 0, 0) < 0) {
        err = -errno;
    }
    if (!err) {
        err = limits();
    }
    return err ? err : confine_files(readable_fds, 2, "inspector");
}
