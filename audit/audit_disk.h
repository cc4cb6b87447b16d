/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Files that must be there after a power cut: written whole, synced, their folder synced. All
 * block.
 */
#ifndef POEMD_AUDIT_AUDIT_DISK_H
#define POEMD_AUDIT_AUDIT_DISK_H

#include <stddef.h>
#include <stdint.h>

/* Writes all n bytes at offset. 0 or -errno; part may have been written. */
int audit_disk_write(int fd, const void *p, size_t n, uint64_t offset)
    __attribute__((warn_unused_result));

/* Syncs the folder that path is in. 0 or -errno. */
int audit_disk_sync_folder(const char *path) __attribute__((warn_unused_result));

/*
 * Makes a new file with these bytes, synced; the folder is not. Returns the fd, open for reading
 * and writing, or -errno (-EEXIST); then there is no file.
 */
int audit_disk_create(const char *path, unsigned mode, const void *p, size_t n)
    __attribute__((warn_unused_result));

/* Reads a small file whole, at most size - 1 bytes, and adds a NUL. Bytes, or -errno (-EFBIG). */
int audit_disk_read_small(const char *path, char *out, size_t size)
    __attribute__((warn_unused_result));

#endif
