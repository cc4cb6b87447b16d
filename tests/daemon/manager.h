/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A small stand-in for a service manager: the socket at $NOTIFY_SOCKET (sd_notify(3)), with the fds
 * that poemd has it keep, which the next poemd gets.
 */
#ifndef POEMD_TESTS_DAEMON_MANAGER_H
#define POEMD_TESTS_DAEMON_MANAGER_H

#include <stdbool.h>

struct rig;

#define MANAGER_KEPT 16

struct manager {
    int fd;
    unsigned ready;     /* how often it was sent READY=1 */
    unsigned stopping;  /* … STOPPING=1 */
    unsigned reloading; /* … RELOADING=1, with a time */
    unsigned alive;     /* … WATCHDOG=1 */
    char status[256];   /* the last STATUS */
    unsigned n;
    struct {
        char name[256];
        int fd;
    } kept[MANAGER_KEPT];
};

/* Poemds that this process starts from now on have this manager. */
void manager_init(struct manager *m);

/* Receives what has come. Fails if it is not what sd_notify(3) has. */
void manager_hear(struct manager *m);

/* Receives until the last status contains the text. */
void manager_await_status(struct manager *m, const char *text);

/* Receives until the count, one of the manager's own, is at least n. */
void manager_await_count(struct manager *m, const unsigned *count, unsigned n);

/* Receives until something of this name is kept, or not kept any more. */
void manager_await(struct manager *m, const char *name, bool kept);

/* Starts the rig's poemd with all that is kept, which stays kept. */
void manager_launch(struct manager *m, struct rig *r);

/* The same for something that an earlier poemd has left; a copy of fd. */
void manager_keep(struct manager *m, const char *name, int fd);

/* Has the poemd end as for "systemctl restart". */
void manager_leave(struct manager *m, struct rig *r);

void manager_deinit(struct manager *m);

#endif
