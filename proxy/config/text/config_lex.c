/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The lexer of the configuration language. It works line by line, since a statement is a line: a
 * fault only affects the rest of its line, so that one run finds the faults of a whole file. Pure,
 * in one pass, without recursion.
 */
#include "proxy/config/text/config_lex.h"

#include <stdint.h>
#include <string.h>

void lex_init(struct lex *l, const void *p, size_t n)
{
    *l = (struct lex){.p = n > 0 ? p : "", .n = n};
}

static void config_lex_line_begin(struct lex *l)
{
    const char *nl = memchr(l->p + l->at, '\n', l->n - l->at);

    l->line++;
    l->line_start = l->at;
    l->line_end = nl ? (size_t)(nl - l->p) : l->n;
}

static unsigned config_lex_column(const struct lex *l)
{
    return (unsigned)(l->at - l->line_start) + 1;
}

/* Returns true if the line's last byte other than a space is "{". */
static bool config_lex_line_opens(const struct lex *l)
{
    size_t i = l->line_end;

    while (i > l->line_start && (l->p[i - 1] == ' ' || l->p[i - 1] == '\t')) {
        i--;
    }
    return i > l->line_start && l->p[i - 1] == '{';
}

static void config_lex_fault(struct lex *l, struct lex_token *t, enum lex_fault f)
{
    t->kind = LEX_FAULT;
    t->fault = f;
    t->at = (struct config_place){l->before + l->line, config_lex_column(l)};
    t->end = t->at.column;
    t->fault_opens = config_lex_line_opens(l);
    l->at = l->line_end;
    l->begun = true;
}

/*
 * Returns the length of the UTF-8 sequence at p, or 0 if invalid: RFC 3629, no surrogates. n > 0.
 */
static size_t config_lex_utf8_len(const unsigned char *p, size_t n)
{
    size_t len;
    uint32_t c;
    uint32_t least;

    if (p[0] >= 0xc2 && p[0] <= 0xdf) {
        len = 2, c = p[0] & 0x1fu, least = 0x80;
    } else if (p[0] >= 0xe0 && p[0] <= 0xef) {
        len = 3, c = p[0] & 0x0fu, least = 0x800;
    } else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        len = 4, c = p[0] & 0x07u, least = 0x10000;
    } else {
        return 0;
    }
    if (n < len) {
        return 0;
    }
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xc0u) != 0x80) {
            return 0;
        }
        c = c << 6 | (p[i] & 0x3fu);
    }
    return c >= least && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff) ? len : 0;
}

/*
 * Returns the length of the character at l->at where any text is allowed (strings, comments), or 0
 * with *f set. U+0080 … U+009F are control characters, too: C1 controls terminals.
 */
static size_t config_lex_any_character(const struct lex *l, enum lex_fault *f)
{
    const unsigned char *p = (const unsigned char *)l->p + l->at;
    size_t len = 1;

    *f = LEX_NONE;
    if (*p == '\0') {
        *f = LEX_NUL;
    } else if (*p == '\r') {
        *f = LEX_CARRIAGE_RETURN;
    } else if ((*p < 0x20 && *p != '\t') || *p == 0x7f) {
        *f = LEX_CONTROL;
    } else if (*p >= 0x80) {
        len = config_lex_utf8_len(p, l->line_end - l->at);
        if (len == 0) {
            *f = LEX_UTF8;
        } else if (p[0] == 0xc2 && p[1] < 0xa0) {
            *f = LEX_CONTROL;
        }
    }
    return *f == LEX_NONE ? len : 0;
}

/* Goes to the line's end. Returns false if t is a fault. */
static bool config_lex_skip_comment(struct lex *l, struct lex_token *t)
{
    enum lex_fault f;

    while (l->at < l->line_end) {
        const size_t len = config_lex_any_character(l, &f);

        if (len == 0) {
            config_lex_fault(l, t, f);
            return false;
        }
        l->at += len;
    }
    return true;
}

static bool config_lex_is_space(char c)
{
    return c == ' ' || c == '\t';
}

/* Returns true if a word or a string may end right before l->at. */
static bool config_lex_at_gap(const struct lex *l)
{
    return l->at == l->line_end || config_lex_is_space(l->p[l->at]);
}

/* Returns the fault of a character that is invalid in bare words. */
static enum lex_fault config_lex_bare_fault(const struct lex *l)
{
    enum lex_fault f;

    if (config_lex_any_character(l, &f) == 0) {
        return f;
    }
    switch (l->p[l->at]) {
    case '#':
        return LEX_COMMENT;
    case ';':
        return LEX_SEMICOLON;
    case '"':
    case '{':
    case '}':
        return LEX_GLUED;
    default:
        return (unsigned char)l->p[l->at] >= 0x80 ? LEX_NOT_ASCII : LEX_CHARACTER;
    }
}

static bool config_lex_is_bare(char c)
{
    switch (c) {
    case '"':
    case '\'':
    case '`':
    case '\\':
    case '#':
    case ';':
    case '{':
    case '}':
        return false;
    default:
        return c > 0x20 && c < 0x7f;
    }
}

static void config_lex_bare_word(struct lex *l, struct lex_token *t)
{
    t->kind = LEX_WORD;
    while (l->at < l->line_end && config_lex_is_bare(l->p[l->at])) {
        t->text[t->n++] = l->p[l->at++];
    }
    if (!config_lex_at_gap(l)) {
        config_lex_fault(l, t, config_lex_bare_fault(l));
    }
}

/* Appends one character of a string, unescaped, to the token. Returns the fault, or LEX_NONE. */
static enum lex_fault config_lex_string_character(struct lex *l, struct lex_token *t)
{
    enum lex_fault f;
    size_t len = config_lex_any_character(l, &f);

    if (len == 0) {
        return f;
    }
    if (l->p[l->at] == '\\') {
        l->at++;
        if (l->at == l->line_end || (l->p[l->at] != '"' && l->p[l->at] != '\\')) {
            l->at--;
            return LEX_ESCAPE;
        }
    }
    memcpy(t->text + t->n, l->p + l->at, len);
    t->n += len;
    l->at += len;
    return LEX_NONE;
}

static void config_lex_string(struct lex *l, struct lex_token *t)
{
    t->kind = LEX_WORD;
    l->at++;
    while (l->at < l->line_end && l->p[l->at] != '"') {
        const enum lex_fault f = config_lex_string_character(l, t);

        if (f != LEX_NONE) {
            config_lex_fault(l, t, f);
            return;
        }
    }
    if (l->at == l->line_end) {
        /* Its beginning is a better place for the error than the line's end. */
        l->at = l->line_start + t->at.column - 1;
        config_lex_fault(l, t, LEX_UNTERMINATED);
        return;
    }
    l->at++;
    if (!config_lex_at_gap(l)) {
        config_lex_fault(l, t, LEX_GLUED);
    }
}

/* The parser reports whatever follows a brace on its line. */
static void config_lex_brace(struct lex *l, struct lex_token *t)
{
    t->kind = l->p[l->at++] == '{' ? LEX_OPEN : LEX_CLOSE;
}

static void config_lex_token(struct lex *l, struct lex_token *t)
{
    l->begun = true;
    t->at = (struct config_place){l->before + l->line, config_lex_column(l)};
    t->n = 0;
    switch (l->p[l->at]) {
    case '"':
        config_lex_string(l, t);
        break;
    case '{':
    case '}':
        config_lex_brace(l, t);
        break;
    default:
        config_lex_bare_word(l, t);
    }
    t->text[t->n] = '\0';
    t->end = t->kind == LEX_FAULT ? t->end : config_lex_column(l);
}

/* Begins the next line. Returns false if t is a fault, because the line is too long. */
static bool config_lex_next_line(struct lex *l, struct lex_token *t)
{
    if (l->line > 0) {
        l->at++;
    }
    config_lex_line_begin(l);
    if (l->line_end - l->line_start > LIMIT_CONFIG_LINE) {
        l->at = l->line_start + LIMIT_CONFIG_LINE;
        config_lex_fault(l, t, LEX_LONG_LINE);
        return false;
    }
    return true;
}

void lex_next(struct lex *l, struct lex_token *t)
{
    if (l->line == 0 && !config_lex_next_line(l, t)) {
        return;
    }
    for (;;) {
        while (l->at < l->line_end && config_lex_is_space(l->p[l->at])) {
            l->at++;
        }
        if (l->at < l->line_end && l->p[l->at] == '#' && !config_lex_skip_comment(l, t)) {
            return;
        }
        if (l->at < l->line_end) {
            config_lex_token(l, t);
            return;
        }
        if (l->begun || l->at == l->n) {
            t->kind = l->begun ? LEX_NEWLINE : LEX_END;
            t->at = (struct config_place){l->before + l->line, config_lex_column(l)};
            t->end = t->at.column;
            l->begun = false;
            return;
        }
        if (!config_lex_next_line(l, t)) {
            return;
        }
    }
}

void lex_quote(const char *text, FILE *to)
{
    fputc('"', to);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') {
            fputc('\\', to);
        }
        fputc(*text, to);
    }
    fputc('"', to);
}

static const struct {
    const char *text;
    const char *hint;
} faults[] = {
    [LEX_NONE] = {"", ""},
    [LEX_NUL] = {"NUL byte", "the file is not text, or was damaged by a crash"},
    [LEX_CARRIAGE_RETURN] = {"carriage return", "end lines with LF, not with CR LF"},
    [LEX_CONTROL] = {"control character", "only tab and newline are allowed"},
    [LEX_UTF8] = {"invalid UTF-8", "the file must be saved as UTF-8"},
    [LEX_NOT_ASCII] = {"this character needs quotes",
                       "only \"strings\" and comments may contain other than ASCII characters"},
    [LEX_CHARACTER] = {"this character needs quotes", "put the word into double quotes: \"...\""},
    [LEX_COMMENT] = {"# inside a word",
                     "put a space before a comment, or quotes around a word with # in it"},
    [LEX_SEMICOLON] = {"unexpected ;", "a statement ends with its line"},
    [LEX_GLUED] = {"missing space", "separate words, quoted strings and braces by spaces"},
    [LEX_ESCAPE] = {"unknown escape", "in a string, only \\\" and \\\\ are escapes"},
    [LEX_UNTERMINATED] = {"unterminated string", "a string ends with \" on the same line"},
    [LEX_LONG_LINE] = {"the line is too long", "a line has at most 1024 bytes"},
};

_Static_assert(LIMIT_CONFIG_LINE == 1024u, "the hint of LEX_LONG_LINE names it");

const char *lex_fault_text(enum lex_fault f)
{
    return faults[f].text;
}

const char *lex_fault_hint(enum lex_fault f)
{
    return faults[f].hint;
}
