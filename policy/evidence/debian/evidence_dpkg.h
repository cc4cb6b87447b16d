/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * dpkg's database: the package that owns a file, and the digest recorded for it. Pure: the caller
 * passes the database's files as bytes.
 */
#ifndef POEMD_POLICY_EVIDENCE_DEBIAN_EVIDENCE_DPKG_H
#define POEMD_POLICY_EVIDENCE_DEBIAN_EVIDENCE_DPKG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/evidence/debian/evidence_deb822.h"

#define EVIDENCE_DPKG_NAME_SIZE 128u
#define EVIDENCE_DPKG_VERSION_SIZE 128u
#define EVIDENCE_MD5_SIZE 16u

/*
 * Determines the names under which the database may list an absolute path: the path itself and, on
 * systems with a merged /usr, the path without "/usr" in *unmerged (NULL if that is impossible).
 * Returns false if no database can list the path.
 */
bool evidence_dpkg_path(const char *path, const char **unmerged)
    __attribute__((warn_unused_result));

/* "NAME.list" or "NAME:ARCH.list": the package's name and its architecture, or "". */
struct evidence_dpkg_name {
    char name[EVIDENCE_DPKG_NAME_SIZE];
    char arch[32];
};

/* Reads the name of a file in "info". Returns false if it is not a package's list. */
bool evidence_dpkg_list_name(const char *file, struct evidence_dpkg_name *out)
    __attribute__((warn_unused_result));

/*
 * Takes the next path off a .list, which begins at *rest. Leaves out folders: a path is a folder's
 * if the next line is a path below it. Returns false if there is none.
 */
bool evidence_dpkg_next_file(struct evidence_span *rest, struct evidence_span *path)
    __attribute__((warn_unused_result));

/* Returns whether a .list of n bytes at p contains the path. */
bool evidence_dpkg_lists(const char *p, size_t n, const char *path);

/*
 * Finds the path from which a file was diverted to `path`, in the database's "diversions" of n
 * bytes at p (three lines each: from, to, and the diverting package). Writes it to out (size
 * bytes). Returns false if there is none.
 */
bool evidence_dpkg_diverted_from(const char *p, size_t n, const char *path, char *out, size_t size)
    __attribute__((warn_unused_result));

/*
 * Reads the digest of an absolute path from a .md5sums of n bytes at p. Returns false if there is
 * none.
 */
bool evidence_dpkg_md5(const char *p, size_t n, const char *path, uint8_t out[EVIDENCE_MD5_SIZE])
    __attribute__((warn_unused_result));

/*
 * Reads the version of an installed package from "status", whether it is held, waits for triggers
 * or is not configured yet. Returns false if the package is missing or its files are not installed.
 */
bool evidence_dpkg_version(const char *p, size_t n, const struct evidence_dpkg_name *package,
                           char out[EVIDENCE_DPKG_VERSION_SIZE])
    __attribute__((warn_unused_result));

#endif
