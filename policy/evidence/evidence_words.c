/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The words of a licence text. */
#define _GNU_SOURCE
#include "policy/evidence/evidence_words.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Words with several spellings, and the one that is used here. */
static const struct {
    const char *word;
    const char *as;
} spellings[] = {
    {"acknowledgement", "acknowledgment"},
    {"acknowledgements", "acknowledgments"},
    {"asis", "as is"},
    {"authorisation", "authorization"},
    {"behaviour", "behavior"},
    {"favour", "favor"},
    {"fulfil", "fulfill"},
    {"honour", "honor"},
    {"https", "http"},
    {"labour", "labor"},
    {"licence", "license"},
    {"licenced", "licensed"},
    {"licences", "licenses"},
    {"merchantibility", "merchantability"},
    {"merchantibilty", "merchantability"},
    {"organisation", "organization"},
    {"organisations", "organizations"},
    {"programme", "program"},
    {"recognised", "recognized"},
    {"sublicence", "sublicense"},
    {"utilisation", "utilization"},
    {"whilst", "while"},
    {"wilful", "willful"},
};

/* Words that a copyright notice does not contain, but a licence does. */
static const char *const not_in_notices[] = {
    "permission",   "permitted",    "granted",       "license",        "licensed",     "use",
    "used",         "copy",         "copies",        "copied",         "modify",       "modified",
    "modification", "distribute",   "distributed",   "redistribution", "distribution", "sale",
    "sell",         "sold",         "commercial",    "noncommercial",  "warranty",     "terms",
    "conditions",   "under",        "provided",      "must",           "may",          "shall",
    "not",          "no",           "only",          "except",         "this",         "released",
    "domain",       "redistribute", "redistributed", "freely",         "file",         "notice",
    "see",
};

/* More words of licences, which the name of a person or of a place on the web does not contain. */
static const char *const of_licences[] = {
    "gpl",         "lgpl",        "agpl",       "bsd",          "artistic",     "fdl",
    "proprietary", "nonfree",     "restricted", "confidential", "secret",       "academic",
    "research",    "educational", "evaluation", "personal",     "private",      "patent",
    "patents",     "export",      "fee",        "without",      "prohibited",   "forbidden",
    "unless",      "if",          "but",        "permit",       "allowed",      "restrictions",
    "for",         "non",         "nonprofit",  "profit",       "purpose",      "purposes",
    "any",         "each",        "other",      "students",     "universities", "organizations",
    "permits",     "reserved",    "granted",
};

/* Words of the sentence behind a name. */
static const char *const of_sentences[] = {
    "it",         "was",         "were",       "is",        "are",        "be",       "has",
    "have",       "from",        "the",        "that",      "which",      "these",    "those",
    "all",        "both",        "also",       "now",       "upstream",   "author",   "authors",
    "maintainer", "maintainers", "maintained", "copyright", "downloaded", "obtained", "written",
    "packaged",   "packaging",   "debianized", "homepage",  "on",         "do",       "what",
    "you",        "your",        "everyone",   "later",     "updated",
};

/* Words of a copyright notice that begin with a small letter. */
static const char *const small_in_notices[] = {
    "of",  "the", "and",    "by",  "rights",       "reserved", "al",  "et", "de",
    "van", "von", "others", "its", "contributors", "at",       "for", "in", "authors",
};

struct words {
    char *out;
    size_t n;
    size_t word; /* where the last word begins */
};

static bool evidence_words_in(const char *const *list, size_t n, struct evidence_span word)
{
    for (size_t i = 0; i < n; i++) {
        if (evidence_span_is(word, list[i])) {
            return true;
        }
    }
    return false;
}
#define WORDS_IN(list, word) evidence_words_in(list, sizeof(list) / sizeof *(list), word)

bool evidence_words_can_name(struct evidence_span word)
{
    return !WORDS_IN(not_in_notices, word) && !WORDS_IN(of_licences, word) &&
           !WORDS_IN(of_sentences, word);
}

/* ---- writing words ---- */

static void evidence_words_replace(struct words *w, const char *by)
{
    w->n = w->word + strlen(by);
    memcpy(w->out + w->word, by, strlen(by));
}

static bool evidence_words_ends(const struct words *w, const char *text)
{
    const size_t n = strlen(text);

    return w->n >= n && memcmp(w->out + w->n - n, text, n) == 0 &&
           (w->n == n || w->out[w->n - n - 1] == ' ');
}

/* "v2" is 2; "gplv2" is "gpl 2". */
static void evidence_words_split_version(struct words *w)
{
    char *const p = w->out + w->word;
    const size_t n = w->n - w->word;

    for (size_t i = 0; i + 1 < n; i++) {
        if (p[i] != 'v' || !isdigit((unsigned char)p[i + 1])) {
            continue;
        }
        if (i == 0) {
            memmove(p, p + 1, n - 1);
            w->n--;
        } else if (i >= 3 && memcmp(p + i - 3, "gpl", 3) == 0) {
            p[i] = ' ';
            w->word += i + 1;
        }
        return;
    }
}

/* Ends the word that was written, if any. */
static void evidence_words_end(struct words *w)
{
    if (w->n == w->word) {
        return;
    }
    for (size_t i = 0; i < sizeof spellings / sizeof *spellings; i++) {
        if (evidence_span_is((struct evidence_span){w->out + w->word, w->n - w->word},
                             spellings[i].word)) {
            evidence_words_replace(w, spellings[i].as);
            break;
        }
    }
    evidence_words_split_version(w);
    if (evidence_words_ends(w, "copyright owner")) {
        evidence_words_replace(w, "holder");
    } else if (evidence_words_ends(w, "copyright owners")) {
        evidence_words_replace(w, "holders");
    } else if (evidence_words_ends(w, "all rights reserved")) {
        w->n -= strlen("all rights reserved");
        w->word = w->n;
        return;
    }
    w->out[w->n++] = ' ';
    w->word = w->n;
}

/*
 * Returns the bytes of a character that separates words (UTF-8's spaces, dashes, the copyright
 * sign), or of quotation marks, which do not (*inside); 0 for a letter.
 */
static size_t evidence_words_foreign(const char *p, size_t n, bool *inside)
{
    const unsigned char *const u = (const unsigned char *)p;

    *inside = false;
    if (n >= 2 && u[0] == 0xc2) {
        return 2;
    }
    if (n >= 3 && u[0] == 0xe2 && u[1] == 0x80) {
        *inside = u[2] >= 0x98 && u[2] <= 0x9f;
        return 3;
    }
    return 0;
}

static bool evidence_words_digit(const char *p, size_t i, size_t n)
{
    return i < n && isdigit((unsigned char)p[i]);
}

static void evidence_words_character(struct words *w, const char *p, size_t i, size_t n)
{
    const unsigned char c = (unsigned char)p[i];
    const bool after_digit = i > 0 && evidence_words_digit(p, i - 1, n);

    if (isalnum(c) || c >= 0x80) {
        w->out[w->n++] = (char)tolower(c);
    } else if (c == '.' && after_digit && w->n > w->word && evidence_words_digit(p, i + 1, n)) {
        w->out[w->n++] = '.';
    } else if (c == '-' && i + 1 < n && isalpha((unsigned char)p[i + 1])) {
        /* "sub-license" is one word, "GPL-2" two */
    } else if (c == '+' && after_digit) {
        evidence_words_end(w);
        w->out[w->n++] = '+';
        evidence_words_end(w);
    } else if (!strchr("'\"`()", c)) {
        evidence_words_end(w);
    }
}

/* Returns whether a word is divided at the end of a line: "fur-" before "nished". */
static bool evidence_words_divided(struct evidence_span line)
{
    while (line.n > 0 && strchr(" \t\r", line.p[line.n - 1])) {
        line.n--;
    }
    return line.n > 1 && line.p[line.n - 1] == '-' && isalpha((unsigned char)line.p[line.n - 2]);
}

static void evidence_words_put(struct words *w, struct evidence_span line)
{
    const bool divided = evidence_words_divided(line);

    while (divided && line.p[--line.n] != '-') {
    }
    for (size_t i = 0; i < line.n;) {
        bool inside;
        const size_t foreign = evidence_words_foreign(line.p + i, line.n - i, &inside);

        if (foreign == 0) {
            evidence_words_character(w, line.p, i, line.n);
            i++;
            continue;
        }
        if (!inside) {
            evidence_words_end(w);
        }
        i += foreign;
    }
    if (!divided) {
        evidence_words_end(w);
    }
}

/* ---- lines ---- */

/* Returns the line without the marks of comments, and without a bullet or a number. */
static struct evidence_span evidence_words_bare(struct evidence_span line)
{
    size_t i = 0;

    while (line.n > 0 && strchr(" \t\r*#;/\"%|", *line.p) && *line.p) {
        line.p++;
        line.n--;
    }
    i += line.n > 0 && *line.p == '(' ? 1 : 0;
    while (i < line.n && i < 3 && isdigit((unsigned char)line.p[i])) {
        i++;
    }
    if (i == 0 || line.p[i - 1] == '(') {
        i += i < line.n && isalpha((unsigned char)line.p[i]) ? 1 : 0;
    }
    if (i > 0 && i < line.n && (line.p[i] == '.' || line.p[i] == ')') &&
        (i + 1 == line.n || !isdigit((unsigned char)line.p[i + 1]))) {
        line.p += i + 1;
        line.n -= i + 1;
    }
    return line;
}

static bool evidence_words_next(struct evidence_span *rest, struct evidence_span *word)
{
    static const char between[] = " \t\r,;:.()<>";

    while (rest->n > 0 && strchr(between, *rest->p)) {
        rest->p++;
        rest->n--;
    }
    word->p = rest->p;
    word->n = 0;
    while (rest->n > 0 && !strchr(between, *rest->p)) {
        rest->p++;
        rest->n--;
        word->n++;
    }
    return word->n > 0;
}

static bool evidence_words_is_mark(struct evidence_span word)
{
    return evidence_span_is(word, "copyright") || evidence_span_is(word, "c") ||
           evidence_span_is(word, "copr") || evidence_span_is(word, "\xc2\xa9");
}

/* Returns whether a name begins with this word: "Example", and not "HOLDERS". */
static bool evidence_words_is_name(struct evidence_span word)
{
    return word.n > 1 && isupper((unsigned char)word.p[0]) && islower((unsigned char)word.p[1]);
}

/* Returns whether a line begins with a copyright notice: "Copyright (C)", "(c) 2020". */
static bool evidence_words_begins_notice(struct evidence_span line)
{
    struct evidence_span word;

    return evidence_words_next(&line, &word) && evidence_words_is_mark(word) &&
           evidence_words_next(&line, &word) &&
           (evidence_words_is_mark(word) || isdigit((unsigned char)*word.p) ||
            evidence_span_is(word, "by") || evidence_words_is_name(word));
}

/* Returns whether a line is, or goes on with, a copyright notice. */
static bool evidence_words_is_notice(struct evidence_span line, bool continued)
{
    struct evidence_span rest = line;
    struct evidence_span word;
    bool any = false;

    if (!continued && !evidence_words_begins_notice(line)) {
        return false;
    }
    while (evidence_words_next(&rest, &word)) {
        if (WORDS_IN(not_in_notices, word)) {
            return false;
        }
        if (continued && islower((unsigned char)*word.p) && !evidence_words_is_mark(word) &&
            !memchr(word.p, '@', word.n) && !WORDS_IN(small_in_notices, word)) {
            return false;
        }
        any = true;
    }
    return any;
}

char *evidence_words_new(struct evidence_span text)
{
    struct evidence_span rest = text;
    struct evidence_span line;
    struct words w = {.n = 0};
    bool notice = false;

    if (text.n > EVIDENCE_WORDS_MAX || (text.n > 0 && memchr(text.p, '\0', text.n))) {
        return NULL;
    }
    /* "gplv2" and "2+" each need a space more; a word of its own at least one byte. */
    w.out = malloc(2 * text.n + 2);
    if (!w.out) {
        return NULL;
    }
    while (evidence_span_line(&rest, &line)) {
        if (line.n > 0 && *line.p == '#') {
            continue;
        }
        line = evidence_words_bare(line);
        notice = evidence_words_is_notice(line, false) ||
                 (notice && evidence_words_is_notice(line, true));
        if (!notice) {
            evidence_words_put(&w, line);
        }
    }
    evidence_words_end(&w);
    w.n -= w.n > 0 ? 1 : 0;
    w.out[w.n] = '\0';
    return w.out;
}
