/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The stanzas of a Debian control file. Pure. */
#include "policy/evidence/debian/evidence_deb822.h"

#include <string.h>
#include <strings.h>

bool evidence_span_is(struct evidence_span s, const char *text)
{
    return s.p && s.n == strlen(text) && strncasecmp(s.p, text, s.n) == 0;
}

static struct evidence_span evidence_deb822_trimmed(struct evidence_span s)
{
    while (s.n > 0 && strchr(" \t\r", s.p[s.n - 1]) && s.p[s.n - 1]) {
        s.n--;
    }
    while (s.n > 0 && (*s.p == ' ' || *s.p == '\t')) {
        s.p++;
        s.n--;
    }
    return s;
}

bool evidence_span_line(struct evidence_span *rest, struct evidence_span *line)
{
    const char *nl;

    if (rest->n == 0) {
        return false;
    }
    nl = memchr(rest->p, '\n', rest->n);
    line->p = rest->p;
    line->n = nl ? (size_t)(nl - rest->p) : rest->n;
    rest->p += line->n + (nl ? 1 : 0);
    rest->n -= line->n + (nl ? 1 : 0);
    return true;
}

const char *evidence_deb822_fault_text(enum evidence_deb822_fault f)
{
    static const char *const texts[] = {
        [EVIDENCE_DEB822_OK] = "well-formed",
        [EVIDENCE_DEB822_TWICE] = "a field occurs twice in a stanza: is a blank line missing?",
        [EVIDENCE_DEB822_NO_COLON] = "it is neither a field nor the continuation of one",
        [EVIDENCE_DEB822_CONTINUATION] = "it continues no field",
        [EVIDENCE_DEB822_TOO_MANY] = "the stanza has too many fields",
    };

    return (size_t)f < sizeof texts / sizeof *texts ? texts[f] : "?";
}

const struct evidence_deb822_field *evidence_deb822_find(const struct evidence_deb822_stanza *s,
                                                         const char *name)
{
    for (unsigned i = 0; i < s->n; i++) {
        if (evidence_span_is(s->fields[i].name, name)) {
            return &s->fields[i];
        }
    }
    return NULL;
}

void evidence_deb822_begin(struct evidence_deb822 *d, const char *p, size_t n)
{
    *d = (struct evidence_deb822){.rest = {p, n}};
}

static void evidence_deb822_note(struct evidence_deb822_stanza *s, enum evidence_deb822_fault f,
                                 unsigned line)
{
    if (s->fault == EVIDENCE_DEB822_OK) {
        s->fault = f;
        s->fault_line = line;
    }
}

static bool evidence_deb822_has(const struct evidence_deb822_stanza *s, struct evidence_span name)
{
    for (unsigned i = 0; i < s->n; i++) {
        const struct evidence_span other = s->fields[i].name;

        if (other.n == name.n && strncasecmp(other.p, name.p, name.n) == 0) {
            return true;
        }
    }
    return false;
}

/* Adds "NAME: VALUE". */
static void evidence_deb822_add(struct evidence_deb822_stanza *s, struct evidence_span line,
                                unsigned number)
{
    const char *colon = memchr(line.p, ':', line.n);
    struct evidence_span name;

    if (!colon || colon == line.p) {
        evidence_deb822_note(s, EVIDENCE_DEB822_NO_COLON, number);
        return;
    }
    name = evidence_deb822_trimmed((struct evidence_span){line.p, (size_t)(colon - line.p)});
    if (evidence_deb822_has(s, name)) {
        evidence_deb822_note(s, EVIDENCE_DEB822_TWICE, number);
    }
    if (s->n == EVIDENCE_DEB822_FIELDS_MAX) {
        evidence_deb822_note(s, EVIDENCE_DEB822_TOO_MANY, number);
        return;
    }
    s->fields[s->n++] = (struct evidence_deb822_field){
        .name = name,
        .first = evidence_deb822_trimmed(
            (struct evidence_span){colon + 1, (size_t)(line.p + line.n - colon - 1)}),
        .line = number,
    };
}

static void evidence_deb822_continue(struct evidence_deb822_stanza *s, struct evidence_span line,
                                     unsigned number)
{
    struct evidence_span *more;

    if (s->n == 0) {
        evidence_deb822_note(s, EVIDENCE_DEB822_CONTINUATION, number);
        return;
    }
    more = &s->fields[s->n - 1].more;
    more->p = more->p ? more->p : line.p;
    more->n = (size_t)(line.p + line.n - more->p);
}

bool evidence_deb822_next(struct evidence_deb822 *d, struct evidence_deb822_stanza *s)
{
    struct evidence_span line;

    s->line = 0;
    s->fault = EVIDENCE_DEB822_OK;
    s->fault_line = 0;
    s->n = 0;
    while (evidence_span_line(&d->rest, &line)) {
        d->line++;
        if (line.n > 0 && *line.p == '#') {
            continue;
        }
        if (evidence_deb822_trimmed(line).n == 0) {
            if (s->line > 0) {
                return true;
            }
            continue;
        }
        s->line = s->line > 0 ? s->line : d->line;
        if (*line.p == ' ' || *line.p == '\t') {
            evidence_deb822_continue(s, line, d->line);
        } else {
            evidence_deb822_add(s, line, d->line);
        }
    }
    return s->line > 0;
}
