/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The numbers of pcapng (draft-ietf-opsawg-pcapng) that traces use, for trace/file/pcapng.c, which
 * writes, and trace/file/reader.c, which reads.
 */
#ifndef POEMD_TRACE_FILE_PCAPNG_BLOCKS_H
#define POEMD_TRACE_FILE_PCAPNG_BLOCKS_H

/* "General Block Structure": types. The section's type reads the same in both byte orders. */
#define PCAPNG_INTERFACE 0x00000001u
#define PCAPNG_STATISTICS 0x00000005u
#define PCAPNG_PACKET 0x00000006u
#define PCAPNG_SECTION 0x0a0d0d0au

#define PCAPNG_MAGIC 0x1a2b3c4du
#define PCAPNG_MAJOR 1u

/* "Options" */
#define PCAPNG_OPT_END 0u
#define PCAPNG_OPT_COMMENT 1u
#define PCAPNG_SHB_USERAPPL 4u
#define PCAPNG_IF_NAME 2u
#define PCAPNG_IF_DESCRIPTION 3u
#define PCAPNG_IF_TSRESOL 9u
#define PCAPNG_IF_TSOFFSET 14u
#define PCAPNG_EPB_FLAGS 2u
#define PCAPNG_EPB_DROPCOUNT 4u
#define PCAPNG_EPB_PACKETID 5u
#define PCAPNG_EPB_WAITED 0x8001u /* for local use: FORMAT.trace, section 4 */
#define PCAPNG_ISB_STARTTIME 2u
#define PCAPNG_ISB_ENDTIME 3u
#define PCAPNG_ISB_IFRECV 4u
#define PCAPNG_ISB_IFDROP 5u

/* epb_flags, bits 0 and 1 */
#define PCAPNG_FLAG_INBOUND 1u
#define PCAPNG_FLAG_OUTBOUND 2u

/* the default of if_tsresol: microseconds */
#define PCAPNG_TSRESOL_DEFAULT 6u

#endif
