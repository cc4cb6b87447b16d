/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Names for the specification's numbers, as traces show them: tables and look-ups. */
#ifndef POEMD_TRACE_DECODE_NAMES_H
#define POEMD_TRACE_DECODE_NAMES_H

#include <stdint.h>

#include "base/wire/wire_names.h"

extern const struct wire_name name_seals[];

/* By value; NULL if it has no name. Static. */
const char *names_fd_kind(uint8_t kind); /* "memfd" … */
const char *names_errno(uint32_t error); /* "EINVAL" … */

#endif
