/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What the filter allows besides, for tools that look for faults: the sanitizers of a build. Under
 * valgrind there is no filter: valgrind 3.19 hands no seccomp call on, and the calls that it makes
 * itself, to translate code, would be most of what a filter is for. A process runs under it if its
 * loader was told to preload valgrind's library: by valgrind alone, for the monitor gives its
 * children no environment.
 */
#define _GNU_SOURCE
#include "base/confine/filter.h"

#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/confine/confine.h"

/* Reports are made of /proc/self and the program's files; the leak check stops all threads. */
static const struct filter_call sanitizers[] = {
    FILTER_CALL(openat),       /* /proc/self/maps, the program's symbols */
    FILTER_CALL(open),         /* the same */
    FILTER_CALL(readlink),     /* /proc/self/exe */
    FILTER_CALL(readlinkat),   /* the same */
    FILTER_CALL(getdents64),   /* /proc/self/task */
    FILTER_CALL(getdents),     /* the same */
    FILTER_CALL(fstat),        /* symbols */
    FILTER_CALL(newfstatat),   /* the same */
    FILTER_CALL(stat),         /* the same */
    FILTER_CALL(lseek),        /* the same */
    FILTER_CALL(pread64),      /* the same */
    FILTER_CALL(madvise),      /* shadow memory: not dumped, given back */
    FILTER_CALL(sigaltstack),  /* the stack on which a fault is reported, given back */
    FILTER_CALL(rt_sigaction), /* the leak check catches faults of its own */
    /* the leak check's thread (not fork), by which ... */
    FILTER_CALL_IF(clone, FILTER_HAS(0, CLONE_VM | CLONE_UNTRACED)),
    FILTER_CALL(ptrace),                        /* ... the process is stopped */
    FILTER_CALL(wait4),                         /* the same */
    FILTER_CALL(prctl),                         /* the same: PR_SET_PTRACER, PR_SET_DUMPABLE */
    FILTER_CALL(sched_yield),                   /* its locks */
    FILTER_CALL(getppid),                       /* whether the stopped process is there still */
    FILTER_CALL(tgkill),                        /* abort_on_error */
    FILTER_CALL(kill),                          /* ends a thread that does not stop */
    FILTER_CALL(pipe),                          /* whether memory can be read, of UBSan's reports */
    FILTER_CALL(pipe2),                         /* the same */
    FILTER_CALL(getrlimit),                     /* stack bounds of the leak check */
    FILTER_CALL_IF(prlimit64, FILTER_IS(2, 0)), /* the same; none is set */
    FILTER_CALL(sched_getaffinity),             /* the same: pthread_getattr_np */
    FILTER_CALL(fcntl),                         /* the report's file */
    FILTER_CALL(dup),                           /* the same */
    FILTER_CALL(ioctl),                         /* whether the report goes to a terminal */
    FILTER_CALL(getuid),                        /* suppressions */
    FILTER_CALL(geteuid),
    FILTER_CALL(uname),
};

bool filter_tools_valgrind(void)
{
    const char *const preload = getenv("LD_PRELOAD");

    return preload && strstr(preload, "/vgpreload_core");
}

const struct filter_call *filter_tools_calls(size_t *n)
{
    *n = confine_keeps_eyes() ? sizeof sanitizers / sizeof *sanitizers : 0;
    return sanitizers;
}
