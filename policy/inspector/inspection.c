/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Results of inspections: their names, and the check of a result sent by a process. Pure. */
#include "policy/inspector/inspector_channel.h"

const char *inspection_text(enum inspection_outcome o)
{
    static const char *const texts[INSPECTION_OUTCOMES] = {
        [INSPECTION_OK] = "inspected",
        [INSPECTION_NO_FILE] = "its executable could not be opened",
        [INSPECTION_TOO_BIG] = "its executable is too big to be read",
        [INSPECTION_CHANGED] = "its executable changed while it was read",
        [INSPECTION_UNREAD] = "its executable could not be read",
        [INSPECTION_TIMEOUT] = "inspecting its executable took too long",
        [INSPECTION_CRASHED] = "the inspector died over its executable",
        [INSPECTION_UNSOUND] = "the inspector's answer cannot be one",
        [INSPECTION_NOBODY] = "there is no inspector to look at its executable",
        [INSPECTION_CREDIT] = "its user has had too much inspected on this route lately",
    };

    return (unsigned)o < INSPECTION_OUTCOMES ? texts[o] : "?";
}

/* Only these can come from an inspector; any other item is made up. */
static bool inspection_item_of_file(const struct evidence_item *i)
{
    if (i->grade == EVIDENCE_PACKAGED) {
        return i->source == EVIDENCE_FROM_ELF_NOTE || i->source == EVIDENCE_FROM_DPKG;
    }
    return i->grade == EVIDENCE_SIGNED && i->source == EVIDENCE_FROM_ENVELOPE;
}

bool inspection_sound(const struct inspection *r)
{
    if (r->outcome != INSPECTION_OK && r->outcome != INSPECTION_CHANGED &&
        r->outcome != INSPECTION_UNREAD) {
        return false;
    }
    if (r->verity_size > INSPECTION_VERITY_MAX || !evidence_sound(&r->evidence)) {
        return false;
    }
    for (uint32_t i = 0; i < r->evidence.n; i++) {
        if (!inspection_item_of_file(&r->evidence.items[i])) {
            return false;
        }
    }
    return r->outcome == INSPECTION_OK || (r->evidence.n == 0 && r->evidence.n_unknown == 0);
}
