/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A program that shows standard output page by page, if that is a terminal. */
#ifndef POEMD_CTL_POEMCTL_PAGER_H
#define POEMD_CTL_POEMCTL_PAGER_H

#include <sys/types.h>

struct poemctl_pager {
    pid_t pid;       /* 0: there is none */
    int terminal_fd; /* standard output as it was */
};

/*
 * Starts $PAGER, by default less, as git does, and sends standard output there, unless that is not
 * a terminal, or $PAGER is empty or "cat". A user who leaves the pager early ends
 * poemctl by SIGPIPE. Without a pager the output goes where it went.
 */
void poemctl_pager_begin(struct poemctl_pager *p);

/* All has been written: waits until the user leaves the pager. */
void poemctl_pager_end(struct poemctl_pager *p);

#endif
