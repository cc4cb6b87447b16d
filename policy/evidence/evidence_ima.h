/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The measurement list of the kernel's IMA (Integrity Measurement Architecture) in its ASCII form:
 * /sys/kernel/security/ima/ascii_runtime_measurements. Pure.
 *
 * An entry is a line: PCR, template hash, template, and the template's fields; those on files begin
 * with the file's digest and its name. The kernel writes names as they are, except that it
 * replaces spaces by underscores. So a name with line feeds makes lines of its own, which any user
 * can choose; but no such line has the spaces that an entry has before its digest.
 */
#ifndef POEMD_POLICY_EVIDENCE_EVIDENCE_IMA_H
#define POEMD_POLICY_EVIDENCE_EVIDENCE_IMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/evidence/evidence.h"

/*
 * Bytes of a line that are looked at. The digest ends before: the PCR has at most 3, the template
 * hash 128, the template's name 10, the digest 78 with its kind and algorithm.
 */
#define EVIDENCE_IMA_LINE 256u

struct evidence_ima_entry {
    uint32_t pcr;
    bool has_sha256; /* it is the SHA-256 of a file's contents, in the next member */
    uint8_t sha256[EVIDENCE_SHA256_SIZE];
};

/*
 * Reads a line of n bytes without its line feed, of which all behind EVIDENCE_IMA_LINE may be
 * missing. Returns false if it is not an entry.
 *
 * An entry without has_sha256 is one with another digest, such as SHA-1 or that of fs-verity, of a
 * violation, or not of a file.
 */
bool evidence_ima_read(struct evidence_ima_entry *e, const char *line, size_t n);

/* The part of a line that has been read. Zeroed at first. */
struct evidence_ima_reader {
    size_t n; /* bytes in line */
    char line[EVIDENCE_IMA_LINE];
};

typedef void evidence_ima_fn(const struct evidence_ima_entry *e, void *arg);

/* Takes the next n bytes of a list, and calls fn for each entry that ends in them. */
void evidence_ima_feed(struct evidence_ima_reader *r, const char *p, size_t n, evidence_ima_fn *fn,
                       void *arg);

#endif
