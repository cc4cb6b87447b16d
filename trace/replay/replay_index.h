/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Finds the recorded request that a request of now stands for, so that it can be answered as then.
 *
 * Requests are alike where their command and what they ask about are the same: the register of an
 * access, the index of a region or interrupt, the address of a map. Of those that are alike the
 * first that has not been used is taken that is the same byte by byte, else the first that has not
 * been used, else the last that was. Pure except for its memory.
 */
#ifndef POEMD_TRACE_REPLAY_REPLAY_INDEX_H
#define POEMD_TRACE_REPLAY_REPLAY_INDEX_H

#include "trace/replay/replay_script.h"

struct replay_index;

/* Of a script, which must outlive it. NULL: no memory. */
struct replay_index *replay_index_new(const struct replay_script *s)
    __attribute__((warn_unused_result));
void replay_index_free(struct replay_index *x);

/*
 * The place of the client's request that this one stands for, its payload being n bytes at p;
 * REPLAY_NONE: nothing like it was recorded. It counts as used from now on; *repeated: it did
 * before.
 */
size_t replay_index_find(struct replay_index *x, const struct wire_hdr *hdr, const void *p,
                         size_t n, bool *repeated) __attribute__((warn_unused_result));

#endif
