/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The data of a trace's packet: the tags of LINKTYPE_WIRESHARK_UPPER_PDU, the capture header and
 * its fds, the kept bytes of the message. FORMAT.trace, section 4. Pure; the same bytes on every
 * machine.
 */
#ifndef POEMD_TRACE_FILE_PACKET_H
#define POEMD_TRACE_FILE_PACKET_H

#include <stddef.h>

#include "trace/file/message.h"

/* The bytes that packet_put writes before the message's own. */
size_t packet_head_size(uint16_t n_fds);

/* Writes those bytes, the message's own not: packet_head_size of them at p. */
void packet_put_head(void *p, const struct trace_message *m);

enum packet_outcome {
    PACKET_OK,
    PACKET_FOREIGN,   /* well-formed, but another dissector's */
    PACKET_MALFORMED, /* *why says what */
};

/*
 * Reads the n bytes of a packet at p. m->read_ns is left as it is; m->fds points to fds
 * (LIMIT_FDS_KERNEL of them), m->data into p. why: static text.
 */
enum packet_outcome packet_get(const void *p, size_t n, struct trace_message *m,
                               struct trace_fd *fds, const char **why)
    __attribute__((warn_unused_result));

#endif
