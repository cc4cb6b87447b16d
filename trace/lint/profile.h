/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Profiles: what existing programs do with messages beyond the specification. A stock QEMU 11.1
 * refuses, aborts or crashes for some devices that the specification allows; so do others. Each
 * check was tried against the real program, or read in its source, which the finding names.
 *
 * Each function judges one message, or what several have shown, and calls the sink for each
 * finding. Pure.
 */
#ifndef POEMD_TRACE_LINT_PROFILE_H
#define POEMD_TRACE_LINT_PROFILE_H

#include "base/wire/wire.h"
#include "trace/lint/profile_sink.h"

/* Returns the effect as a word: "refuses". */
const char *profile_effect_name(enum profile_effect e);

/* Names the program: "QEMU 11.1". */
const char *profile_name(enum profile p);

/* Names the place in its source: "hw/vfio-user". */
const char *profile_source(enum profile p);

/*
 * Writes the finding as one sentence, "QEMU 11.1 refuses the device: max_msg_fds is 32, more than
 * 16: it prints …", to out, size bytes. Returns out.
 */
const char *profile_sentence(enum profile p, const struct profile_finding *f, char *out,
                             size_t size);

void profile_version(const struct profile_sink *to, const struct profile_version *v);

/*
 * A reply to any command: its size and fds, and the size of the request's buffer for it, as
 * profile_room returns it.
 */
void profile_reply(const struct profile_sink *to, uint16_t command, size_t size, size_t room,
                   unsigned n_fds);

/*
 * Returns the largest reply that QEMU accepts to a request of so many bytes; asked: argsz of
 * GET_REGION_INFO, count of REGION_READ, 0 for others.
 */
size_t profile_room(uint16_t command, size_t size, uint32_t asked);

/* An error reply; index: of the region, or of the type of interrupts, that it is about. */
void profile_error(const struct profile_sink *to, uint16_t command, uint32_t index, uint32_t error);

/* Replies to DEVICE_GET_INFO and DEVICE_GET_REGION_INFO. */
void profile_info(const struct profile_sink *to, const struct wire_device_info *i);
void profile_region(const struct profile_sink *to, const struct wire_region_info *i);

void profile_pci(const struct profile_sink *to, const struct profile_pci *d);

/* A request of the client, whole; for servers. */
void profile_request(const struct profile_sink *to, uint16_t command, const void *p, size_t n,
                     unsigned n_fds);

#endif
