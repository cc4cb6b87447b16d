/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Package notes of an executable: ELF notes with the owner "FDO" and the type 0xcafe1a7e, whose
 * value is a JSON object ("Package Metadata for ELF Files", systemd). Its key "license" is taken
 * for an SPDX expression.
 *
 * Pure but for JSON's memory: the file is read through a function, so that any bytes can stand for
 * it. Nothing of it is believed; each size and place is checked against bounds of our own.
 */
#ifndef POEMD_POLICY_EVIDENCE_EVIDENCE_ELF_H
#define POEMD_POLICY_EVIDENCE_EVIDENCE_ELF_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "policy/evidence/evidence.h"

#define EVIDENCE_ELF_NOTE_TYPE 0xcafe1a7eu

/* Program or section headers at the most; executables have tens of them. */
#define EVIDENCE_ELF_HEADERS 4096u

/* Bytes of one group of notes (a segment or section) at the most. */
#define EVIDENCE_ELF_NOTES_MAX 65536u

/* Package notes at the most. */
#define EVIDENCE_ELF_NOTES 16u

/* Reads n bytes at offset, all or none: n, or anything else for a failure or the file's end. */
typedef ssize_t evidence_read_at(void *arg, uint64_t offset, void *out, size_t n);

enum evidence_elf {
    EVIDENCE_ELF_OK,        /* each licence found was added; perhaps there was none */
    EVIDENCE_ELF_NONE,      /* it is no ELF file: nothing was added */
    EVIDENCE_ELF_MALFORMED, /* an unknown was added, and perhaps items before it */
};

/* Adds the licences of a file's notes, and an unknown for each note that says none rightly. */
enum evidence_elf evidence_elf(struct evidence *e, evidence_read_at *read_at, void *arg);

#endif
