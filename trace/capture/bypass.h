/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Notes messages that open a path which bypasses the proxy: FORMAT.trace, section 7. Pure. */
#ifndef POEMD_TRACE_CAPTURE_BYPASS_H
#define POEMD_TRACE_CAPTURE_BYPASS_H

#include <stddef.h>

#include "trace/file/message.h"

#define BYPASS_MAX 160u

/* Returns the comment for such a message in out, or NULL for any other. */
const char *bypass_comment(const struct trace_message *m, char out[BYPASS_MAX]);

#endif
