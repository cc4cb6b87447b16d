/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Further calls for debugging tools: the sanitizers of a build. Under valgrind there is no filter:
 * valgrind 3.19 does not pass on seccomp calls, and its own calls, to translate code, would be most
 * of those that a filter forbids. A process runs under valgrind if its loader was asked to preload
 * valgrind's library; only valgrind does that, since the monitor gives its children no environment.
 */
#define _GNU_SOURCE
#include "base/confine/filter.h"

#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/confine/confine_sanitizers.h"

/* Reports use /proc/self and the program's files; the leak check stops all threads. */
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
    FILTER_CALL(rt_sigaction), /* the leak check catches its own faults */
    /* the leak check's thread (not fork), ... */
    FILTER_CALL_IF(clone, FILTER_HAS(0, CLONE_VM | CLONE_UNTRACED)),
    FILTER_CALL(ptrace),                        /* ... which stops the process */
    FILTER_CALL(wait4),                         /* the same */
    FILTER_CALL(prctl),                         /* the same: PR_SET_PTRACER, PR_SET_DUMPABLE */
    FILTER_CALL(sched_yield),                   /* its locks */
    FILTER_CALL(getppid),                       /* checks that the stopped process still exists */
    FILTER_CALL(tgkill),                        /* abort_on_error */
    FILTER_CALL(kill),                          /* ends a thread that does not stop */
    FILTER_CALL(pipe),                          /* checks that memory is readable, for UBSan's
                                                 * reports */
    FILTER_CALL(pipe2),                         /* the same */
    FILTER_CALL(getrlimit),                     /* stack bounds of the leak check */
    FILTER_CALL_IF(prlimit64, FILTER_IS(2, 0)), /* the same; sets nothing */
    FILTER_CALL(sched_getaffinity),             /* the same: pthread_getattr_np */
    FILTER_CALL(fcntl),                         /* the report's file */
    FILTER_CALL(dup),                           /* the same */
    FILTER_CALL(ioctl),                         /* checks that the report goes to a terminal */
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
