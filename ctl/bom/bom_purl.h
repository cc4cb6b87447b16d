/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Package URLs, of the types deb and rpm of the purl specification, by the evidence. */
#ifndef POEMD_CTL_BOM_BOM_PURL_H
#define POEMD_CTL_BOM_BOM_PURL_H

#include <jansson.h>
#include <stdbool.h>

/* Room for a package's name or version, with a NUL: evidence has less. */
#define BOM_PURL_PART 160u

struct bom_package {
    char name[BOM_PURL_PART];
    char version[BOM_PURL_PART]; /* "" if unknown */
    char arch[BOM_PURL_PART];    /* likewise: evidence from dpkg has none */
    /* "" if the record has no distribution, which the URL must name. */
    char purl[1024];
};

/*
 * Finds the package that an executable belongs to, by its row's evidence. Returns false if there is
 * none, or more than one.
 */
bool bom_purl_package(const json_t *row, struct bom_package *out);

#endif
