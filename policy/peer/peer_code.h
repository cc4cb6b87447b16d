/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The code that a process has mapped: each file and kind of memory that it can execute. Theory:
 *
 *   /proc/PID/maps lists the mappings, and /proc/PID/map_files/START-END leads to the very file
 *   that is mapped there, whatever its path refers to by now. A process may map other files while
 *   it is looked at: a file counts only if device and inode are those of its line.
 *
 *   Both take the lock of the process's memory, which the process can hold for as long as it likes
 *   (by mapping a file of a FUSE file system that it serves). So these functions may block: the
 *   monitor calls them in threads of their own. Reading the list needs the right to trace the
 *   process (CAP_SYS_PTRACE for other users'), the files CAP_CHECKPOINT_RESTORE.
 *
 *   The list is that of one moment. It does not show code that was changed in memory after it was
 *   mapped, nor what an interpreter reads without mapping it executable.
 */
#ifndef POEMD_POLICY_PEER_PEER_CODE_H
#define POEMD_POLICY_PEER_PEER_CODE_H

#include "policy/peer/peer.h"
#include "policy/peer/peer_maps.h"

/* Returns what a kind is for people: "a file", "a deleted file", "memory without a file" … */
const char *peer_code_kind_text(enum peer_code_kind kind);

/*
 * One file, or all mappings of one of the other kinds and, if that has files, of one file. start,
 * end and path are those of the first mapping.
 */
struct peer_code_item {
    enum peer_code_kind kind;
    uint64_t start;
    uint64_t end;
    unsigned mappings;
    uint32_t maps_major; /* the file as the list shows it */
    uint32_t maps_minor;
    uint64_t maps_inode;
    struct peer_file_id id;      /* of PEER_CODE_FILE, if it is known */
    char *path;                  /* foreign bytes; "" if unknown or without a file. Owned */
    bool path_ours;              /* as of struct peer_exe */
    struct peer_unknown unknown; /* why a file cannot be examined or read */
};

struct peer_code {
    size_t n;
    struct peer_code_item *items; /* in the order of addresses; owned */
    size_t path_bytes;
    struct peer_unknown unknown; /* why there is no list, or only a part of it */
};

/*
 * Lists the code of a process. Cannot fail: if the list cannot be had, or exceeds LIMIT_CODE_FILES
 * or another limit, out->unknown has the reason. May block. pidfd must be the process's. The
 * caller calls peer_code_deinit.
 */
void peer_code_list(struct peer_code *out, pid_t pid, int pidfd);

/*
 * Adds the code of a list in the form of /proc/PID/maps, read from maps_fd up to its end, without
 * looking at the files. For peer_code_list, and for tests with lists of their own. Cannot fail, as
 * peer_code_list.
 */
void peer_code_read(struct peer_code *c, int maps_fd);

/* Frees the list, and leaves an empty one. */
void peer_code_deinit(struct peer_code *c);

/*
 * Opens the file of an item for reading: *out gets path, identity and fd, which the caller closes.
 * Returns false, with the reason in the item, if it cannot be opened or is not the listed one any
 * more. May block.
 */
bool peer_code_open(struct peer_code_item *item, pid_t pid, int pidfd, struct peer_exe *out)
    __attribute__((warn_unused_result));

/* Returns whether both are known to be the same file under the same name. */
bool peer_code_same_file(const struct peer_code_item *a, const struct peer_code_item *b);

#endif
