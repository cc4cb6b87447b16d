/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The one way to drop a const: for interfaces of other libraries that lack it, and for a search in
 * const data whose result the caller may change.
 */
#ifndef POEMD_BASE_UNCONST_H
#define POEMD_BASE_UNCONST_H

/* Returns p, not const any more. The object that it points to must not be const. */
static inline void *unconst_pointer(const void *p)
{
    const union {
        const void *in;
        void *out;
    } u = {p};

    return u.out;
}

#endif
