/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Messages about texts that are not licence expressions. For use within the policy room. */
#ifndef POEMD_POLICY_SPDX_SPDX_FAULT_H
#define POEMD_POLICY_SPDX_SPDX_FAULT_H

#include "policy/spdx/spdx.h"

/*
 * Fills *why for the n bytes of text from at (text ends in a NUL), and returns o. For
 * SPDX_TOO_LONG, text is not read.
 */
enum spdx_outcome spdx_fault(struct spdx_error *why, enum spdx_outcome o, const char *text,
                             size_t at, size_t n);

#endif
