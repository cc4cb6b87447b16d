/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * What is known of a licence, and how well: a bounded list of evidence, and of what could not be
 * found out, with its reason.
 *
 * Expressions are texts here, as their source has them; whether one is an SPDX expression, and what
 * it is compatible with, is policy/spdx/spdx.h's to say. A value: it holds no pointer, and crosses
 * processes as it is.
 */
#ifndef POEMD_POLICY_EVIDENCE_EVIDENCE_H
#define POEMD_POLICY_EVIDENCE_EVIDENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In rising order. */
enum evidence_grade {
    EVIDENCE_NONE,
    EVIDENCE_DECLARED, /* the licence capability in VERSION */
    EVIDENCE_RECITED,  /* a valid recital of the poem under that licence */
    EVIDENCE_PACKAGED, /* a note in the executable, or the package that owns it */
    EVIDENCE_SIGNED,   /* an envelope signed with a key that the operator trusts */
    EVIDENCE_ASSIGNED, /* by the operator, in the policy */
    EVIDENCE_GRADES,
};

/* "declared" …; "none". Static. */
const char *evidence_grade_name(enum evidence_grade g);

/* The grade of a name, or -1. */
int evidence_grade_find(const char *name);

enum evidence_source {
    EVIDENCE_FROM_DECLARATION,
    EVIDENCE_FROM_RECITAL,
    EVIDENCE_FROM_ELF_NOTE,
    EVIDENCE_FROM_DPKG,
    EVIDENCE_FROM_ENVELOPE,
    EVIDENCE_FROM_OPERATOR,
    EVIDENCE_SOURCES,
};

/* "declaration", "recital", "elf-note", "dpkg", "envelope", "operator". Static. */
const char *evidence_source_name(enum evidence_source s);

/* Bytes, NUL included. A Debian package's many licences joined by AND must fit. */
#define EVIDENCE_LICENCE_SIZE 1024u
#define EVIDENCE_NAME_SIZE 160u
#define EVIDENCE_DETAIL_SIZE 256u

/* All texts are printable ASCII, NUL-terminated. */
struct evidence_item {
    enum evidence_grade grade;
    enum evidence_source source;
    char licence[EVIDENCE_LICENCE_SIZE]; /* an expression, not yet looked at; never empty */
    char name[EVIDENCE_NAME_SIZE];       /* which one: a package and version, a key's name … */
    char detail[EVIDENCE_DETAIL_SIZE];   /* for people: how it was found, what it rests on */
};

/* A source that should have spoken and could not, or must not be believed. */
struct evidence_unknown {
    enum evidence_source source;
    int error; /* errno, 0 where none took part */
    char why[EVIDENCE_DETAIL_SIZE];
};

#define EVIDENCE_ITEMS 8u
#define EVIDENCE_UNKNOWNS 8u

/*
 * Several items of one source all hold: an executable with two notes is under both (AND). Items of
 * different sources are independent statements about the same thing.
 */
struct evidence {
    uint32_t n;
    uint32_t n_unknown;
    bool cut; /* there was more than fits: an AND of the items is not all */
    struct evidence_item items[EVIDENCE_ITEMS];
    struct evidence_unknown unknowns[EVIDENCE_UNKNOWNS];
};

void evidence_init(struct evidence *e);

/*
 * Adds an item; licence, name and detail are cut or escaped where needed. What cannot stand as it
 * is (a licence that is empty, too long, or not printable ASCII) is added as an unknown instead.
 */
void evidence_add(struct evidence *e, enum evidence_grade grade, enum evidence_source source,
                  const char *licence, const char *name, const char *detail);

void evidence_add_unknown(struct evidence *e, enum evidence_source source, int error,
                          const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Adds all that from has. */
void evidence_append(struct evidence *to, const struct evidence *from);

/* The highest grade there is an item of; EVIDENCE_NONE. */
enum evidence_grade evidence_best(const struct evidence *e);

/*
 * Whether every text is terminated and printable, every enum and count in its range: for what came
 * from another process.
 */
bool evidence_sound(const struct evidence *e) __attribute__((warn_unused_result));

#endif
