/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Builds and loads the filter, and logs refused calls. */
#define _GNU_SOURCE
#include "base/confine/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/log.h"

/* Above all numbers of current kernels; calls beyond are logged only by number. */
#define NUMBERS 512

static const char *process = "process";
static char *names[NUMBERS];
static bool listed[NUMBERS];
static bool logged[NUMBERS + 1];

/* Calls of any process that has memory, a log and an end. */
static const struct filter_call basics[] = {
    /* malloc and free; only the loader maps executable memory, earlier */
    FILTER_CALL(brk),
    FILTER_CALL_IF(mmap, FILTER_LACKS(2, PROT_EXEC)),
    FILTER_CALL_IF(mmap2, FILTER_LACKS(2, PROT_EXEC)),
    FILTER_CALL_IF(mprotect, FILTER_LACKS(2, PROT_EXEC)), /* an arena that grows */
    FILTER_CALL(munmap),
    FILTER_CALL(mremap),                                      /* realloc of a large block */
    FILTER_CALL_IF(madvise, FILTER_IS_INT(2, MADV_DONTNEED)), /* memory given back */
    FILTER_CALL_IF(madvise, FILTER_IS_INT(2, MADV_FREE)),
    /* locks of the C library and of libcrypto, even with one thread */
    FILTER_CALL(futex),
    FILTER_CALL(futex_time64),
    /* the event loop, and the log's check that a line can be written without blocking */
    FILTER_CALL(epoll_wait),
    FILTER_CALL(epoll_pwait),
    FILTER_CALL(epoll_pwait2),
    FILTER_CALL(epoll_ctl),
    FILTER_CALL(poll),
    FILTER_CALL(ppoll),
    FILTER_CALL(ppoll_time64),
    /* the log, the bells of captures, files that were passed in */
    FILTER_CALL(read),
    FILTER_CALL(write),
    FILTER_CALL_IF(pwritev2, FILTER_IS_INT(5, RWF_NOWAIT)), /* pipes of the log and of captures */
    FILTER_CALL(close),
    /* channels and peers' sockets: only those passed in, since none can be created */
    FILTER_CALL(recvmsg),
    FILTER_CALL(sendmsg),
    FILTER_CALL(recvfrom), /* the C library's recv */
    FILTER_CALL(sendto),   /* ... and send */
    FILTER_CALL(shutdown),
    /* clocks without an answer from the vDSO: another clock source, CPU time, a 32-bit machine */
    FILTER_CALL(clock_gettime),
    FILTER_CALL(clock_gettime64),
    FILTER_CALL(gettimeofday),
    FILTER_CALL(time),
    FILTER_CALL(getrandom),       /* challenges; keys of hash tables */
    FILTER_CALL(getpid),          /* seeds of libcrypto and jansson */
    FILTER_CALL(gettid),          /* abort */
    FILTER_CALL(restart_syscall), /* the kernel's own, after SIGSTOP and SIGCONT */
    FILTER_CALL(rt_sigreturn),    /* after the handler below */
    FILTER_CALL(sigreturn),
    FILTER_CALL(rt_sigprocmask), /* abort */
    FILTER_CALL(exit),
    FILTER_CALL(exit_group),
};

/* ---- refused calls ---- */

static size_t filter_index(int number)
{
    return number >= 0 && number < NUMBERS ? (size_t)number : NUMBERS;
}

static void filter_log(int number)
{
    const size_t i = filter_index(number);

    if (logged[i]) {
        return;
    }
    logged[i] = true;
    log_error("%s: system call %d (%s) refused: it is not on the filter's list%s; if this process "
              "was not attacked, report it with the versions of kernel and C library",
              process, number, i < NUMBERS && names[i] ? names[i] : "unknown",
              i < NUMBERS && listed[i] ? " with these arguments" : "");
}

#if defined(__x86_64__) || defined(__aarch64__)

/* Logs a refused call, and sets its return value. Preserves the interrupted code's errno. */
static void filter_on_refused(int sig, siginfo_t *info, void *context)
{
    ucontext_t *const u = context;
    const int saved = errno;

    (void)sig;
#if defined(__x86_64__)
    u->uc_mcontext.gregs[REG_RAX] = -ENOSYS;
#else
    u->uc_mcontext.regs[0] = (unsigned long long)-ENOSYS;
#endif
    filter_log(info->si_syscall);
    errno = saved;
}

/* Looks up the names of calls now, since the handler may interrupt malloc. Returns 0 or -errno. */
static int filter_watch(void)
{
    struct sigaction a = {.sa_sigaction = filter_on_refused, .sa_flags = SA_SIGINFO};

    for (int i = 0; i < NUMBERS; i++) {
        names[i] = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, i);
    }
    sigemptyset(&a.sa_mask);
    return sigaction(SIGSYS, &a, NULL) < 0 ? -errno : 0;
}

#else

/* The handler would need to know this machine's registers. */
static int filter_watch(void)
{
    return -ENOSYS;
}

#endif

/* ---- allowed calls ---- */

static int filter_add(scmp_filter_ctx ctx, const struct filter_call *calls, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct filter_call *const c = &calls[i];
        int err;

        if (c->number < 0) {
            continue;
        }
        err =
            seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, c->number, c->n_conditions, c->conditions);
        /* -EEXIST: a list may repeat an entry of the basics. */
        if (err && err != -EEXIST) {
            return err;
        }
        if (filter_index(c->number) < NUMBERS) {
            listed[c->number] = true;
        }
    }
    return 0;
}

static int filter_load(scmp_filter_ctx ctx, const struct filter_call *calls, size_t n)
{
    /* abort and a failed assertion: only this process, only this signal. */
    const struct filter_call own[] = {
        FILTER_CALL_IF2(tgkill, FILTER_IS_INT(0, getpid()), FILTER_IS_INT(2, SIGABRT))};
    size_t n_tools;
    const struct filter_call *const tools = filter_tools_calls(&n_tools);
    int err = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

    if (!err) {
        /* A tree instead of a chain: all calls without conditions cost the same. */
        (void)seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
        (void)seccomp_attr_set(ctx, SCMP_FLTATR_CTL_LOG, 1);
        err = filter_add(ctx, basics, sizeof basics / sizeof *basics);
    }
    if (!err) {
        err = filter_add(ctx, own, sizeof own / sizeof *own);
    }
    if (!err) {
        err = filter_add(ctx, calls, n);
    }
    if (!err) {
        err = filter_add(ctx, tools, n_tools);
    }
    return err ? err : seccomp_load(ctx);
}

int filter_enter(const char *who, const struct filter_call *calls, size_t n)
{
    bool watched;
    scmp_filter_ctx ctx;
    int err;

    if (filter_tools_valgrind()) {
        log_debug("%s: no system-call filter under valgrind", who);
        return 0;
    }
    process = who;
    watched = log_level_get() == LOG_DEBUG && filter_watch() == 0;
    ctx = seccomp_init(watched ? SCMP_ACT_TRAP : SCMP_ACT_ERRNO(ENOSYS));
    err = ctx ? 0 : -ENOMEM;
    if (!err) {
        err = filter_load(ctx, calls, n);
    }
    if (ctx) {
        seccomp_release(ctx);
    }
    return err;
}
