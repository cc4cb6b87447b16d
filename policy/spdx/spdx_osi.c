/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The licences approved by the Open Source Initiative: https://opensource.org/licenses, as marked
 * in the SPDX licence list (isOsiApproved); compared with the npm package spdx-license-list 6.12.0.
 * Identifiers are spelled as in policy/spdx/spdx_list.inc, which the tests check. Pure.
 */
#include <string.h>

#include "policy/spdx/spdx.h"
#include "policy/spdx/spdx_term.h"

/* clang-format off: alphabetical, a letter's a line or more */
static const char *const approved[] = {
    "0BSD",
    "AAL",
    "AFL-1.1",
    "AFL-1.2",
    "AFL-2.0",
    "AFL-2.1",
    "AFL-3.0",
    "AGPL-3.0",
    "AGPL-3.0-only",
    "AGPL-3.0-or-later",
    "ALGLIB-Documentation",
    "APL-1.0",
    "APSL-1.0",
    "APSL-1.1",
    "APSL-1.2",
    "APSL-2.0",
    "Apache-1.1",
    "Apache-2.0",
    "Artistic-1.0",
    "Artistic-1.0-Perl",
    "Artistic-1.0-cl8",
    "Artistic-2.0",
    "BSD-1-Clause",
    "BSD-2-Clause",
    "BSD-2-Clause-Patent",
    "BSD-3-Clause",
    "BSD-3-Clause-LBNL",
    "BSD-3-Clause-Open-MPI",
    "BSL-1.0",
    "BlueOak-1.0.0",
    "CAL-1.0",
    "CAL-1.0-Combined-Work-Exception",
    "CATOSL-1.1",
    "CDDL-1.0",
    "CECILL-2.1",
    "CERN-OHL-P-2.0",
    "CERN-OHL-S-2.0",
    "CERN-OHL-W-2.0",
    "CNRI-Python",
    "CPAL-1.0",
    "CPL-1.0",
    "CUA-OPL-1.0",
    "ECL-1.0",
    "ECL-2.0",
    "EFL-1.0",
    "EFL-2.0",
    "EPL-1.0",
    "EPL-2.0",
    "EUDatagrid",
    "EUPL-1.1",
    "EUPL-1.2",
    "Entessa",
    "Fair",
    "Frameworx-1.0",
    "GPL-2.0",
    "GPL-2.0-only",
    "GPL-2.0-or-later",
    "GPL-3.0",
    "GPL-3.0-only",
    "GPL-3.0-or-later",
    "GPL-3.0-with-GCC-exception",
    "HPND",
    "ICU",
    "IPA",
    "IPL-1.0",
    "ISC",
    "Intel",
    "Jam",
    "LGPL-2.0",
    "LGPL-2.0-only",
    "LGPL-2.0-or-later",
    "LGPL-2.1",
    "LGPL-2.1-only",
    "LGPL-2.1-or-later",
    "LGPL-3.0",
    "LGPL-3.0-only",
    "LGPL-3.0-or-later",
    "LPL-1.0",
    "LPL-1.02",
    "LPPL-1.3c",
    "LiLiQ-P-1.1",
    "LiLiQ-R-1.1",
    "LiLiQ-Rplus-1.1",
    "MIT",
    "MIT-0",
    "MIT-Modern-Variant",
    "MPL-1.0",
    "MPL-1.1",
    "MPL-2.0",
    "MPL-2.0-no-copyleft-exception",
    "MS-PL",
    "MS-RL",
    "MirOS",
    "Motosoto",
    "MulanPSL-2.0",
    "Multics",
    "NASA-1.3",
    "NCSA",
    "NGPL",
    "NPOSL-3.0",
    "NTP",
    "Naumen",
    "Nokia",
    "OCLC-2.0",
    "OFL-1.1",
    "OFL-1.1-RFN",
    "OFL-1.1-no-RFN",
    "OGTSL",
    "OLDAP-2.8",
    "OLFL-1.3",
    "OSC-1.0",
    "OSET-PL-2.1",
    "OSL-1.0",
    "OSL-2.0",
    "OSL-2.1",
    "OSL-3.0",
    "PHP-3.0",
    "PHP-3.01",
    "PostgreSQL",
    "Python-2.0",
    "QPL-1.0",
    "RPL-1.1",
    "RPL-1.5",
    "RPSL-1.0",
    "RSCPL",
    "SISSL",
    "SPL-1.0",
    "SimPL-2.0",
    "Sleepycat",
    "UCL-1.0",
    "UPL-1.0",
    "Unicode-3.0",
    "Unicode-DFS-2016",
    "Unlicense",
    "VSL-1.0",
    "W3C",
    "W3C-20150513",
    "Watcom-1.0",
    "WordNet",
    "Xnet",
    "ZPL-2.0",
    "ZPL-2.1",
    "Zlib",
    "wxWindows",
};
/* clang-format on */

static bool spdx_osi_is_approved(int licence)
{
    const char *id = spdx_licence_at(licence)->id;

    for (size_t i = 0; i < sizeof approved / sizeof *approved; i++) {
        if (strcmp(approved[i], id) == 0) {
            return true;
        }
    }
    return false;
}

static enum spdx_compat spdx_osi_judge_term(const struct spdx *e, size_t term)
{
    const struct spdx_term *t = &e->terms[term];
    const struct spdx_meaning m = spdx_meaning(t);
    const struct spdx_exception *const x = spdx_term_exception(e, term);
    bool good;

    if (t->kind == SPDX_NONE || spdx_term_proprietary(e, term)) {
        return SPDX_INCOMPATIBLE;
    }
    if (t->kind != SPDX_LICENCE || (t->notes & SPDX_NOTE_PLUS_CONTRARY)) {
        return SPDX_UNKNOWN;
    }
    /*
     * An exception adds permissions to an approved licence, unless its effect is obscure: some
     * exceptions restrict.
     */
    if (m.with && (!x || x->effect == SPDX_OBSCURE)) {
        return SPDX_UNKNOWN;
    }
    good = spdx_osi_is_approved(m.licence);
    for (int i = spdx_licence_at(m.licence)->later; m.plus && i >= 0 && !good;
         i = spdx_licence_at(i)->later) {
        good = spdx_osi_is_approved(i);
    }
    return good ? SPDX_COMPATIBLE : SPDX_INCOMPATIBLE;
}

enum spdx_compat spdx_osi_approved(const struct spdx *e)
{
    enum spdx_compat at[2 * LIMIT_SPDX_TERMS - 1] = {SPDX_UNKNOWN};

    /* Operands precede their node; the root is last. */
    for (size_t i = 0; i < e->n_nodes; i++) {
        const struct spdx_node *n = &e->nodes[i];
        const enum spdx_compat left =
            n->kind == SPDX_TERM ? spdx_osi_judge_term(e, n->left) : at[n->left];
        const enum spdx_compat right = n->kind == SPDX_TERM ? left : at[n->right];

        if (n->kind == SPDX_OR) {
            at[i] = left > right ? left : right;
        } else {
            at[i] = left < right ? left : right;
        }
    }
    return e->n_nodes > 0 ? at[e->n_nodes - 1] : SPDX_UNKNOWN;
}
