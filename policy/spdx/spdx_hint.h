/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Hints for names that are not on the lists. A hint never changes the meaning: it keeps numbers,
 * short words and "or later" as they were written. Pure. For use within the policy room.
 */
#ifndef POEMD_POLICY_SPDX_SPDX_HINT_H
#define POEMD_POLICY_SPDX_SPDX_HINT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Writes the correction of an unlisted licence or exception of n bytes: the identifier that was
 * meant, or advice for a name that has none. plus: a "+" follows it. Returns false, and leaves out
 * unchanged, if nothing with the same meaning is close.
 */
bool spdx_hint(const char *p, size_t n, bool exception, bool plus, char *out, size_t size);

#endif
