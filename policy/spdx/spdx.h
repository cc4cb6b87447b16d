/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * SPDX licence expressions, and whether a work under one can be combined with a GPL program into
 * one work.
 *
 * Pure: no fd, clock, log or allocation, no recursion, all sizes bounded (base/limits.h). An
 * expression is foreign text; the output of this module is printable ASCII.
 *
 * The grammar is the annex "SPDX license expressions" of the SPDX specification, 2.3 and 3.0:
 * operators all upper or all lower case; identifiers in any case; AND binds tighter than OR; "+"
 * after a listed licence; WITH a listed exception or an AdditionRef-; LicenseRef- and AdditionRef-,
 * each with or without a DocumentRef-…: prefix. NONE and NOASSERTION are as in 3.1: alone, or under
 * AND.
 *
 *     static struct spdx e;              about 14 KiB: too large for the stack
 *     struct spdx_error why;
 *     struct spdx_verdict v;
 *     char text[256];
 *
 *     if (spdx_parse(&e, p, n, SPDX_LISTED, &why) != SPDX_OK) …  why.text, why.hint, why.at
 *     spdx_judge(&e, SPDX_WITH_GPL_2_0_ONLY, &v);
 *     if (v.compat != SPDX_COMPATIBLE) …                 unknown is not compatible
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
    SPDX_EMPTY,             /* only spaces */
    SPDX_TOO_LONG,          /* more than LIMIT_SPDX_TEXT bytes */
    SPDX_TOO_MANY,          /* more than LIMIT_SPDX_TERMS licences */
    SPDX_TOO_DEEP,          /* more than LIMIT_SPDX_DEPTH nested parentheses */
    SPDX_BAD_BYTE,          /* a byte that expressions cannot contain; a newline */
    SPDX_BAD_OPERATOR,      /* "And", "&&", "/", "," … */
    SPDX_BAD_PLUS,          /* "+" after a space, after a reference, twice, or alone */
    SPDX_BAD_REFERENCE,     /* DocumentRef- without its licence, an empty name, "licenseref-" */
    SPDX_EXPECTED_LICENCE,  /* an operator, ")" or the end instead of a licence */
    SPDX_EXPECTED_OPERATOR, /* a licence or "(" instead of an operator */
    SPDX_EXPECTED_ADDITION, /* after WITH, something other than an exception */
    SPDX_BAD_WITH,          /* WITH after ")" or after an exception */
    SPDX_BAD_SPECIAL,       /* NONE or NOASSERTION with OR, WITH or "+" */
    SPDX_UNCLOSED,          /* "(" without ")" */
    SPDX_UNOPENED,          /* ")" without "(" */
    SPDX_UNLISTED_LICENCE,  /* an identifier missing from the licence list */
    SPDX_UNLISTED_ADDITION,
};

/* Why a text is not an expression. Both texts are printable ASCII; foreign bytes are escaped. */
struct spdx_error {
    enum spdx_outcome outcome;
    size_t at;      /* offset of the first faulty byte; the text's length if it ends too early */
    size_t length;  /* number of faulty bytes, 0 at the end */
    char text[160]; /* the fault */
    char hint[160]; /* the correction, or "" */
};

enum spdx_lookup {
    SPDX_LISTED, /* the specification's grammar: an unlisted identifier is an error */
    SPDX_ANY,    /* an unlisted identifier is kept and judged as unknown: a peer's list may be newer
                    than ours */
};

/* Remarks on a term that is valid. Bits. */
enum spdx_note {
    SPDX_NOTE_DEPRECATED = 1,      /* a deprecated licence identifier; the canonical text has its
                                      replacement if SPDX names one */
    SPDX_NOTE_DEPRECATED_ADD = 2,  /* a deprecated exception */
    SPDX_NOTE_UNLISTED = 4,        /* licence not on the list (only with SPDX_ANY) */
    SPDX_NOTE_UNLISTED_ADD = 8,    /* exception not on the list (only with SPDX_ANY) */
    SPDX_NOTE_PLUS_REDUNDANT = 16, /* GPL-2.0-or-later+ : the "+" is redundant */
    SPDX_NOTE_PLUS_CONTRARY = 32,  /* GPL-2.0-only+ : contradicts itself, judged as unknown */
};

enum spdx_kind {
    SPDX_LICENCE,     /* on the list */
    SPDX_UNLISTED,    /* not on the list (only with SPDX_ANY) */
    SPDX_REFERENCE,   /* LicenseRef-, DocumentRef-…:LicenseRef- */
    SPDX_NONE,        /* NONE: stated to have no licence */
    SPDX_NOASSERTION, /* NOASSERTION: no statement */
};

/* A range in struct spdx's text. */
struct spdx_span {
    uint16_t at;
    uint16_t n;
};

/* A licence with its "+" and its exception: an operand of the expression. */
struct spdx_term {
    enum spdx_kind kind;
    int16_t licence;       /* index in the list, or -1 */
    int16_t addition;      /* index in the list of exceptions, or -1 if absent or not listed */
    bool plus;             /* a "+" that is not part of the identifier */
    unsigned notes;        /* bits of enum spdx_note */
    struct spdx_span name; /* the licence as written, without "+" */
    struct spdx_span with; /* the exception after WITH as written; n is 0 if there is none */
};

enum spdx_node_kind { SPDX_TERM, SPDX_AND, SPDX_OR };

/* Nodes follow their operands; the last one is the root. */
struct spdx_node {
    enum spdx_node_kind kind;
    uint16_t left;  /* SPDX_TERM: index of the term; otherwise index of a node */
    uint16_t right; /* unused for SPDX_TERM */
};

struct spdx {
    size_t n_terms;
    size_t n_nodes;
    struct spdx_term terms[LIMIT_SPDX_TERMS]; /* in the order of the text */
    struct spdx_node nodes[2 * LIMIT_SPDX_TERMS - 1];
    char text[LIMIT_SPDX_TEXT + 1]; /* a copy of the parsed text, with a NUL */
};

/*
 * Parses n bytes (no NUL is needed; a NUL inside is SPDX_BAD_BYTE). Writes all parts of *e in use;
 * sets *why only on failure, in which case *e has no terms.
 */
enum spdx_outcome spdx_parse(struct spdx *e, const char *p, size_t n, enum spdx_lookup lookup,
                             struct spdx_error *why) __attribute__((warn_unused_result));

/* Returns a word for an outcome ("unlisted-licence"), for JSON and logs. */
const char *spdx_outcome_name(enum spdx_outcome o);

/*
 * Writes the canonical text: identifiers as in the list, deprecated ones replaced if SPDX names a
 * replacement (GPL-2.0+ becomes GPL-2.0-or-later, GPL-2.0-with-classpath-exception becomes
 * GPL-2.0-only WITH Classpath-exception-2.0), operators in capitals, single spaces, only the
 * parentheses that precedence requires. Order is kept. Parsing the result again gives the same
 * text. Writes at most size bytes including the NUL, and returns the full length without it, as
 * snprintf does; SPDX_CANONICAL_SIZE always suffices.
 */
size_t spdx_canonical(const struct spdx *e, char *out, size_t size);
#define SPDX_CANONICAL_SIZE (LIMIT_SPDX_TEXT + 64u * LIMIT_SPDX_TERMS)

/* Writes one term in canonical form, with "+" and WITH; returns a length like spdx_canonical. */
size_t spdx_term_text(const struct spdx *e, size_t term, char *out, size_t size);
#define SPDX_TERM_SIZE (LIMIT_SPDX_TEXT + 64u)

/* Returns the remarks on the expression: the bits of all its terms. */
unsigned spdx_notes(const struct spdx *e);

/* Returns a static sentence for one bit of enum spdx_note. */
const char *spdx_note_text(enum spdx_note note);

/* ---- compatibility ---- */

/* Worst first: of operands of AND the smallest value counts, of those of OR the greatest. */
enum spdx_compat { SPDX_INCOMPATIBLE, SPDX_UNKNOWN, SPDX_COMPATIBLE };

/* Returns "incompatible", "unknown" or "compatible". */
const char *spdx_compat_name(enum spdx_compat c);

/* The licence of the GPL program to combine with. */
enum spdx_target {
    SPDX_WITH_GPL_2_0_ONLY,
    SPDX_WITH_GPL_2_0_OR_LATER,
    SPDX_WITH_GPL_3_0_OR_LATER,
};
#define SPDX_TARGETS 3

/* "GPL-2.0-only" …; spdx_target_find ignores case and returns -1 for other names. */
const char *spdx_target_name(enum spdx_target t);
int spdx_target_find(const char *name);

/* Whether a term is in the branch that was chosen. */
enum spdx_part {
    SPDX_TAKEN,       /* counts for the verdict */
    SPDX_PASSED_OVER, /* in a branch of OR that is worse than the chosen one, or equal and later */
};

/*
 * The question is: could a work made of a program under TARGET and one under the expression be
 * distributed as a whole? The versions of the GPL are examined one by one, since all parts must
 * agree on one: for GPL-2.0-only that is version 2; for GPL-3.0-or-later version 3; for
 * GPL-2.0-or-later either one. So "GPL-2.0-only AND Apache-2.0" is incompatible with all three,
 * although each of its parts alone is compatible with GPL-2.0-or-later.
 *
 * Whether two processes that communicate over a socket form one work at all is left open. The
 * answer assumes that they do: if it is "compatible", the question is irrelevant.
 */
struct spdx_verdict {
    enum spdx_target target;
    enum spdx_compat compat;
    int version;     /* the version of the GPL in question: 2 or 3 */
    size_t decisive; /* the first taken term that is as bad as the whole */
    size_t n_terms;
    enum spdx_compat terms[LIMIT_SPDX_TERMS]; /* each term alone, with that version */
    enum spdx_part parts[LIMIT_SPDX_TERMS];
};

/*
 * Judges an expression. Never fails: the result is SPDX_UNKNOWN if something is not known, and for
 * an expression that spdx_parse refused, which has n_terms 0.
 */
void spdx_judge(const struct spdx *e, enum spdx_target target, struct spdx_verdict *v);

/* The reason for a term's result with version 2 or 3 of the GPL. All strings are static. */
struct spdx_reason {
    enum spdx_compat compat;
    const char *taken_as; /* the identifier of the deciding entry if "+" chose a later version;
                             otherwise NULL */
    const char *why;      /* half a sentence: "its patent clauses are further restrictions" */
    const char *source;   /* where that is published: a URL with its anchor, or "" */
};

void spdx_reason(const struct spdx *e, size_t term, int version, struct spdx_reason *r);

/*
 * Writes the verdict as one line of printable ASCII, for logs and audit records: "compatible with
 * GPL-2.0-only: MIT and 2 more: permissive … <source>" or "incompatible with GPL-2.0-only:
 * Apache-2.0: its patent … <source>". Cut at size. Returns out.
 */
const char *spdx_verdict_text(const struct spdx_verdict *v, const struct spdx *e, char *out,
                              size_t size);

/*
 * Writes one sentence: under which versions of the GPL the combination with a program under target
 * could be distributed, and whether it could be with QEMU, which is under version 2. Cut at size;
 * SPDX_WHOLE_SIZE always suffices. Returns out.
 */
const char *spdx_whole_text(const struct spdx *e, enum spdx_target target, char *out, size_t size);
#define SPDX_WHOLE_SIZE 192u

/*
 * Returns whether the licence states of itself that it is proprietary: the name of a reference or
 * an unlisted name does, or it is a listed text that reserves uses to its author. For AND one of
 * the operands, for OR all of them.
 */
bool spdx_proprietary(const struct spdx *e);

/* Returns the same for one term. */
bool spdx_term_proprietary(const struct spdx *e, size_t term);

/*
 * Returns whether the Open Source Initiative has approved the licence: for AND all operands must be
 * approved, for OR one of them. SPDX_COMPATIBLE means yes, SPDX_INCOMPATIBLE no, and SPDX_UNKNOWN
 * that there is a reference, or an unlisted identifier or exception.
 */
enum spdx_compat spdx_osi_approved(const struct spdx *e);

#endif
