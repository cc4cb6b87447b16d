/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Strict parsing of JSON from peers: the only entry point for foreign JSON. */
#ifndef POEMD_HANDSHAKE_JSON_H
#define POEMD_HANDSHAKE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum json_outcome {
    JSON_OK,
    JSON_NO_MEMORY,
    JSON_TOO_LONG,   /* longer than LIMIT_VERSION_JSON */
    JSON_NO_NUL,     /* the last byte is not NUL */
    JSON_NUL_INSIDE, /* bytes after the first NUL, which some parsers would not see */
    JSON_TOO_DEEP,   /* nested deeper than LIMIT_JSON_DEPTH */
    JSON_DUPLICATE,  /* an object has the same key twice: parsers differ in which one they use */
    JSON_NOT_OBJECT, /* well-formed, but not an object */
    JSON_SYNTAX,     /* not JSON, or not UTF-8 */
};

/* Returns the static text of an outcome, for logs. */
const char *json_outcome_text(enum json_outcome o);

/*
 * Parses n bytes at p, the last of which must be NUL, as one JSON object. White space and further
 * NULs at the end are allowed (peers pad). On JSON_OK *out is a new reference, otherwise NULL.
 *
 * JSON does not limit the size of numbers: a number above 63 bits, or with a fraction or an
 * exponent, is kept as written. To jansson it is a string that begins with a NUL; json_u64 reads
 * it, json_text and json_write write it. Any other output function of jansson would write that
 * string.
 */
enum json_outcome json_read(const void *p, size_t n, json_t **out)
    __attribute__((warn_unused_result));

/*
 * Reads an integer from 0; above 64 bits it becomes UINT64_MAX. Returns false if value is not such
 * a number, or NULL.
 */
bool json_u64(const json_t *value, uint64_t *out) __attribute__((warn_unused_result));

/* Returns whether the value is a kept number, as opposed to a peer's string. */
bool json_is_kept(const json_t *value);

/*
 * Returns the value as text, as json_dumps writes it with these flags, to be freed; NULL if out of
 * memory.
 */
char *json_text(const json_t *value, size_t flags) __attribute__((warn_unused_result));

/*
 * Writes the value in compact form, with keys in their original order and numbers as written,
 * followed by a NUL, to out. Returns the number of bytes including the NUL, or 0 if size is too
 * small or memory ran out.
 */
size_t json_write(const json_t *value, void *out, size_t size) __attribute__((warn_unused_result));

#endif
