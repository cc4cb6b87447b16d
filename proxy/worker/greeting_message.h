/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * A VERSION message while it is read or written, and what its header must be. No I/O.
 */
#ifndef POEMD_PROXY_WORKER_GREETING_MESSAGE_H
#define POEMD_PROXY_WORKER_GREETING_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/wire.h"

/* Room that most messages find enough: the largest is some hundred times as long. */
#define GREETING_USUAL 512u

/* What is wrong with a header, in full. */
#define GREETING_WHY 192u

struct greeting_message {
    size_t at;   /* bytes read or written so far */
    size_t size; /* … and in all: known once the header is there */
    size_t room;
    uint8_t *data; /* owned; room bytes */
};

/* Makes room for a message of n bytes; what is in it stays. False: no memory. */
bool greeting_message_room(struct greeting_message *m, size_t n)
    __attribute__((warn_unused_result));

void greeting_message_deinit(struct greeting_message *m);

/*
 * Judges the header, which is there, of the message that begins a session, or answers request if
 * that is not NULL; fills *hdr in any case. False: why says what is wrong, with the header's
 * numbers and the limit. "Header", "VFIO_USER_VERSION".
 */
bool greeting_message_judge(const struct greeting_message *m, const struct wire_hdr *request,
                            struct wire_hdr *hdr, char why[static GREETING_WHY])
    __attribute__((warn_unused_result));

#endif
