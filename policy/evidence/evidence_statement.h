/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * In-toto statements (version 1, and 0.1 with the same members) whose predicate gives a licence:
 *
 *   {"_type": "https://in-toto.io/Statement/v1",
 *    "subject": [{"name": ANY, "digest": {"sha256": HEX}}, …],
 *    "predicateType": TYPE, "predicate": …}
 *
 * TYPE                          predicate
 * EVIDENCE_STATEMENT_PREDICATE  {"licence": EXPRESSION, "issued": DAY, "expires": DAY} for all
 *                               subjects; both days (YYYY-MM-DD) may be missing
 * https://spdx.dev/Document     an SPDX 2 document (evidence_spdx.h); also with /v2 or /v2.N
 * https://cyclonedx.org/bom     a CycloneDX 1 document (evidence_cyclonedx.h); also with /v1 or
 *                               /v1.N
 *
 * Members not named here are ignored, as the format requires; duplicate members are rejected.
 */
#ifndef POEMD_POLICY_EVIDENCE_EVIDENCE_STATEMENT_H
#define POEMD_POLICY_EVIDENCE_EVIDENCE_STATEMENT_H

#include <stddef.h>

#include "policy/evidence/evidence_claim.h"

#define EVIDENCE_STATEMENT_TYPE "https://in-toto.io/Statement/v1"
#define EVIDENCE_STATEMENT_PREDICATE "urn:poemd:licence:1"

/*
 * Reads n bytes of JSON into all members of *out but signers and envelope. Each subject has an
 * outcome of its own.
 */
enum evidence_dsse evidence_statement_read(struct evidence_claim *out, const void *p, size_t n)
    __attribute__((warn_unused_result));

#endif
