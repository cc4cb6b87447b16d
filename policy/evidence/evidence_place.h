/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Whether a file of a source package can be part of an executable, by its path. Constant data.
 *
 * A Debian copyright file lists the licences of source files. A manual, a test or a Makefile is not
 * compiled into a program, so its licence is not the program's: a stanza that covers only such
 * files is set apart, with the reason given here.
 */
#ifndef POEMD_POLICY_EVIDENCE_EVIDENCE_PLACE_H
#define POEMD_POLICY_EVIDENCE_EVIDENCE_PLACE_H

#include <stddef.h>

enum evidence_place {
    EVIDENCE_PLACE_SOURCE, /* may be compiled into the executable */
    EVIDENCE_PLACE_PACKAGING,
    EVIDENCE_PLACE_DOCUMENTATION,
    EVIDENCE_PLACE_TEST,
    EVIDENCE_PLACE_EXAMPLE,
    EVIDENCE_PLACE_BUILD,
    EVIDENCE_PLACE_TRANSLATION,
    EVIDENCE_PLACE_PICTURE,
    EVIDENCE_PLACE_PLATFORM, /* for an operating system that Debian is not made for */
    EVIDENCE_PLACE_EXTRA,
    EVIDENCE_PLACE_SCRIPT,
    EVIDENCE_PLACE_EXCEPTED, /* by its licence, not by its path */
    EVIDENCE_PLACES,
};

/* Returns "source", "packaging", "documentation", "test" … Static. */
const char *evidence_place_name(enum evidence_place p);

/* Returns why files of this place are set apart, half a sentence; "" for sources. Static. */
const char *evidence_place_why(enum evidence_place p);

/*
 * Returns the place of all files that a pattern of a Files field (copyright-format 1.0, 7: "*" and
 * "?" match any characters, "/" too) can match: EVIDENCE_PLACE_SOURCE unless all of them are known
 * to be elsewhere. Ignores case.
 */
enum evidence_place evidence_place_of(const char *pattern, size_t n);

#endif
