/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The lines of /proc/PID/maps. Pure. The text is the kernel's, but a process chooses the names of
 * the files that it maps: the kernel writes a newline in one as "\012" and a backslash as it is,
 * so that a name in a line identifies nothing. It is used for the kind of a mapping only.
 */
#ifndef POEMD_POLICY_PEER_PEER_MAPS_H
#define POEMD_POLICY_PEER_PEER_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum peer_code_kind {
    PEER_CODE_NONE,     /* data, or the kernel's own, such as [vdso]: not listed */
    PEER_CODE_FILE,     /* a regular file */
    PEER_CODE_DELETED,  /* a file that has been removed or replaced since */
    PEER_CODE_WRITABLE, /* a file mapped so that its code can be changed in memory */
    PEER_CODE_MEMFD,    /* memory of memfd_create */
    PEER_CODE_MEMORY,   /* memory without a file: generated code, an executable stack or heap */
    PEER_CODE_OTHER,    /* a device, SysV shared memory, or something else that is not a file */
    PEER_CODE_KINDS,
};

struct peer_maps_line {
    uint64_t start;
    uint64_t end;
    bool writable;
    bool executable;
    uint32_t dev_major; /* of the file system; 0 without a file */
    uint32_t dev_minor;
    uint64_t inode;   /* 0 without a file */
    const char *name; /* n_name bytes of the line, without a NUL; may be empty */
    size_t n_name;
};

/* Reads one line, n bytes without its newline. Returns false if it is malformed. */
bool peer_maps_read(const char *p, size_t n, struct peer_maps_line *out)
    __attribute__((warn_unused_result));

/*
 * Returns the kind of a mapping by its line alone: PEER_CODE_NONE if it is not executable or the
 * kernel's own. A file that is PEER_CODE_FILE by its line may turn out to be another kind.
 */
enum peer_code_kind peer_maps_kind(const struct peer_maps_line *l)
    __attribute__((warn_unused_result));

#endif
