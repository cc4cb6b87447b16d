/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Facts that are kept while a session lives: JSON objects of about 1,200 bytes, of which most are
 * names of members and words that all have in common. Packed they take about 370. Pure.
 */
#ifndef POEMD_PROXY_MONITOR_FACTS_FACTS_PACK_H
#define POEMD_PROXY_MONITOR_FACTS_FACTS_PACK_H

#include <jansson.h>

/* The largest object that is packed, as text, in bytes: far more than any facts have. */
#define FACTS_PACK_MOST (1u << 20)

/*
 * Returns the object as packed text, printable ASCII, to be freed by the caller. Returns NULL if
 * out of memory, if facts is NULL, or if it is larger than FACTS_PACK_MOST.
 */
char *facts_pack(const json_t *facts) __attribute__((warn_unused_result));

/*
 * Returns the object that was packed, a new reference. Returns NULL if out of memory, if text is
 * NULL, or if it was not packed by this version: facts_pack and its dictionary belong together.
 */
json_t *facts_unpack(const char *text) __attribute__((warn_unused_result));

#endif
