/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
#include "proxy/worker/session_meter.h"

static struct tally *session_meter_first(const struct session_host *h)
{
    return (struct tally *)(void *)(h->pages + session_page_tallies_at(h->slots));
}

void session_meter_adopt(const struct session *s, const struct ipc_session *settings)
{
    const struct session_host *const h = s->host;

    if (settings->tally > 0 && settings->tally <= h->tallies && h->pages) {
        s->guard->page->counted =
            (struct tally_subject){.session = s->id, .record = settings->record};
        s->guard->meter =
            (struct tally_meter){.tally = session_meter_first(h) + (settings->tally - 1),
                                 .subject = &s->guard->page->counted};
    }
}

uint32_t session_meter_number(const struct session *s)
{
    const struct tally *const t = s->guard ? s->guard->meter.tally : NULL;

    return t ? (uint32_t)(t - session_meter_first(s->host)) + 1 : 0;
}

void session_meter_record(struct session_host *h, uint64_t id, uint64_t record)
{
    const struct session *const s = session_of(h, id);

    if (s && s->guard) {
        s->guard->page->counted.record = record;
    }
}
