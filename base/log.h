/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The log: one line an event, on standard error, which the service manager keeps.
 *
 *   poemd: warning: session=7 route=nvme0 leg=backend: text
 *
 * Foreign text (paths, names, a peer's words) goes through log_escape, never raw: a peer must not
 * be able to forge a line or drive a terminal.
 */
#ifndef POEMD_BASE_LOG_H
#define POEMD_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/*
 * What a line speaks of. session 0, NULL route, NULL leg: not said. route is escaped by the log.
 * quiet: nothing is written, since there would be too much of it.
 */
struct log_subject {
    uint64_t session;
    const char *route;
    const char *leg;
    bool quiet;
};

/* Looks at standard error, names the program and the most talkative level that is written. name
 * must outlive the log. */
void log_init(const char *name, enum log_level level);

/*
 * Opens standard error anew, where it is a pipe or a terminal: its O_NONBLOCK is then ours and our
 * children's alone, and is set. Where that cannot be (another user's) it stays as it is. Once, at
 * the start of the daemon, which has no other threads.
 */
void log_own(void);

/* The level for a name ("error", "warning", "info", "debug"), or -1. */
int log_level_find(const char *name);

enum log_level log_level_get(void);

/*
 * Writes one line, cut at 2,048 bytes. Never waits for a reader: where standard error takes
 * nothing, the line is lost, and the next one that can be written is preceded by how many were. A
 * file is waited for, as its disk takes it.
 */
void log_line(enum log_level level, const struct log_subject *about, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Writes how many lines were lost, if any were and there is room again. */
void log_catch_up(void);

#define log_error(...) log_line(LOG_ERROR, NULL, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, NULL, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, NULL, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, NULL, __VA_ARGS__)

/*
 * Writes foreign bytes as printable ASCII to out (size > 0 bytes, always NUL-terminated): control
 * bytes, quotes, backslashes and what is not ASCII become \xNN; what does not fit ends in "...".
 * Returns out.
 */
const char *log_escape(char *out, size_t size, const void *p, size_t n);

#endif
