/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The parser's state, for its three files alone: config_parse.c reads lines, config_repeat.c reads
 * lines again (those of presets, defaults and templates), config_directive.c carries out the
 * statements about the text.
 */
#ifndef POEMD_PROXY_CONFIG_CONFIG_PARSE_H
#define POEMD_PROXY_CONFIG_CONFIG_PARSE_H

#include "base/limits.h"
#include "proxy/config/config.h"
#include "proxy/config/text/config_expand.h"
#include "proxy/config/text/config_lex.h"
#include "proxy/config/config_words.h"

/* Words have at least one byte, and one space between them. */
#define STATEMENT_WORDS (LIMIT_CONFIG_LINE / 2 + 1)

struct parse_word {
    struct config_place at;
    unsigned end; /* the column behind it */
    const char *text;
};

struct parse_statement {
    bool faulty; /* a word could not be expanded */
    size_t n;
    struct parse_word words[STATEMENT_WORDS];
    size_t text_n;
    char text[CONFIG_EXPANDED + STATEMENT_WORDS]; /* … each with its NUL */
};

struct parse_block {
    const struct config_word *row; /* NULL: the file itself, or a skipped block */
    enum config_context context;   /* CONTEXT_NONE: skipped */
    void *target;
    struct config_place at;
    bool unopened; /* its "{" is missing (an error already), but may follow on the next line */
    bool doubtful; /* something in it was not understood, which may be what it lacks */
    unsigned seen[CONFIG_WORDS_MAX]; /* line of each row's statement, or 0 */
};

/* Statements that are read when their line, or that of another statement, has been read. */
enum parse_pending {
    PARSE_NOTHING,
    PARSE_PRESET,   /* of the route that named it */
    PARSE_ROUTE,    /* a route has begun: the defaults */
    PARSE_DEFAULTS, /* "defaults {": the block that follows */
    PARSE_TEMPLATE, /* "route NAME@ {": likewise */
};

/* A block's lines, in the text. */
struct parse_body {
    bool set;
    struct lex lex; /* in front of its first line, and with its end */
};

struct parse {
    struct config_parser parser;
    struct lex lex;
    struct lex_token token;
    struct parse_statement statement;
    enum lex_kind brace; /* of this line; LEX_NEWLINE: not seen yet */
    bool brace_told;     /* its misplacement has been reported */
    bool stop;
    enum parse_pending pending;        /* to be done behind this line */
    struct config_route *route;        /* … for PARSE_PRESET and PARSE_ROUTE */
    struct parse_word name;            /* … for PARSE_TEMPLATE: of the route */
    const struct config_place *preset; /* the statements are those of the preset named here */
    struct parse_body defaults;        /* of routes */
    const char *instance;              /* of the template that is read, or NULL */
    unsigned source;                   /* config_where_file_base of the text, or 0 */
    struct config_variables variables;
    unsigned depth; /* blocks[depth] is the innermost */
    struct parse_block blocks[LIMIT_CONFIG_DEPTH + 1];
};

/* Reports an error; in a preset's statements, at the word that names the preset. */
#define config_parse_fault(p, at, hint, ...) \
    config_errors_add((p)->parser.errors, (p)->preset ? *(p)->preset : (at), hint, __VA_ARGS__)

/* Enters a block, and leaves the innermost one, whose "}" is at this place. */
void config_parse_push(struct parse *p, struct parse_block block);
void config_parse_pop(struct parse *p, struct config_place at);

/* Parses one line: from its first token, which is in p->token, to its LEX_NEWLINE. */
void config_parse_line(struct parse *p);

/* Reads a statement's words into the target, or only checks them if it has none. */
void config_parse_arguments(struct parse *p, const struct config_word *row, void *target);

/* Adds a copy of the text to the list. */
void config_directive_keep(struct parse *p, struct config_list *l, const char *text,
                           struct config_place at);

/* The next line is this one of its text, a number. Returns false with *fault set. */
bool config_directive_resume(struct parse *p, const char *line, struct value_fault *fault)
    __attribute__((warn_unused_result));

/* Carries out a statement about the text. */
void config_directive(struct parse *p, const struct config_word *row);

/* A "source" may stand between the lines of any block: the next line is of another text, … */
bool config_directive_is_source(const struct parse_statement *s);
void config_directive_source(struct parse *p);

/* … at whose end the open blocks are reported. */
void config_directive_unclosed(struct parse *p);

/* Does what the last line left pending. */
void config_repeat_pending(struct parse *p);

#endif
