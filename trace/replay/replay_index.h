/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Finds the recorded request that a new request stands for, so that it can be answered with the
 * recorded reply.
 *
 * Requests are of one kind if they have the same command and the same object: the register of an
 * access, the index of a region or interrupt, the address of a map. Of one kind, the first unused
 * request that is equal byte by byte is taken, else the first unused one, else the last used one.
 * Pure except for its memory.
 */
#ifndef POEMD_TRACE_REPLAY_REPLAY_INDEX_H
#define POEMD_TRACE_REPLAY_REPLAY_INDEX_H

#include "trace/replay/replay_script.h"

struct replay_index;

/* Builds the index of a script, which must outlive it. Returns NULL if memory runs out. */
struct replay_index *replay_index_new(const struct replay_script *s)
    __attribute__((warn_unused_result));
void replay_index_free(struct replay_index *x);

/*
 * Returns the place of the client's request that this one stands for, with n bytes of payload at p,
 * or REPLAY_NONE if no such request was recorded. Marks it as used; *repeated: it was used before.
 */
size_t replay_index_find(struct replay_index *x, const struct wire_hdr *hdr, const void *p,
                         size_t n, bool *repeated) __attribute__((warn_unused_result));

#endif
