/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Web pages in a single file that contains their data. */
#ifndef POEMD_BASE_PAGE_H
#define POEMD_BASE_PAGE_H

#include <jansson.h>
#include <stdio.h>

/*
 * Writes a page that has the mark @DATA@ in a script element that is not executed, with the data in
 * its place, as JSON without characters that could be markup. The page's own script must insert
 * that data into the document only as text. Returns 0, -EIO or -ENOMEM.
 */
int page_write(const char *page, const json_t *data, FILE *f) __attribute__((warn_unused_result));

#endif
