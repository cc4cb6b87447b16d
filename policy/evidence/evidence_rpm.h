/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The headers of rpm's database: a package's names, its License tag, and what it records of one of
 * its files. Pure: the caller passes a header as bytes.
 *
 * A header is a row of the table Packages, in the form of rpm's manual "RPM v4 header format",
 * without the leading magic number: two numbers (entries, bytes of data), an index of 16 bytes for
 * each entry, and the data. All numbers are big-endian.
 */
#ifndef POEMD_POLICY_EVIDENCE_EVIDENCE_RPM_H
#define POEMD_POLICY_EVIDENCE_EVIDENCE_RPM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/evidence/evidence.h"

/* The tags that are read; every other entry of a header is only checked for its place. */
enum evidence_rpm_field {
    EVIDENCE_RPM_NAME,
    EVIDENCE_RPM_VERSION,
    EVIDENCE_RPM_RELEASE,
    EVIDENCE_RPM_EPOCH,
    EVIDENCE_RPM_LICENSE,
    EVIDENCE_RPM_ARCH,
    EVIDENCE_RPM_FILE_STATES,
    EVIDENCE_RPM_FILE_DIGESTS,
    EVIDENCE_RPM_DIR_INDEXES,
    EVIDENCE_RPM_BASENAMES,
    EVIDENCE_RPM_DIRNAMES,
    EVIDENCE_RPM_DIGEST_ALGORITHM,
    EVIDENCE_RPM_FIELDS,
};

/* A header whose structure is sound. Points into the caller's bytes. */
struct evidence_rpm_header {
    const uint8_t *data;
    uint32_t n_data; /* bytes */
    struct {
        uint32_t at;    /* offset in the data */
        uint32_t count; /* elements; 0 if the header lacks the tag */
    } fields[EVIDENCE_RPM_FIELDS];
};

/*
 * Reads n bytes at p. Returns false if they are not exactly one well-formed header, or if a tag of
 * the list above has another type than rpm's, occurs twice, or has another number of elements than
 * the tags that it belongs to.
 */
bool evidence_rpm_read(struct evidence_rpm_header *h, const uint8_t *p, size_t n)
    __attribute__((warn_unused_result));

/* Values of a file's digest algorithm (RFC 4880, section 9.4). */
#define EVIDENCE_RPM_MD5 1u
#define EVIDENCE_RPM_SHA256 8u

#define EVIDENCE_RPM_DIGEST_MAX 64u /* bytes */

struct evidence_rpm_file {
    char path[4096];
    bool installed;     /* false for a file that was skipped or replaced by another package's */
    uint32_t algorithm; /* EVIDENCE_RPM_MD5 … */
    uint32_t n_digest;  /* bytes; 0 if none is recorded, as for a link */
    uint8_t digest[EVIDENCE_RPM_DIGEST_MAX];
};

/* Reads the file with this number. Returns false if there is none, or if it is malformed. */
bool evidence_rpm_file(const struct evidence_rpm_header *h, uint32_t index,
                       struct evidence_rpm_file *out) __attribute__((warn_unused_result));

/*
 * Writes "NAME [EPOCH:]VERSION-RELEASE ARCH" to out; foreign bytes. Returns false if a part is
 * missing or they do not fit.
 */
bool evidence_rpm_name(const struct evidence_rpm_header *h, char out[EVIDENCE_NAME_SIZE])
    __attribute__((warn_unused_result));

/* Returns the License tag: NUL-terminated foreign bytes within the header, or NULL. */
const char *evidence_rpm_licence_tag(const struct evidence_rpm_header *h);

/*
 * Returns whether two absolute paths are one path on a system with a merged /usr (/bin is /usr/bin,
 * /sbin and /usr/sbin may be as well, /lib64 is /usr/lib64 …): rpm's packages list a file under
 * either of them, the kernel reports only one.
 */
bool evidence_rpm_path_merged(const char *a, const char *b);

/*
 * Converts a License tag to an SPDX expression in out. A tag is an SPDX expression, or joins names
 * that Fedora used until 2022 ("GPLv2+ and (MIT or ASL 2.0)"), or both. Returns false with the
 * reason, which begins with "its License tag", if a name is unknown or stood for several licences.
 */
bool evidence_rpm_expression(const char *tag, char out[EVIDENCE_LICENCE_SIZE],
                             char why[EVIDENCE_DETAIL_SIZE]) __attribute__((warn_unused_result));

#endif
