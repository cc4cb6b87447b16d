/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Debian's short names of licences and exceptions, with their SPDX identifiers. The names are those
 * of copyright-format 1.0, section 7.1.1, and common misspellings with only one possible meaning. A
 * name missing here may be an SPDX identifier itself: the caller consults the SPDX list.
 */
#include <string.h>
#include <strings.h>

#include "policy/evidence/evidence_debian_names.h"

/* Searched linearly: a file needs only a few dozen look-ups. */
static const struct {
    const char *debian;
    const char *spdx;
} names[] = {
    {"Apache-1", "Apache-1.0"},
    {"Apache-2", "Apache-2.0"},
    {"Artistic", "Artistic-1.0"},
    {"Artistic-1", "Artistic-1.0"},
    {"Artistic-2", "Artistic-2.0"},
    {"BSD-2-clause", "BSD-2-Clause"},
    {"BSD-3-clause", "BSD-3-Clause"},
    {"BSD-4-clause", "BSD-4-Clause"},
    {"CC0", "CC0-1.0"},
    {"Expat", "MIT"},
    {"FreeBSD", "BSD-2-Clause"},
    {"GFDL-1.1", "GFDL-1.1-only"},
    {"GFDL-1.1+", "GFDL-1.1-or-later"},
    {"GFDL-1.2", "GFDL-1.2-only"},
    {"GFDL-1.2+", "GFDL-1.2-or-later"},
    {"GFDL-1.3", "GFDL-1.3-only"},
    {"GFDL-1.3+", "GFDL-1.3-or-later"},
    {"GFDL-NIV-1.1", "GFDL-1.1-no-invariants-only"},
    {"GFDL-NIV-1.1+", "GFDL-1.1-no-invariants-or-later"},
    {"GFDL-NIV-1.2", "GFDL-1.2-no-invariants-only"},
    {"GFDL-NIV-1.2+", "GFDL-1.2-no-invariants-or-later"},
    {"GFDL-NIV-1.3", "GFDL-1.3-no-invariants-only"},
    {"GFDL-NIV-1.3+", "GFDL-1.3-no-invariants-or-later"},
    {"GPL-1", "GPL-1.0-only"},
    {"GPL-1+", "GPL-1.0-or-later"},
    {"GPL-1.0+", "GPL-1.0-or-later"},
    {"GPL-2", "GPL-2.0-only"},
    {"GPL-2+", "GPL-2.0-or-later"},
    {"GPL-2.0", "GPL-2.0-only"},
    {"GPL-2.0+", "GPL-2.0-or-later"},
    {"GPL-3", "GPL-3.0-only"},
    {"GPL-3+", "GPL-3.0-or-later"},
    {"GPL-3.0", "GPL-3.0-only"},
    {"GPL-3.0+", "GPL-3.0-or-later"},
    {"GPLv2", "GPL-2.0-only"},
    {"GPLv2+", "GPL-2.0-or-later"},
    {"GPLv3", "GPL-3.0-only"},
    {"GPLv3+", "GPL-3.0-or-later"},
    {"AGPL-3", "AGPL-3.0-only"},
    {"AGPL-3+", "AGPL-3.0-or-later"},
    {"LGPL-2", "LGPL-2.0-only"},
    {"LGPL-2+", "LGPL-2.0-or-later"},
    {"LGPL-2.0", "LGPL-2.0-only"},
    {"LGPL-2.0+", "LGPL-2.0-or-later"},
    {"LGPL-2.1", "LGPL-2.1-only"},
    {"LGPL-2.1+", "LGPL-2.1-or-later"},
    {"LGPL-3", "LGPL-3.0-only"},
    {"LGPL-3+", "LGPL-3.0-or-later"},
    {"LGPL-3.0", "LGPL-3.0-only"},
    {"LGPL-3.0+", "LGPL-3.0-or-later"},
    {"LGPLv2.1+", "LGPL-2.1-or-later"},
    {"LGPLv3+", "LGPL-3.0-or-later"},
    {"MPL-1", "MPL-1.0"},
    {"MPL-2", "MPL-2.0"},
    {"Perl", "(GPL-1.0-or-later OR Artistic-1.0-Perl)"},
};

/* The same exception name can mean different exceptions for different licences. */
static const struct {
    const char *debian;  /* without the final word "exception" */
    const char *licence; /* prefix of the licence's SPDX identifier */
    const char *spdx;
} exceptions[] = {
    {"Autoconf", "GPL-2.0", "Autoconf-exception-2.0"},
    {"Autoconf", "GPL-3.0", "Autoconf-exception-3.0"},
    {"Bison", "GPL-3.0", "Bison-exception-2.2"},
    {"Classpath", "GPL-2.0", "Classpath-exception-2.0"},
    {"Font", "GPL-", "Font-exception-2.0"},
    {"GCC", "GPL-3.0", "GCC-exception-3.1"},
    {"GCC-Runtime-Library", "GPL-3.0", "GCC-exception-3.1"},
    {"Libtool", "GPL-2.0", "Libtool-exception"},
    {"Linux-syscall-note", "", "Linux-syscall-note"},
    {"LLVM", "Apache-2.0", "LLVM-exception"},
};

const char *evidence_debian_licence(const char *name)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcasecmp(names[i].debian, name) == 0) {
            return names[i].spdx;
        }
    }
    return NULL;
}

const char *evidence_debian_exception(const char *name, const char *licence)
{
    for (size_t i = 0; i < sizeof exceptions / sizeof *exceptions; i++) {
        const char *begins = exceptions[i].licence;

        if (strcasecmp(exceptions[i].debian, name) == 0 &&
            strncmp(licence, begins, strlen(begins)) == 0) {
            return exceptions[i].spdx;
        }
    }
    return NULL;
}
