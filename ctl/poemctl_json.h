/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* How poemctl's subcommands print the object that --json asks for. */
#ifndef POEMD_CTL_POEMCTL_JSON_H
#define POEMD_CTL_POEMCTL_JSON_H

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

/*
 * Writes JSON as printable ASCII, whatever foreign text is in it; flags as json_dumpf takes them.
 * 0, or -1 where writing failed.
 */
int poemctl_json_write(const json_t *value, size_t flags, FILE *f);

/*
 * Prints the document, a reference that is taken (NULL: there was no memory), so, with a line end.
 * Returns code, or, said on standard error, POEMCTL_COULD_NOT.
 */
int poemctl_json(const char *name, json_t *doc, int code);

/* Foreign text as a JSON string of printable ASCII, all else in it escaped; NULL: no memory. */
json_t *poemctl_json_text(const char *text);

#endif
