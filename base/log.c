/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The log. Writes to standard error, in one write per line, so that the lines of several processes
 * do not mix; knows nothing about sessions except their number.
 */
#define _GNU_SOURCE
#include "base/log.h"
#include "base/sock.h"
#include "base/unconst.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* Below PIPE_BUF, so that a line is written whole or not at all. */
#define LINE 2048

static const char *const level_names[] = {
    [LOG_ERROR] = "error", [LOG_WARNING] = "warning", [LOG_INFO] = "info", [LOG_DEBUG] = "debug"};

static const char *program = "poemd";
static enum log_level most = LOG_INFO;

/* The kind of standard error, which determines how to write without blocking. */
enum log_sink { LOG_SINK_SOCKET, LOG_SINK_PIPE, LOG_SINK_OTHER };

static enum log_sink log_sink_of(int fd)
{
    struct stat st;

    if (fstat(fd, &st) < 0) {
        return LOG_SINK_OTHER;
    }
    return S_ISSOCK(st.st_mode)                          ? LOG_SINK_SOCKET
           : S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode) ? LOG_SINK_PIPE
                                                         : LOG_SINK_OTHER;
}

/* Set by log_init, before a process gives up its rights. */
static enum log_sink log_sink = LOG_SINK_OTHER;

/* The form of lines. */
enum log_style { LOG_STYLE_PLAIN, LOG_STYLE_FILE, LOG_STYLE_TERMINAL, LOG_STYLE_JOURNAL };

static enum log_style log_style = LOG_STYLE_PLAIN;

/* Only the journal's socket is one of datagrams: log_to_journal has made it. */
static bool log_is_journal(void)
{
    int type = 0;
    socklen_t n = sizeof type;

    return getsockopt(STDERR_FILENO, SOL_SOCKET, SO_TYPE, &type, &n) == 0 && type == SOCK_DGRAM;
}

void log_init(const char *name, enum log_level level)
{
    program = name;
    most = level;
    log_sink = log_sink_of(STDERR_FILENO);
    log_style = log_is_journal() ? LOG_STYLE_JOURNAL : LOG_STYLE_PLAIN;
}

void log_dress(void)
{
    /* Reads the time zone's file, which a confined process cannot; gmtime_r would, too. */
    tzset();
    if (isatty(STDERR_FILENO)) {
        log_style = LOG_STYLE_TERMINAL;
    } else if (log_sink == LOG_SINK_OTHER) {
        log_style = LOG_STYLE_FILE;
    }
}

void log_to_journal(const char *path)
{
    const char *const stream = getenv("JOURNAL_STREAM");
    char own[64];
    struct stat st;
    int fd;

    if (!stream || fstat(STDERR_FILENO, &st) < 0) {
        return;
    }
    snprintf(own, sizeof own, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    if (strcmp(stream, own) != 0) {
        return;
    }
    fd = sock_connect_datagrams(path);
    if (fd >= 0 && dup2(fd, STDERR_FILENO) >= 0) {
        log_init(program, most);
    }
    if (fd >= 0) {
        close(fd);
    }
}

/* Where the journal is, or NULL. */
static const char *log_journal;

void log_keep_journal(const char *path)
{
    log_journal = path;
}

/* Returns true if standard error is connected to the journal, perhaps again. */
static bool log_rejoin(void)
{
    return log_journal && log_style == LOG_STYLE_JOURNAL &&
           sock_rejoin_datagrams(STDERR_FILENO, log_journal) == 0;
}

int log_level_find(const char *name)
{
    for (int i = LOG_ERROR; i <= LOG_DEBUG; i++) {
        if (strcmp(name, level_names[i]) == 0) {
            return i;
        }
    }
    return -1;
}

enum log_level log_level_get(void)
{
    return most;
}

void log_level_set(enum log_level level)
{
    most = level;
}

/* snprintf returns the untruncated length, which must not move the end beyond the buffer. */
static size_t log_add(char *line, size_t at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static size_t log_add_v(char *line, size_t at, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

static size_t log_add_v(char *line, size_t at, const char *fmt, va_list ap)
{
    int n = vsnprintf(line + at, LINE - at, fmt, ap);

    if (n < 0) {
        return at;
    }
    return at + (size_t)n < LINE - 1 ? at + (size_t)n : LINE - 1;
}

static size_t log_add(char *line, size_t at, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    at = log_add_v(line, at, fmt, ap);
    va_end(ap);
    return at;
}

static size_t log_add_subject(char *line, size_t at, const struct log_subject *about)
{
    char name[256];

    if (about->session) {
        at = log_add(line, at, " session=%" PRIu64, about->session);
    }
    if (about->route) {
        at = log_add(line, at, " route=%s",
                     log_escape(name, sizeof name, about->route, strlen(about->route)));
    }
    if (about->vm) {
        at = log_add(line, at, " vm=\"%s\"",
                     log_escape(name, sizeof name, about->vm, strlen(about->vm)));
    }
    if (about->leg) {
        at = log_add(line, at, " leg=%s", about->leg);
    }
    return about->session || about->route || about->vm || about->leg ? log_add(line, at, ":") : at;
}

void log_own(void)
{
    int fd;

    if (log_sink != LOG_SINK_PIPE) {
        return;
    }
    fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd >= 0) {
        (void)dup2(fd, STDERR_FILENO);
        close(fd);
    }
}

/*
 * A pipe that polls writable has room for PIPE_BUF bytes, more than a line, unless another process
 * that writes to it is faster.
 */
static bool log_has_room(void)
{
    struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};

    return poll(&p, 1, 0) == 1 && (p.revents & POLLOUT);
}

static bool log_send(const char *p, size_t n)
{
    return send(STDERR_FILENO, p, n, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

/*
 * The open file may be shared with foreign processes, which can change its O_NONBLOCK: so each call
 * asks not to block. Pipes cannot do that before Linux 6.4, nor can terminals: then either log_own
 * has opened them again, or poll must do.
 */
static bool log_write(const char *p, size_t n)
{
    const struct iovec iov = {.iov_base = unconst_pointer(p), .iov_len = n};

    if (log_sink == LOG_SINK_SOCKET) {
        return log_send(p, n) ||
               ((errno == ECONNREFUSED || errno == ENOTCONN) && log_rejoin() && log_send(p, n));
    }
    if (!log_has_room()) {
        return false;
    }
    if (log_sink == LOG_SINK_PIPE) {
        if (pwritev2(STDERR_FILENO, &iov, 1, -1, RWF_NOWAIT) >= 0) {
            return true;
        }
        if (errno != EOPNOTSUPP && errno != ENOSYS) {
            return false;
        }
    }
    return write(STDERR_FILENO, p, n) >= 0;
}

static unsigned long lost;

/* Writes the number of lost lines. Returns false if that is not possible yet. */
static bool log_report_lost(void)
{
    char note[128];
    int n;

    if (lost == 0) {
        return true;
    }
    n = snprintf(note, sizeof note,
                 log_style == LOG_STYLE_JOURNAL
                     ? "PRIORITY=4\nSYSLOG_IDENTIFIER=%s\nMESSAGE=%lu lines were lost\n"
                     : "%s: warning: %lu lines were lost\n",
                 program, lost);
    if (!log_write(note, (size_t)n)) {
        return false;
    }
    lost = 0;
    return true;
}

void log_catch_up(void)
{
    /* Another process may have lost the connection. */
    (void)log_rejoin();
    (void)log_report_lost();
}

static void log_put(const char *line, size_t n)
{
    if (!log_report_lost() || !log_write(line, n)) {
        lost++;
    }
}

static size_t log_add_time(char *line, size_t at)
{
    const bool local = log_style == LOG_STYLE_TERMINAL;
    struct timespec now;
    struct tm tm;
    char text[32];

    if (clock_gettime(CLOCK_REALTIME, &now) < 0 ||
        !(local ? localtime_r(&now.tv_sec, &tm) : gmtime_r(&now.tv_sec, &tm)) ||
        strftime(text, sizeof text, local ? "%H:%M:%S" : "%Y-%m-%dT%H:%M:%S", &tm) == 0) {
        return at;
    }
    return local ? log_add(line, at, "%s ", text)
                 : log_add(line, at, "%s.%03ldZ ", text, now.tv_nsec / 1000000);
}

static size_t log_add_field(char *line, size_t at, const char *name, const char *value)
{
    char shown[256];

    return value ? log_add(line, at, "%s=%s\n", name,
                           log_escape(shown, sizeof shown, value, strlen(value)))
                 : at;
}

/* The fields of the journal, and the beginning of the last one. */
static size_t log_add_fields(char *line, const char *function, enum log_level level,
                             const struct log_subject *about)
{
    static const int priorities[] = {
        [LOG_ERROR] = 3, [LOG_WARNING] = 4, [LOG_INFO] = 6, [LOG_DEBUG] = 7};
    size_t at = log_add(line, 0, "PRIORITY=%d\nSYSLOG_IDENTIFIER=%s\nCODE_FUNC=%s\n",
                        priorities[level], program, function);

    if (about && about->session) {
        at = log_add(line, at, "POEMD_SESSION=%" PRIu64 "\n", about->session);
    }
    if (about) {
        at = log_add_field(line, at, "POEMD_ROUTE", about->route);
        at = log_add_field(line, at, "POEMD_VM", about->vm);
        at = log_add_field(line, at, "POEMD_LEG", about->leg);
        at = log_add_field(line, at, "POEMD_VERDICT", about->verdict);
        at = log_add_field(line, at, "POEMD_TAINT", about->taint);
        at = log_add_field(line, at, "MESSAGE_ID", about->message_id);
    }
    return log_add(line, at, "MESSAGE=");
}

/* What is before the subject. */
static size_t log_add_head(char *line, const char *function, enum log_level level,
                           const struct log_subject *about)
{
    static const char *const colours[] = {
        [LOG_ERROR] = "1;31", [LOG_WARNING] = "33", [LOG_INFO] = "0", [LOG_DEBUG] = "2"};
    size_t at;

    switch (log_style) {
    case LOG_STYLE_JOURNAL:
        return log_add_fields(line, function, level, about);
    case LOG_STYLE_TERMINAL:
        at = log_add_time(line, 0);
        return log_add(line, at, "\x1b[%sm%s\x1b[0m:", colours[level], level_names[level]);
    case LOG_STYLE_FILE:
        at = log_add_time(line, 0);
        return log_add(line, at, "%s: %s:", program, level_names[level]);
    case LOG_STYLE_PLAIN:
        break;
    }
    return log_add(line, 0, "%s: %s:", program, level_names[level]);
}

/* A newline would end the field, and begin another one of the text's choice. */
static void log_keep_field(char *text, size_t n)
{
    for (char *at = text; (at = memchr(at, '\n', n - (size_t)(at - text)));) {
        *at = ' ';
    }
}

void log_line_from(const char *function, enum log_level level, const struct log_subject *about,
                   const char *fmt, ...)
{
    char line[LINE];
    size_t head;
    size_t at;
    va_list ap;

    if (level > most || (about && about->quiet)) {
        return;
    }
    head = log_add_head(line, function, level, about);
    at = head;
    if (about) {
        at = log_add_subject(line, at, about);
    }
    at = log_add(line, at, " ");
    va_start(ap, fmt);
    at = log_add_v(line, at, fmt, ap);
    va_end(ap);
    if (log_style == LOG_STYLE_JOURNAL && at > head) {
        /* The space that follows a head of other forms. */
        at--;
        memmove(line + head, line + head + 1, at - head);
        log_keep_field(line + head, at - head);
    }
    line[at++] = '\n';
    log_put(line, at);
}

static bool log_is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '\\' && c != '"';
}

/* Returns true if n bytes, escaped, and a NUL have at most size bytes. */
static bool log_escaped_fits(const unsigned char *in, size_t n, size_t size)
{
    size_t need = 1;

    for (size_t i = 0; i < n && need <= size; i++) {
        need += log_is_plain(in[i]) ? 1 : 4;
    }
    return need <= size;
}

const char *log_escape(char *out, size_t size, const void *p, size_t n)
{
    static const char dots[] = "...";
    const unsigned char *in = p;
    /* If not everything fits, there must be room for the dots. */
    const size_t keep = log_escaped_fits(in, n, size) ? 1 : sizeof dots;
    size_t at = 0;

    for (size_t i = 0; i < n; i++) {
        const size_t need = log_is_plain(in[i]) ? 1 : 4;

        if (at + need + keep > size) {
            const size_t room = size - at - 1;
            const size_t d = room < sizeof dots - 1 ? room : sizeof dots - 1;

            memcpy(out + at, dots, d);
            at += d;
            break;
        }
        if (log_is_plain(in[i])) {
            out[at++] = (char)in[i];
        } else {
            snprintf(out + at, 5, "\\x%02x", in[i]);
            at += 4;
        }
    }
    out[at] = '\0';
    return out;
}
