/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * How a capture is to be made: the words behind "trace" in poemd.conf(5), and what is asked for at
 * the control socket. FORMAT.trace, section 6, for the payload.
 */
#ifndef POEMD_PROXY_CONFIG_CONFIG_TRACE_H
#define POEMD_PROXY_CONFIG_CONFIG_TRACE_H

/* Bytes of a data message's data that are kept, where nothing else is said. */
#define CONFIG_PAYLOAD_DEFAULT 64u

#define CONFIG_PAYLOAD_MOST 0x7fffffffu

/* All of it; and all of guest memory as well. */
#define CONFIG_PAYLOAD_ALL 0xfffffffeu
#define CONFIG_PAYLOAD_GUEST 0xffffffffu

/* MiB of each worker for what it captures, where nothing else is said; and at most. */
#define CONFIG_TRACE_BUFFER_DEFAULT 8u
#define CONFIG_TRACE_BUFFER_MOST 1024u

struct config_trace {
    unsigned payload;    /* bytes, or CONFIG_PAYLOAD_ALL or CONFIG_PAYLOAD_GUEST */
    unsigned rotate_mib; /* a new file from this size on; 0: by size never */
    unsigned every_ms;   /* … and at this age; 0: by age never */
    unsigned keep;       /* old files that are left beside the newest; 0: all */
    unsigned memory_mib; /* a flight recorder of so much; 0: none, all is written */
    char *filter;        /* trace/decode/filter.h; NULL: everything */
};

#endif
