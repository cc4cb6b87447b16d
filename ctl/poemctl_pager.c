/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
#define _GNU_SOURCE
#include "ctl/poemctl_pager.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/run/run_child.h"

/* In the new process: never returns. */
static void poemctl_pager_become(int from_fd, const char *wanted)
{
    dup2(from_fd, STDIN_FILENO);
    /* One page ends by itself, colours are shown, and the screen stays as it is. */
    setenv("LESS", "FRX", 0);
    if (wanted) {
        execl("/bin/sh", "sh", "-c", wanted, (char *)NULL);
    } else {
        execlp("less", "less", (char *)NULL);
        execlp("cat", "cat", (char *)NULL);
    }
    _exit(127);
}

void poemctl_pager_begin(struct poemctl_pager *p)
{
    const char *const wanted = getenv("PAGER");
    int fds[2];

    *p = (struct poemctl_pager){.pid = 0};
    if (!isatty(STDOUT_FILENO) || (wanted && (!*wanted || strcmp(wanted, "cat") == 0)) ||
        pipe2(fds, O_CLOEXEC) < 0) {
        return;
    }
    p->terminal_fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    p->pid = p->terminal_fd >= 0 && fflush(stdout) == 0 ? fork() : -1;
    if (p->pid == 0) {
        poemctl_pager_become(fds[0], wanted);
    }
    if (p->pid > 0) {
        dup2(fds[1], STDOUT_FILENO);
        /* An interrupt is for the pager, which would be left behind on the terminal. */
        (void)signal(SIGINT, SIG_IGN);
        (void)signal(SIGQUIT, SIG_IGN);
    } else {
        p->pid = 0;
        if (p->terminal_fd >= 0) {
            close(p->terminal_fd);
        }
    }
    close(fds[0]);
    close(fds[1]);
}

void poemctl_pager_end(struct poemctl_pager *p)
{
    if (p->pid == 0) {
        return;
    }
    (void)fflush(stdout);
    dup2(p->terminal_fd, STDOUT_FILENO);
    close(p->terminal_fd);
    (void)run_child_wait(p->pid);
    p->pid = 0;
}
