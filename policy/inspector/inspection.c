/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Results of inspections: their names, the check of a result sent by a process, and how those who
 * have a result share it.
 */
#include "policy/inspector/inspector_channel.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/unconst.h"

const char *inspection_text(enum inspection_outcome o)
{
    static const char *const texts[INSPECTION_OUTCOMES] = {
        [INSPECTION_OK] = "inspected",
        [INSPECTION_NO_FILE] = "its executable could not be opened",
        [INSPECTION_TOO_BIG] = "its executable is too big to be read",
        [INSPECTION_CHANGED] = "its executable changed while it was read",
        [INSPECTION_UNREAD] = "its executable could not be read",
        [INSPECTION_TIMEOUT] = "inspecting its executable took too long",
        [INSPECTION_CRASHED] = "the inspector died while inspecting its executable",
        [INSPECTION_UNSOUND] = "the inspector's answer was invalid",
        [INSPECTION_NOBODY] = "no inspector was available for its executable",
        [INSPECTION_CREDIT] = "its user's inspections on this route exceed the limit for now",
    };

    return (unsigned)o < INSPECTION_OUTCOMES ? texts[o] : "?";
}

const char *inspection_ima_text(enum inspection_ima s)
{
    static const char *const texts[INSPECTION_IMA_STATES] = {
        [INSPECTION_IMA_NO_LIST] = "there is no list of IMA to read",
        [INSPECTION_IMA_LISTED] = "the list of IMA has its SHA-256",
        [INSPECTION_IMA_ABSENT] = "the list of IMA does not have its SHA-256",
        [INSPECTION_IMA_NO_SHA256] = "the list of IMA has no SHA-256 digests",
        [INSPECTION_IMA_BEHIND] = "the list of IMA has not been read to its end yet",
        [INSPECTION_IMA_CUT] = "the list of IMA is too long to be searched to its end",
        [INSPECTION_IMA_UNREAD] = "the list of IMA cannot be read",
    };

    return (unsigned)s < INSPECTION_IMA_STATES ? texts[s] : "?";
}

/* Only these can come from an inspector; any other item is made up. */
static bool inspection_item_of_file(const struct evidence_item *i)
{
    switch (i->source) {
    case EVIDENCE_FROM_ELF_NOTE:
        return i->grade == EVIDENCE_NOTED;
    case EVIDENCE_FROM_DPKG:
    case EVIDENCE_FROM_RPM:
        return i->grade == EVIDENCE_PACKAGED;
    case EVIDENCE_FROM_ENVELOPE:
        return i->grade == EVIDENCE_SIGNED;
    default:
        return false;
    }
}

bool inspection_sound(const struct inspection *r)
{
    if (r->outcome != INSPECTION_OK && r->outcome != INSPECTION_CHANGED &&
        r->outcome != INSPECTION_UNREAD) {
        return false;
    }
    if (r->ima >= INSPECTION_IMA_STATES ||
        (r->ima == INSPECTION_IMA_LISTED) != (r->ima_entry > 0) || !evidence_sound(&r->evidence)) {
        return false;
    }
    for (uint32_t i = 0; i < r->evidence.n; i++) {
        if (!inspection_item_of_file(&r->evidence.items[i])) {
            return false;
        }
    }
    return r->outcome == INSPECTION_OK ||
           (r->evidence.n == 0 && r->evidence.n_unknown == 0 && r->ima == INSPECTION_IMA_NO_LIST);
}

void inspection_nothing(struct inspection *r, enum inspection_outcome outcome, int error)
{
    memset(r, 0, sizeof *r);
    r->outcome = outcome;
    r->error = error;
}

/* ---- sharing ---- */

/* Every inspection with the outcome INSPECTION_OK that leaves the inspector is in one of these. */
struct inspection_shared {
    unsigned users;
    struct inspection inspection;
};

static struct inspection_shared *inspection_shared_of(const struct inspection *r)
{
    return (struct inspection_shared *)((char *)unconst_pointer(r) -
                                        offsetof(struct inspection_shared, inspection));
}

const struct inspection *inspection_new(const struct inspection *r)
{
    struct inspection_shared *const shared = malloc(sizeof *shared);

    if (!shared) {
        return NULL;
    }
    shared->users = 1;
    shared->inspection = *r;
    return &shared->inspection;
}

const struct inspection *inspection_hold(const struct inspection *r)
{
    if (r->outcome != INSPECTION_OK) {
        return inspection_new(r);
    }
    inspection_shared_of(r)->users++;
    return r;
}

void inspection_release(const struct inspection *r)
{
    if (r && --inspection_shared_of(r)->users == 0) {
        free(inspection_shared_of(r));
    }
}
