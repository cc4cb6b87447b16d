/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Names for the specification's numbers, as traces show them: tables and look-ups. */
#define _GNU_SOURCE
#include "trace/decode/names.h"

#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <string.h>

#include "trace/file/message.h"

const struct wire_name name_seals[] = {
    {F_SEAL_SEAL, "SEAL", NULL},
    {F_SEAL_SHRINK, "SHRINK", NULL},
    {F_SEAL_GROW, "GROW", NULL},
    {F_SEAL_WRITE, "WRITE", NULL},
    {0x10, "FUTURE_WRITE", NULL},
    {0x20, "EXEC", NULL},
    {0, NULL, NULL},
};

const char *names_fd_kind(uint8_t kind)
{
    static const char *const names[TRACE_FD_KINDS] = {
        [TRACE_FD_UNKNOWN] = "fd",      [TRACE_FD_MEMFD] = "memfd",   [TRACE_FD_FILE] = "file",
        [TRACE_FD_EVENTFD] = "eventfd", [TRACE_FD_SOCKET] = "socket", [TRACE_FD_PIPE] = "pipe",
        [TRACE_FD_DEVICE] = "device",   [TRACE_FD_OTHER] = "other",
    };

    return kind < TRACE_FD_KINDS ? names[kind] : NULL;
}

const char *names_errno(uint32_t error)
{
    return error > 0 && error <= INT_MAX ? strerrorname_np((int)error) : NULL;
}
