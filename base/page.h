/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Web pages of a single file, which have their data in them. */
#ifndef POEMD_BASE_PAGE_H
#define POEMD_BASE_PAGE_H

#include <jansson.h>
#include <stdio.h>

/*
 * Writes a page, which has the mark @DATA@ in a script element that is not executed, with the data
 * in that place, as JSON without characters that could be markup. The page's own script must insert
 * what it takes from there into the document as text only. Returns 0, -EIO or -ENOMEM.
 */
int page_write(const char *page, const json_t *data, FILE *f) __attribute__((warn_unused_result));

#endif
