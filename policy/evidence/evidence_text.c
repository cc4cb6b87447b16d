/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Text in a buffer of fixed size. Pure. */
#include "policy/evidence/evidence_text.h"

#include <string.h>

void evidence_text_put(struct evidence_text *t, const char *s)
{
    const size_t n = strlen(s);

    if (t->full || n >= t->size - t->n) {
        t->full = true;
        return;
    }
    memcpy(t->out + t->n, s, n + 1);
    t->n += n;
}
