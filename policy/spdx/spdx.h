/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * SPDX licence expressions, and whether what is under them can be one work with a GPL program.
 *
 * Pure: no fd, clock, log or allocation, no recursion, all sizes bounded (base/limits.h). An
 * expression is foreign text; what comes out of here is printable ASCII.
 *
 * The grammar is the annex "SPDX license expressions" of the SPDX specification, 2.3 and 3.0:
 * operators all upper or all lower case; identifiers in any case; AND binds closer than OR; "+" of
 * a listed licence; WITH a listed exception or an AdditionRef-; LicenseRef- and AdditionRef-, each
 * behind a DocumentRef-…: or not. NONE and NOASSERTION stand as in 3.1: alone, or under AND.
 *
 *     static struct spdx e;              about 14 KiB: not for the stack
 *     struct spdx_error why;
 *     struct spdx_verdict v;
 *     char text[256];
 *
 *     if (spdx_parse(&e, p, n, SPDX_LISTED, &why) != SPDX_OK) …  why.text, why.hint, why.at
 *     spdx_judge(&e, SPDX_WITH_GPL_2_0_ONLY, &v);
 *     if (v.compat != SPDX_COMPATIBLE) …                 unknown is not fine
 *     spdx_verdict_text(&v, &e, text, sizeof text)       one line for a log
 */
#ifndef POEMD_POLICY_SPDX_SPDX_H
#define POEMD_POLICY_SPDX_SPDX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

/* ---- an expression ---- */

enum spdx_outcome {
    SPDX_OK,
    SPDX_EMPTY,             /* nothing but spaces */
    SPDX_TOO_LONG,          /* above LIMIT_SPDX_TEXT bytes */
    SPDX_TOO_MANY,          /* above LIMIT_SPDX_TERMS licences */
    SPDX_TOO_DEEP,          /* above LIMIT_SPDX_DEPTH parentheses in each other */
    SPDX_BAD_BYTE,          /* a byte that no expression has; a line break */
    SPDX_BAD_OPERATOR,      /* "And", "&&", "/", "," … */
    SPDX_BAD_PLUS,          /* "+" after a space, on a reference, twice, alone */
    SPDX_BAD_REFERENCE,     /* DocumentRef- without its licence, an empty name, "licenseref-" */
    SPDX_EXPECTED_LICENCE,  /* an operator, ")" or the end stands where a licence must */
    SPDX_EXPECTED_OPERATOR, /* a licence or "(" stands where an operator must */
    SPDX_EXPECTED_ADDITION, /* after WITH something else than an exception */
    SPDX_BAD_WITH,          /* WITH after ")" or after an exception */
    SPDX_BAD_SPECIAL,       /* NONE or NOASSERTION with OR, WITH or "+" */
    SPDX_UNCLOSED,          /* "(" without ")" */
    SPDX_UNOPENED,          /* ")" without "(" */
    SPDX_UNLISTED_LICENCE,  /* an identifier that the licence list does not have */
    SPDX_UNLISTED_ADDITION,
};

/* Why a text is no expression. Both texts are printable ASCII without foreign bytes raw. */
struct spdx_error {
    enum spdx_outcome outcome;
    size_t at;      /* offset of the first byte at fault; the text's length at its end */
    size_t length;  /* bytes at fault, 0 at the end */
    char text[160]; /* what is wrong */
    char hint[160]; /* what would be right, or "" */
};

enum spdx_lookup {
    SPDX_LISTED, /* the specification's grammar: an identifier that is not on the list is an error
                  */
    SPDX_ANY,    /* it is kept and judged as unknown: a peer's list may be newer than ours */
};

/* What a reader should know of a term though it is valid. Bits. */
enum spdx_note {
    SPDX_NOTE_DEPRECATED = 1,     /* a deprecated licence identifier; the canonical text has the new
                                     one where SPDX names one */
    SPDX_NOTE_DEPRECATED_ADD = 2, /* a deprecated exception */
    SPDX_NOTE_UNLISTED = 4,       /* licence not on the list (SPDX_ANY alone) */
    SPDX_NOTE_UNLISTED_ADD = 8,   /* exception not on the list (SPDX_ANY alone) */
    SPDX_NOTE_PLUS_REDUNDANT = 16, /* GPL-2.0-or-later+ : the "+" says nothing */
    SPDX_NOTE_PLUS_CONTRARY = 32,  /* GPL-2.0-only+ : contradicts itself, judged as unknown */
};

enum spdx_kind {
    SPDX_LICENCE,     /* on the list */
    SPDX_UNLISTED,    /* not on it (SPDX_ANY alone) */
    SPDX_REFERENCE,   /* LicenseRef-, DocumentRef-…:LicenseRef- */
    SPDX_NONE,        /* NONE: said to have no licence */
    SPDX_NOASSERTION, /* NOASSERTION: nothing said */
};

/* A place in struct spdx's text. */
struct spdx_span {
    uint16_t at;
    uint16_t n;
};

/* A licence with its "+" and its exception: what an expression's operators join. */
struct spdx_term {
    enum spdx_kind kind;
    int16_t licence;       /* index in the list, -1: none */
    int16_t addition;      /* index in the list of exceptions, -1: none, or not listed */
    bool plus;             /* "+", which the identifier does not say itself */
    unsigned notes;        /* bits of enum spdx_note */
    struct spdx_span name; /* the licence as it was written, without "+" */
    struct spdx_span with; /* what stood after WITH as it was written; n is 0 where none did */
};

enum spdx_node_kind { SPDX_TERM, SPDX_AND, SPDX_OR };

/* Nodes stand after their parts; the last is the root. */
struct spdx_node {
    enum spdx_node_kind kind;
    uint16_t left;  /* SPDX_TERM: index of the term; else index of a node */
    uint16_t right; /* not for SPDX_TERM */
};

struct spdx {
    size_t n_terms;
    size_t n_nodes;
    struct spdx_term terms[LIMIT_SPDX_TERMS]; /* in the order of the text */
    struct spdx_node nodes[2 * LIMIT_SPDX_TERMS - 1];
    char text[LIMIT_SPDX_TEXT + 1]; /* a copy of what was parsed, with a NUL */
};

/*
 * Parses n bytes (no NUL is needed). Writes all of *e that is used; *why only on failure, when *e
 * has no terms. A NUL inside is SPDX_BAD_BYTE.
 */
enum spdx_outcome spdx_parse(struct spdx *e, const char *p, size_t n, enum spdx_lookup lookup,
                             struct spdx_error *why) __attribute__((warn_unused_result));

/* A word for an outcome ("unlisted-licence"), for JSON and logs. */
const char *spdx_outcome_name(enum spdx_outcome o);

/*
 * The canonical text: identifiers as the list writes them, deprecated ones replaced where SPDX
 * names what replaces them (GPL-2.0+ becomes GPL-2.0-or-later, GPL-2.0-with-classpath-exception
 * becomes GPL-2.0-only WITH Classpath-exception-2.0), operators in capitals, single spaces, no
 * parentheses but those that precedence needs. Order is kept. Parsing it again gives the same text.
 * Writes at most size bytes with the NUL, and returns the length of the whole without it, as
 * snprintf does; SPDX_CANONICAL_SIZE always suffices.
 */
size_t spdx_canonical(const struct spdx *e, char *out, size_t size);
#define SPDX_CANONICAL_SIZE (LIMIT_SPDX_TEXT + 64u * LIMIT_SPDX_TERMS)

/* One term in canonical form, with "+" and WITH; returns as spdx_canonical does. */
size_t spdx_term_text(const struct spdx *e, size_t term, char *out, size_t size);
#define SPDX_TERM_SIZE (LIMIT_SPDX_TEXT + 64u)

/* What a reader should know of the expression: the bits of all its terms. */
unsigned spdx_notes(const struct spdx *e);

/* One sentence for one bit of enum spdx_note, static. */
const char *spdx_note_text(enum spdx_note note);

/* ---- compatibility ---- */

/* Worst first: of parts joined by AND the least counts, of those joined by OR the greatest. */
enum spdx_compat { SPDX_INCOMPATIBLE, SPDX_UNKNOWN, SPDX_COMPATIBLE };

/* "incompatible", "unknown", "compatible". */
const char *spdx_compat_name(enum spdx_compat c);

/* The licence of the GPL program that the other side is to be combined with. */
enum spdx_target {
    SPDX_WITH_GPL_2_0_ONLY,
    SPDX_WITH_GPL_2_0_OR_LATER,
    SPDX_WITH_GPL_3_0_OR_LATER,
};
#define SPDX_TARGETS 3

/* "GPL-2.0-only" …; the finder takes any case, and returns -1 for anything else. */
const char *spdx_target_name(enum spdx_target t);
int spdx_target_find(const char *name);

/* Which of several branches a term stands in. */
enum spdx_part {
    SPDX_TAKEN,       /* counts for the verdict */
    SPDX_PASSED_OVER, /* in a branch of OR that another one beat, or that came later */
};

/*
 * The question is: could a work made of a program under TARGET and one under the expression be
 * distributed as a whole? The GPL's versions are looked at one by one, since all parts must agree
 * on one: with GPL-2.0-only it is version 2; with GPL-3.0-or-later version 3; with
 * GPL-2.0-or-later either will do. So "GPL-2.0-only AND Apache-2.0" is incompatible with all three,
 * although each of its parts alone is compatible with GPL-2.0-or-later.
 *
 * Whether two processes that talk over a socket are one work at all is not asked. The answer is
 * for the case that they are: who passes here needs not ask.
 */
struct spdx_verdict {
    enum spdx_target target;
    enum spdx_compat compat;
    int version;     /* of the GPL that this is about: 2 or 3 */
    size_t decisive; /* the first taken term that is as bad as the whole */
    size_t n_terms;
    enum spdx_compat terms[LIMIT_SPDX_TERMS]; /* each term's own, with that version */
    enum spdx_part parts[LIMIT_SPDX_TERMS];
};

/*
 * Judges. Never fails: what is not known is SPDX_UNKNOWN, so too an expression that spdx_parse
 * refused, of which n_terms is 0.
 */
void spdx_judge(const struct spdx *e, enum spdx_target target, struct spdx_verdict *v);

/* Why a term is what it is with version 2 or 3 of the GPL. All strings are static. */
struct spdx_reason {
    enum spdx_compat compat;
    const char *taken_as; /* the identifier whose entry decides, where "+" chose a later version;
                             else NULL */
    const char *why;      /* half a sentence: "its patent clauses are further restrictions" */
    const char *source;   /* where that is published: a URL with its anchor; "" where nowhere */
};

void spdx_reason(const struct spdx *e, size_t term, int version, struct spdx_reason *r);

/*
 * The verdict in one line of printable ASCII, for logs and audit records: "compatible with
 * GPL-2.0-only: MIT and 2 more: permissive … <source>" or "incompatible with GPL-2.0-only:
 * Apache-2.0: its patent … <source>". Cut at size. Returns out.
 */
const char *spdx_verdict_text(const struct spdx_verdict *v, const struct spdx *e, char *out,
                              size_t size);

/*
 * Whether the Open Source Initiative has approved it: of parts joined by AND all must be, of those
 * joined by OR one. SPDX_COMPATIBLE: yes; SPDX_INCOMPATIBLE: no; SPDX_UNKNOWN: a reference, an
 * identifier or an exception that is not listed.
 */
enum spdx_compat spdx_osi_approved(const struct spdx *e);

#endif
