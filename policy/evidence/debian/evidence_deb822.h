/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Reads the stanzas of a Debian control file (deb822(5), Debian Policy 5.1), as copyright files are
 * written. Pure; everything points into the caller's text.
 *
 * Tolerant where the format is: lines that contain only spaces separate stanzas, names ignore case,
 * lines may end with a carriage return, and "#" begins a comment line anywhere. Strict where a
 * reader would have to guess: a field that occurs twice, as after a lost blank line, is a fault,
 * and neither the first nor the last one wins.
 */
#ifndef POEMD_POLICY_EVIDENCE_DEBIAN_EVIDENCE_DEB822_H
#define POEMD_POLICY_EVIDENCE_DEBIAN_EVIDENCE_DEB822_H

#include <stdbool.h>
#include <stddef.h>

/* A range of text; p is NULL if there is none. */
struct evidence_span {
    const char *p;
    size_t n;
};

/* Returns whether both have the same letters, ignoring case. */
bool evidence_span_is(struct evidence_span s, const char *text);

/* Takes the first line off *rest, without its line feed. Returns false if *rest is empty. */
bool evidence_span_line(struct evidence_span *rest, struct evidence_span *line);

struct evidence_deb822_field {
    struct evidence_span name;
    struct evidence_span first; /* the value's first line, trimmed */
    struct evidence_span more;  /* its continuation lines, and comment lines among them */
    unsigned line;              /* counted from 1 */
};

enum evidence_deb822_fault {
    EVIDENCE_DEB822_OK,
    EVIDENCE_DEB822_TWICE,        /* a field occurs twice */
    EVIDENCE_DEB822_NO_COLON,     /* a line is neither a field nor a continuation */
    EVIDENCE_DEB822_CONTINUATION, /* the stanza begins with a continuation line */
    EVIDENCE_DEB822_TOO_MANY,     /* more than EVIDENCE_DEB822_FIELDS_MAX fields */
};

/* Returns the static text of a fault, half a sentence. */
const char *evidence_deb822_fault_text(enum evidence_deb822_fault f);

/* Copyright files have 13 fields, and X- fields of their own. */
#define EVIDENCE_DEB822_FIELDS_MAX 32u

struct evidence_deb822_stanza {
    unsigned line; /* of its first field */
    enum evidence_deb822_fault fault;
    unsigned fault_line; /* of the first fault */
    unsigned n;
    struct evidence_deb822_field fields[EVIDENCE_DEB822_FIELDS_MAX];
};

struct evidence_deb822 {
    struct evidence_span rest;
    unsigned line; /* number of lines read */
};

/* Begins to read n bytes at p. */
void evidence_deb822_begin(struct evidence_deb822 *d, const char *p, size_t n);

/*
 * Reads the next stanza, up to its end even if it has a fault; a field that occurs twice is then
 * there twice. Returns false at the end of the text.
 */
bool evidence_deb822_next(struct evidence_deb822 *d, struct evidence_deb822_stanza *s)
    __attribute__((warn_unused_result));

/* Returns the first field with this name, ignoring case, or NULL. */
const struct evidence_deb822_field *evidence_deb822_find(const struct evidence_deb822_stanza *s,
                                                         const char *name);

#endif
