/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The SPDX licence list and the list of exceptions, with what this project knows of their
 * compatibility. Constant data that policy/spdx/list/generate made of the tables beside it; within
 * the policy room alone.
 */
#ifndef POEMD_POLICY_SPDX_SPDX_LIST_H
#define POEMD_POLICY_SPDX_SPDX_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/spdx/spdx.h"

struct spdx_licence {
    const char *id;
    bool deprecated;
    short becomes;                /* what replaces a deprecated one, -1: nothing does */
    short becomes_with;           /* … with this exception, -1: none */
    short or_later;               /* GPL-2.0-only: the index of GPL-2.0-or-later; else -1 */
    bool is_or_later;             /* the identifier itself says "or later" */
    short later;                  /* the version after this one, which "+" lets choose; -1: none */
    enum spdx_compat with_gpl[2]; /* version 2, version 3 */
    const char *why;
    const char *source;
};

/* What an exception does to the compatibility of the licence that it is added to. */
enum spdx_effect {
    SPDX_KEEPS,   /* adds permissions: the licence stays as compatible as it was */
    SPDX_LINKS,   /* lets linked works have other terms: incompatible becomes unknown */
    SPDX_WAIVES,  /* Apache-2.0 alone: what stands in GPL version 2's way may be waived */
    SPDX_OBSCURE, /* not known: all becomes unknown */
};

struct spdx_exception {
    const char *id;
    bool deprecated;
    enum spdx_effect effect;
    const char *why;
    const char *source;
};

/* Index of an identifier of n bytes in any case, or -1. */
int spdx_list_licence(const char *p, size_t n);
int spdx_list_exception(const char *p, size_t n);

const struct spdx_licence *spdx_licence_at(int index);
const struct spdx_exception *spdx_exception_at(int index);
size_t spdx_list_licences(void);
size_t spdx_list_exceptions(void);

/* Where the lists are from: package names and versions. */
const char *spdx_list_origin(void);

/*
 * The listed identifier that was probably meant by n bytes that are none, or NULL: another name in
 * use, or one that differs by a letter or two.
 */
const char *spdx_list_meant(const char *p, size_t n, bool exception);

#endif
