/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
#define _GNU_SOURCE
#include "proxy/config/text/config_source.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "proxy/config/text/config_expand.h"
#include "proxy/config/text/config_lines.h"
#include "proxy/config/config_value.h"

/* Names of instances in one line, in bytes. */
#define NAMES_LINE 900u

#define SHOWN 128u

struct config_source {
    const char *path;
    struct config_errors *errors;
    struct config_variables variables;
    FILE *out;
    size_t files;
    unsigned depth;     /* blocks around the next line */
    bool in_template;   /* the outermost of them is a template */
    const char *within; /* the included file that is read, or NULL */
    bool no_memory;
};

/* ---- files ---- */

/*
 * Opens a file for reading. A FIFO without a writer is empty: waiting for one could hold up the
 * thread of a reload for ever. Returns an fd or -errno.
 */
static int config_source_open(const char *path, struct stat *st)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0 || fstat(fd, st) < 0) {
        const int e = errno;

        if (fd >= 0) {
            close(fd);
        }
        return -e;
    }
    /* A FIFO with a writer is read to its end. */
    (void)fcntl(fd, F_SETFL, 0);
    return fd;
}

/*
 * Reads a file into new memory, at most one byte more than a configuration may have: enough for the
 * parser to see that it is too large. Closes fd. Returns the number of bytes, or -errno.
 */
static ssize_t config_source_read_file(int fd, char **out)
{
    const size_t room = LIMIT_CONFIG_FILE + 1;
    size_t n = 0;
    ssize_t got = 0;
    char *const p = malloc(room);

    if (!p) {
        got = -ENOMEM;
    }
    while (p && n < room) {
        got = read(fd, p + n, room - n);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            got = got < 0 ? -errno : 0;
            break;
        }
        n += (size_t)got;
    }
    close(fd);
    if (got < 0) {
        free(p);
        return got;
    }
    *out = p;
    return (ssize_t)n;
}

static void config_source_fault(struct config_source *s, struct config_place at, const char *what,
                                const char *path, const char *why, const char *hint)
{
    char shown[SHOWN];

    config_errors_add(s->errors, at, hint, "%s \"%s\"%s%s", what,
                      log_escape(shown, sizeof shown, path, strlen(path)), *why ? ": " : "", why);
}

/* ---- putting it together ---- */

/* Writes from which line of which text the next one is. */
static void config_source_mark(struct config_source *s, unsigned line)
{
    fputs("source ", s->out);
    if (s->within) {
        lex_quote(s->within, s->out);
    } else {
        fputs("main", s->out);
    }
    fprintf(s->out, " %u\n", line);
}

/* Copies bytes of a text, and ends their last line. */
static void config_source_copy(struct config_source *s, const char *p, size_t from, size_t to)
{
    fwrite(p + from, 1, to - from, s->out);
    if (to > 0 && p[to - 1] != '\n') {
        fputc('\n', s->out);
    }
}

static bool config_source_full(struct config_source *s)
{
    return ftello(s->out) > (off_t)LIMIT_CONFIG_FILE;
}

static void config_source_text(struct config_source *s, const char *p, size_t n);

/* ---- include ---- */

/* Opens a file that is to be included. Returns an fd, or -1: reported. */
static int config_source_open_included(struct config_source *s, struct config_place at,
                                       const char *path)
{
    struct stat st = {0};
    const int fd = config_source_open(path, &st);

    if (fd < 0) {
        config_source_fault(s, at, "cannot include", path, strerror(-fd), NULL);
        return -1;
    }
    if (!S_ISREG(st.st_mode)) {
        config_source_fault(s, at, "cannot include", path,
                            S_ISDIR(st.st_mode) ? "it is a folder" : "it is not a regular file",
                            S_ISDIR(st.st_mode) ? "include \"FOLDER/*.conf\"" : NULL);
        close(fd);
        return -1;
    }
    if (st.st_mode & S_IWOTH) {
        config_source_fault(s, at, "every user can write to", path, "", "chmod o-w");
    }
    return fd;
}

/* NOLINTNEXTLINE(misc-no-recursion): an included file includes no others. */
static void config_source_include_file(struct config_source *s, struct config_place at,
                                       const char *path)
{
    struct value_fault fault;
    unsigned none;
    char *p;
    ssize_t n;
    int fd;

    if (s->files == LIMIT_CONFIG_FILES) {
        config_source_fault(s, at, "too many files: cannot include", path, "",
                            "a configuration includes at most 1000 files");
        return;
    }
    if (!value_read(VALUE_TEXT, path, 0, 0, &none, &fault)) {
        config_source_fault(s, at, "cannot include", path, fault.text, fault.hint);
        return;
    }
    fd = config_source_open_included(s, at, path);
    if (fd < 0) {
        return;
    }
    n = config_source_read_file(fd, &p);
    if (n < 0) {
        config_source_fault(s, at, "cannot include", path, strerror((int)-n), NULL);
        return;
    }
    s->files++;
    s->within = path;
    config_source_mark(s, 1);
    config_source_text(s, p, (size_t)n);
    s->within = NULL;
    s->depth = 0;
    free(p);
}

/* Returns the pattern as seen from the configuration's folder. NULL if out of memory. */
static char *config_source_absolute(const struct config_source *s, const char *pattern)
{
    const char *const slash = strrchr(s->path, '/');
    char *out;

    if (*pattern == '/' || !slash) {
        return strdup(pattern);
    }
    return asprintf(&out, "%.*s/%s", (int)(slash - s->path), s->path, pattern) < 0 ? NULL : out;
}

/* NOLINTNEXTLINE(misc-no-recursion): an included file includes no others. */
static void config_source_include(struct config_source *s, struct config_place at,
                                  const char *pattern)
{
    char *const path = config_source_absolute(s, pattern);
    glob_t found = {0};
    const int r = path ? glob(path, 0, NULL, &found) : GLOB_NOSPACE;

    if (r == GLOB_NOMATCH && !strpbrk(path, "*?[")) {
        config_source_fault(s, at, "cannot include", path, strerror(ENOENT), NULL);
    } else if (r != 0 && r != GLOB_NOMATCH) {
        config_source_fault(s, at, "cannot include", pattern,
                            r == GLOB_NOSPACE ? "out of memory" : "cannot read its folder", NULL);
    }
    for (size_t i = 0; i < found.gl_pathc && !config_source_full(s); i++) {
        config_source_include_file(s, at, found.gl_pathv[i]);
    }
    globfree(&found);
    free(path);
}

/* ---- instances ---- */

size_t config_source_star(const char *pattern)
{
    const size_t n = strcspn(pattern, "*?[\\");

    return *pattern == '/' && n > 0 && pattern[n - 1] == '/' && strcmp(pattern + n, "*/") == 0 ? n
                                                                                               : 0;
}

static bool config_source_is_name(const char *name)
{
    struct value_fault fault;
    unsigned none;

    return value_read(VALUE_NAME, name, 0, 0, &none, &fault);
}

/* Writes the instance of a found folder, whose path has before bytes before it. */
static void config_source_instance(struct config_source *s, const char *path, size_t before,
                                   size_t *column)
{
    char *const name = strndup(path + before, strcspn(path + before, "/"));

    if (name && config_source_is_name(name)) {
        if (*column > NAMES_LINE) {
            fputc('\n', s->out);
            *column = 0;
        }
        *column += (size_t)fprintf(s->out, "%s %s", *column == 0 ? "instances" : "", name);
    }
    free(name);
}

static void config_source_instances(struct config_source *s, const char *pattern)
{
    const size_t before = config_source_star(pattern);
    size_t column = 0;
    glob_t found = {0};

    if (before > 0 && glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc && !config_source_full(s); i++) {
            config_source_instance(s, found.gl_pathv[i], before, &column);
        }
    }
    if (column > 0) {
        fputc('\n', s->out);
    }
    globfree(&found);
}

/* ---- lines ---- */

static void config_source_track(struct config_source *s, const struct config_line *l)
{
    if (l->closes && s->depth > 0) {
        s->depth--;
    }
    if (l->opens) {
        s->in_template = s->depth == 0
                             ? l->n >= 2 && strcmp(l->words[0], "route") == 0 &&
                                   l->words[1][strlen(l->words[1]) - 1] == '@' && *l->words[1]
                             : s->in_template;
        s->depth++;
    }
}

/* Inserts what stands behind an "include", or behind "instances" with a pattern. */
/* NOLINTNEXTLINE(misc-no-recursion): an included file includes no others. */
static void config_source_insert(struct config_source *s, const struct config_line *l, bool files)
{
    char word[CONFIG_EXPANDED];
    struct value_fault fault;

    /* The parser reports a word that cannot be expanded. */
    if (!config_expand(&s->variables, NULL, l->words[1], word, &fault)) {
        return;
    }
    if (files) {
        config_source_include(s, l->at[0], word);
    } else {
        config_source_instances(s, word);
    }
}

static void config_source_define(struct config_source *s, const struct config_line *l)
{
    char value[CONFIG_EXPANDED];
    struct value_fault fault;

    /* The parser reports what is wrong with it. */
    if (config_expand(&s->variables, NULL, l->words[2], value, &fault)) {
        s->no_memory =
            config_variables_define(&s->variables, l->words[1], value, &fault) == -ENOMEM ||
            s->no_memory;
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): an included file includes no others. */
static void config_source_text(struct config_source *s, const char *p, size_t n)
{
    struct config_line l;
    struct lex lex;
    size_t copied = 0;

    lex_init(&lex, p, n);
    while (!config_source_full(s) && config_lines_next(&lex, &l)) {
        const bool files = s->depth == 0 && !s->within && l.n == 2 && !l.opens &&
                           strcmp(l.words[0], "include") == 0;
        const bool names = s->depth == 1 && s->in_template && l.n == 2 && !l.opens &&
                           strcmp(l.words[0], "instances") == 0 && *l.words[1] &&
                           (strchr(l.words[1], '/') || strchr(l.words[1], '$'));

        if (s->depth == 0 && l.n == 3 && strcmp(l.words[0], "define") == 0) {
            config_source_define(s, &l);
        }
        config_source_track(s, &l);
        if (!l.fault && (files || names)) {
            config_source_copy(s, p, copied, l.end);
            copied = l.end;
            config_source_insert(s, &l, files);
            config_source_mark(s, lex.line + 1);
        }
    }
    fwrite(p + copied, 1, n - copied, s->out);
    if (s->within && n > copied && p[n - 1] != '\n') {
        fputc('\n', s->out);
    }
}

int config_source_read(const char *path, char **text, size_t *n, struct config_errors *e)
{
    struct config_source s = {.path = path, .errors = e};
    struct stat st = {0};
    char *p;
    const int fd = config_source_open(path, &st);
    const ssize_t got = fd < 0 ? fd : config_source_read_file(fd, &p);
    int failed;

    if (got < 0) {
        return (int)got;
    }
    if (S_ISREG(st.st_mode) && (st.st_mode & S_IWOTH)) {
        config_errors_add(e, (struct config_place){0, 0}, "chmod o-w",
                          "every user can write to this file");
    }
    *text = NULL;
    s.out = open_memstream(text, n);
    if (!s.out) {
        free(p);
        return -ENOMEM;
    }
    config_source_text(&s, p, (size_t)got);
    failed = ferror(s.out) || s.no_memory;
    failed = fclose(s.out) != 0 || failed;
    config_variables_deinit(&s.variables);
    free(p);
    if (failed) {
        free(*text);
    }
    return failed ? -ENOMEM : 0;
}
