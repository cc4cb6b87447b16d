/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Settings of a capture: the arguments of "trace" in poemd.conf(5), and of requests at the control
 * socket. FORMAT.trace, section 6, for the payload.
 */
#ifndef POEMD_PROXY_CONFIG_CONFIG_TRACE_H
#define POEMD_PROXY_CONFIG_CONFIG_TRACE_H

/* Bytes of a data message's data to keep by default. */
#define CONFIG_PAYLOAD_DEFAULT 64u

#define CONFIG_PAYLOAD_MOST 0x7fffffffu

/* All of it; and all of guest memory as well. */
#define CONFIG_PAYLOAD_ALL 0xfffffffeu
#define CONFIG_PAYLOAD_GUEST 0xffffffffu

/* MiB of each worker for captures: by default; and at most. */
#define CONFIG_TRACE_BUFFER_DEFAULT 8u
#define CONFIG_TRACE_BUFFER_MOST 1024u

enum config_pack { CONFIG_PACK_NO, CONFIG_PACK_ZSTD };

/* The end of a packed file's name. */
#define CONFIG_PACK_SUFFIX ".zst"

struct config_trace {
    unsigned payload;    /* bytes, or CONFIG_PAYLOAD_ALL or CONFIG_PAYLOAD_GUEST */
    unsigned rotate_mib; /* start a new file from this size on; 0: never by size */
    unsigned every_ms;   /* … and at this age; 0: never by age */
    unsigned keep;       /* number of old files to keep besides the newest; 0: all */
    unsigned memory_mib; /* size of a flight recorder; 0: not one, all is written */
    enum config_pack pack;
    char *filter; /* trace/decode/filter.h; NULL: all messages */
};

#endif
