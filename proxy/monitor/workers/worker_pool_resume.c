/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Sessions that survive their worker. Of their pages the monitor uses counts, and compares what a
 * worker was handling when it died; all else is for the next worker.
 */
#define _GNU_SOURCE
#include "proxy/monitor/workers/worker_pool_resume.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/fdset.h"
#include "base/sock.h"
#include "base/wire/wire_command.h"
#include "proxy/monitor/monitor_session_inject.h"
#include "proxy/monitor/routes/route.h"
#include "proxy/monitor/workers/worker_pool_outbox.h"
#include "proxy/monitor/workers/worker_pool_refuse.h"

void worker_pool_resume_begin(struct worker_process *w)
{
    w->in_hand = session_page_in_hand(worker_pages_head(w->pages).hand, &w->in_hand_way);
}

/*
 * Returns true if the worker died of the same message of this session as the one before it: the
 * direction has taken nothing since, or was still being resumed.
 */
static bool worker_pool_resume_poisoned(const struct worker_process *w, struct monitor_session *t,
                                        const struct session_page *p)
{
    struct monitor_session_suspect *const before = &t->suspect;
    struct monitor_session_suspect now = {.set = true, .way = w->in_hand_way};
    bool same;

    if (w->in_hand != t->id) {
        before->set = false;
        return false;
    }
    if (now.way == SESSION_PAGE_RESUMING) {
        same = before->set;
        now = same ? *before : now;
    } else {
        const struct relay_mark *const m = &p->marks[now.way];

        now.taken = relay_mark_progress(m).taken;
        if (m->step == RELAY_MARK_IDLE) {
            now.hdr = m->hdr;
        } else {
            memcpy(&now.hdr, m->front, sizeof now.hdr);
        }
        same = before->set && before->way == now.way && before->taken == now.taken &&
               memcmp(&before->hdr, &now.hdr, sizeof now.hdr) == 0;
    }
    *before = now;
    return same;
}

/* Ends a session that cannot be resumed; its counts are exact if its page is sound. */
static void worker_pool_resume_end(struct monitor_session *t, enum session_reason reason,
                                   const struct session_page *p)
{
    struct ipc_ended what = {.reason = reason};

    if (!p) {
        worker_pool_lost(t, reason);
        return;
    }
    session_page_counts(p, &what.to_backend, &what.to_client);
    what.captured = p->captured;
    what.overdue = p->overdue.answered;
    what.injected = session_page_injected(p);
    monitor_session_end(t, reason, &what);
}

static void worker_pool_resume_end_poisoned(struct monitor_session *t, const struct session_page *p)
{
    const struct log_subject about =
        monitor_session_subject(t, side_name(session_page_from(t->suspect.way)));
    const struct wire_hdr *const hdr = &t->suspect.hdr;

    log_line(LOG_ERROR, &about,
             "%s: two workers died of it: command %u (%s), id %u, size %u, flags 0x%x",
             session_reason_word(REASON_POISONED), hdr->command, wire_command_name(hdr->command),
             hdr->id, hdr->size, hdr->flags);
    worker_pool_resume_end(t, REASON_POISONED, p);
}

bool worker_pool_resume(struct worker_process *w, struct monitor_session *t,
                        enum session_reason reason)
{
    struct session_page page;

    if (t->state != SESSION_RELAYING || t->ending || reason == REASON_SHUTDOWN ||
        !worker_pages_read(t->pages, t->slot, &page)) {
        worker_pool_resume_end(t, reason, NULL);
        return false;
    }
    session_page_settle(&page, worker_pages_head(t->pages).post.done);
    if (session_page_owes_answer(&page)) {
        worker_pool_refuse_session(t, reason, ECONNABORTED);
        return false;
    }
    if (!session_page_sound(&page, t->id)) {
        worker_pool_resume_end(t, reason, NULL);
        return false;
    }
    if (worker_pool_resume_poisoned(w, t, &page)) {
        worker_pool_resume_end_poisoned(t, &page);
        return false;
    }
    monitor_session_inject_lost(t, &page.injections);
    if (page.outside || page.injections.held || (page.twin && t->twin_fds[SIDE_CLIENT] < 0)) {
        worker_pool_resume_end(t, reason, &page);
        return false;
    }
    session_page_counts(&page, &t->to_backend, &t->to_client);
    t->counted = true;
    t->resumed_from = w->gone_pid;
    t->resumed_in_hand = w->in_hand == t->id;
    t->lost_by = reason;
    return true;
}

/* Moves what a session's last worker knew of it to its slot in another one. */
static bool worker_pool_resume_move(const struct worker_pages *from, uint32_t slot,
                                    const struct monitor_session *t)
{
    const struct session_page_head head = worker_pages_head(from);
    struct session_page page;

    if (!worker_pages_read(from, slot, &page) || t->slot == SESSION_PAGE_NO_SLOT) {
        return false;
    }
    session_page_settle(&page, head.post.done);
    /* If the worker has died before it has looked, it is the one before that counts. */
    if (page.overdue.away_ms == 0) {
        page.overdue.away_ms = head.alive_ms;
    }
    for (unsigned way = 0; way < SESSION_PAGE_WAYS; way++) {
        uint32_t *const place = &page.marks[way].place;

        if (*place != 0) {
            *place = worker_pages_move(from, *place, &head.post, t->pages, t->slot);
            if (*place == 0) {
                return false;
            }
        }
    }
    return worker_pages_move_log(from, &page.gate_log, head.post.done, t->pages, t->slot) &&
           worker_pages_write(t->pages, t->slot, &page);
}

bool worker_pool_resume_place(struct worker_process *w, struct monitor_session *t)
{
    struct worker_pages *const from = t->pages;
    const uint32_t old = t->slot;
    bool good = true;

    t->pages = w->pages;
    t->slot = worker_pages_take(w->pages);
    if (worker_pool_unsent(t, IPC_RESUME)) {
        good = worker_pool_resume_move(from, old, t);
    }
    /* Before the old page goes, the next monitor must know of the new one. */
    monitor_session_changed(t);
    worker_pages_give_back(from, old);
    return good;
}

void worker_pool_resume_forget(struct monitor_session *t)
{
    worker_pages_give_back(t->pages, t->slot);
    t->pages = NULL;
}

bool worker_pool_resume_twin_take(struct monitor_session *t, struct fdset *fds)
{
    if (t->twin_fds[SIDE_CLIENT] >= 0 || fds->n != SIDES || !sock_is_unix_stream(fds->fds[0]) ||
        !sock_is_unix_stream(fds->fds[1])) {
        return false;
    }
    t->twin_fds[SIDE_CLIENT] = fdset_steal(fds, 0);
    t->twin_fds[SIDE_BACKEND] = fdset_steal(fds, 0);
    monitor_session_changed(t);
    return true;
}

bool worker_pool_resumed(struct monitor_session *t, const struct ipc_resumed *r)
{
    const struct log_subject about = monitor_session_subject(t, NULL);

    if (!t->resuming || !ipc_resumed_sound(r)) {
        return false;
    }
    t->resuming = false;
    worker_pages_moved_log(t->pages, t->slot);
    t->resumed++;
    t->route->resumed++;
    t->table->resumed++;
    monitor_session_changed(t);
    if (r->doubt == IPC_DOUBT_NONE) {
        log_line(LOG_WARNING, &about, "goes on in worker pid=%ld %s pid=%ld", (long)t->member->pid,
                 t->lost_by == REASON_UPGRADE ? "instead of" : "after the end of",
                 (long)t->resumed_from);
    } else {
        log_line(LOG_WARNING, &about,
                 "goes on in worker pid=%ld after the end of pid=%ld; the message that was being "
                 "sent: %s: command %u (%s), id %u, size %u",
                 (long)t->member->pid, (long)t->resumed_from, ipc_doubt_word(r->doubt),
                 r->hdr.command, wire_command_name(r->hdr.command), r->hdr.id, r->hdr.size);
    }
    monitor_session_resumed(t, r);
    return true;
}
