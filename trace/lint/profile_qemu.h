/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The checks of profile.h for the client in QEMU 11.1, each measured with it. Pure. */
#ifndef POEMD_TRACE_LINT_PROFILE_QEMU_H
#define POEMD_TRACE_LINT_PROFILE_QEMU_H

#include "base/wire/wire.h"
#include "trace/lint/profile_sink.h"

/* The size of QEMU's own VERSION request, in whose buffer it receives the reply. */
#define PROFILE_QEMU_VERSION_ROOM 214u

void profile_qemu_version(const struct profile_sink *to, const struct profile_version *v);
void profile_qemu_reply(const struct profile_sink *to, uint16_t command, size_t size, size_t room,
                        unsigned n_fds);
void profile_qemu_error(const struct profile_sink *to, uint16_t command, uint32_t index,
                        uint32_t error);
void profile_qemu_info(const struct profile_sink *to, const struct wire_device_info *i);
void profile_qemu_region(const struct profile_sink *to, const struct wire_region_info *i);
void profile_qemu_pci(const struct profile_sink *to, const struct profile_pci *d);

#endif
