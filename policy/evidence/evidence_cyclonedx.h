/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * CycloneDX documents of version 1 in JSON. The component that stands for a file is one with the
 * file's SHA-256 among its hashes: metadata.component, or one of the document's components, not of
 * components within them; or else metadata.component. metadata.licenses is the licence of the
 * document itself.
 *
 * The licences of a component: an expression, or one licence with an SPDX identifier. Concluded
 * ones come before others. The format does not define how several licences are joined.
 */
#ifndef POEMD_POLICY_EVIDENCE_EVIDENCE_CYCLONEDX_H
#define POEMD_POLICY_EVIDENCE_EVIDENCE_CYCLONEDX_H

#include <jansson.h>

#include "policy/evidence/evidence_claim.h"

/*
 * Reads the licence of each subject of *out, whose digests are set, and the date of issue. Returns
 * EVIDENCE_DSSE_OK or _NO_DOCUMENT.
 */
enum evidence_dsse evidence_cyclonedx_read(struct evidence_claim *out, const json_t *document)
    __attribute__((warn_unused_result));

#endif
