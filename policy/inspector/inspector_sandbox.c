/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The rights that an inspector keeps. It parses executables that may have been crafted to attack
 * it, which takes only their open fds; besides, it reads the databases of dpkg
 * and rpm and copyright files, through folders opened by its parent.
 */
#define _GNU_SOURCE
#include <fcntl.h>

#include "base/confine/confine.h"
#include "policy/inspector/inspector_channel.h"

/*
 * Only below these folders, if the kernel has Landlock; in any case files can be neither written
 * nor created.
 */
#define INSPECTOR_READS (O_ACCMODE | O_CREAT | O_TRUNC)

static const struct filter_call inspector_calls[] = {
    /* files: opened below a folder, read */
    FILTER_CALL_IF(openat, FILTER_LACKS(2, INSPECTOR_READS)),
    FILTER_CALL(openat2), /* ... and not out of it (RESOLVE_BENEATH); its flags are in memory */
    FILTER_CALL_IF(fcntl, FILTER_IS_INT(1, F_GETFL)), /* called by fdopen and fdopendir */
    FILTER_CALL_IF(fcntl, FILTER_IS_INT(1, F_SETFD)), /* fdopendir sets close-on-exec */
    FILTER_CALL(fstat),
    FILTER_CALL(newfstatat),
    FILTER_CALL(statx),
    FILTER_CALL(lseek),
    FILTER_CALL(pread64),
    FILTER_CALL(fadvise64), /* reads ahead */
    FILTER_CALL(getdents64),
    FILTER_CALL(readlinkat), /* for a documentation folder that is a link to another package's */
};

int inspector_sandbox(const struct inspector_start *s)
{
    const int readable_fds[] = {s->dpkg_fd, s->doc_fd, s->rpm_fd};
    const struct confine_plan plan = {.who = "inspector",
                                      .uid = s->uid,
                                      .gid = s->gid,
                                      .nofile = INSPECTOR_FDS + INSPECTOR_SPARE_FDS,
                                      .memory = INSPECTOR_MEMORY,
                                      .cpu_s = INSPECTOR_CPU,
                                      .user_namespace = true,
                                      .readable_fds = readable_fds,
                                      .n_readable = 3,
                                      .calls = inspector_calls,
                                      .n_calls = sizeof inspector_calls / sizeof *inspector_calls};

    return confine_enter(&plan);
}
