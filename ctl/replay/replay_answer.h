/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Answers DMA_READ and DMA_WRITE as a client that has no recorded answer: from the guest's current
 * memory.
 */
#ifndef POEMD_CTL_REPLAY_REPLAY_ANSWER_H
#define POEMD_CTL_REPLAY_REPLAY_ANSWER_H

#include "ctl/replay/replay_link.h"
#include "ctl/replay/replay_memory.h"

/*
 * Carries out a DMA_WRITE with n bytes of payload at p; ignores any other command. An address that
 * cannot be written is skipped: the answer reports it, or the recorded one does.
 */
void replay_answer_write(const struct replay_memory *m, const struct wire_hdr *hdr, const void *p,
                         size_t n);

/*
 * Queues the answer to a command on an idle link. p has n bytes of the command's payload, at least
 * the fixed part for an answer other than an error. Returns false if memory runs out.
 */
bool replay_answer_put(struct replay_link *l, const struct replay_memory *m,
                       const struct wire_hdr *hdr, const void *p, size_t n)
    __attribute__((warn_unused_result));

#endif
