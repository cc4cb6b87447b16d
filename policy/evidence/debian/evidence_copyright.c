/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The stanzas of a copyright file, and the licence of what can be compiled. */
#define _GNU_SOURCE
#include "policy/evidence/debian/evidence_copyright.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/evidence/debian/evidence_deb822.h"
#include "policy/evidence/debian/evidence_notice.h"
#include "policy/evidence/debian/evidence_synopsis.h"
#include "policy/evidence/evidence_text.h"
#include "policy/spdx/spdx.h"

/* License stanzas of their own; the names of further ones stay unknown. Chromium's file has 60. */
#define TEXTS 256u

/* Different licences that are joined. */
#define PARTS 128u

const char *evidence_copyright_text(enum evidence_copyright o)
{
    static const char *const texts[] = {
        [EVIDENCE_COPYRIGHT_OK] = "well-formed",
        [EVIDENCE_COPYRIGHT_FREE_TEXT] =
            "it is neither machine-readable (format 1.0) nor composed of well-known notices",
        [EVIDENCE_COPYRIGHT_NO_FILES] = "none of its stanzas has the licence of a source file",
        [EVIDENCE_COPYRIGHT_MALFORMED] = "it is malformed",
        [EVIDENCE_COPYRIGHT_TOO_LONG] = "it has too many licences for one expression",
        [EVIDENCE_COPYRIGHT_NO_MEMORY] = "there is no memory to read it",
    };

    return (size_t)o < sizeof texts / sizeof *texts ? texts[o] : "?";
}

/* The text that a License stanza gives for a name. */
struct text {
    struct evidence_span name;
    struct evidence_span text;
    enum { UNREAD, UNKNOWN, KNOWN } state;
    char licence[EVIDENCE_SYNOPSIS_TEXT_SIZE];
};

struct reader {
    struct evidence_copyrights *out;
    struct evidence_text joined;
    size_t n_parts;
    struct evidence_span parts[PARTS]; /* in out->licence, without parentheses */
    char main[EVIDENCE_LICENCE_SIZE];  /* of "Files: *"; "" before it */
    size_t n_judged;                   /* parts of which "all" is the verdict */
    enum spdx_compat all;
    uint8_t ranks[EVIDENCE_FILES]; /* of out->files */
    struct text own;               /* of the stanza that is read */
    size_t n_texts;
    struct text texts[TEXTS];
};

/* Finds the licence of a stanza; its name is also spelt as in British English. */
static const struct evidence_deb822_field *evidence_copyright_find_licence(
    const struct evidence_deb822_stanza *s)
{
    const struct evidence_deb822_field *const f = evidence_deb822_find(s, "License");

    return f ? f : evidence_deb822_find(s, "Licence");
}

/* ---- made-up names ---- */

static bool evidence_copyright_text_known(struct reader *r, struct text *t)
{
    if (t->state == UNREAD) {
        t->state = evidence_notice_read(t->text, t->licence, sizeof t->licence) ? KNOWN : UNKNOWN;
        r->out->matched += t->state == KNOWN ? 1 : 0;
    }
    return t->state == KNOWN;
}

/* Finds a name's licence by its text: an evidence_synopsis_resolver. */
static bool evidence_copyright_resolve(void *arg, const char *name,
                                       char out[EVIDENCE_SYNOPSIS_TEXT_SIZE])
{
    struct reader *const r = arg;
    struct text *t = evidence_span_is(r->own.name, name) && r->own.text.n > 0 ? &r->own : NULL;

    for (size_t i = 0; i < r->n_texts && !t; i++) {
        t = evidence_span_is(r->texts[i].name, name) ? &r->texts[i] : NULL;
    }
    if (!t || !evidence_copyright_text_known(r, t)) {
        return false;
    }
    memcpy(out, t->licence, sizeof t->licence);
    return true;
}

/* Finds the License stanza of a whole synopsis that is a sentence. */
static bool evidence_copyright_resolve_whole(struct reader *r, struct evidence_span synopsis,
                                             char out[EVIDENCE_SYNOPSIS_TEXT_SIZE])
{
    char name[256];

    if (synopsis.n >= sizeof name) {
        return false;
    }
    memcpy(name, synopsis.p, synopsis.n);
    name[synopsis.n] = '\0';
    return evidence_copyright_resolve(r, name, out);
}

/* ---- joining licences ---- */

static bool evidence_copyright_has_part(const struct reader *r, const char *text)
{
    for (size_t i = 0; i < r->n_parts; i++) {
        if (r->parts[i].n == strlen(text) && memcmp(r->parts[i].p, text, r->parts[i].n) == 0) {
            return true;
        }
    }
    return false;
}

/* Joins one part, unless it is present already. */
static void evidence_copyright_join_part(struct reader *r, const char *text)
{
    const bool choice = strstr(text, " OR ") != NULL;
    struct evidence_text *const to = &r->joined;

    if (to->full || evidence_copyright_has_part(r, text)) {
        return;
    }
    if (r->n_parts == PARTS) {
        to->full = true;
        return;
    }
    evidence_text_put(to, r->n_parts > 0 ? " AND " : "");
    evidence_text_put(to, choice ? "(" : "");
    evidence_text_put(to, text);
    if (!to->full) {
        r->parts[r->n_parts++] =
            (struct evidence_span){to->out + to->n - strlen(text), strlen(text)};
    }
    evidence_text_put(to, choice ? ")" : "");
}

/* Joins an expression: parts connected only by AND are joined one by one. */
static void evidence_copyright_join(struct reader *r, const char *expression)
{
    char text[EVIDENCE_LICENCE_SIZE];
    char *part = text;
    char *and;

    snprintf(text, sizeof text, "%s", expression);
    while (!strchr(expression, '(') && !strstr(expression, " OR ") &&
           (and = strstr(part, " AND "))) {
        *and = '\0';
        evidence_copyright_join_part(r, part);
        part = and+strlen(" AND ");
    }
    evidence_copyright_join_part(r, part);
}

/*
 * Marks an exception with a made-up name by "permission-", if its text is a known one that adds
 * nothing but a permission to the licence that it has beside it.
 */
static void evidence_copyright_permission(struct reader *r, struct evidence_span synopsis,
                                          char licence[EVIDENCE_LICENCE_SIZE])
{
    static const char with[] = " WITH AdditionRef-debian-";
    const char *const at = strstr(licence, with);
    char text[EVIDENCE_SYNOPSIS_TEXT_SIZE];
    char marked[EVIDENCE_LICENCE_SIZE + sizeof "permission-"];
    int n;

    if (!at || !evidence_copyright_resolve_whole(r, synopsis, text) ||
        strlen(text) != (size_t)(at - licence) || memcmp(text, licence, strlen(text)) != 0) {
        return;
    }
    n = snprintf(marked, sizeof marked, "%s%spermission-%s", text, with, at + sizeof with - 1);
    if (n < (int)EVIDENCE_LICENCE_SIZE && !strchr(at + sizeof with - 1, ' ')) {
        memcpy(licence, marked, (size_t)n + 1);
    }
}

/*
 * Converts a License field: its synopsis, or its text if there is none or it is a sentence. Returns
 * EVIDENCE_COPYRIGHT_MALFORMED if there is no way to read it.
 */
static enum evidence_copyright evidence_copyright_licence(struct reader *r,
                                                          const struct evidence_deb822_field *f,
                                                          char out[EVIDENCE_LICENCE_SIZE])
{
    char text[EVIDENCE_SYNOPSIS_TEXT_SIZE];

    r->own = (struct text){.name = f->first, .text = f->more};
    if (f->first.n > 0) {
        switch (evidence_synopsis_expression(f->first.p, f->first.n, evidence_copyright_resolve, r,
                                             out, EVIDENCE_LICENCE_SIZE)) {
        case EVIDENCE_SYNOPSIS_OK:
            evidence_copyright_permission(r, f->first, out);
            return EVIDENCE_COPYRIGHT_OK;
        case EVIDENCE_SYNOPSIS_TOO_LONG:
            return EVIDENCE_COPYRIGHT_TOO_LONG;
        case EVIDENCE_SYNOPSIS_BAD:
            break;
        }
        if (evidence_copyright_resolve_whole(r, f->first, text)) {
            snprintf(out, EVIDENCE_LICENCE_SIZE, "%s", text);
            return EVIDENCE_COPYRIGHT_OK;
        }
        snprintf(out, EVIDENCE_LICENCE_SIZE, "LicenseRef-debian-free-text");
        return EVIDENCE_COPYRIGHT_OK;
    }
    if (!evidence_copyright_text_known(r, &r->own)) {
        return EVIDENCE_COPYRIGHT_MALFORMED;
    }
    snprintf(out, EVIDENCE_LICENCE_SIZE, "%s", r->own.licence);
    return EVIDENCE_COPYRIGHT_OK;
}

/* ---- files ---- */

/* Takes the next pattern of a Files field; comment lines among them are skipped. */
static bool evidence_copyright_pattern(struct evidence_span *line, struct evidence_span *rest,
                                       struct evidence_span *pattern)
{
    static const char between[] = " \t\r,";

    for (;;) {
        while (line->n > 0 && strchr(between, *line->p) && *line->p) {
            line->p++;
            line->n--;
        }
        if (line->n > 0) {
            break;
        }
        if (!evidence_span_line(rest, line)) {
            return false;
        }
        if (line->n > 0 && *line->p == '#') {
            line->n = 0;
        }
    }
    pattern->p = line->p;
    pattern->n = 0;
    while (line->n > 0 && !(strchr(between, *line->p) && *line->p)) {
        line->p++;
        line->n--;
        pattern->n++;
    }
    return true;
}

static void evidence_copyright_append(struct evidence_files *f, struct evidence_span pattern)
{
    const size_t have = strlen(f->files);
    const size_t room = sizeof f->files - have;

    if (have > 0 && strcmp(f->files + have - 3, "...") == 0) {
        return;
    }
    if (pattern.n + 5 < room) {
        snprintf(f->files + have, room, "%s%.*s", have > 0 ? " " : "", (int)pattern.n, pattern.p);
    } else if (have == 0) {
        snprintf(f->files, room, "%.*s...", (int)(room - 4), pattern.p);
    } else {
        snprintf(f->files + have, room, "...");
    }
}

/*
 * Sets the place of a stanza's files, and the patterns to show: those of sources, if there are any.
 * Returns false if there is no pattern.
 */
static bool evidence_copyright_files(const struct evidence_deb822_field *field,
                                     struct evidence_files *f)
{
    struct evidence_span line = field->first;
    struct evidence_span rest = field->more;
    struct evidence_span pattern;
    bool any = false;

    f->line = field->line;
    while (evidence_copyright_pattern(&line, &rest, &pattern)) {
        const enum evidence_place place = evidence_place_of(pattern.p, pattern.n);

        if (place == EVIDENCE_PLACE_SOURCE && any && f->place != EVIDENCE_PLACE_SOURCE) {
            f->files[0] = '\0';
        }
        if (!any || place == EVIDENCE_PLACE_SOURCE) {
            f->place = place;
        }
        any = true;
        if (place == EVIDENCE_PLACE_SOURCE || f->place != EVIDENCE_PLACE_SOURCE) {
            evidence_copyright_append(f, pattern);
        }
    }
    return any;
}

/* Lists a stanza: sources first, the worst before the others. */
static void evidence_copyright_list(struct reader *r, const struct evidence_files *f, uint8_t rank)
{
    struct evidence_copyrights *const out = r->out;
    size_t at = out->n_files;

    while (at > 0 && r->ranks[at - 1] > rank) {
        at--;
    }
    if (out->n_files == EVIDENCE_FILES) {
        out->files_cut = true;
        if (at == EVIDENCE_FILES) {
            return;
        }
        out->n_files--;
    }
    memmove(&out->files[at + 1], &out->files[at], (out->n_files - at) * sizeof *f);
    memmove(&r->ranks[at + 1], &r->ranks[at], out->n_files - at);
    out->files[at] = *f;
    r->ranks[at] = rank;
    out->n_files++;
}

/* Returns the verdict on an expression; what cannot be parsed is unknown. */
static enum spdx_compat evidence_copyright_judge(const char *text)
{
    struct spdx_verdict v;
    struct spdx_error why;
    struct spdx e;

    if (spdx_parse(&e, text, strlen(text), SPDX_ANY, &why) != SPDX_OK) {
        return SPDX_UNKNOWN;
    }
    spdx_judge(&e, SPDX_WITH_GPL_2_0_OR_LATER, &v);
    return v.compat;
}

/* Returns the verdict on a licence, joined with the main one. */
static enum spdx_compat evidence_copyright_judge_with_main(const struct reader *r,
                                                           const char *licence)
{
    char text[2 * EVIDENCE_LICENCE_SIZE + 16];

    snprintf(text, sizeof text, "%s%s%s(%s)", r->main[0] ? "(" : "", r->main,
             r->main[0] ? ") AND " : "", licence);
    return evidence_copyright_judge(text);
}

/* Returns whether the licence that was joined last made the verdict on all of them worse. */
static bool evidence_copyright_spoils(struct reader *r)
{
    const enum spdx_compat before = r->all;

    if (r->n_parts != r->n_judged) {
        r->n_judged = r->n_parts;
        r->all = evidence_copyright_judge(r->out->licence);
    }
    return r->all < before;
}

static void evidence_copyright_set_licence(struct evidence_files *f, const char *licence)
{
    const size_t size = sizeof f->licence;

    if (snprintf(f->licence, size, "%s", licence) >= (int)size) {
        memcpy(f->licence + size - 4, "...", 4);
    }
}

/* ---- stanzas ---- */

/* Of a stanza in the list: with the main licence, and what is not compatible with the others. */
enum rank { INCOMPATIBLE, NOT_KNOWN, APART };

static enum evidence_copyright evidence_copyright_fault(struct reader *r, unsigned line,
                                                        const char *why)
{
    r->out->line = line;
    r->out->why = why;
    return EVIDENCE_COPYRIGHT_MALFORMED;
}

/* Returns whether a stanza, however malformed, is about the packaging alone. */
static bool evidence_copyright_only_packaging(const struct evidence_deb822_stanza *s)
{
    bool any = false;

    for (unsigned i = 0; i < s->n; i++) {
        struct evidence_files f = {.line = 0};

        if (!evidence_span_is(s->fields[i].name, "Files")) {
            continue;
        }
        if (!evidence_copyright_files(&s->fields[i], &f) || f.place != EVIDENCE_PLACE_PACKAGING) {
            return false;
        }
        any = true;
    }
    return any;
}

static void evidence_copyright_set_apart(struct reader *r, struct evidence_files *f,
                                         const char *licence)
{
    evidence_copyright_set_licence(f, licence);
    evidence_copyright_list(r, f, APART);
    r->out->apart++;
}

/*
 * Returns whether the licence of some files permits any terms for a program that contains them: the
 * parser that Bison writes, the parts of Autoconf and Libtool, the libraries of GCC.
 */
static bool evidence_copyright_is_excepted(const char *licence)
{
    static const char *const exceptions[] = {"Autoconf-exception-", "Bison-exception-",
                                             "GCC-exception-3.1", "Libtool-exception",
                                             "Texinfo-exception"};
    const char *const with = strstr(licence, " WITH ");

    for (size_t i = 0; with && i < sizeof exceptions / sizeof *exceptions; i++) {
        const char *const name = with + strlen(" WITH ");

        if (strncmp(name, exceptions[i], strlen(exceptions[i])) == 0) {
            return !strchr(licence, '(') && !strstr(licence, " AND ") && !strstr(licence, " OR ");
        }
    }
    return false;
}

/* Counts the files of a stanza, or sets them apart. */
static enum evidence_copyright evidence_copyright_read_files(
    struct reader *r, const struct evidence_deb822_field *files,
    const struct evidence_deb822_field *licence)
{
    struct evidence_files f = {.line = 0};
    char text[EVIDENCE_LICENCE_SIZE] = "";
    enum evidence_copyright o;
    enum spdx_compat compat;
    bool spoils;

    if (!evidence_copyright_files(files, &f)) {
        return evidence_copyright_fault(r, files->line, "a Files field without a pattern");
    }
    if (!licence && f.place != EVIDENCE_PLACE_PACKAGING) {
        return evidence_copyright_fault(r, files->line, "a Files stanza without a License");
    }
    o = licence ? evidence_copyright_licence(r, licence, text) : EVIDENCE_COPYRIGHT_OK;
    if (f.place == EVIDENCE_PLACE_SOURCE && strcmp(f.files, "*") != 0 &&
        evidence_copyright_is_excepted(text)) {
        f.place = EVIDENCE_PLACE_EXCEPTED;
    }
    if (f.place != EVIDENCE_PLACE_SOURCE) {
        evidence_copyright_set_apart(r, &f, text);
        return EVIDENCE_COPYRIGHT_OK;
    }
    if (o == EVIDENCE_COPYRIGHT_MALFORMED) {
        return evidence_copyright_fault(
            r, licence->line, "a licence without a short name, and its text is not a known one");
    }
    if (o != EVIDENCE_COPYRIGHT_OK) {
        return o;
    }
    r->out->counted++;
    evidence_copyright_join(r, text);
    compat = evidence_copyright_judge_with_main(r, text);
    spoils = evidence_copyright_spoils(r);
    if (strcmp(f.files, "*") == 0 && !r->main[0]) {
        memcpy(r->main, text, sizeof r->main);
    } else if (compat != SPDX_COMPATIBLE || spoils) {
        evidence_copyright_set_licence(&f, text);
        evidence_copyright_list(r, &f, compat == SPDX_INCOMPATIBLE ? INCOMPATIBLE : NOT_KNOWN);
    }
    return EVIDENCE_COPYRIGHT_OK;
}

static enum evidence_copyright evidence_copyright_read_stanza(
    struct reader *r, const struct evidence_deb822_stanza *s)
{
    const struct evidence_deb822_field *files = evidence_deb822_find(s, "Files");
    const struct evidence_deb822_field *licence = evidence_copyright_find_licence(s);
    const struct evidence_deb822_field *british = evidence_deb822_find(s, "Licence");
    struct evidence_files f = {.line = s->line};

    if (s->fault != EVIDENCE_DEB822_OK && evidence_copyright_only_packaging(s)) {
        (void)evidence_copyright_files(files, &f);
        evidence_copyright_set_apart(r, &f, "");
        return EVIDENCE_COPYRIGHT_OK;
    }
    if (s->fault != EVIDENCE_DEB822_OK) {
        return evidence_copyright_fault(r, s->fault_line, evidence_deb822_fault_text(s->fault));
    }
    if (british && british != licence && !evidence_copyright_only_packaging(s)) {
        return evidence_copyright_fault(r, british->line,
                                        evidence_deb822_fault_text(EVIDENCE_DEB822_TWICE));
    }
    return files ? evidence_copyright_read_files(r, files, licence) : EVIDENCE_COPYRIGHT_OK;
}

/* The header's licence adds to the others if it has a name. */
static enum evidence_copyright evidence_copyright_read_header(
    struct reader *r, const struct evidence_deb822_stanza *s)
{
    const struct evidence_deb822_field *licence = evidence_copyright_find_licence(s);
    char text[EVIDENCE_LICENCE_SIZE];
    enum evidence_copyright o;

    if (s->fault != EVIDENCE_DEB822_OK) {
        return evidence_copyright_fault(r, s->fault_line, evidence_deb822_fault_text(s->fault));
    }
    if (evidence_deb822_find(s, "Files")) {
        return evidence_copyright_fault(r, evidence_deb822_find(s, "Files")->line,
                                        "no blank line between the header and a Files stanza");
    }
    if (!licence || licence->first.n == 0) {
        return EVIDENCE_COPYRIGHT_OK;
    }
    o = evidence_copyright_licence(r, licence, text);
    if (o == EVIDENCE_COPYRIGHT_OK) {
        evidence_copyright_join(r, text);
    }
    return o;
}

/* Collects the License stanzas. */
static void evidence_copyright_collect(struct reader *r, struct evidence_deb822 d,
                                       struct evidence_deb822_stanza *s)
{
    while (r->n_texts < TEXTS && evidence_deb822_next(&d, s)) {
        const struct evidence_deb822_field *licence = evidence_copyright_find_licence(s);

        if (licence && licence->first.n > 0 && licence->more.n > 0) {
            struct text *const t = &r->texts[r->n_texts++];

            t->name = licence->first;
            t->text = licence->more;
            t->state = UNREAD;
        }
    }
}

/*
 * Adds the License that a blank line has cut off a Files stanza: a stanza with nothing but a
 * License that has no name cannot stand for itself, since its name is what others refer to.
 * Debian's QEMU has one.
 */
static void evidence_copyright_mend(struct evidence_deb822 *d, struct evidence_deb822_stanza *s,
                                    struct evidence_deb822_stanza *next)
{
    struct evidence_deb822 ahead = *d;

    if (s->fault != EVIDENCE_DEB822_OK || s->n == EVIDENCE_DEB822_FIELDS_MAX ||
        !evidence_deb822_find(s, "Files") || evidence_copyright_find_licence(s) ||
        !evidence_deb822_next(&ahead, next)) {
        return;
    }
    if (next->fault == EVIDENCE_DEB822_OK && next->n == 1 &&
        evidence_span_is(next->fields[0].name, "License") && next->fields[0].first.n == 0) {
        s->fields[s->n++] = next->fields[0];
        *d = ahead;
    }
}

static enum evidence_copyright evidence_copyright_read_stanzas(struct reader *r,
                                                               struct evidence_deb822 *d,
                                                               struct evidence_deb822_stanza *s)
{
    enum evidence_copyright o = evidence_copyright_read_header(r, s);
    struct evidence_deb822_stanza next;

    evidence_copyright_collect(r, *d, s);
    while (o == EVIDENCE_COPYRIGHT_OK && evidence_deb822_next(d, s)) {
        evidence_copyright_mend(d, s, &next);
        o = evidence_copyright_read_stanza(r, s);
    }
    if (o != EVIDENCE_COPYRIGHT_OK) {
        return o;
    }
    if (r->joined.full) {
        return EVIDENCE_COPYRIGHT_TOO_LONG;
    }
    return r->out->counted > 0 ? EVIDENCE_COPYRIGHT_OK : EVIDENCE_COPYRIGHT_NO_FILES;
}

/* Format 1.0 was drafted as DEP-5, whose last drafts have the same fields. */
static bool evidence_copyright_is_header(const struct evidence_deb822_stanza *s)
{
    static const char *const marks[] = {"copyright-format/1.0", "/deps/dep5"};
    const struct evidence_deb822_field *f = evidence_deb822_find(s, "Format");

    for (size_t i = 0; f && i < sizeof marks / sizeof *marks; i++) {
        if (memmem(f->first.p, f->first.n, marks[i], strlen(marks[i]))) {
            return true;
        }
    }
    return false;
}

static enum evidence_copyright evidence_copyright_read_text(struct evidence_copyrights *out,
                                                            const char *p, size_t n)
{
    if (!evidence_notice_read((struct evidence_span){p, n}, out->licence, sizeof out->licence)) {
        return EVIDENCE_COPYRIGHT_FREE_TEXT;
    }
    out->free_text = true;
    out->matched = 1;
    return EVIDENCE_COPYRIGHT_OK;
}

enum evidence_copyright evidence_copyright_read(struct evidence_copyrights *out, const char *p,
                                                size_t n)
{
    struct evidence_deb822_stanza s;
    struct evidence_deb822 d;
    struct reader *r;
    enum evidence_copyright o;

    memset(out, 0, sizeof *out);
    evidence_deb822_begin(&d, p, n);
    if (!evidence_deb822_next(&d, &s) || !evidence_copyright_is_header(&s)) {
        return evidence_copyright_read_text(out, p, n);
    }
    r = calloc(1, sizeof *r);
    if (!r) {
        return EVIDENCE_COPYRIGHT_NO_MEMORY;
    }
    r->out = out;
    r->all = SPDX_COMPATIBLE;
    r->joined = (struct evidence_text){.out = out->licence, .size = sizeof out->licence};
    o = evidence_copyright_read_stanzas(r, &d, &s);
    free(r);
    return o;
}
