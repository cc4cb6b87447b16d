/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The parser of the configuration language: lines of words against the table of statements. It only
 * writes to the config and the list of errors.
 *
 * It goes on after an error, since users prefer to see all of them. To make one mistake one error,
 * an unknown block is skipped to its end, and a block with an unknown statement is not reported for
 * a missing one, which may have been misspelt. Blocks are kept on a stack of fixed size: deep
 * nesting costs no recursion.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "proxy/config/config.h"
#include "proxy/config/config_lex.h"
#include "proxy/config/config_words.h"
#include "proxy/config/preset.h"

/* Words have at least one byte, and one space between them. */
#define STATEMENT_WORDS (LIMIT_CONFIG_LINE / 2 + 1)

/* Maximum length of a foreign word in a message. */
#define SHOWN 72

struct word {
    struct config_place at;
    unsigned end; /* the column behind it */
    const char *text;
};

struct statement {
    size_t n;
    struct word words[STATEMENT_WORDS];
    size_t text_n;
    char text[LIMIT_CONFIG_LINE + STATEMENT_WORDS]; /* … each with its NUL */
};

struct block {
    const struct config_word *row; /* NULL: the file itself, or a skipped block */
    enum config_context context;   /* CONTEXT_NONE: skipped */
    void *target;
    struct config_place at;
    bool unopened; /* its "{" is missing (an error already), but may follow on the next line */
    bool doubtful; /* something in it was not understood, which may be what it lacks */
    unsigned seen[CONFIG_WORDS_MAX]; /* line of each row's statement, or 0 */
};

struct parse {
    struct config_parser parser;
    struct lex lex;
    struct lex_token token;
    struct statement statement;
    enum lex_kind brace; /* of this line; LEX_NEWLINE: not seen yet */
    bool brace_told;     /* its misplacement has been reported */
    bool stop;
    const struct config_route *named;  /* the route of which this line names a preset, to be read
                                        * now */
    const struct config_place *preset; /* the statements are those of the preset named here */
    unsigned depth;                    /* blocks[depth] is the innermost */
    struct block blocks[LIMIT_CONFIG_DEPTH + 1];
};

/* Reports an error; in a preset's statements, at the word that names the preset. */
#define add_error(p, at, hint, ...) \
    config_errors_add((p)->parser.errors, (p)->preset ? *(p)->preset : (at), hint, __VA_ARGS__)

static struct block *config_parse_innermost(struct parse *p)
{
    return &p->blocks[p->depth];
}

static const char *config_parse_show(char out[SHOWN], const char *text)
{
    return log_escape(out, SHOWN, text, strlen(text));
}

/* ---- blocks ---- */

static void config_parse_push(struct parse *p, struct block block)
{
    if (p->depth == LIMIT_CONFIG_DEPTH) {
        add_error(p, block.at, "the rest of the file was not read", "more than %u nested blocks",
                  LIMIT_CONFIG_DEPTH);
        p->stop = true;
        return;
    }
    p->blocks[++p->depth] = block;
}

static void config_parse_push_skipped(struct parse *p, struct config_place at)
{
    config_parse_push(p, (struct block){.at = at});
}

/* Reports all required statements that a block lacks. */
static void config_parse_check_required(struct parse *p, const struct block *b)
{
    char usage[128];

    for (size_t i = 0; i < config_word_count(); i++) {
        const struct config_word *row = config_word_at(i);

        if (row->context == b->context && row->flags & CONFIG_REQUIRED && b->seen[i] == 0) {
            add_error(p, b->at, config_word_usage(row, usage, sizeof usage),
                      "this %s has no \"%s\"", b->row->word, row->word);
        }
    }
}

static void config_parse_pop(struct parse *p, struct config_place at)
{
    const struct block *b = config_parse_innermost(p);

    if (p->depth == 0) {
        add_error(p, at, "check the lines above for a \"}\" too many, or a \"{\" too few",
                  "\"}\" without a block");
        return;
    }
    if (b->row && !b->doubtful) {
        config_parse_check_required(p, b);
    }
    p->depth--;
}

/* ---- unknown words ---- */

/* Collects the words of a context. Returns their number. */
static size_t config_parse_words_of(enum config_context context, const char **out)
{
    size_t n = 0;

    for (size_t i = 0; i < config_word_count(); i++) {
        if (config_word_at(i)->context == context && !config_word_at(i)->second) {
            out[n++] = config_word_at(i)->word;
        }
    }
    return n;
}

/* Returns the row of a statement, or NULL if its word is unknown in the context. */
static const struct config_word *config_parse_find_row(const struct statement *s,
                                                       enum config_context context)
{
    const struct config_word *found = NULL;

    for (size_t i = 0; i < config_word_count(); i++) {
        const struct config_word *row = config_word_at(i);

        if (row->context != context || strcmp(row->word, s->words[0].text) != 0) {
            continue;
        }
        if (!row->second || (s->n > 1 && strcmp(row->second, s->words[1].text) == 0)) {
            found = row;
        }
    }
    return found;
}

/* Returns the block in which a misplaced word is known ("": outside of blocks), or NULL. */
static const char *config_parse_home_of(const char *word)
{
    for (size_t i = 0; i < config_word_count(); i++) {
        const struct config_word *row = config_word_at(i);

        if (strcmp(row->word, word) != 0) {
            continue;
        }
        for (size_t k = 0; k < config_word_count(); k++) {
            if (config_word_at(k)->opens == row->context) {
                return config_word_at(k)->word;
            }
        }
        return "";
    }
    return NULL;
}

/* Appends the words as "a, b, c", as many as fit. */
static void config_parse_list_words(char *out, size_t size, const char *const *words, size_t n)
{
    size_t at = strlen(out);

    for (size_t i = 0; i < n && at < size; i++) {
        const int more = snprintf(out + at, size - at, i > 0 ? ", %s" : "%s", words[i]);

        at += more > 0 ? (size_t)more : 0;
    }
}

static void config_parse_unknown_statement(struct parse *p, const struct word *w)
{
    const char *words[CONFIG_WORDS_MAX];
    const size_t n = config_parse_words_of(config_parse_innermost(p)->context, words);
    const char *near = value_nearest(w->text, words, n);
    const char *home = config_parse_home_of(w->text);
    char hint[sizeof p->parser.errors->error[0].hint];
    char shown[SHOWN];

    if (home) {
        if (*home) {
            snprintf(hint, sizeof hint, "it belongs in a %s block", home);
        } else {
            snprintf(hint, sizeof hint, "it belongs outside of blocks");
        }
        add_error(p, w->at, hint, "unexpected \"%s\"", w->text);
        return;
    }
    if (near) {
        snprintf(hint, sizeof hint, "did you mean \"%s\"?", near);
    } else {
        snprintf(hint, sizeof hint, "allowed here: ");
        config_parse_list_words(hint, sizeof hint, words, n);
    }
    add_error(p, w->at, hint, "unknown word \"%s\"", config_parse_show(shown, w->text));
}

/* ---- arguments ---- */

static void config_parse_keep_text(struct parse *p, char **to, const char *text)
{
    char *copy = strdup(text);

    if (!copy) {
        p->parser.no_memory = true;
        return;
    }
    free(*to);
    *to = copy;
}

/* Reads an argument's value into the target. */
static void config_parse_keep(struct parse *p, const struct config_arg *a, const struct word *w,
                              void *target)
{
    char *const to = a->to == CONFIG_NO_TARGET ? NULL : (char *)target + a->to;
    struct value_fault fault;
    unsigned number = 0;
    unsigned before = 0;
    const bool good = a->choices ? value_choose(w->text, a->choices, &number, &fault)
                                 : value_read(a->kind, w->text, a->least, a->most, &number, &fault);

    if (!good) {
        add_error(p, w->at, fault.hint, "%s", fault.text);
        return;
    }
    if (!to) {
        return;
    }
    if (a->place != CONFIG_NO_PLACE) {
        const size_t nth = a->kind == VALUE_CHOICES ? number : 0;

        memcpy((char *)target + a->place + nth * sizeof w->at, &w->at, sizeof w->at);
    }
    if (a->kind == VALUE_CHOICES) {
        memcpy(&before, to, sizeof before);
        number = before | 1u << number;
    }
    if (!a->choices && value_is_text(a->kind)) {
        config_parse_keep_text(p, (char **)(void *)to, w->text);
    } else {
        memcpy(to, &number, sizeof number);
    }
}

/* Returns the number of words that the keyword takes if it is at word i; otherwise 0. */
static size_t config_keyword_words(const char *keyword, const struct statement *s, size_t i)
{
    const char *space = strchr(keyword, ' ');

    if (!space) {
        return strcmp(keyword, s->words[i].text) == 0;
    }
    return i + 1 < s->n && strncmp(keyword, s->words[i].text, (size_t)(space - keyword)) == 0 &&
                   s->words[i].text[space - keyword] == '\0' &&
                   strcmp(space + 1, s->words[i + 1].text) == 0
               ? 2
               : 0;
}

static const struct config_arg *config_parse_find_keyword(const struct config_word *row,
                                                          const struct statement *s, size_t i,
                                                          size_t *n)
{
    for (size_t k = 0; k < CONFIG_ARGS && row->args[k].name; k++) {
        *n = row->args[k].keyword ? config_keyword_words(row->args[k].keyword, s, i) : 0;
        if (*n > 0) {
            return &row->args[k];
        }
    }
    return NULL;
}

/* Reports a word after the arguments that is not one of the row's keywords. */
static void config_parse_unknown_argument(struct parse *p, const struct config_word *row,
                                          const struct word *w)
{
    const char *keywords[CONFIG_ARGS];
    size_t n = 0;
    char hint[sizeof p->parser.errors->error[0].hint];
    char shown[SHOWN];

    for (size_t i = 0; i < CONFIG_ARGS && row->args[i].name; i++) {
        if (row->args[i].keyword) {
            keywords[n++] = row->args[i].keyword;
        }
    }
    const char *near = value_nearest(w->text, keywords, n);

    if (near) {
        snprintf(hint, sizeof hint, "did you mean \"%s\"?", near);
    } else {
        config_word_usage(row, hint, sizeof hint);
    }
    add_error(p, w->at, hint, n > 0 ? "unknown word \"%s\"" : "unexpected argument \"%s\"",
              config_parse_show(shown, w->text));
}

/* Reports a missing value after w. */
static void config_parse_lacks(struct parse *p, const struct config_word *row, const struct word *w,
                               const char *name)
{
    char usage[128];

    add_error(p, ((struct config_place){w->at.line, w->end}),
              config_word_usage(row, usage, sizeof usage), "missing %s after \"%s\"", name,
              w->text);
}

/* Reads "KEYWORD VALUE" pairs from word i on. */
static void config_parse_keyword_arguments(struct parse *p, const struct config_word *row, size_t i,
                                           void *target)
{
    const struct statement *s = &p->statement;
    bool seen[CONFIG_ARGS] = {false};

    while (i < s->n) {
        const struct word *w = &s->words[i];
        size_t n;
        const struct config_arg *a = config_parse_find_keyword(row, s, i, &n);

        if (!a) {
            /* The words that follow cannot be interpreted. */
            config_parse_unknown_argument(p, row, w);
            return;
        }
        if (seen[a - row->args]) {
            add_error(p, w->at, NULL, "duplicate \"%s\"", w->text);
        }
        if (i + n == s->n) {
            config_parse_lacks(p, row, &s->words[i + n - 1], a->name);
            return;
        }
        if (!seen[a - row->args]) {
            config_parse_keep(p, a, &s->words[i + n], target);
        }
        seen[a - row->args] = true;
        i += n + 1;
    }
}

static void config_parse_arguments(struct parse *p, const struct config_word *row, void *target)
{
    const struct statement *s = &p->statement;
    size_t i = row->second ? 2 : 1;

    for (const struct config_arg *a = row->args;
         a < row->args + CONFIG_ARGS && a->name && !a->keyword; a++, i++) {
        if (i == s->n) {
            const struct word last = {s->words[0].at, s->words[i - 1].end, s->words[0].text};

            config_parse_lacks(p, row, &last, a->name);
            return;
        }
        config_parse_keep(p, a, &s->words[i], target);
    }
    config_parse_keyword_arguments(p, row, i, target);
}

/* ---- statements ---- */

/* Begins a block. opened: its "{" is there. */
static void config_parse_block_statement(struct parse *p, const struct config_word *row,
                                         bool opened)
{
    const struct statement *s = &p->statement;
    const struct word *last = &s->words[s->n - 1];
    struct block b = {.row = row, .context = row->opens, .at = s->words[0].at};
    char usage[128];

    if (!opened) {
        add_error(p, ((struct config_place){last->at.line, last->end}),
                  config_word_usage(row, usage, sizeof usage), "missing \"{\" after \"%s\"",
                  row->word);
        b.unopened = true;
    }
    b.target = row->begin(&p->parser, b.at);
    if (b.target) {
        config_parse_arguments(p, row, b.target);
    } else {
        b.row = NULL;
        b.context = CONTEXT_NONE;
    }
    config_parse_push(p, b);
}

/* Reports the second of two statements that exclude each other; first: line of the other. */
static void config_parse_duplicate(struct parse *p, const struct word *w, unsigned first)
{
    char hint[sizeof p->parser.errors->error[0].hint];
    char place[PRESET_PLACE_SIZE];

    snprintf(
        hint, sizeof hint, "the first is in %s%s", preset_place(first, place),
        preset_of(first) || p->preset
            ? "; a route cannot repeat a statement of its preset: copy the preset's rules instead"
            : "");
    add_error(p, w->at, hint,
              p->preset ? "duplicate \"%s\": the preset has it, too" : "duplicate \"%s\"", w->text);
}

/* Handles the words of a line. opened: they precede a "{". */
static void config_parse_statement(struct parse *p, bool opened)
{
    struct block *b = config_parse_innermost(p);
    const struct word *w = &p->statement.words[0];
    const struct config_word *row = config_parse_find_row(&p->statement, b->context);

    if (b->context == CONTEXT_NONE || !row) {
        if (b->context != CONTEXT_NONE) {
            config_parse_unknown_statement(p, w);
            b->doubtful = true;
        }
        if (opened) {
            config_parse_push_skipped(p, w->at);
        }
        return;
    }
    unsigned *seen = &b->seen[config_word_first((size_t)(row - config_word_at(0)))];
    const bool again = *seen > 0 && !(row->flags & CONFIG_REPEATABLE);

    if (again) {
        config_parse_duplicate(p, w, *seen);
    } else {
        *seen = w->at.line;
    }
    if (row->opens != CONTEXT_NONE && !again) {
        config_parse_block_statement(p, row, opened);
        return;
    }
    if (!again) {
        void *const target = row->begin ? row->begin(&p->parser, w->at) : b->target;

        if (target) {
            config_parse_arguments(p, row, target);
        }
        if (target && (row->flags & CONFIG_PRESET) && !opened) {
            p->named = target;
        }
    }
    if (opened) {
        if (!again) {
            add_error(p, p->token.at, NULL, "\"%s\" does not open a block", w->text);
        }
        config_parse_push_skipped(p, w->at);
    }
}

/* ---- lines ---- */

static void config_parse_add_word(struct statement *s, const struct lex_token *t)
{
    char *text = s->text + s->text_n;

    memcpy(text, t->text, t->n + 1);
    s->text_n += t->n + 1;
    s->words[s->n++] = (struct word){t->at, t->end, text};
}

/* Reports something behind a brace, once per line. */
static void config_parse_misplaced(struct parse *p)
{
    if (p->brace_told) {
        return;
    }
    p->brace_told = true;
    config_parse_innermost(p)->doubtful = true;
    if (p->brace == LEX_OPEN) {
        add_error(p, p->token.at, "put the block's statements on lines of their own",
                  "\"{\" must end its line");
    } else {
        add_error(p, p->token.at, NULL, "\"}\" must stand alone on its line");
    }
}

static void config_parse_open_brace(struct parse *p)
{
    if (p->brace != LEX_NEWLINE) {
        config_parse_misplaced(p);
        config_parse_push_skipped(p, p->token.at);
        return;
    }
    p->brace = LEX_OPEN;
    if (p->statement.n > 0) {
        config_parse_statement(p, true);
    } else if (config_parse_innermost(p)->unopened) {
        config_parse_innermost(p)->unopened = false;
    } else {
        add_error(p, p->token.at, NULL, "\"{\" without a statement");
        config_parse_push_skipped(p, p->token.at);
    }
}

static void config_parse_close_brace(struct parse *p)
{
    if (p->brace != LEX_NEWLINE) {
        config_parse_misplaced(p);
    } else if (p->statement.n > 0) {
        add_error(p, p->token.at, NULL, "\"}\" must stand alone on its line");
        p->brace_told = true;
        config_parse_statement(p, false);
    }
    if (p->brace == LEX_NEWLINE) {
        p->brace = LEX_CLOSE;
    }
    config_parse_pop(p, p->token.at);
}

static void config_parse_lexical_fault(struct parse *p)
{
    const struct lex_token *t = &p->token;

    add_error(p, t->at, lex_fault_hint(t->fault), "%s", lex_fault_text(t->fault));
    config_parse_innermost(p)->doubtful = true;
    if (p->brace == LEX_NEWLINE && t->fault_opens) {
        config_parse_push_skipped(p, t->at);
    }
    p->statement.n = 0;
    p->brace = p->brace == LEX_NEWLINE ? LEX_FAULT : p->brace;
}

/* Drops a block without "{", unless the line begins with one. */
static void config_parse_drop_unopened(struct parse *p)
{
    if (config_parse_innermost(p)->unopened && p->token.kind != LEX_OPEN) {
        p->depth--;
    }
}

/* Parses one line: from its first token, which is in p->token, to its LEX_NEWLINE. */
static void config_parse_line(struct parse *p)
{
    p->statement.n = 0;
    p->statement.text_n = 0;
    p->brace = LEX_NEWLINE;
    p->brace_told = false;
    config_parse_drop_unopened(p);
    for (; p->token.kind != LEX_NEWLINE && !p->stop; lex_next(&p->lex, &p->token)) {
        switch (p->token.kind) {
        case LEX_WORD:
            if (p->brace == LEX_NEWLINE) {
                config_parse_add_word(&p->statement, &p->token);
            } else {
                config_parse_misplaced(p);
            }
            break;
        case LEX_OPEN:
            config_parse_open_brace(p);
            break;
        case LEX_CLOSE:
            config_parse_close_brace(p);
            break;
        default:
            config_parse_lexical_fault(p);
        }
    }
    if (p->brace == LEX_NEWLINE && p->statement.n > 0) {
        config_parse_statement(p, false);
    }
}

/* Reads the statements of the preset that the route has just named, at this point. */
static void config_parse_include_preset(struct parse *p)
{
    const struct config_route *r = p->named;
    const struct lex lex = p->lex;
    const struct lex_token token = p->token;
    const struct preset *preset;

    p->named = NULL;
    if (r->preset == PRESET_NONE) {
        return;
    }
    preset = preset_get(r->preset);
    lex_init(&p->lex, preset->text, preset->n);
    p->lex.before = preset_base(r->preset) + preset->first_line - 1;
    p->preset = &r->preset_at;
    for (lex_next(&p->lex, &p->token); p->token.kind != LEX_END && !p->parser.no_memory;
         lex_next(&p->lex, &p->token)) {
        config_parse_line(p);
    }
    p->preset = NULL;
    p->lex = lex;
    p->token = token;
}

static void config_parse_lines(struct parse *p)
{
    p->blocks[0] = (struct block){.context = CONTEXT_FILE, .target = p->parser.config};
    for (lex_next(&p->lex, &p->token); p->token.kind != LEX_END && !p->stop && !p->parser.no_memory;
         lex_next(&p->lex, &p->token)) {
        config_parse_line(p);
        if (p->named) {
            config_parse_include_preset(p);
        }
    }
    if (p->stop) {
        return;
    }
    for (unsigned i = 1; i <= p->depth; i++) {
        if (!p->blocks[i].unopened) {
            add_error(p, p->blocks[i].at, "close it with a line that contains only \"}\"",
                      "unclosed block");
        }
    }
}

int config_parse(struct config *c, const void *p, size_t n, struct config_errors *e)
{
    const size_t before = e->total;
    struct parse parse = {.parser = {.config = c, .errors = e}};

    if (n > LIMIT_CONFIG_FILE) {
        char hint[64];

        snprintf(hint, sizeof hint, "a configuration has at most %u bytes", LIMIT_CONFIG_FILE);
        config_errors_add(e, (struct config_place){0, 0}, hint, "the file is too large");
        return -EINVAL;
    }
    lex_init(&parse.lex, p, n);
    config_parse_lines(&parse);
    if (parse.parser.no_memory) {
        return -ENOMEM;
    }
    if (!parse.stop && config_check(c, e) < 0) {
        return -EINVAL;
    }
    return e->total > before ? -EINVAL : 0;
}
