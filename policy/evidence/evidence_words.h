/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The words of a licence text, as SPDX's matching guidelines compare texts (annex "License matching
 * guidelines and templates" of the SPDX specification): without case, punctuation, comment marks,
 * bullets, copyright notices and "All rights reserved", and with one spelling of words that have
 * several. Pure, except that it allocates.
 */
#ifndef POEMD_POLICY_EVIDENCE_EVIDENCE_WORDS_H
#define POEMD_POLICY_EVIDENCE_EVIDENCE_WORDS_H

#include "policy/evidence/debian/evidence_deb822.h"

/* Bytes of a text; longer ones are no notices. The licences that QEMU's has inside take 24 KiB. */
#define EVIDENCE_WORDS_MAX 65536u

/*
 * Returns the words of a text, separated by single spaces, to be freed; NULL if it is longer than
 * EVIDENCE_WORDS_MAX, contains a NUL, or memory runs out. Lines that begin with "#" in the first
 * column and lines that contain only a full stop are as in a control file.
 */
char *evidence_words_new(struct evidence_span text) __attribute__((warn_unused_result));

/*
 * Returns whether a word, as it is written here, can belong to the name of a person, a place on the
 * web or a date, and not to a licence: "not", "commercial" and "gpl" cannot.
 */
bool evidence_words_can_name(struct evidence_span word);

#endif
