/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* What is said of a text that is no licence expression. Within the policy room alone. */
#ifndef POEMD_POLICY_SPDX_SPDX_FAULT_H
#define POEMD_POLICY_SPDX_SPDX_FAULT_H

#include "policy/spdx/spdx.h"

/*
 * Fills *why for the n bytes of text from at (text has a NUL at its end), and returns o. For
 * SPDX_TOO_LONG text is not looked at.
 */
enum spdx_outcome spdx_fault(struct spdx_error *why, enum spdx_outcome o, const char *text,
                             size_t at, size_t n);

#endif
