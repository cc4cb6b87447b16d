/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* What a term of an expression means, whichever way it was written. Within the policy room alone.
 */
#ifndef POEMD_POLICY_SPDX_SPDX_TERM_H
#define POEMD_POLICY_SPDX_SPDX_TERM_H

#include "policy/spdx/spdx_list.h"

struct spdx_meaning {
    int licence;  /* index of the licence, deprecated ones replaced; -1: not listed */
    int addition; /* index of the exception, that of a replaced identifier included; -1: none */
    bool plus;    /* "+" still stands behind the identifier */
    bool with;    /* there is an exception, though addition may be -1 */
};

struct spdx_meaning spdx_meaning(const struct spdx_term *t);

#endif
