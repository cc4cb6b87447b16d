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

#include "proxy/config/text/config_parse.h"
#include "proxy/config/text/config_source.h"
#include "proxy/config/config_where.h"

/* Maximum length of a foreign word in a message. */
#define SHOWN 72

static struct parse_block *config_parse_innermost(struct parse *p)
{
    return &p->blocks[p->depth];
}

static const char *config_parse_show(char out[SHOWN], const char *text)
{
    return log_escape(out, SHOWN, text, strlen(text));
}

/* ---- blocks ---- */

void config_parse_push(struct parse *p, struct parse_block block)
{
    if (p->depth == LIMIT_CONFIG_DEPTH) {
        config_parse_fault(p, block.at, "the rest of the file was not read",
                           "more than %u nested blocks", LIMIT_CONFIG_DEPTH);
        p->stop = true;
        return;
    }
    p->blocks[++p->depth] = block;
}

static void config_parse_push_skipped(struct parse *p, struct config_place at)
{
    config_parse_push(p, (struct parse_block){.at = at});
}

/* Reports all required statements that a block lacks. */
static void config_parse_check_required(struct parse *p, const struct parse_block *b)
{
    char usage[128];

    for (size_t i = 0; i < config_word_count(); i++) {
        const struct config_word *row = config_word_at(i);

        if (row->context == b->context && row->flags & CONFIG_REQUIRED && b->seen[i] == 0) {
            config_parse_fault(p, b->at, config_word_usage(row, usage, sizeof usage),
                               "this %s has no \"%s\"", b->row->word, row->word);
        }
    }
}

void config_parse_pop(struct parse *p, struct config_place at)
{
    const struct parse_block *b = config_parse_innermost(p);

    if (p->depth == 0) {
        config_parse_fault(p, at, "check the lines above for a \"}\" too many, or a \"{\" too few",
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
        if (config_word_in(config_word_at(i), context) && !config_word_at(i)->second) {
            out[n++] = config_word_at(i)->word;
        }
    }
    return n;
}

/* Returns the row of a statement, or NULL if its word is unknown in the context. */
static const struct config_word *config_parse_find_row(const struct parse_statement *s,
                                                       enum config_context context)
{
    const struct config_word *found = NULL;

    for (size_t i = 0; i < config_word_count(); i++) {
        const struct config_word *row = config_word_at(i);

        if (!config_word_in(row, context) || strcmp(row->word, s->words[0].text) != 0) {
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

static void config_parse_unknown_statement(struct parse *p, const struct parse_word *w)
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
        config_parse_fault(p, w->at, hint, "unexpected \"%s\"", w->text);
        return;
    }
    if (near) {
        snprintf(hint, sizeof hint, "did you mean \"%s\"?", near);
    } else {
        snprintf(hint, sizeof hint, "allowed here: ");
        config_parse_list_words(hint, sizeof hint, words, n);
    }
    config_parse_fault(p, w->at, hint, "unknown word \"%s\"", config_parse_show(shown, w->text));
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
static void config_parse_keep(struct parse *p, const struct config_arg *a,
                              const struct parse_word *w, void *target)
{
    char *const to = a->to == CONFIG_NO_TARGET ? NULL : (char *)target + a->to;
    struct value_fault fault;
    unsigned number = 0;
    unsigned before = 0;
    const bool good = a->choices ? value_choose(w->text, a->choices, &number, &fault)
                                 : value_read(a->kind, w->text, a->least, a->most, &number, &fault);

    if (!good) {
        config_parse_fault(p, w->at, fault.hint, "%s", fault.text);
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
static size_t config_keyword_words(const char *keyword, const struct parse_statement *s, size_t i)
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
                                                          const struct parse_statement *s, size_t i,
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
                                          const struct parse_word *w)
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
    config_parse_fault(p, w->at, hint, n > 0 ? "unknown word \"%s\"" : "unexpected argument \"%s\"",
                       config_parse_show(shown, w->text));
}

/* Reports a missing value after w. */
static void config_parse_lacks(struct parse *p, const struct config_word *row,
                               const struct parse_word *w, const char *name)
{
    char usage[128];

    config_parse_fault(p, ((struct config_place){w->at.line, w->end}),
                       config_word_usage(row, usage, sizeof usage), "missing %s after \"%s\"", name,
                       w->text);
}

/* Reads "KEYWORD VALUE" pairs from word i on. */
static void config_parse_keyword_arguments(struct parse *p, const struct config_word *row, size_t i,
                                           void *target)
{
    const struct parse_statement *s = &p->statement;
    bool seen[CONFIG_ARGS] = {false};

    while (i < s->n) {
        const struct parse_word *w = &s->words[i];
        size_t n;
        const struct config_arg *a = config_parse_find_keyword(row, s, i, &n);

        if (!a) {
            /* The words that follow cannot be interpreted. */
            config_parse_unknown_argument(p, row, w);
            return;
        }
        if (seen[a - row->args]) {
            config_parse_fault(p, w->at, NULL, "duplicate \"%s\"", w->text);
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

void config_parse_arguments(struct parse *p, const struct config_word *row, void *target)
{
    const struct parse_statement *s = &p->statement;
    size_t i = row->second ? 2 : 1;

    for (const struct config_arg *a = row->args;
         a < row->args + CONFIG_ARGS && a->name && !a->keyword; a++, i++) {
        if (i == s->n) {
            const struct parse_word last = {s->words[0].at, s->words[i - 1].end, s->words[0].text};

            config_parse_lacks(p, row, &last, a->name);
            return;
        }
        config_parse_keep(p, a, &s->words[i], target);
    }
    config_parse_keyword_arguments(p, row, i, target);
}

/* ---- statements ---- */

/* Reports a block without its "{". */
static void config_parse_lacks_brace(struct parse *p, const struct config_word *row)
{
    const struct parse_word *const last = &p->statement.words[p->statement.n - 1];
    char usage[128];

    config_parse_fault(p, ((struct config_place){last->at.line, last->end}),
                       config_word_usage(row, usage, sizeof usage), "missing \"{\" after \"%s\"",
                       row->word);
}

/* Begins a block. opened: its "{" is there. */
static void config_parse_block_statement(struct parse *p, const struct config_word *row,
                                         bool opened)
{
    struct parse_block b = {
        .row = row, .context = row->opens, .at = p->statement.words[0].at, .unopened = !opened};

    if (!opened) {
        config_parse_lacks_brace(p, row);
    }
    b.target = row->begin(&p->parser, b.at);
    if (b.target) {
        config_parse_arguments(p, row, b.target);
        p->pending = PARSE_ROUTE;
        p->route = b.target;
    } else {
        b.row = NULL;
        b.context = CONTEXT_NONE;
    }
    config_parse_push(p, b);
}

static bool config_parse_is_template(const struct parse_statement *s, const struct config_word *row)
{
    const size_t n = s->n == 2 ? strlen(s->words[1].text) : 0;

    return row->opens == CONTEXT_ROUTE && n > 0 && s->words[1].text[n - 1] == '@';
}

/* Begins a block whose lines config_repeat.c reads. */
static void config_parse_repeated_statement(struct parse *p, const struct config_word *row,
                                            bool opened)
{
    const struct parse_statement *const s = &p->statement;

    if (row->opens == CONTEXT_DEFAULTS && s->n > 1) {
        config_parse_fault(p, s->words[1].at, NULL, "unexpected argument \"%s\"", s->words[1].text);
    }
    if (!opened) {
        config_parse_lacks_brace(p, row);
        config_parse_push(p, (struct parse_block){.at = s->words[0].at, .unopened = true});
        return;
    }
    p->pending = row->opens == CONTEXT_DEFAULTS ? PARSE_DEFAULTS : PARSE_TEMPLATE;
    p->name = s->words[s->n - 1];
}

/* Reports the second of two statements that exclude each other; first: line of the other. */
static void config_parse_duplicate(struct parse *p, const struct parse_word *w, unsigned first)
{
    char hint[sizeof p->parser.errors->error[0].hint];
    char place[CONFIG_WHERE_SIZE];

    snprintf(
        hint, sizeof hint, "the first is in %s%s", config_where(p->parser.config, first, place),
        config_where_preset_of(first) || p->preset
            ? "; a route cannot repeat a statement of its preset: copy the preset's rules instead"
            : "");
    config_parse_fault(p, w->at, hint,
                       p->preset ? "duplicate \"%s\": the preset has it, too" : "duplicate \"%s\"",
                       w->text);
}

/* Handles a statement that is unknown, or in a block that is, or cannot be read. */
static void config_parse_lost_statement(struct parse *p, bool opened)
{
    struct parse_block *const b = config_parse_innermost(p);
    const struct parse_word *const w = &p->statement.words[0];

    if (b->context != CONTEXT_NONE && !p->statement.faulty) {
        config_parse_unknown_statement(p, w);
    }
    b->doubtful = true;
    if (opened) {
        config_parse_push_skipped(p, w->at);
    }
}

/* Handles a statement that opens no block. */
static void config_parse_plain_statement(struct parse *p, const struct config_word *row,
                                         bool opened)
{
    void *const target = row->begin ? row->begin(&p->parser, p->statement.words[0].at)
                                    : config_parse_innermost(p)->target;

    if (target) {
        config_parse_arguments(p, row, target);
    }
    if (target && (row->flags & CONFIG_PRESET) && !opened) {
        p->pending = PARSE_PRESET;
        p->route = target;
    }
}

/* Handles the words of a line. opened: they precede a "{". */
static void config_parse_statement(struct parse *p, bool opened)
{
    struct parse_block *b = config_parse_innermost(p);
    const struct parse_word *w = &p->statement.words[0];
    const struct config_word *row = config_parse_find_row(&p->statement, b->context);

    if (config_directive_is_source(&p->statement) && !opened) {
        config_directive_source(p);
        return;
    }
    if (b->context == CONTEXT_NONE || !row || p->statement.faulty) {
        config_parse_lost_statement(p, opened);
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
        if (row->opens == CONTEXT_DEFAULTS || config_parse_is_template(&p->statement, row)) {
            config_parse_repeated_statement(p, row, opened);
        } else {
            config_parse_block_statement(p, row, opened);
        }
        return;
    }
    if (!again && row->special != CONFIG_ORDINARY) {
        config_directive(p, row);
    } else if (!again) {
        config_parse_plain_statement(p, row, opened);
    }
    if (opened) {
        if (!again) {
            config_parse_fault(p, p->token.at, NULL, "\"%s\" does not open a block", w->text);
        }
        config_parse_push_skipped(p, w->at);
    }
}

/* ---- lines ---- */

/* Adds a word, with what its variables and its instance stand for. */
static void config_parse_add_word(struct parse *p)
{
    const struct lex_token *const t = &p->token;
    struct parse_statement *const s = &p->statement;
    char expanded[CONFIG_EXPANDED];
    struct value_fault fault;
    size_t n;

    if (p->preset) {
        memcpy(expanded, t->text, t->n + 1);
    } else if (!config_expand(&p->variables, p->instance, t->text, expanded, &fault)) {
        config_parse_fault(p, t->at, fault.hint, "%s", fault.text);
        s->faulty = true;
        memcpy(expanded, t->text, t->n + 1);
    }
    n = strlen(expanded) + 1;
    if (n > sizeof s->text - s->text_n) {
        config_parse_fault(p, t->at, "shorten its variables", "the line becomes too long");
        s->faulty = true;
        return;
    }
    memcpy(s->text + s->text_n, expanded, n);
    s->words[s->n++] = (struct parse_word){t->at, t->end, s->text + s->text_n};
    s->text_n += n;
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
        config_parse_fault(p, p->token.at, "put the block's statements on lines of their own",
                           "\"{\" must end its line");
    } else {
        config_parse_fault(p, p->token.at, NULL, "\"}\" must stand alone on its line");
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
        config_parse_fault(p, p->token.at, NULL, "\"{\" without a statement");
        config_parse_push_skipped(p, p->token.at);
    }
}

static void config_parse_close_brace(struct parse *p)
{
    if (p->brace != LEX_NEWLINE) {
        config_parse_misplaced(p);
    } else if (p->statement.n > 0) {
        config_parse_fault(p, p->token.at, NULL, "\"}\" must stand alone on its line");
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

    config_parse_fault(p, t->at, lex_fault_hint(t->fault), "%s", lex_fault_text(t->fault));
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

void config_parse_line(struct parse *p)
{
    p->statement.n = 0;
    p->statement.text_n = 0;
    p->statement.faulty = false;
    p->brace = LEX_NEWLINE;
    p->brace_told = false;
    config_parse_drop_unopened(p);
    for (; p->token.kind != LEX_NEWLINE && !p->stop; lex_next(&p->lex, &p->token)) {
        switch (p->token.kind) {
        case LEX_WORD:
            if (p->brace == LEX_NEWLINE) {
                config_parse_add_word(p);
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

static void config_parse_lines(struct parse *p)
{
    p->blocks[0] = (struct parse_block){.context = CONTEXT_FILE, .target = p->parser.config};
    for (lex_next(&p->lex, &p->token); p->token.kind != LEX_END && !p->stop && !p->parser.no_memory;
         lex_next(&p->lex, &p->token)) {
        config_parse_line(p);
        config_repeat_pending(p);
    }
    if (p->stop) {
        return;
    }
    config_directive_unclosed(p);
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
    e->about = c;
    lex_init(&parse.lex, p, n);
    config_parse_lines(&parse);
    config_variables_deinit(&parse.variables);
    if (parse.parser.no_memory) {
        return -ENOMEM;
    }
    if (!parse.stop) {
        const int r = config_check(c, e);

        if (r < 0) {
            return r;
        }
    }
    return e->total > before ? -EINVAL : 0;
}
