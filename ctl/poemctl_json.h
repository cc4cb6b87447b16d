/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Prints the JSON of poemctl's subcommands, which --json asks for. */
#ifndef POEMD_CTL_POEMCTL_JSON_H
#define POEMD_CTL_POEMCTL_JSON_H

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

/*
 * Writes JSON as printable ASCII, whatever foreign text it holds; flags are json_dumpf's. Returns
 * 0, or -1 if writing failed.
 */
int poemctl_json_write(const json_t *value, size_t flags, FILE *f);

/*
 * Prints the document in this way, with a line feed; takes the reference. Returns code, or
 * POEMCTL_COULD_NOT after an error message; also if doc is NULL, which means that memory ran out.
 */
int poemctl_json(const char *name, json_t *doc, int code);

/*
 * Returns foreign text as a JSON string of printable ASCII, all other bytes escaped; NULL if memory
 * runs out.
 */
json_t *poemctl_json_text(const char *text);

#endif
