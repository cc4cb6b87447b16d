/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Requests with large replies: a short list, searched from the oldest on. */
#include "proxy/relay/asked.h"

#include <string.h>

#include "base/limits.h"

void asked_init(struct asked *a, const struct wire_takes *takes, struct asked_kept *kept)
{
    *a = (struct asked){.takes = *takes, .kept = kept};
}

/* Returns the oldest request that a reply with this header answers, or LIMIT_ASKED if none. */
static unsigned asked_find(const struct asked *a, const struct wire_hdr *hdr)
{
    const struct asked_kept *const k = a->kept;

    for (unsigned i = 0; i < k->n; i++) {
        if (k->replies[i].id == hdr->id && k->replies[i].command == hdr->command) {
            return i;
        }
    }
    return LIMIT_ASKED;
}

static void asked_remove(struct asked *a, unsigned i)
{
    struct asked_kept *const k = a->kept;

    memmove(&k->replies[i], &k->replies[i + 1], (k->n - i - 1) * sizeof *k->replies);
    k->n--;
}

void asked_note(struct asked *a, const struct wire_hdr *hdr, const void *p, size_t n)
{
    const struct wire_hdr reply = {.command = hdr->command, .flags = WIRE_TYPE_REPLY};
    const uint32_t size = hdr->flags & WIRE_NO_REPLY ? 0 : wire_asks(hdr, p, n);

    if (size <= wire_bound(&reply, &a->takes)) {
        return;
    }
    if (a->kept->n == LIMIT_ASKED) {
        asked_remove(a, 0);
    }
    a->kept->replies[a->kept->n++] =
        (struct asked_reply){.size = size, .id = hdr->id, .command = hdr->command};
}

uint32_t asked_bound(const struct asked *a, const struct wire_hdr *hdr)
{
    const uint32_t bound = wire_bound(hdr, &a->takes);
    const unsigned i = wire_is_reply(hdr) ? asked_find(a, hdr) : LIMIT_ASKED;

    return i < LIMIT_ASKED && a->kept->replies[i].size > bound ? a->kept->replies[i].size : bound;
}

void asked_answered(struct asked *a, const struct wire_hdr *hdr)
{
    const unsigned i = asked_find(a, hdr);

    if (i < LIMIT_ASKED) {
        asked_remove(a, i);
    }
}
