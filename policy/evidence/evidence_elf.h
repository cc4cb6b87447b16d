/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Package notes of an executable: ELF notes with the owner "FDO", the type 0xcafe1a7e and a JSON
 * object as their value ("Package Metadata for ELF Files", systemd). The value of the key "license"
 * is read as an SPDX expression. A linker writes any text that it is given into such a note, so the
 * grade is EVIDENCE_NOTED, whatever package the note names.
 *
 * Pure, except that JSON allocates memory: the file is read through a callback, so that any bytes
 * can stand in for it. The file is not trusted: each size and offset is checked against our own
 * limits.
 */
#ifndef POEMD_POLICY_EVIDENCE_EVIDENCE_ELF_H
#define POEMD_POLICY_EVIDENCE_EVIDENCE_ELF_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "policy/evidence/evidence.h"

#define EVIDENCE_ELF_NOTE_TYPE 0xcafe1a7eu

/* Maximum number of program or section headers; executables have tens of them. */
#define EVIDENCE_ELF_HEADERS 4096u

/* Maximum size in bytes of one group of notes (a segment or section). */
#define EVIDENCE_ELF_NOTES_MAX 65536u

/* Maximum number of package notes. */
#define EVIDENCE_ELF_NOTES 16u

/*
 * Reads n bytes at offset, all or none. Returns n, or any other value for an error or the end of
 * the file.
 */
typedef ssize_t evidence_read_at(void *arg, uint64_t offset, void *out, size_t n);

enum evidence_elf {
    EVIDENCE_ELF_OK,        /* each licence found was added; there may be none */
    EVIDENCE_ELF_NONE,      /* not an ELF file: nothing was added */
    EVIDENCE_ELF_MALFORMED, /* an unknown was added, and perhaps items before it */
};

/*
 * Adds the licences of a file's notes, and an unknown for each note without a well-formed licence.
 */
enum evidence_elf evidence_elf(struct evidence *e, evidence_read_at *read_at, void *arg);

#endif
