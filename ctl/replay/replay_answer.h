/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A client's answers to DMA_READ and DMA_WRITE, where no recorded ones are given: out of the
 * guest's memory as it is.
 */
#ifndef POEMD_CTL_REPLAY_REPLAY_ANSWER_H
#define POEMD_CTL_REPLAY_REPLAY_ANSWER_H

#include "ctl/replay/replay_link.h"
#include "ctl/replay/replay_memory.h"

/*
 * Does what a DMA_WRITE asks for, its payload being n bytes at p; anything else is left alone. What
 * cannot be written is not: the answer says so, or the recorded one does.
 */
void replay_answer_write(const struct replay_memory *m, const struct wire_hdr *hdr, const void *p,
                         size_t n);

/*
 * Puts the answer to a command on its way, on a link that is idle; p: n bytes of its payload, the
 * fixed part at least where it is to be understood. False: no memory.
 */
bool replay_answer_put(struct replay_link *l, const struct replay_memory *m,
                       const struct wire_hdr *hdr, const void *p, size_t n)
    __attribute__((warn_unused_result));

#endif
