/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The elements of a bill of materials that stand for files: a package or file of SPDX, a component
 * of CycloneDX. Elements are offered one after the other; only those that carry the SHA-256
 * of a file count, or else the one that the whole document describes. Pure.
 */
#ifndef POEMD_POLICY_EVIDENCE_EVIDENCE_ELEMENT_H
#define POEMD_POLICY_EVIDENCE_EVIDENCE_ELEMENT_H

#include <jansson.h>
#include <stdbool.h>

#include "policy/evidence/evidence_claim.h"

/*
 * Reads an element's licence to out. Returns EVIDENCE_DSSE_OK, _NO_ASSERTION, _NAMED_LICENCE,
 * _SEVERAL_LICENCES or _NO_LICENCE.
 */
typedef enum evidence_dsse evidence_element_licence(const json_t *element,
                                                    char out[EVIDENCE_LICENCE_SIZE]);

/* How a format writes the digests of its elements. */
struct evidence_element_format {
    const char *digests;   /* the member with the array of digests */
    const char *algorithm; /* … of whose objects this is the algorithm's name */
    const char *value;     /* … and this the value, in hexadecimal */
    const char *sha256;    /* the algorithm */
    evidence_element_licence *licence;
};

/*
 * A search for the elements of all subjects of a claim, whose digests are set. The caller sets
 * format and claim, and zeros the rest.
 */
struct evidence_element_search {
    const struct evidence_element_format *format;
    struct evidence_claim *claim;       /* its subjects receive their outcomes */
    bool found[EVIDENCE_DSSE_SUBJECTS]; /* subjects with an element */
};

/* Offers an element. Its licence is that of the subject whose SHA-256 it has. */
void evidence_element_offer(struct evidence_element_search *s, const json_t *element);

/* Offers each element of an array; anything else is ignored. */
void evidence_element_offer_all(struct evidence_element_search *s, const json_t *elements);

/*
 * Ends the search. A subject without an element gets the one that the document describes (NULL if
 * there is none or there are several), unless that has another SHA-256, or unless there are several
 * subjects, of which it could be only one.
 */
void evidence_element_end(struct evidence_element_search *s, const json_t *described);

/*
 * Copies a licence in plain text. Returns EVIDENCE_DSSE_OK, _NO_ASSERTION for NOASSERTION or a
 * missing member, or _NO_LICENCE if it is not plain text or too long.
 */
enum evidence_dsse evidence_element_text(const json_t *value, char out[EVIDENCE_LICENCE_SIZE]);

#endif
