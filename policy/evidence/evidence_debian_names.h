/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Debian's short names of licences, and what SPDX calls them. Constant data. */
#ifndef POEMD_POLICY_EVIDENCE_EVIDENCE_DEBIAN_NAMES_H
#define POEMD_POLICY_EVIDENCE_EVIDENCE_DEBIAN_NAMES_H

/* The SPDX identifier (or expression in parentheses) of a short name in any case, or NULL. */
const char *evidence_debian_licence(const char *name);

/* The SPDX identifier of an exception ("Bison") to a licence (an SPDX identifier), or NULL. */
const char *evidence_debian_exception(const char *name, const char *licence);

#endif
