/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The digests in the kernel's list of measurements (evidence_ima.h). The list only grows: it is
 * read piece by piece, once, and then what has been added. Runs in the sandbox.
 */
#ifndef POEMD_POLICY_INSPECTOR_INSPECTOR_IMA_H
#define POEMD_POLICY_INSPECTOR_INSPECTOR_IMA_H

#include "policy/inspector/inspector.h"

/*
 * Bytes of the list that are read at once. Each read of 4 KiB makes the kernel walk the list from
 * its beginning, about 1 ms behind 100,000 entries: less than 100 ms.
 */
#define INSPECTOR_IMA_SLICE (256u << 10)

/*
 * Slices that are read for one executable: its own entry is as old as its process, so that only
 * those that others have just caused can be behind it.
 */
#define INSPECTOR_IMA_CATCH_UP 4

/* Digests that are kept, 40 bytes each and as many free: hosts have up to 100,000. */
#define INSPECTOR_IMA_DIGESTS (1u << 18)

struct inspector_ima;

/*
 * Makes the reader of a list, which lives as long as the process. list_fd is the open list,
 * borrowed, or -1 if the kernel has none. Returns NULL if out of memory.
 */
struct inspector_ima *inspector_ima_new(int list_fd) __attribute__((warn_unused_result));

/* Reads a slice of the list. Returns false if nothing has been added since. */
bool inspector_ima_read(struct inspector_ima *i);

/* Looks up the file's SHA-256 in the part that has been read; sets r->ima and its members. */
void inspector_ima_look(const struct inspector_ima *i, struct inspection *r);

#endif
