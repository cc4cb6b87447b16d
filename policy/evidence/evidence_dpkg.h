/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * dpkg's database: which package owns a file, and which digest it had. Pure: the database's files
 * come as bytes.
 */
#ifndef POEMD_POLICY_EVIDENCE_EVIDENCE_DPKG_H
#define POEMD_POLICY_EVIDENCE_EVIDENCE_DPKG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EVIDENCE_DPKG_NAME_SIZE 128u
#define EVIDENCE_DPKG_VERSION_SIZE 128u
#define EVIDENCE_MD5_SIZE 16u

/*
 * The name under which the database may have an absolute path: itself, or, where /usr has been
 * merged, without "/usr" (NULL: that cannot be). False: no database has such a path.
 */
bool evidence_dpkg_path(const char *path, const char **unmerged)
    __attribute__((warn_unused_result));

/* "NAME.list" or "NAME:ARCH.list": the package's name and, or "", its architecture. */
struct evidence_dpkg_name {
    char name[EVIDENCE_DPKG_NAME_SIZE];
    char arch[32];
};

/* Reads the name of a file in "info". False: it is no package's list. */
bool evidence_dpkg_list_name(const char *file, struct evidence_dpkg_name *out)
    __attribute__((warn_unused_result));

/* Whether a .list of n bytes at p has the path. */
bool evidence_dpkg_lists(const char *p, size_t n, const char *path);

/* The digest of an absolute path in a .md5sums of n bytes at p. False: it has none of it. */
bool evidence_dpkg_md5(const char *p, size_t n, const char *path, uint8_t out[EVIDENCE_MD5_SIZE])
    __attribute__((warn_unused_result));

/*
 * The version of the installed package in "status". False: it is not there, or not installed.
 */
bool evidence_dpkg_version(const char *p, size_t n, const struct evidence_dpkg_name *package,
                           char out[EVIDENCE_DPKG_VERSION_SIZE])
    __attribute__((warn_unused_result));

#endif
