/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Writes a JSON object member by member, and its lists element by element, each on a line, so that
 * no document has to be in memory as a whole. Printable ASCII.
 */
#ifndef POEMD_CTL_BOM_BOM_WRITE_H
#define POEMD_CTL_BOM_BOM_WRITE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

struct bom_write {
    FILE *f;
    const char *join; /* before the next member */
    const char *join_element;
    bool failed; /* writing failed, or out of memory */
};

/* Begins the object. */
void bom_write_init(struct bom_write *w, FILE *f);

/* Writes a member; takes the reference. NULL means that memory ran out. */
void bom_write_member(struct bom_write *w, const char *name, json_t *value);

/* Begins a member that is a list, whose elements follow; takes their references likewise. */
void bom_write_list(struct bom_write *w, const char *name);
void bom_write_element(struct bom_write *w, json_t *value);
void bom_write_list_end(struct bom_write *w);

/* Ends the object. Returns 0, or -1 if anything failed. */
int bom_write_end(struct bom_write *w) __attribute__((warn_unused_result));

#endif
