/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A poem, identical for both parties of a recital: the built-in one, or another from a file's
 * bytes.
 *
 * Pure: opens no file. PROTOCOL.poem, section 2.
 */
#ifndef POEMD_POEM_POEM_H
#define POEMD_POEM_POEM_H

#include <stddef.h>
#include <stdint.h>

/*
 * Maximum size of a poem in bytes: as a JSON string it must fit VERSION's 16 KiB beside other
 * members.
 */
#define POEM_SIZE_MAX 8192u

/* SHA-256 */
#define POEM_DIGEST_SIZE 32u
#define POEM_DIGEST_HEX_SIZE 64u

/*
 * Maximum size of a refrain as a JSON string, including both quotes: a stock QEMU has no more room.
 */
#define POEM_REFRAIN_JSON_MAX 120u
/* The same in bytes. */
#define POEM_REFRAIN_MAX (POEM_REFRAIN_JSON_MAX - 2)

struct poem {
    const char *text; /* size bytes of UTF-8, without NULs; borrowed from the caller */
    size_t size;
    uint8_t digest[POEM_DIGEST_SIZE];   /* SHA-256 of the text */
    char refrain[POEM_REFRAIN_MAX + 1]; /* a line of the text; "" if the text has no refrain */
};

/* The poem built into this program (poem/poem.txt); a NUL follows its text. */
extern const struct poem poem_builtin;

/* The copyright notice and the grant: poem/COPYRIGHT. NUL-terminated. */
extern const char poem_builtin_grant[];

enum poem_outcome {
    POEM_OK,
    POEM_EMPTY,
    POEM_TOO_LONG, /* longer than POEM_SIZE_MAX */
    POEM_NUL,      /* contains a NUL, which no peer's JSON reader accepts */
    POEM_NOT_UTF8,
    POEM_NO_DIGEST, /* libcrypto failed: out of memory */
};

/* Returns the static text of an outcome, for messages. */
const char *poem_outcome_text(enum poem_outcome o);

/*
 * Makes a poem of the n bytes at p, which it borrows: they must outlive it. Its refrain is the
 * first line that occurs at least twice and fits POEM_REFRAIN_JSON_MAX bytes as a JSON string,
 * ignoring blank lines. After any outcome other than POEM_OK, *out is all zeros.
 */
enum poem_outcome poem_read(struct poem *out, const void *p, size_t n)
    __attribute__((warn_unused_result));

/* Writes the digest as 64 lower-case hexadecimal digits with a NUL. Returns out. */
const char *poem_digest_hex(const struct poem *poem, char out[POEM_DIGEST_HEX_SIZE + 1]);

#endif
