/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Parses licence synopses. Pure. A name that is not understood becomes a LicenseRef-, which no rule
 * accepts as compatible: it is never dropped.
 */
#include "policy/evidence/debian/evidence_synopsis.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "policy/evidence/debian/evidence_debian_names.h"
#include "policy/evidence/evidence_text.h"

/* Size of the name of a licence or exception: longer texts are sentences. */
#define NAME_SIZE 64u

struct synopsis {
    const char *at;
    const char *end;
    evidence_synopsis_resolver *resolve;
    void *arg;
    struct evidence_text to;
    bool bad; /* turned out to be free text */
};

/* Copies the next word or comma; "" at the end, or if the word is too long. */
static void evidence_synopsis_next(struct synopsis *s, char word[NAME_SIZE])
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

static void evidence_synopsis_peek(const struct synopsis *s, char word[NAME_SIZE])
{
    struct synopsis copy = *s;

    evidence_synopsis_next(&copy, word);
}

static bool evidence_synopsis_is_operator(const char *word)
{
    /* "and/or" leaves open whether there is a choice: it is read as "and". */
    return strcasecmp(word, "and") == 0 || strcasecmp(word, "or") == 0 ||
           strcasecmp(word, "and/or") == 0;
}

/* Replaces by "-" all characters not allowed in a reference. */
static void evidence_synopsis_put_reference(struct evidence_text *t, const char *prefix,
                                            const char *name)
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
    evidence_text_put(t, prefix);
    evidence_text_put(t, clean);
}

/*
 * Writes the licence for a short name; known receives its SPDX identifier without parentheses, or
 * "" if there is no such identifier.
 */
static void evidence_synopsis_licence(struct synopsis *s, const char *name,
                                      char known[EVIDENCE_SYNOPSIS_TEXT_SIZE])
{
    char text[EVIDENCE_SYNOPSIS_TEXT_SIZE];

    known[0] = '\0';
    if (evidence_debian_licence(name, known, EVIDENCE_SYNOPSIS_TEXT_SIZE)) {
        evidence_text_put(&s->to, known);
    } else if (s->resolve && s->resolve(s->arg, name, text)) {
        const bool joined = strchr(text, ' ') != NULL;
        const bool alone = s->to.n == 0 && s->at == s->end;

        evidence_text_put(&s->to, joined && !alone ? "(" : "");
        evidence_text_put(&s->to, text);
        evidence_text_put(&s->to, joined && !alone ? ")" : "");
        snprintf(known, EVIDENCE_SYNOPSIS_TEXT_SIZE, "%s", joined ? "(" : text);
    } else {
        evidence_synopsis_put_reference(&s->to, "LicenseRef-debian-", name);
    }
}

/* Parses "with WORDS exception", starting at the next word. */
static void evidence_synopsis_exception(struct synopsis *s, const char *of)
{
    char name[NAME_SIZE] = "";
    char word[NAME_SIZE];
    char spdx[NAME_SIZE];
    size_t n = 0;
    bool known;

    for (evidence_synopsis_peek(s, word);
         word[0] && word[0] != ',' && !evidence_synopsis_is_operator(word);
         evidence_synopsis_peek(s, word)) {
        evidence_synopsis_next(s, word);
        if (strncasecmp(word, "exception", 9) == 0) {
            continue;
        }
        if (n + strlen(word) + 2 > sizeof name) {
            s->bad = true;
            return;
        }
        n += (size_t)snprintf(name + n, sizeof name - n, "%s%s", n > 0 ? "-" : "", word);
    }
    known = evidence_debian_exception(name, of, spdx, sizeof spdx);
    evidence_text_put(&s->to, " WITH ");
    if (known) {
        evidence_text_put(&s->to, spdx);
    } else {
        evidence_synopsis_put_reference(&s->to, "AdditionRef-debian-", n > 0 ? name : "unnamed");
    }
    s->bad = s->bad || of[0] == '(';
}

static void evidence_synopsis_term(struct synopsis *s)
{
    char word[NAME_SIZE];
    char known[EVIDENCE_SYNOPSIS_TEXT_SIZE];

    evidence_synopsis_next(s, word);
    if (word[0] == '\0' || word[0] == ',' || evidence_synopsis_is_operator(word)) {
        s->bad = true;
        return;
    }
    evidence_synopsis_licence(s, word, known);
    evidence_synopsis_peek(s, word);
    if (strcasecmp(word, "with") == 0) {
        evidence_synopsis_next(s, word);
        evidence_synopsis_exception(s, known);
    }
}

/* A comma before an operator makes it bind less tightly than those on both sides. */
static void evidence_synopsis_read(struct synopsis *s)
{
    const bool commas = memchr(s->at, ',', (size_t)(s->end - s->at)) != NULL;
    char word[NAME_SIZE];

    evidence_text_put(&s->to, commas ? "(" : "");
    for (;;) {
        bool comma;

        evidence_synopsis_term(s);
        evidence_synopsis_next(s, word);
        if (s->bad || word[0] == '\0') {
            break;
        }
        comma = word[0] == ',';
        if (comma) {
            evidence_synopsis_next(s, word);
        }
        if (!evidence_synopsis_is_operator(word)) {
            s->bad = true;
            break;
        }
        evidence_text_put(&s->to, comma ? ")" : "");
        evidence_text_put(&s->to, strcasecmp(word, "or") == 0 ? " OR " : " AND ");
        evidence_text_put(&s->to, comma ? "(" : "");
    }
    evidence_text_put(&s->to, commas ? ")" : "");
}

enum evidence_synopsis evidence_synopsis_expression(const char *p, size_t n,
                                                    evidence_synopsis_resolver *resolve, void *arg,
                                                    char *out, size_t size)
{
    struct synopsis s = {
        .at = p, .end = p + n, .resolve = resolve, .arg = arg, .to = {.out = out, .size = size}};

    out[0] = '\0';
    evidence_synopsis_read(&s);
    return s.bad       ? EVIDENCE_SYNOPSIS_BAD
           : s.to.full ? EVIDENCE_SYNOPSIS_TOO_LONG
                       : EVIDENCE_SYNOPSIS_OK;
}
