/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A poem, as both parties of a recital have it: the one built in, or another from a file's bytes.
 *
 * Pure: bytes in, a value out; no file is opened here. PROTOCOL.poem, section 2.
 */
#ifndef POEMD_POEM_POEM_H
#define POEMD_POEM_POEM_H

#include <stddef.h>
#include <stdint.h>

/* A poem's bytes at the most: as a JSON string it must fit VERSION's 16 KiB beside other things. */
#define POEM_SIZE_MAX 8192u

/* SHA-256 */
#define POEM_DIGEST_SIZE 32u
#define POEM_DIGEST_HEX_SIZE 64u

/* A refrain as a JSON string, both quotes included: a stock QEMU has no more room for it. */
#define POEM_REFRAIN_JSON_MAX 120u
/* … and so in bytes at the most. */
#define POEM_REFRAIN_MAX (POEM_REFRAIN_JSON_MAX - 2)

struct poem {
    const char *text; /* size bytes of UTF-8, without a NUL inside; borrowed from who made it */
    size_t size;
    uint8_t digest[POEM_DIGEST_SIZE];   /* SHA-256 of the text */
    char refrain[POEM_REFRAIN_MAX + 1]; /* verbatim a part of the text; empty where it has none */
};

/* The poem that this program was built with (poem/poem.txt); its text has a NUL behind it. */
extern const struct poem poem_builtin;

/* Who holds its copyright, and to whom it is granted: poem/COPYRIGHT. NUL-terminated. */
extern const char poem_builtin_grant[];

enum poem_outcome {
    POEM_OK,
    POEM_EMPTY,
    POEM_TOO_LONG, /* above POEM_SIZE_MAX */
    POEM_NUL,      /* a NUL inside: no JSON reader of the peers' takes it */
    POEM_NOT_UTF8,
    POEM_NO_DIGEST, /* libcrypto failed: out of memory */
};

/* Text of an outcome, for messages. Static. */
const char *poem_outcome_text(enum poem_outcome o);

/*
 * Makes a poem of the n bytes at p, which it borrows: they must outlive it. Its refrain is the
 * first line that stands in it at least twice and fits POEM_REFRAIN_JSON_MAX bytes as a JSON
 * string; blank lines do not count. On any outcome but POEM_OK *out is all zeros.
 */
enum poem_outcome poem_read(struct poem *out, const void *p, size_t n)
    __attribute__((warn_unused_result));

/* The digest as 64 lower-case hexadecimal digits with a NUL. Returns out. */
const char *poem_digest_hex(const struct poem *poem, char out[POEM_DIGEST_HEX_SIZE + 1]);

#endif
