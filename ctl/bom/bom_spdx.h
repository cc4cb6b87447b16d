/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* A bill of materials as an SPDX 2.3 document in JSON (ISO/IEC 5962 with the changes of 2.3). */
#ifndef POEMD_CTL_BOM_BOM_SPDX_H
#define POEMD_CTL_BOM_BOM_SPDX_H

#include <stdio.h>

#include "ctl/bom/bom_log.h"

/* Writes the document, an element on each line. Returns 0, or -1 if writing failed. */
int bom_spdx_write(const struct bom *b, FILE *f) __attribute__((warn_unused_result));

#endif
