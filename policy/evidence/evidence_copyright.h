/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A Debian package's machine-readable copyright file (Debian's copyright-format 1.0, DEP-5) as an
 * SPDX expression. Pure.
 *
 * The file speaks of source files, and nothing says which of them an executable is made of. So its
 * licence is that of the package as a whole: the License field of the header paragraph where there
 * is one, else all licences of all Files paragraphs joined by AND, save those that speak of debian/
 * alone. Short names become SPDX identifiers; one that has none becomes LicenseRef-debian-NAME.
 */
#ifndef POEMD_POLICY_EVIDENCE_EVIDENCE_COPYRIGHT_H
#define POEMD_POLICY_EVIDENCE_EVIDENCE_COPYRIGHT_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/evidence/evidence.h"

enum evidence_copyright {
    EVIDENCE_COPYRIGHT_OK,
    EVIDENCE_COPYRIGHT_FREE_TEXT, /* it is not machine-readable */
    EVIDENCE_COPYRIGHT_NO_FILES,  /* no paragraph says a licence */
    EVIDENCE_COPYRIGHT_MALFORMED, /* a Files paragraph without a licence, a line that is no field */
    EVIDENCE_COPYRIGHT_TOO_LONG,  /* the expression does not fit */
};

/* Text of an outcome, for messages. Static. */
const char *evidence_copyright_text(enum evidence_copyright o);

struct evidence_copyrights {
    char licence[EVIDENCE_LICENCE_SIZE];
    bool whole;         /* the header paragraph's */
    unsigned files;     /* Files paragraphs that it is of */
    unsigned packaging; /* … left out: of debian/ alone */
};

/* Reads n bytes at p. *out is filled in only for EVIDENCE_COPYRIGHT_OK. */
enum evidence_copyright evidence_copyright_read(struct evidence_copyrights *out, const char *p,
                                                size_t n) __attribute__((warn_unused_result));

/*
 * One licence synopsis ("GPL-2+ with OpenSSL exception or Expat, and BSD-3-clause") of n bytes as
 * an SPDX expression to out (size bytes). False: it does not fit.
 */
bool evidence_copyright_expression(const char *p, size_t n, char *out, size_t size)
    __attribute__((warn_unused_result));

#endif
