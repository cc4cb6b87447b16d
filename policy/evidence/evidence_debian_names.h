/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Debian's short names of licences, with their SPDX identifiers. Constant data. */
#ifndef POEMD_POLICY_EVIDENCE_EVIDENCE_DEBIAN_NAMES_H
#define POEMD_POLICY_EVIDENCE_EVIDENCE_DEBIAN_NAMES_H

/*
 * Returns the SPDX identifier (or expression in parentheses) of a short name, ignoring case, or
 * NULL.
 */
const char *evidence_debian_licence(const char *name);

/*
 * Returns the SPDX identifier of an exception ("Bison") to a licence (an SPDX identifier), or NULL.
 */
const char *evidence_debian_exception(const char *name, const char *licence);

#endif
