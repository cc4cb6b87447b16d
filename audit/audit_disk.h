/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Files that must survive a power cut: written completely and synced, as is their folder. All
 * functions block.
 */
#ifndef POEMD_AUDIT_AUDIT_DISK_H
#define POEMD_AUDIT_AUDIT_DISK_H

#include <stddef.h>
#include <stdint.h>

/*
 * Writes all n bytes at offset. Returns 0 or -errno; after an error, some bytes may have been
 * written.
 */
int audit_disk_write(int fd, const void *p, size_t n, uint64_t offset)
    __attribute__((warn_unused_result));

/* Syncs the folder that contains path. Returns 0 or -errno. */
int audit_disk_sync_folder(const char *path) __attribute__((warn_unused_result));

/*
 * Creates a file with these bytes and syncs it, but not its folder. Returns the fd, open for
 * reading and writing, or -errno (-EEXIST); after an error there is no such file.
 */
int audit_disk_create(const char *path, unsigned mode, const void *p, size_t n)
    __attribute__((warn_unused_result));

/*
 * Reads a small file completely, at most size - 1 bytes, and adds a NUL. Returns the number of
 * bytes or -errno (-EFBIG).
 */
int audit_disk_read_small(const char *path, char *out, size_t size)
    __attribute__((warn_unused_result));

#endif
