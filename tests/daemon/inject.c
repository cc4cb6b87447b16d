/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* ptrace. */
#define _GNU_SOURCE
#include "tests/daemon/inject.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>

#include "tests/support/patience.h"

#ifdef __x86_64__

/* "syscall", as a little-endian number, and how long it is. */
#define SYSCALL 0x050f
#define SYSCALL_SIZE 2

/* Below the red zone of the stack. */
#define SCRATCH 4096u
#define PLACE 256u

bool inject_possible(void)
{
    return true;
}

static struct user_regs_struct inject_saved(const struct injection *j)
{
    struct user_regs_struct r;

    memcpy(&r, j->saved, sizeof r);
    return r;
}

static void inject_wait(struct injection *j, int *status)
{
    ck_assert_int_eq(waitpid(j->pid, status, __WALL), j->pid);
    if (WIFSIGNALED(*status) || WIFEXITED(*status)) {
        j->ended = WIFSIGNALED(*status) ? WTERMSIG(*status) : -1;
    }
}

/* Stops the process. Whether it is in a system call; else it has just been woken. */
static bool inject_stop(struct injection *j, struct user_regs_struct *r)
{
    int status;
    long code;

    ck_assert_int_eq(ptrace(PTRACE_INTERRUPT, j->pid, 0, 0), 0);
    inject_wait(j, &status);
    ck_assert(WIFSTOPPED(status));
    ck_assert_int_eq(ptrace(PTRACE_GETREGS, j->pid, 0, r), 0);
    code = ptrace(PTRACE_PEEKTEXT, j->pid, r->rip - SYSCALL_SIZE, 0);
    return (code & 0xffff) == SYSCALL;
}

void inject_begin(struct injection *j, pid_t pid)
{
    const struct patience patience = patience_begin();
    struct user_regs_struct r;

    *j = (struct injection){.pid = pid};
    ck_assert_uint_le(sizeof r, sizeof j->saved);
    ck_assert_int_eq(ptrace(PTRACE_SEIZE, pid, 0, 0), 0);
    while (!inject_stop(j, &r)) {
        ck_assert_int_eq(ptrace(PTRACE_CONT, pid, 0, 0), 0);
        ck_assert_msg(patience_again(&patience), "process %d never sleeps", (int)pid);
    }
    memcpy(j->saved, &r, sizeof r);
}

uint64_t inject_bytes(struct injection *j, unsigned place, const void *p, size_t n)
{
    const struct user_regs_struct r = inject_saved(j);
    const uint64_t at = (r.rsp - SCRATCH - (uint64_t)place * PLACE) & ~(uint64_t)15;
    long words[PLACE / sizeof(long)] = {0};

    ck_assert_uint_le(n, sizeof words);
    memcpy(words, p, n);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        ck_assert_int_eq(ptrace(PTRACE_POKEDATA, j->pid, at + i * sizeof *words, words[i]), 0);
    }
    return at;
}

static void inject_set(struct injection *j, long number, const uint64_t args[6])
{
    struct user_regs_struct r = inject_saved(j);

    r.rip -= SYSCALL_SIZE;
    r.rax = (uint64_t)number;
    r.orig_rax = (uint64_t)-1;
    r.rdi = args[0];
    r.rsi = args[1];
    r.rdx = args[2];
    r.r10 = args[3];
    r.r8 = args[4];
    r.r9 = args[5];
    ck_assert_int_eq(ptrace(PTRACE_SETREGS, j->pid, 0, &r), 0);
}

long inject_call(struct injection *j, long number, const uint64_t args[6])
{
    struct user_regs_struct r;
    int status;

    inject_set(j, number, args);
    ck_assert_int_eq(ptrace(PTRACE_SINGLESTEP, j->pid, 0, 0), 0);
    inject_wait(j, &status);
    if (j->ended) {
        return -ESRCH;
    }
    ck_assert_int_eq(ptrace(PTRACE_GETREGS, j->pid, 0, &r), 0);
    return (long)r.rax;
}

void inject_leave_with(struct injection *j, long number, const uint64_t args[6])
{
    int status;

    inject_set(j, number, args);
    ck_assert_int_eq(ptrace(PTRACE_CONT, j->pid, 0, 0), 0);
    inject_wait(j, &status);
    ck_assert(WIFSTOPPED(status));
    ck_assert_int_eq(ptrace(PTRACE_DETACH, j->pid, 0, WSTOPSIG(status)), 0);
}

static uint64_t inject_read(const struct injection *j, uint64_t at)
{
    return (uint64_t)ptrace(PTRACE_PEEKDATA, j->pid, at, 0);
}

/* Whether the process is about to send n bytes, by sendmmsg as a relay does. */
static bool inject_sends(const struct injection *j, const struct user_regs_struct *r, size_t n)
{
    uint64_t iov;

    if (r->orig_rax != SYS_sendmmsg || (long)r->rax != -ENOSYS) {
        return false;
    }
    iov = inject_read(j, r->rsi + offsetof(struct msghdr, msg_iov));
    return inject_read(j, iov + offsetof(struct iovec, iov_len)) == n;
}

/* Lets it run to the beginning or the end of a system call, with the signals that it gets. */
static struct user_regs_struct inject_step(struct injection *j)
{
    struct user_regs_struct r = {0};
    long sig = 0;
    int status;

    do {
        ck_assert_int_eq(ptrace(PTRACE_SYSCALL, j->pid, 0, sig), 0);
        inject_wait(j, &status);
        ck_assert(WIFSTOPPED(status));
        sig = status >> 16 || WSTOPSIG(status) & 0x80 ? 0 : WSTOPSIG(status);
    } while (!(WSTOPSIG(status) & 0x80));
    ck_assert_int_eq(ptrace(PTRACE_GETREGS, j->pid, 0, &r), 0);
    return r;
}

static void inject_watch_calls(const struct injection *j)
{
    ck_assert_int_eq(ptrace(PTRACE_SETOPTIONS, j->pid, 0, PTRACE_O_TRACESYSGOOD), 0);
}

void inject_until_send(struct injection *j, size_t n)
{
    struct user_regs_struct r;

    inject_watch_calls(j);
    do {
        r = inject_step(j);
    } while (!inject_sends(j, &r, n));
}

void inject_steps(struct injection *j, unsigned n)
{
    inject_watch_calls(j);
    for (unsigned i = 0; i < n; i++) {
        (void)inject_step(j);
    }
}

void inject_leave_by(struct injection *j, int sig)
{
    ck_assert_int_eq(ptrace(PTRACE_DETACH, j->pid, 0, sig), 0);
}

void inject_kill(struct injection *j)
{
    int status;

    ck_assert_int_eq(kill(j->pid, SIGKILL), 0);
    while (!j->ended) {
        inject_wait(j, &status);
    }
}

void inject_end(struct injection *j)
{
    struct user_regs_struct r = inject_saved(j);

    if (j->ended) {
        return;
    }
    /* The call in which it slept was interrupted. */
    if ((long)r.rax < 0) {
        r.rax = (uint64_t)-EINTR;
        r.orig_rax = (uint64_t)-1;
    }
    ck_assert_int_eq(ptrace(PTRACE_SETREGS, j->pid, 0, &r), 0);
    ck_assert_int_eq(ptrace(PTRACE_DETACH, j->pid, 0, 0), 0);
}

#else

bool inject_possible(void)
{
    return false;
}

void inject_begin(struct injection *j, pid_t pid)
{
    *j = (struct injection){.pid = pid};
    ck_abort();
}

uint64_t inject_bytes(struct injection *j, unsigned place, const void *p, size_t n)
{
    (void)j;
    (void)place;
    (void)p;
    (void)n;
    ck_abort();
}

long inject_call(struct injection *j, long number, const uint64_t args[6])
{
    (void)j;
    (void)number;
    (void)args;
    ck_abort();
}

void inject_leave_with(struct injection *j, long number, const uint64_t args[6])
{
    (void)j;
    (void)number;
    (void)args;
    ck_abort();
}

void inject_until_send(struct injection *j, size_t n)
{
    (void)j;
    (void)n;
    ck_abort();
}

void inject_steps(struct injection *j, unsigned n)
{
    (void)j;
    (void)n;
    ck_abort();
}

void inject_leave_by(struct injection *j, int sig)
{
    (void)j;
    (void)sig;
    ck_abort();
}

void inject_kill(struct injection *j)
{
    (void)j;
    ck_abort();
}

void inject_end(struct injection *j)
{
    (void)j;
    ck_abort();
}

#endif
