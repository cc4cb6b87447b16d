/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Reads the machine-readable copyright file of a Debian package (Debian's copyright-format 1.0,
 * DEP-5) as an SPDX expression. Pure.
 *
 * The file describes source files, and does not record which of them went into an executable. So
 * the licence is that of the whole package: the License field of the header paragraph if there is
 * one, otherwise all licences of all Files paragraphs joined by AND, except paragraphs that cover
 * only debian/. Short names become SPDX identifiers; a name without one becomes
 * LicenseRef-debian-NAME.
 */
#ifndef POEMD_POLICY_EVIDENCE_EVIDENCE_COPYRIGHT_H
#define POEMD_POLICY_EVIDENCE_EVIDENCE_COPYRIGHT_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/evidence/evidence.h"

enum evidence_copyright {
    EVIDENCE_COPYRIGHT_OK,
    EVIDENCE_COPYRIGHT_FREE_TEXT, /* the file is not machine-readable */
    EVIDENCE_COPYRIGHT_NO_FILES,  /* no paragraph has a licence */
    EVIDENCE_COPYRIGHT_MALFORMED, /* a Files paragraph without a licence, or a line that is not a
                                     field */
    EVIDENCE_COPYRIGHT_TOO_LONG,  /* the expression does not fit */
};

/* Returns the static text of an outcome, for messages. */
const char *evidence_copyright_text(enum evidence_copyright o);

struct evidence_copyrights {
    char licence[EVIDENCE_LICENCE_SIZE];
    bool whole;         /* from the header paragraph */
    unsigned files;     /* number of Files paragraphs included */
    unsigned packaging; /* number left out because they cover only debian/ */
};

/* Reads n bytes at p. Sets *out only for EVIDENCE_COPYRIGHT_OK. */
enum evidence_copyright evidence_copyright_read(struct evidence_copyrights *out, const char *p,
                                                size_t n) __attribute__((warn_unused_result));

/*
 * Converts one licence synopsis ("GPL-2+ with OpenSSL exception or Expat, and BSD-3-clause") of n
 * bytes to an SPDX expression in out (size bytes). Returns false if it does not fit.
 */
bool evidence_copyright_expression(const char *p, size_t n, char *out, size_t size)
    __attribute__((warn_unused_result));

#endif
