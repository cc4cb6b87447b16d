/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The contents of a signed statement: for each of its subjects, identified by its SHA-256, the
 * licence, or the reason why the statement does not give one.
 */
#ifndef POEMD_POLICY_EVIDENCE_EVIDENCE_CLAIM_H
#define POEMD_POLICY_EVIDENCE_EVIDENCE_CLAIM_H

#include <stdint.h>

#include "policy/evidence/evidence.h"

#define EVIDENCE_DSSE_SUBJECTS 64u

enum evidence_dsse {
    EVIDENCE_DSSE_OK,
    EVIDENCE_DSSE_TOO_LONG,     /* longer than EVIDENCE_DSSE_MAX */
    EVIDENCE_DSSE_NO_ENVELOPE,  /* not JSON, or without the members of an envelope */
    EVIDENCE_DSSE_OTHER_TYPE,   /* another payloadType */
    EVIDENCE_DSSE_BAD_BASE64,   /* in the payload or a signature */
    EVIDENCE_DSSE_TOO_MANY,     /* signatures or subjects */
    EVIDENCE_DSSE_UNTRUSTED,    /* no valid signature by a trusted key */
    EVIDENCE_DSSE_NO_STATEMENT, /* the payload is not an in-toto statement of version 0.1 or 1 */
    EVIDENCE_DSSE_OTHER_CLAIM,  /* a statement, but not about a licence */
    EVIDENCE_DSSE_NO_LICENCE,   /* the predicate has no licence in plain text */
    EVIDENCE_DSSE_NO_SUBJECT,   /* no subject has a SHA-256 */
    EVIDENCE_DSSE_BAD_DATE,     /* "issued" or "expires" is not a day */
    EVIDENCE_DSSE_NO_DOCUMENT,  /* not an SPDX 2 or CycloneDX 1 document in JSON */
    /* Outcomes of a subject of a statement with such a document: */
    EVIDENCE_DSSE_NO_ELEMENT,       /* no element of the document is the subject */
    EVIDENCE_DSSE_OTHER_ELEMENT,    /* the described element has another SHA-256 */
    EVIDENCE_DSSE_SEVERAL,          /* several elements are, under different licences */
    EVIDENCE_DSSE_NO_ASSERTION,     /* the element has no licence, or NOASSERTION */
    EVIDENCE_DSSE_NAMED_LICENCE,    /* a name, not an identifier or expression */
    EVIDENCE_DSSE_SEVERAL_LICENCES, /* … without an expression that joins them */
    EVIDENCE_DSSE_NO_MEMORY,
};

/* Kinds of predicates. */
enum evidence_predicate {
    EVIDENCE_PREDICATE_LICENCE, /* EVIDENCE_STATEMENT_PREDICATE */
    EVIDENCE_PREDICATE_SPDX,
    EVIDENCE_PREDICATE_CYCLONEDX,
};

struct evidence_subject {
    uint8_t sha256[EVIDENCE_SHA256_SIZE];
    enum evidence_dsse outcome;
    char licence[EVIDENCE_LICENCE_SIZE]; /* if the outcome is EVIDENCE_DSSE_OK */
};

/* The claim of an envelope with a valid signature: 68 KiB, of which few are used in general. */
struct evidence_claim {
    uint32_t signers;                       /* bit i is set if keys[i] signed it; at least one is */
    uint8_t envelope[EVIDENCE_SHA256_SIZE]; /* SHA-256 of the envelope's bytes */
    enum evidence_predicate predicate;
    uint32_t issued;  /* base/text/date.h; 0 if the statement has no date */
    uint32_t expires; /* the last day on which it holds; 0 if it has none */
    uint32_t n_subjects;
    struct evidence_subject subjects[EVIDENCE_DSSE_SUBJECTS];
};

#endif
