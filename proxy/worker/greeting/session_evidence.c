/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* What a handshake has shown, for the monitor's verdict. */
#include "proxy/worker/greeting/session_evidence.h"

#include <string.h>

static void session_evidence_text(char to[RECITAL_LICENCE_MAX + 1], const char *from)
{
    memcpy(to, from, strlen(from) + 1);
}

/* Stores both parties' claims; a recital's licence only if the recital is valid. */
static void session_evidence_heard(struct ipc_evidence *e, const struct reciter *r)
{
    struct ipc_heard *client = &e->heard[SIDE_CLIENT];
    struct ipc_heard *backend = &e->heard[SIDE_BACKEND];

    client->recital = r->asked.recital;
    session_evidence_text(client->recited, r->asked.licence);
    session_evidence_text(client->declared, r->asked.declared);
    backend->recital = r->judged;
    session_evidence_text(backend->declared, r->told.declared);
    if (r->judged == RECITAL_OK) {
        session_evidence_text(backend->recited, r->told.licence);
    }
    e->via = r->told.via;
}

void session_evidence_of(const struct greeting_result *r, struct ipc_evidence *e)
{
    *e = (struct ipc_evidence){.request_size = r->request_size,
                               .reply_size = r->reply_size,
                               .major = r->reply.number.major,
                               .minor = r->reply.number.minor,
                               .twin = r->reply.twin_supported};
    session_evidence_heard(e, r->heard);
}
