/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * SPDX documents of version 2 in JSON. The element that stands for a file is a file or package with
 * the file's SHA-256 among its checksums, or else the only element that the document DESCRIBES.
 * Its concluded licence counts, or the declared one of a package whose concluded licence is missing
 * or NOASSERTION.
 */
#ifndef POEMD_POLICY_EVIDENCE_EVIDENCE_SPDX_H
#define POEMD_POLICY_EVIDENCE_EVIDENCE_SPDX_H

#include <jansson.h>

#include "policy/evidence/evidence_claim.h"

/*
 * Reads the licence of each subject of *out, whose digests are set, and the date of issue. Returns
 * EVIDENCE_DSSE_OK or _NO_DOCUMENT.
 */
enum evidence_dsse evidence_spdx_read(struct evidence_claim *out, const json_t *document)
    __attribute__((warn_unused_result));

#endif
