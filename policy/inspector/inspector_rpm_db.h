/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * rpm's database in its sqlite form, read within the sandbox: below a folder opened by the parent,
 * without locks and without a write. Runs in the inspector; not reentrant.
 *
 * rpm writes through a write-ahead log (rpmdb.sqlite-wal). Transactions in it that are complete are
 * read, from a private index; rpm's shared memory for them is not touched. Since no lock is taken,
 * no transaction is ever delayed; if the files change while they are read, the search fails.
 */
#ifndef POEMD_POLICY_INSPECTOR_INSPECTOR_RPM_DB_H
#define POEMD_POLICY_INSPECTOR_INSPECTOR_RPM_DB_H

#include <stddef.h>
#include <stdint.h>

/* Larger headers are not read; the largest of a Fedora system (the kernel's modules) has 2 MiB. */
#define INSPECTOR_RPM_HEADER_MAX (32 << 20)

/* Files of one name that are looked at. Programs do not share a name that often; "README" does. */
#define INSPECTOR_RPM_FILES 256u

/*
 * Called for each file of that name: with the header of its package (n bytes, valid during the
 * call) and the file's number in it. Returns 0, or another number to end the search.
 */
typedef int inspector_rpm_row(const uint8_t *header, size_t n, uint32_t file, void *arg);

/*
 * Calls fn for all files in the database with the name `base` (without a folder). Returns 0, or
 * the first other result of fn, or -errno: -ENOENT if the folder has no such database, -EAGAIN if
 * it changed while it was read (fn may have got parts of both states), -E2BIG for more than
 * INSPECTOR_RPM_FILES files of that name, or -EIO if sqlite cannot read it; then *why has sqlite's
 * reason, static.
 */
int inspector_rpm_db_find(int dir_fd, const char *base, inspector_rpm_row *fn, void *arg,
                          const char **why) __attribute__((warn_unused_result));

#endif
