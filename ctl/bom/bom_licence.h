/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Licences of a bill of materials: which evidence is the party's own statement, which was found,
 * and which counted; and expressions that are valid in SPDX 2.3, whatever the record has.
 */
#ifndef POEMD_CTL_BOM_BOM_LICENCE_H
#define POEMD_CTL_BOM_BOM_LICENCE_H

#include <jansson.h>
#include <stdbool.h>

enum bom_licence {
    BOM_DECLARED,  /* by the party itself, in VERSION or by a recital */
    BOM_OBSERVED,  /* by packages, notes and envelopes */
    BOM_CONCLUDED, /* the evidence that counted for the verdict; none if it is incomplete */
};

/* Returns a party's items of evidence of that kind, a new list, or NULL if out of memory. */
json_t *bom_licence_items(const json_t *party, enum bom_licence kind)
    __attribute__((warn_unused_result));

/*
 * Returns an expression that is valid in SPDX 2.3, to be freed: the canonical form of the text, or
 * a LicenseRef- made of it if it is none. Each LicenseRef- of the expression is added to texts, an
 * object that maps it to its text. Returns NULL if out of memory.
 */
char *bom_licence_expression(const char *text, json_t *texts) __attribute__((warn_unused_result));

/* Joins the licences of a list of items by AND in this way; "NOASSERTION" for an empty list. */
char *bom_licence_join(const json_t *items, json_t *texts) __attribute__((warn_unused_result));

/* Returns whether the text is the identifier of a listed licence, and nothing else. */
bool bom_licence_is_listed(const char *text);

#endif
