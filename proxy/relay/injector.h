/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Faults on purpose in a session: which messages, and their replacements.
 *
 * The relay asks about each message that would go on unchanged. If a rule is to be carried out, the
 * message is taken and left out, as a late reply is, and its replacement by the rule is sent as a
 * message of the broker's, before anything that follows: at once, or after a delay. So a direction
 * without an injector costs a test of a pointer, and one with rules holds at most one message.
 *
 * How often a rule has been carried out is in the session's page, and outlives the worker. A
 * replacement does not: while it is held the page says so, and the session ends with its
 * worker. Uses memory; no socket.
 */
#ifndef POEMD_PROXY_RELAY_INJECTOR_H
#define POEMD_PROXY_RELAY_INJECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fdset.h"
#include "proxy/ipc/ipc.h"
#include "proxy/ipc/session_page.h"
#include "trace/decode/injection.h"
#include "trace/file/trace_session.h"

struct injector;

/* A rule was carried out on a message with this header, from that side. */
typedef void injector_fn(void *arg, enum side from, const struct wire_hdr *hdr,
                         const struct injection *rule);

/* Of one direction of a session. */
struct injector_way {
    struct injector *injector; /* borrowed; NULL: not now, but something may be held */
    struct session_page_injections *page;
    enum session_page_way way;
    uint64_t decided;            /* all messages that begin before this byte are decided */
    const struct injection *hit; /* the rule for the one that begins there; NULL: it is open */
    uint8_t *made;               /* owned; [made_start … made_end-1] is to be sent; or NULL */
    size_t made_start;
    size_t made_end;
    struct fdset fds; /* go with its first byte */
    uint64_t due_ns;  /* not before that, by clock_ns; 0: at once */
};

/* Of a session; borrowed by its ways. */
struct injector {
    unsigned n;
    struct injection rules[LIMIT_INJECT_RULES];
    struct session_page_injections *page; /* borrowed */
    struct trace_session session;         /* for filters */
    uint64_t done;                        /* in all, in this worker */
    injector_fn *fn;
    void *arg;
};

/*
 * Parses the rules, which are sound. page is borrowed for the injector's life; its counts go on.
 * Returns NULL with the error in why (size bytes) if a rule is wrong, or memory runs out.
 */
struct injector *injector_new(const struct ipc_inject *rules, uint64_t session, const char *route,
                              struct session_page_injections *page, injector_fn *fn, void *arg,
                              char *why, size_t size) __attribute__((warn_unused_result));

/* Its ways must not use it any more. NULL is allowed. */
void injector_free(struct injector *j);

/* Initializes the way of a direction, of which so many bytes have been taken. Borrows page. */
void injector_way_init(struct injector_way *w, struct session_page_injections *page,
                       enum session_page_way way, uint64_t taken);

/* Has it decide by other rules, or by none (NULL), from the next message on. */
void injector_way_set(struct injector_way *w, struct injector *j);

/* Its other end has changed: nothing of what it may hold has been sent, or it is lost. */
void injector_way_redirect(struct injector_way *w, uint64_t taken);

/* Frees what it holds, which is lost. */
void injector_way_drop(struct injector_way *w);

/*
 * Decides about the message that begins at that byte of its direction; n bytes of it are at bytes,
 * with n_fds fds. Returns true if it must not go on itself. May be asked again until injector_make.
 */
bool injector_decide(struct injector_way *w, uint64_t position, const struct wire_hdr *hdr,
                     const uint8_t *bytes, size_t n, unsigned n_fds)
    __attribute__((warn_unused_result));

enum injector_outcome {
    INJECTOR_GOES_ON,
    INJECTOR_CLOSES, /* the session must end */
    INJECTOR_NO_MEMORY,
};

/*
 * The message that was decided about last is left out; n bytes of it are at bytes. Makes what goes
 * on instead, with the fds of the set, which is then empty. Does nothing if no rule was hit.
 */
enum injector_outcome injector_make(struct injector_way *w, const struct wire_hdr *hdr,
                                    const uint8_t *bytes, size_t n, struct fdset *fds)
    __attribute__((warn_unused_result));

/* Returns true if something is held. */
static inline bool injector_holds(const struct injector_way *w)
{
    return w->made != NULL;
}

/* Returns the us until what is held may be sent; 0: now. */
uint64_t injector_wait_us(const struct injector_way *w);

/* n bytes of what is held have been sent. */
void injector_sent(struct injector_way *w, size_t n);

#endif
