/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Debian's short names of licences, with their SPDX identifiers. Constant data. */
#ifndef POEMD_POLICY_EVIDENCE_DEBIAN_EVIDENCE_DEBIAN_NAMES_H
#define POEMD_POLICY_EVIDENCE_DEBIAN_EVIDENCE_DEBIAN_NAMES_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Writes the SPDX identifier of a short name, or an expression in parentheses, to out (size bytes).
 * Ignores case. A work that is not subject to copyright ("public-domain") is
 * LicenseRef-debian-public-domain. Returns false if the name is unknown.
 */
bool evidence_debian_licence(const char *name, char *out, size_t size)
    __attribute__((warn_unused_result));

/*
 * Writes the SPDX identifier of an exception ("Bison") to a licence (an SPDX identifier) to out
 * (size bytes). Returns false if it is unknown.
 */
bool evidence_debian_exception(const char *name, const char *licence, char *out, size_t size)
    __attribute__((warn_unused_result));

#endif
