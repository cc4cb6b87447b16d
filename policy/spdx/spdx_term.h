/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The meaning of a term, independent of its spelling. For use within the policy room. */
#ifndef POEMD_POLICY_SPDX_SPDX_TERM_H
#define POEMD_POLICY_SPDX_SPDX_TERM_H

#include "policy/spdx/spdx_list.h"

struct spdx_meaning {
    int licence;  /* index of the licence, or of a deprecated one's replacement; -1 if not listed */
    int addition; /* index of the exception, including that of a replaced identifier; -1 if none */
    bool plus;    /* the identifier is still followed by "+" */
    bool with;    /* there is an exception, even if addition is -1 */
};

struct spdx_meaning spdx_meaning(const struct spdx_term *t);

/*
 * Returns the exception of a term, or NULL if there is none or its effect is unknown. Besides
 * listed ones these are the names by which the reader of Debian's copyright files refers to
 * permissions: AdditionRef-debian-OpenSSL, to which Debian's format gives a meaning, and
 * AdditionRef-debian-permission-…, whose text it has read.
 */
const struct spdx_exception *spdx_term_exception(const struct spdx *e, size_t term);

#endif
