/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Checks and reads session pages. Pure. */
#include "proxy/ipc/session_page.h"

#include <stdatomic.h>

bool session_page_sound(const struct session_page *p, uint64_t session)
{
    if (p->version != SESSION_PAGE_VERSION || p->session != session || p->twin > 1 ||
        p->outside > 1 || p->injections.n > LIMIT_INJECT_RULES || p->injections.asked > 1 ||
        p->injections.held >= 1u << SESSION_PAGE_WAYS || p->handed_on >= 1u << SIDES) {
        return false;
    }
    if (!overdue_is_sound(&p->overdue)) {
        return false;
    }
    for (int i = 0; i < SIDES; i++) {
        if ((p->taint[i] & ~IPC_TAINT_MAY) != 0 || (p->taint_unsent[i] & ~p->taint[i]) != 0 ||
            p->senders[i].told > 1 || p->senders[i].late > 1) {
            return false;
        }
    }
    for (int i = 0; i < SESSION_PAGE_WAYS; i++) {
        if (p->asked[i].n > LIMIT_ASKED || !relay_mark_sound(&p->marks[i])) {
            return false;
        }
    }
    return true;
}

static void session_page_store(uint32_t *to, uint32_t value)
{
    atomic_signal_fence(memory_order_seq_cst);
    *(volatile uint32_t *)to = value;
    atomic_signal_fence(memory_order_seq_cst);
}

void session_page_answer(struct session_page *p, size_t bytes)
{
    session_page_store(&p->answer, (uint32_t)bytes << 1);
    session_page_store(&p->version, SESSION_PAGE_ANSWERING);
}

void session_page_answering(struct session_page *p)
{
    session_page_store(&p->answer, p->answer | 1);
}

void session_page_answered(struct session_page *p, size_t bytes)
{
    if (bytes > 0 && bytes < p->answer >> 1) {
        session_page_store(&p->version, SESSION_PAGE_ANSWERED_PARTLY);
    }
    session_page_store(&p->answer, ((p->answer >> 1) - (uint32_t)bytes) << 1);
}

/* The same for a worker that has died meanwhile. */
static void session_page_settle_answer(struct session_page *p, uint32_t sent)
{
    const uint32_t left = p->answer >> 1;

    if (p->version != SESSION_PAGE_ANSWERING && p->version != SESSION_PAGE_ANSWERED_PARTLY) {
        return;
    }
    if (left == 0 || (p->answer & 1 && sent == left)) {
        p->version = SESSION_PAGE_VERSION;
    } else if (p->answer & 1 && sent > 0) {
        p->version = SESSION_PAGE_ANSWERED_PARTLY;
    }
}

void session_page_settle(struct session_page *p, uint32_t sent)
{
    session_page_settle_answer(p, sent);
    for (int i = 0; i < SESSION_PAGE_WAYS; i++) {
        relay_mark_settle(&p->marks[i], sent);
    }
}

static void session_page_add(struct ipc_count *to, const struct relay_mark *m)
{
    const struct ipc_count c = relay_mark_progress(m).count;

    ipc_count_add(to, &c);
}

void session_page_counts(const struct session_page *p, struct ipc_count *to_backend,
                         struct ipc_count *to_client)
{
    *to_backend = (struct ipc_count){.messages = 0};
    *to_client = *to_backend;
    session_page_add(to_backend, &p->marks[SESSION_PAGE_TO_BACKEND]);
    session_page_add(to_backend, &p->marks[SESSION_PAGE_TWIN_TO_BACKEND]);
    session_page_add(to_client, &p->marks[SESSION_PAGE_TO_CLIENT]);
    session_page_add(to_client, &p->marks[SESSION_PAGE_TWIN_TO_CLIENT]);
}

uint64_t session_page_in_hand(uint64_t hand, enum session_page_way *way)
{
    const uint64_t at = hand & ((1u << SESSION_PAGE_HAND_BITS) - 1);

    if (at == 0 || at > SESSION_PAGE_RESUMING + 1) {
        return 0;
    }
    *way = (enum session_page_way)(at - 1);
    return hand >> SESSION_PAGE_HAND_BITS;
}

uint64_t session_page_injected(const struct session_page *p)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < LIMIT_INJECT_RULES; i++) {
        n += p->injections.times[i];
    }
    return n;
}
