/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * JSON that a peer sent, read strictly: the one door by which foreign JSON comes in.
 */
#ifndef POEMD_HANDSHAKE_JSON_H
#define POEMD_HANDSHAKE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum json_outcome {
    JSON_OK,
    JSON_NO_MEMORY,
    JSON_TOO_LONG,   /* above LIMIT_VERSION_JSON */
    JSON_NO_NUL,     /* the last byte is not NUL */
    JSON_NUL_INSIDE, /* bytes behind the first NUL: some parsers would not see them */
    JSON_TOO_DEEP,   /* nested above LIMIT_JSON_DEPTH */
    JSON_DUPLICATE,  /* an object names a key twice: parsers differ in which they take */
    JSON_NOT_OBJECT, /* well-formed, but no object */
    JSON_SYNTAX,     /* not JSON, or not UTF-8 */
};

/* Text of an outcome, for logs. Static. */
const char *json_outcome_text(enum json_outcome o);

/*
 * Parses n bytes at p, the last of which must be NUL, as one JSON object. White space and further
 * NULs at the end are allowed (peers pad). On JSON_OK *out is a new reference; otherwise NULL.
 *
 * JSON's numbers have no size: a number above 63 bits, with a fraction or an exponent is kept as it
 * was written. To jansson it is a string that begins with a NUL; json_u64 reads it, json_text and
 * json_write write it. All other functions of jansson that write would write that string.
 */
enum json_outcome json_read(const void *p, size_t n, json_t **out)
    __attribute__((warn_unused_result));

/* Reads an integer from 0 on; above 64 bits it is UINT64_MAX. False: value is none, or NULL. */
bool json_u64(const json_t *value, uint64_t *out) __attribute__((warn_unused_result));

/* Whether the value is a number that is kept as it was written, and no peer's string. */
bool json_is_kept(const json_t *value);

/* The value as text, as json_dumps writes it with these flags; owned by the caller. NULL: no
 * memory.
 */
char *json_text(const json_t *value, size_t flags) __attribute__((warn_unused_result));

/*
 * Writes the value compactly, keys in the order in which they came, numbers as they came, with a
 * NUL at the end, to out. Returns the bytes written, NUL included, or 0 where size is too small or
 * there is no memory.
 */
size_t json_write(const json_t *value, void *out, size_t size) __attribute__((warn_unused_result));

#endif
