/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The log. Writes to standard error in one write a line, so that the lines of several processes
 * do not mix; knows nothing of sessions but their number.
 */
#include "base/log.h"

#include <ctype.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Below PIPE_BUF, so that a line is written whole or not at all. */
#define LINE 2048

static const char *const level_names[] = {
    [LOG_ERROR] = "error", [LOG_WARNING] = "warning", [LOG_INFO] = "info", [LOG_DEBUG] = "debug"};

static const char *program = "poemd";
static enum log_level most = LOG_INFO;

void log_init(const char *name, enum log_level level)
{
    program = name;
    most = level;
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

/* snprintf's habit of returning what would have been written must not move the end past the room.
 */
static size_t add(char *line, size_t at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static size_t add_v(char *line, size_t at, const char *fmt, va_list ap)
{
    int n = vsnprintf(line + at, LINE - at, fmt, ap);

    if (n < 0) {
        return at;
    }
    return at + (size_t)n < LINE - 1 ? at + (size_t)n : LINE - 1;
}

static size_t add(char *line, size_t at, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    at = add_v(line, at, fmt, ap);
    va_end(ap);
    return at;
}

static size_t add_subject(char *line, size_t at, const struct log_subject *about)
{
    char name[256];

    if (about->session) {
        at = add(line, at, " session=%" PRIu64, about->session);
    }
    if (about->route) {
        at = add(line, at, " route=%s",
                 log_escape(name, sizeof name, about->route, strlen(about->route)));
    }
    if (about->leg) {
        at = add(line, at, " leg=%s", about->leg);
    }
    return add(line, at, ":");
}

/*
 * Whether a line can be written without waiting. A pipe that polls writable has room for PIPE_BUF
 * bytes, which is more than a line; a log that nobody reads must not stop the broker.
 */
static bool has_room(void)
{
    struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};

    return poll(&p, 1, 0) == 1 && (p.revents & POLLOUT);
}

static void put(const char *line, size_t n)
{
    static unsigned long lost;
    char note[64];

    if (!has_room()) {
        lost++;
        return;
    }
    if (lost > 0) {
        const int len =
            snprintf(note, sizeof note, "%s: warning: %lu lines were lost\n", program, lost);

        lost = 0;
        if (write(STDERR_FILENO, note, (size_t)len) < 0 || !has_room()) {
            lost++;
            return;
        }
    }
    /* Nobody could be told that the log cannot be written. */
    if (write(STDERR_FILENO, line, n) < 0) {
        lost++;
    }
}

void log_line(enum log_level level, const struct log_subject *about, const char *fmt, ...)
{
    char line[LINE];
    size_t at;
    va_list ap;

    if (level > most || (about && about->quiet)) {
        return;
    }
    at = add(line, 0, "%s: %s:", program, level_names[level]);
    if (about) {
        at = add_subject(line, at, about);
    }
    at = add(line, at, " ");
    va_start(ap, fmt);
    at = add_v(line, at, fmt, ap);
    va_end(ap);
    line[at++] = '\n';
    put(line, at);
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '\\' && c != '"';
}

/* Whether n bytes, escaped, and a NUL are at most size. */
static bool escaped_fits(const unsigned char *in, size_t n, size_t size)
{
    size_t need = 1;

    for (size_t i = 0; i < n && need <= size; i++) {
        need += is_plain(in[i]) ? 1 : 4;
    }
    return need <= size;
}

const char *log_escape(char *out, size_t size, const void *p, size_t n)
{
    static const char dots[] = "...";
    const unsigned char *in = p;
    /* Where not all of it fits, room for the dots must remain. */
    const size_t keep = escaped_fits(in, n, size) ? 1 : sizeof dots;
    size_t at = 0;

    for (size_t i = 0; i < n; i++) {
        const size_t need = is_plain(in[i]) ? 1 : 4;

        if (at + need + keep > size) {
            const size_t room = size - at - 1;
            const size_t d = room < sizeof dots - 1 ? room : sizeof dots - 1;

            memcpy(out + at, dots, d);
            at += d;
            break;
        }
        if (is_plain(in[i])) {
            out[at++] = (char)in[i];
        } else {
            snprintf(out + at, 5, "\\x%02x", in[i]);
            at += 4;
        }
    }
    out[at] = '\0';
    return out;
}
