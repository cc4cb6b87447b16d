/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What the filter allows besides, for tools that look for faults: the sanitizers of a build, and
 * valgrind. What is shipped has the first list empty; the second is used if the loader was told to
 * preload valgrind's library, which the monitor, that gives its children no environment, does not.
 */
#define _GNU_SOURCE
#include "base/filter.h"

#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/confine.h"

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
    FILTER_CALL(ptrace),            /* ... the process is stopped */
    FILTER_CALL(wait4),             /* the same */
    FILTER_CALL(prctl),             /* the same: PR_SET_PTRACER, PR_SET_DUMPABLE */
    FILTER_CALL(sched_yield),       /* its locks */
    FILTER_CALL(getppid),           /* whether the stopped process is there still */
    FILTER_CALL(tgkill),            /* abort_on_error */
    FILTER_CALL(kill),              /* ends a thread that does not stop */
    FILTER_CALL(pipe),              /* whether memory can be read, of UBSan's reports */
    FILTER_CALL(pipe2),             /* the same */
    FILTER_CALL(getrlimit),         /* stack bounds of the leak check */
    FILTER_CALL(prlimit64),         /* the same */
    FILTER_CALL(sched_getaffinity), /* the same: pthread_getattr_np */
    FILTER_CALL(fcntl),             /* the report's file */
    FILTER_CALL(dup),               /* the same */
    FILTER_CALL(ioctl),             /* whether the report goes to a terminal */
    FILTER_CALL(getuid),            /* suppressions */
    FILTER_CALL(geteuid),
    FILTER_CALL(uname),
};

/* Valgrind runs the program's calls and its own, and translates code into memory it executes. */
static const struct filter_call valgrinds[] = {
    FILTER_CALL(mmap),         /* translations */
    FILTER_CALL(mprotect),     /* the same */
    FILTER_CALL(madvise),      /* its own heap */
    FILTER_CALL(open),         /* debug information for a report */
    FILTER_CALL(openat),       /* the same */
    FILTER_CALL(stat),         /* the same */
    FILTER_CALL(fstat),        /* the same */
    FILTER_CALL(newfstatat),   /* the same */
    FILTER_CALL(statx),        /* the same */
    FILTER_CALL(lseek),        /* the same */
    FILTER_CALL(pread64),      /* the same */
    FILTER_CALL(readlink),     /* the same */
    FILTER_CALL(readlinkat),   /* the same */
    FILTER_CALL(getdents64),   /* the same */
    FILTER_CALL(getcwd),       /* the same */
    FILTER_CALL(access),       /* the same */
    FILTER_CALL(fcntl),        /* fds out of the program's way */
    FILTER_CALL(dup),          /* the same */
    FILTER_CALL(dup2),         /* the same */
    FILTER_CALL(pipe),         /* its lock */
    FILTER_CALL(rt_sigaction), /* the program's signals pass through it */
    FILTER_CALL(rt_sigtimedwait),
    FILTER_CALL(rt_sigpending),
    FILTER_CALL(sigaltstack),
    FILTER_CALL(tgkill), /* the same */
    FILTER_CALL(tkill),  /* the same */
    FILTER_CALL(kill),   /* the same */
    FILTER_CALL(getppid),
    FILTER_CALL(getrlimit), /* stack and fds */
    FILTER_CALL(setrlimit),
    FILTER_CALL(prlimit64),
    FILTER_CALL(sched_yield), /* its lock */
    FILTER_CALL(nanosleep),
    FILTER_CALL(times), /* its own clock */
    FILTER_CALL(getrusage),
    FILTER_CALL(unlink), /* its temporary files */
    FILTER_CALL(wait4),
    FILTER_CALL(uname),
    FILTER_CALL(arch_prctl),
    FILTER_CALL(prctl),
    FILTER_CALL(getuid),
    FILTER_CALL(geteuid),
    FILTER_CALL(getgid),
    FILTER_CALL(getegid),
    FILTER_CALL(ioctl),
};

bool filter_tools_valgrind(void)
{
    const char *const preload = getenv("LD_PRELOAD");

    return preload && strstr(preload, "/vgpreload_core");
}

const struct filter_call *filter_tools_calls(size_t *n)
{
    if (confine_keeps_eyes()) {
        *n = sizeof sanitizers / sizeof *sanitizers;
        return sanitizers;
    }
    *n = filter_tools_valgrind() ? sizeof valgrinds / sizeof *valgrinds : 0;
    return valgrinds;
}
