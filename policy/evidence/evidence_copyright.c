/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The copyright file's paragraphs and its licence synopses. Pure. A name that is not understood
 * becomes a LicenseRef-, which no rule accepts as compatible: it is never dropped.
 */
#define _GNU_SOURCE
#include "policy/evidence/evidence_copyright.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "policy/evidence/evidence_debian_names.h"
#include "policy/spdx/spdx_list.h"

#define FREE_TEXT "LicenseRef-debian-free-text"
#define UNNAMED "LicenseRef-debian-unnamed"

/* Size of the name of a licence or exception: longer texts are sentences. */
#define NAME_SIZE 64u

const char *evidence_copyright_text(enum evidence_copyright o)
{
    static const char *const texts[] = {
        [EVIDENCE_COPYRIGHT_OK] = "well-formed",
        [EVIDENCE_COPYRIGHT_FREE_TEXT] = "it is not machine-readable (copyright-format 1.0)",
        [EVIDENCE_COPYRIGHT_NO_FILES] = "none of its paragraphs has a licence",
        [EVIDENCE_COPYRIGHT_MALFORMED] = "it is malformed",
        [EVIDENCE_COPYRIGHT_TOO_LONG] = "it has too many licences for one expression",
    };

    return (size_t)o < sizeof texts / sizeof *texts ? texts[o] : "?";
}

/* ---- building text ---- */

struct strbuf {
    char *out;
    size_t size;
    size_t n;
    bool full;
};

static void evidence_copyright_put(struct strbuf *t, const char *s)
{
    const size_t n = strlen(s);

    if (t->full || n >= t->size - t->n) {
        t->full = true;
        return;
    }
    memcpy(t->out + t->n, s, n + 1);
    t->n += n;
}

/* ---- a synopsis ---- */

struct synopsis {
    const char *at;
    const char *end;
    struct strbuf to;
    bool bad; /* turned out to be free text */
};

/* Copies the next word or comma; "" at the end, or if the word is too long. */
static void evidence_copyright_next(struct synopsis *s, char word[NAME_SIZE])
{
    const char *start;
    size_t n;

    while (s->at < s->end && (*s->at == ' ' || *s->at == '\t')) {
        s->at++;
    }
    start = s->at;
    if (s->at < s->end && *s->at == ',') {
        s->at++;
    } else {
        while (s->at < s->end && *s->at != ',' && *s->at != ' ' && *s->at != '\t') {
            s->at++;
        }
    }
    n = (size_t)(s->at - start);
    if (n >= NAME_SIZE || memchr(start, '\0', n)) {
        s->bad = true;
        n = 0;
    }
    memcpy(word, start, n);
    word[n] = '\0';
}

static void evidence_copyright_peek(const struct synopsis *s, char word[NAME_SIZE])
{
    struct synopsis copy = *s;

    evidence_copyright_next(&copy, word);
}

static bool evidence_copyright_is_operator(const char *word)
{
    return strcasecmp(word, "and") == 0 || strcasecmp(word, "or") == 0;
}

/* Replaces by "-" all characters not allowed in a reference. */
static void evidence_copyright_put_reference(struct strbuf *t, const char *prefix, const char *name)
{
    char clean[NAME_SIZE + 8];
    size_t n = 0;

    for (; *name && n < NAME_SIZE; name++) {
        const bool good = (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') ||
                          (*name >= '0' && *name <= '9') || *name == '.' || *name == '-';

        clean[n++] = *name == '+' || !good ? '-' : *name;
        if (*name == '+' && n + 4 < sizeof clean) {
            memcpy(clean + n, "plus", 4);
            n += 4;
        }
    }
    clean[n] = '\0';
    evidence_copyright_put(t, prefix);
    evidence_copyright_put(t, clean);
}

/* Writes the licence for a short name; known receives its SPDX identifier, or "" if unknown. */
static void evidence_copyright_licence(struct synopsis *s, const char *name, char known[NAME_SIZE])
{
    const char *spdx = evidence_debian_licence(name);
    const size_t n = strlen(name);
    const bool plus = n > 1 && name[n - 1] == '+';
    int listed = spdx ? -1 : spdx_list_licence(name, plus ? n - 1 : n);

    known[0] = '\0';
    if (spdx) {
        snprintf(known, NAME_SIZE, "%s", spdx);
        evidence_copyright_put(&s->to, spdx);
    } else if (listed >= 0) {
        snprintf(known, NAME_SIZE, "%s", spdx_licence_at(listed)->id);
        evidence_copyright_put(&s->to, known);
        evidence_copyright_put(&s->to, plus ? "+" : "");
    } else {
        evidence_copyright_put_reference(&s->to, "LicenseRef-debian-", name);
    }
}

/* Parses "with WORDS exception", starting at the next word. */
static void evidence_copyright_exception(struct synopsis *s, const char *of)
{
    char name[NAME_SIZE] = "";
    char word[NAME_SIZE];
    char longer[NAME_SIZE + 16];
    const char *spdx;
    size_t n = 0;

    for (evidence_copyright_peek(s, word);
         word[0] && word[0] != ',' && !evidence_copyright_is_operator(word);
         evidence_copyright_peek(s, word)) {
        evidence_copyright_next(s, word);
        if (strncasecmp(word, "exception", 9) == 0) {
            continue;
        }
        if (n + strlen(word) + 2 > sizeof name) {
            s->bad = true;
            return;
        }
        n += (size_t)snprintf(name + n, sizeof name - n, "%s%s", n > 0 ? "-" : "", word);
    }
    snprintf(longer, sizeof longer, "%s-exception", name);
    spdx = evidence_debian_exception(name, of);
    if (!spdx && spdx_list_exception(name, n) >= 0) {
        spdx = spdx_exception_at(spdx_list_exception(name, n))->id;
    }
    if (!spdx && spdx_list_exception(longer, strlen(longer)) >= 0) {
        spdx = spdx_exception_at(spdx_list_exception(longer, strlen(longer)))->id;
    }
    evidence_copyright_put(&s->to, " WITH ");
    if (spdx) {
        evidence_copyright_put(&s->to, spdx);
    } else {
        evidence_copyright_put_reference(&s->to, "AdditionRef-debian-", n > 0 ? name : "unnamed");
    }
    s->bad = s->bad || of[0] == '(';
}

static void evidence_copyright_term(struct synopsis *s)
{
    char word[NAME_SIZE];
    char known[NAME_SIZE];

    evidence_copyright_next(s, word);
    if (word[0] == '\0' || word[0] == ',' || evidence_copyright_is_operator(word)) {
        s->bad = true;
        return;
    }
    evidence_copyright_licence(s, word, known);
    evidence_copyright_peek(s, word);
    if (strcasecmp(word, "with") == 0) {
        evidence_copyright_next(s, word);
        evidence_copyright_exception(s, known);
    }
}

/* A comma before an operator makes it bind less tightly than those on both sides. */
static void evidence_copyright_synopsis(struct synopsis *s)
{
    const bool commas = memchr(s->at, ',', (size_t)(s->end - s->at)) != NULL;
    char word[NAME_SIZE];

    evidence_copyright_put(&s->to, commas ? "(" : "");
    for (;;) {
        bool comma;

        evidence_copyright_term(s);
        evidence_copyright_next(s, word);
        if (s->bad || word[0] == '\0') {
            break;
        }
        comma = word[0] == ',';
        if (comma) {
            evidence_copyright_next(s, word);
        }
        if (!evidence_copyright_is_operator(word)) {
            s->bad = true;
            break;
        }
        evidence_copyright_put(&s->to, comma ? ")" : "");
        evidence_copyright_put(&s->to, strcasecmp(word, "or") == 0 ? " OR " : " AND ");
        evidence_copyright_put(&s->to, comma ? "(" : "");
    }
    evidence_copyright_put(&s->to, commas ? ")" : "");
}

bool evidence_copyright_expression(const char *p, size_t n, char *out, size_t size)
{
    struct synopsis s = {.at = p, .end = p + n, .to = {.out = out, .size = size}};

    out[0] = '\0';
    evidence_copyright_synopsis(&s);
    if (s.bad) {
        s.to = (struct strbuf){.out = out, .size = size};
        evidence_copyright_put(&s.to, FREE_TEXT);
    }
    return !s.to.full;
}

/* ---- paragraphs ---- */

struct span {
    const char *p;
    size_t n;
};

/* The fields used of a paragraph; p is NULL for a missing field. */
struct paragraph {
    struct span format;
    struct span files;   /* with continuation lines */
    struct span licence; /* first line only */
    bool any;
};

static struct span evidence_copyright_trimmed(struct span s)
{
    while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t' || s.p[s.n - 1] == '\r')) {
        s.n--;
    }
    while (s.n > 0 && (*s.p == ' ' || *s.p == '\t')) {
        s.p++;
        s.n--;
    }
    return s;
}

static struct span evidence_copyright_line_at(const char *p, const char *end)
{
    const char *nl = memchr(p, '\n', (size_t)(end - p));

    return (struct span){p, (size_t)((nl ? nl : end) - p)};
}

static bool evidence_copyright_blank(struct span line)
{
    return evidence_copyright_trimmed(line).n == 0;
}

static bool evidence_copyright_is_field(struct span name, const char *want)
{
    return name.n == strlen(want) && strncasecmp(name.p, want, name.n) == 0;
}

/* Reads a paragraph at *at and moves *at behind it. Returns false if it is malformed. */
static bool evidence_copyright_read_paragraph(const char **at, const char *end,
                                              struct paragraph *out)
{
    struct span *open = NULL; /* the field that continuation lines belong to */

    *out = (struct paragraph){.any = false};
    while (*at < end) {
        const struct span line = evidence_copyright_line_at(*at, end);
        const char *colon = memchr(line.p, ':', line.n);
        struct span name;
        struct span value;

        *at = line.p + line.n < end ? line.p + line.n + 1 : end;
        if (evidence_copyright_blank(line)) {
            if (out->any) {
                return true;
            }
            continue;
        }
        if (*line.p == '#') {
            continue;
        }
        if (*line.p == ' ' || *line.p == '\t') {
            if (!out->any) {
                return false;
            }
            if (open) {
                open->n = (size_t)(line.p + line.n - open->p);
            }
            continue;
        }
        if (!colon) {
            return false;
        }
        out->any = true;
        open = NULL;
        name = (struct span){line.p, (size_t)(colon - line.p)};
        value = (struct span){colon + 1, (size_t)(line.p + line.n - colon - 1)};
        if (evidence_copyright_is_field(name, "Format")) {
            out->format = value;
        } else if (evidence_copyright_is_field(name, "License")) {
            out->licence = value;
        } else if (evidence_copyright_is_field(name, "Files")) {
            out->files = value;
            open = &out->files;
        }
    }
    return true;
}

/*
 * Returns whether all patterns of a Files field are below debian/: those files only package the
 * software.
 */
static bool evidence_copyright_packaging_alone(struct span files)
{
    static const char folder[] = "debian/";
    const char *p = files.p;
    const char *end = files.p + files.n;
    bool any = false;

    while (p < end) {
        const char *start;

        while (p < end && strchr(" \t\r\n", *p)) {
            p++;
        }
        start = p;
        while (p < end && !strchr(" \t\r\n", *p)) {
            p++;
        }
        if (p > start && ((size_t)(p - start) < sizeof folder - 1 ||
                          memcmp(start, folder, sizeof folder - 1) != 0)) {
            return false;
        }
        any = any || p > start;
    }
    return any;
}

/* ---- joining licences ---- */

struct joined {
    struct strbuf to;
    unsigned n;
    struct span parts[128]; /* in to.out, without parentheses */
};

static bool evidence_copyright_has_part(const struct joined *j, const char *text)
{
    for (unsigned i = 0; i < j->n; i++) {
        if (j->parts[i].n == strlen(text) && memcmp(j->parts[i].p, text, j->parts[i].n) == 0) {
            return true;
        }
    }
    return false;
}

/* Joins one part, unless it is present already. */
static void evidence_copyright_join_part(struct joined *j, const char *text)
{
    const bool choice = strstr(text, " OR ") != NULL;

    if (j->to.full || evidence_copyright_has_part(j, text)) {
        return;
    }
    if (j->n == sizeof j->parts / sizeof *j->parts) {
        j->to.full = true;
        return;
    }
    evidence_copyright_put(&j->to, j->n > 0 ? " AND " : "");
    evidence_copyright_put(&j->to, choice ? "(" : "");
    evidence_copyright_put(&j->to, text);
    if (!j->to.full) {
        j->parts[j->n++] = (struct span){j->to.out + j->to.n - strlen(text), strlen(text)};
    }
    evidence_copyright_put(&j->to, choice ? ")" : "");
}

/* Joins a License field: parts connected only by AND are joined one by one. */
static void evidence_copyright_join(struct joined *j, struct span licence_field)
{
    const struct span s = evidence_copyright_trimmed(licence_field);
    char text[EVIDENCE_LICENCE_SIZE] = UNNAMED;
    char *part = text;
    char *and;

    if (s.n > 0 && !evidence_copyright_expression(s.p, s.n, text, sizeof text)) {
        j->to.full = true;
        return;
    }
    /* text keeps its start: the parts cut off had no OR either. */
    while (!strstr(text, " OR ") && text[0] != '(' && (and = strstr(part, " AND "))) {
        *and = '\0';
        evidence_copyright_join_part(j, part);
        part = and+strlen(" AND ");
    }
    evidence_copyright_join_part(j, part);
}

static bool evidence_copyright_is_format(struct span format)
{
    static const char mark[] = "copyright-format/1.0";

    return format.p && memmem(format.p, format.n, mark, sizeof mark - 1);
}

enum evidence_copyright evidence_copyright_read(struct evidence_copyrights *out, const char *p,
                                                size_t n)
{
    struct joined j = {.to = {.out = out->licence, .size = sizeof out->licence}};
    const char *at = p;
    const char *end = p + n;
    struct paragraph g;
    struct span whole;

    memset(out, 0, sizeof *out);
    if (!evidence_copyright_read_paragraph(&at, end, &g) ||
        !evidence_copyright_is_format(g.format)) {
        return EVIDENCE_COPYRIGHT_FREE_TEXT;
    }
    whole = g.licence;
    while (at < end) {
        if (!evidence_copyright_read_paragraph(&at, end, &g) || (g.files.p && !g.licence.p)) {
            return EVIDENCE_COPYRIGHT_MALFORMED;
        }
        if (g.files.p && evidence_copyright_packaging_alone(g.files)) {
            out->packaging++;
        } else if (g.files.p) {
            out->files++;
            if (!whole.p) {
                evidence_copyright_join(&j, g.licence);
            }
        }
    }
    if (whole.p) {
        out->whole = true;
        evidence_copyright_join(&j, whole);
    }
    if (j.to.full) {
        return EVIDENCE_COPYRIGHT_TOO_LONG;
    }
    return j.n > 0 ? EVIDENCE_COPYRIGHT_OK : EVIDENCE_COPYRIGHT_NO_FILES;
}
