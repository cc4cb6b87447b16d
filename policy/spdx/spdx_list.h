/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The SPDX licence list and the list of exceptions, with this project's knowledge of their
 * compatibility. Constant data that policy/spdx/list/generate made from the tables beside it; for
 * use within the policy room.
 */
#ifndef POEMD_POLICY_SPDX_SPDX_LIST_H
#define POEMD_POLICY_SPDX_SPDX_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/spdx/spdx.h"

struct spdx_licence {
    const char *id;
    bool deprecated;
    short becomes;                /* replacement of a deprecated identifier, or -1 */
    short becomes_with;           /* exception added by the replacement, or -1 */
    short or_later;               /* GPL-2.0-only: the index of GPL-2.0-or-later; otherwise -1 */
    bool is_or_later;             /* the identifier itself means "or later" */
    short later;                  /* the next version, which "+" permits to choose; -1 if none */
    enum spdx_compat with_gpl[2]; /* version 2, version 3 */
    const char *why;
    const char *source;
};

/* The effect of an exception on the compatibility of its licence. */
enum spdx_effect {
    SPDX_KEEPS,   /* adds permissions: the licence stays as compatible as before */
    SPDX_LINKS,   /* permits other terms for linked works: incompatible becomes unknown */
    SPDX_WAIVES,  /* only Apache-2.0: the obstacle to GPL version 2 may be waived */
    SPDX_OBSCURE, /* not known: every result becomes unknown */
};

struct spdx_exception {
    const char *id;
    bool deprecated;
    enum spdx_effect effect;
    const char *why;
    const char *source;
};

/* Return the index of an identifier of n bytes, ignoring case, or -1. */
int spdx_list_licence(const char *p, size_t n);
int spdx_list_exception(const char *p, size_t n);

const struct spdx_licence *spdx_licence_at(int index);
const struct spdx_exception *spdx_exception_at(int index);
size_t spdx_list_licences(void);
size_t spdx_list_exceptions(void);

/* Compares like strcmp of the lower-case forms; p has n bytes. */
int spdx_list_compare(const char *p, size_t n, const char *id);

#endif
