/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Reads the copyright file of a Debian package as an SPDX expression: machine-readable ones
 * (Debian's copyright-format 1.0, DEP-5), and others if they consist of well-known notices. Pure,
 * except that it allocates.
 *
 * The file describes source files, and does not record which of them went into an executable. So
 * the licence is that of all files that can be compiled into one: all licences of all Files
 * stanzas, and of the header if it names one (it may add to them, but does not replace them: 5.1),
 * joined by AND. Stanzas that cover only documentation, tests, packaging and the like
 * (evidence_place.h) are set apart, and listed.
 *
 * Short names become SPDX identifiers; one that is made up is read by the text that the file gives
 * for it (evidence_notice.h), and becomes LicenseRef-debian-NAME if that is not known either.
 */
#ifndef POEMD_POLICY_EVIDENCE_DEBIAN_EVIDENCE_COPYRIGHT_H
#define POEMD_POLICY_EVIDENCE_DEBIAN_EVIDENCE_COPYRIGHT_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/evidence/evidence.h"

enum evidence_copyright {
    EVIDENCE_COPYRIGHT_OK,
    EVIDENCE_COPYRIGHT_FREE_TEXT, /* not machine-readable, and not only well-known notices */
    EVIDENCE_COPYRIGHT_NO_FILES,  /* no stanza of sources has a licence */
    EVIDENCE_COPYRIGHT_MALFORMED, /* see line and why */
    EVIDENCE_COPYRIGHT_TOO_LONG,  /* the expression does not fit */
    EVIDENCE_COPYRIGHT_NO_MEMORY,
};

/* Returns the static text of an outcome, for messages. */
const char *evidence_copyright_text(enum evidence_copyright o);

struct evidence_copyrights {
    char licence[EVIDENCE_LICENCE_SIZE];
    bool free_text;   /* not machine-readable: the whole file is a matched text */
    unsigned counted; /* number of Files stanzas of sources */
    unsigned apart;   /* number of Files stanzas set apart */
    unsigned matched; /* number of licences that were recognised by their text */
    unsigned line;    /* of EVIDENCE_COPYRIGHT_MALFORMED */
    const char *why;  /* of EVIDENCE_COPYRIGHT_MALFORMED: static, half a sentence */
    uint32_t n_files; /* as in struct evidence */
    bool files_cut;
    struct evidence_files files[EVIDENCE_FILES];
};

/*
 * Reads n bytes at p. Sets the members of *out for EVIDENCE_COPYRIGHT_OK, or line and why for
 * EVIDENCE_COPYRIGHT_MALFORMED.
 */
enum evidence_copyright evidence_copyright_read(struct evidence_copyrights *out, const char *p,
                                                size_t n) __attribute__((warn_unused_result));

#endif
