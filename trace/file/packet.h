/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The data of a trace's packet: the tags of LINKTYPE_WIRESHARK_UPPER_PDU, the capture header and
 * its fds, and the message's kept bytes. FORMAT.trace, section 4. Pure; the same bytes on every
 * machine.
 */
#ifndef POEMD_TRACE_FILE_PACKET_H
#define POEMD_TRACE_FILE_PACKET_H

#include <stddef.h>

#include "trace/file/message.h"

/* The dissector of the capture header, which calls the one of the message. */
#define TRACE_DISSECTOR "vfio_user_capture"

/* Sizes of the capture header's fixed part and of each fd, in bytes. FORMAT.trace, section 4. */
#define TRACE_CAPTURE_VERSION 1u
#define TRACE_CAPTURE_HDR_SIZE 40u
#define TRACE_CAPTURE_FD_SIZE 32u

/* Bytes that packet_put_head writes before the message's own. */
size_t packet_head_size(uint16_t n_fds);

/* Writes those bytes, packet_head_size of them, to p; not the message's own. */
void packet_put_head(void *p, const struct trace_message *m);

enum packet_outcome {
    PACKET_OK,
    PACKET_FOREIGN,   /* well-formed, but another dissector's */
    PACKET_MALFORMED, /* see *why */
};

/*
 * Reads the packet of n bytes at p. Leaves m->read_ns unchanged; m->fds points to fds
 * (LIMIT_FDS_KERNEL of them), m->data into p. *why is a static text.
 */
enum packet_outcome packet_get(const void *p, size_t n, struct trace_message *m,
                               struct trace_fd *fds, const char **why)
    __attribute__((warn_unused_result));

#endif
