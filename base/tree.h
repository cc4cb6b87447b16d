/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Red-black trees: libbsd's macros, with functions that are static and may be unused. */
#ifndef POEMD_BASE_TREE_H
#define POEMD_BASE_TREE_H

#include <bsd/sys/tree.h>

#define TREE_GENERATE(name, type, link, compare) \
    RB_GENERATE_INTERNAL(name, type, link, compare, static __attribute__((unused)))

#endif
