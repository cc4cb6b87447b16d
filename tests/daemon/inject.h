/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * System calls made in another process's place, by ptrace: what an attacker can do who has taken it
 * over. Needs x86-64, and a process that sleeps in a system call.
 */
#ifndef POEMD_TESTS_INJECT_H
#define POEMD_TESTS_INJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Whether this machine has what is needed. */
bool inject_possible(void);

struct injection {
    pid_t pid;
    int ended;          /* the signal that ended it; 0: it is there */
    uint64_t saved[32]; /* struct user_regs_struct */
};

/* Stops the process. */
void inject_begin(struct injection *j, pid_t pid);

/* Bytes in the process's memory, below its stack: their address there. At most 256; up to 4 kept.
 */
uint64_t inject_bytes(struct injection *j, unsigned place, const void *p, size_t n);

/* Makes a system call; what it returned, or -ESRCH when the process has ended of it. */
long inject_call(struct injection *j, long number, const uint64_t args[6]);

/* Lets it make the call by itself, with its signals, and go on with what it returned. */
void inject_leave_with(struct injection *j, long number, const uint64_t args[6]);

/*
 * Lets it run, unless calls were made in its place, until it is about to relay n bytes.
 */
void inject_until_send(struct injection *j, size_t n);

/* Lets it run until n system calls more have begun or ended: each is two steps. */
void inject_steps(struct injection *j, unsigned n);

/* Lets it go on with that signal, from a system call that begins or ends. */
void inject_leave_by(struct injection *j, int sig);

/* Kills it where it is. */
void inject_kill(struct injection *j);

/* Lets it go on as if nothing had been. */
void inject_end(struct injection *j);

#endif
