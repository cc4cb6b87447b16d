/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Licence synopses of Debian's copyright-format 1.0, section 7.2 ("GPL-2+ with OpenSSL exception or
 * Expat, and BSD-3-clause"), as SPDX expressions. Pure.
 */
#ifndef POEMD_POLICY_EVIDENCE_DEBIAN_EVIDENCE_SYNOPSIS_H
#define POEMD_POLICY_EVIDENCE_DEBIAN_EVIDENCE_SYNOPSIS_H

#include <stdbool.h>
#include <stddef.h>

enum evidence_synopsis {
    EVIDENCE_SYNOPSIS_OK,
    EVIDENCE_SYNOPSIS_BAD,      /* it is not a synopsis but a sentence, or empty */
    EVIDENCE_SYNOPSIS_TOO_LONG, /* the expression does not fit */
};

#define EVIDENCE_SYNOPSIS_TEXT_SIZE 256u

/*
 * Finds the expression for a short name that neither Debian nor SPDX knows, by the text that the
 * file gives for it. Returns false if there is none.
 */
typedef bool evidence_synopsis_resolver(void *arg, const char *name,
                                        char out[EVIDENCE_SYNOPSIS_TEXT_SIZE]);

/*
 * Converts a synopsis of n bytes to an SPDX expression in out (size bytes). A name that is unknown
 * to the tables and to resolve (NULL for none) becomes LicenseRef-debian-NAME, an unknown exception
 * AdditionRef-debian-NAME.
 */
enum evidence_synopsis evidence_synopsis_expression(const char *p, size_t n,
                                                    evidence_synopsis_resolver *resolve, void *arg,
                                                    char *out, size_t size)
    __attribute__((warn_unused_result));

#endif
