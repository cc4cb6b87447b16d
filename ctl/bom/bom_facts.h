/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The facts of a bill of materials for which neither SPDX nor CycloneDX has a member of its own, as
 * objects: FORMAT.audit, section 11. SPDX has them in annotations and comments, CycloneDX in
 * properties. All strings are printable ASCII, except for the line feeds and the dash of a proof.
 */
#ifndef POEMD_CTL_BOM_BOM_FACTS_H
#define POEMD_CTL_BOM_BOM_FACTS_H

#include <jansson.h>

#include "ctl/bom/bom_log.h"

/* Room for "2026-11-23T10:15:00Z" and a NUL. */
#define BOM_FACTS_TIME 21

/* Return new references, or NULL if out of memory. */
json_t *bom_facts_document(const struct bom *b) __attribute__((warn_unused_result));
json_t *bom_facts_party(const struct bom *b, const json_t *row) __attribute__((warn_unused_result));
json_t *bom_facts_conversation(const struct bom *b, const json_t *row)
    __attribute__((warn_unused_result));

/* Returns a conversation in a sentence, as a new reference to a string. */
json_t *bom_facts_sentence(const struct bom *b, const json_t *row)
    __attribute__((warn_unused_result));

/* Returns whether the parties were allowed to speak. */
bool bom_facts_spoke(const json_t *row);

/* Writes a record's time in whole seconds; 1970 for "". */
void bom_facts_time(const char *time, char out[BOM_FACTS_TIME]);

/* Writes the SHA-256 of the newest checkpoint's text as hexadecimal digits, and a NUL. */
void bom_facts_digest(const struct bom *b, char out[65]);

#endif
