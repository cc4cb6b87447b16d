/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The broker goes on as another program, without an end of any session: the program is checked,
 * then the keeper executes it in its place when this monitor has ended; the monitor that follows
 * takes over (proxy/monitor/takeover/), adopts the workers, and has its own ones go on with the
 * sessions. If that monitor does not get ready, the keeper goes back to this program.
 */
#ifndef POEMD_PROXY_MONITOR_UPGRADE_UPGRADE_H
#define POEMD_PROXY_MONITOR_UPGRADE_UPGRADE_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

struct monitor_context;
struct upgrade;

struct upgrade_request {
    int program_fd; /* taken; -1: the file from which this program was started */
    bool signal;    /* a signal asked for it; otherwise: */
    uid_t uid;
    pid_t pid;
};

/* The program has been checked; why is NULL if it goes on. why may have several lines. */
typedef void upgrade_answer_fn(void *arg, const char *why);

/*
 * words is the command line without the program's name, and ends in NULL. go ends this process, and
 * leaves all else as it is. All are borrowed. Returns NULL if out of memory.
 */
struct upgrade *upgrade_new(struct monitor_context *context, char *const words[],
                            void (*go)(void *arg), void *arg) __attribute__((warn_unused_result));

void upgrade_free(struct upgrade *u);

/*
 * Begins one; takes the request's fd. Returns NULL, and calls fn (NULL is allowed) when the program
 * has been checked; otherwise the reason why it cannot begin. go is called LIMIT_UPGRADE_ANSWER_MS
 * after fn.
 */
const char *upgrade_begin(struct upgrade *u, const struct upgrade_request *q, upgrade_answer_fn *fn,
                          void *arg) __attribute__((warn_unused_result));

/* Finds out whether this monitor follows an upgrade: logs and records that. Call it once. */
void upgrade_settle(struct upgrade *u);

/* Returns the last upgrade's outcome for the status, a new reference; null if there was none. */
json_t *upgrade_json(const struct upgrade *u);

#endif
