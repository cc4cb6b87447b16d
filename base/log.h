/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The log: one line per event, on standard error, which the service manager keeps.
 *
 *   poemd: warning: session=7 route=nvme0 leg=backend: text
 *
 * That is its form in a pipe or socket, and in programs that do not call log_dress. In a file a
 * line begins with the time, UTC. On a terminal it has the local time instead of the program, and
 * a colour. In systemd's journal it is a message with fields: see log_to_journal.
 *
 * Foreign text (paths, names, peers' data) goes through log_escape, never raw: a peer must not be
 * able to forge a line or control a terminal.
 */
#ifndef POEMD_BASE_LOG_H
#define POEMD_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

/*
 * The subject of a line. Session 0, NULL route, vm and leg are omitted. The log escapes route and
 * vm.
 * quiet: nothing is written, since there would be too many lines. The others are only fields of the
 * journal's message; NULL: none.
 */
struct log_subject {
    uint64_t session;
    const char *route;
    const char *vm; /* of a virtual machine */
    const char *leg;
    bool quiet;
    const char *verdict;
    const char *taint;      /* letters */
    const char *message_id; /* 32 hexadecimal digits */
};

/*
 * Checks the kind of standard error; sets the program's name and the most verbose level to write.
 * name must outlive the log.
 */
void log_init(const char *name, enum log_level level);

/*
 * Chooses the form of lines by the kind of standard error, in a daemon, before it gives up its
 * rights. Call it after log_init.
 */
void log_dress(void);

/* Where the journal takes messages with fields. */
#define LOG_JOURNAL "/run/systemd/journal/socket"

/*
 * If standard error is a stream of systemd's journal ($JOURNAL_STREAM), makes it a socket to which
 * messages with fields are sent, here and in all children: PRIORITY, SYSLOG_IDENTIFIER, CODE_FUNC,
 * POEMD_SESSION, POEMD_ROUTE, POEMD_VM, POEMD_LEG, POEMD_VERDICT, POEMD_TAINT and MESSAGE_ID.
 * Standard error stays as it is if nothing listens at path. Only lines of the log are readable
 * there from then on.
 */
void log_to_journal(const char *path);

/*
 * Connects to the journal at path again if it has begun anew (systemd-journald.socket), in a
 * process that may connect: at the next line, and in log_catch_up. That connects the children's
 * standard error, too. path must outlive the log.
 */
void log_keep_journal(const char *path);

/*
 * Opens standard error again if it is a pipe or a terminal, so that its O_NONBLOCK belongs only to
 * us and our children, and sets it. If that is not permitted (another user's) it stays as it is.
 * Call once, at the start of the daemon, before there are other threads.
 */
void log_own(void);

/* Returns the level for a name ("error", "warning", "info", "debug"), or -1. */
int log_level_find(const char *name);

enum log_level log_level_get(void);

/* Sets the most verbose level to write from now on. */
void log_level_set(enum log_level level);

/*
 * Writes one line, cut at 2,048 bytes. Never waits for a reader: if standard error takes nothing
 * the line is lost, and the number of lost lines precedes the next one written. Blocks on a file,
 * as its disk requires.
 */
#define log_line(level, about, ...) log_line_from(__func__, level, about, __VA_ARGS__)

/* Does so for a function of that name. */
void log_line_from(const char *function, enum log_level level, const struct log_subject *about,
                   const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Writes the number of lost lines, if any, once there is room again, or the journal is back. */
void log_catch_up(void);

#define log_error(...) log_line(LOG_ERROR, NULL, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, NULL, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, NULL, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, NULL, __VA_ARGS__)

/*
 * Writes foreign bytes as printable ASCII to out (size > 0 bytes, always NUL-terminated): control
 * bytes, quotes, backslashes and non-ASCII bytes become \xNN; text that does not fit ends in "...".
 * Returns out.
 */
const char *log_escape(char *out, size_t size, const void *p, size_t n);

#endif
