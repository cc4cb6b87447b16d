/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Selects messages by one small language, for capturing, showing and extracting.
 *
 *   FILTER = TERM *(" " TERM)                  all terms must hold
 *   TERM   = "command=" NAME *("," NAME)       by name, without VFIO_USER_, any case; or a number
 *          | "from=" ("client" | "backend")
 *          | "region=" N *("," N)              REGION_READ, _WRITE, _WRITE_MULTI, GET_REGION_…
 *          | "session=" N *("," N)
 *          | "route=" NAME *("," NAME)
 *          | "id=" N *("," N)
 *          | "after=" SECONDS | "before=" SECONDS    since the trace's first message
 *          | "since=" TIME | "until=" TIME    2026-11-29T18:24:05.5Z, or a day: the beginning of it
 *          | "errors"                          error replies, and their requests
 *          | "slower=" N ("ns" | "us" | "ms" | "s")  replies that took longer, and their requests
 *          | "fds"                             messages with fds
 *
 * A term with "!" before it must not hold. A reply that does not itself carry the field ("region=")
 * is judged by its request. "errors" and "slower=" can only be decided at the reply: filter_feed
 * then keeps the request until its reply, and passes on both. Pure except for bounded memory.
 */
#ifndef POEMD_TRACE_DECODE_FILTER_H
#define POEMD_TRACE_DECODE_FILTER_H

#include <stddef.h>

#include "trace/decode/pair.h"

struct filter;

/*
 * Parses a filter; an empty text selects everything. Returns NULL with the error in why, if memory
 * runs out or the text is wrong; the error then names the place and the expected words.
 */
struct filter *filter_new(const char *text, char *why, size_t n)
    __attribute__((warn_unused_result));
void filter_free(struct filter *f);

/*
 * Returns true if a term needs the reply to judge the request: messages are then passed on late, in
 * pairs.
 */
bool filter_waits(const struct filter *f);

/* Called for each selected message, in order within its session if filter_waits returns false. */
typedef void filter_fn(const struct trace_session *s, const struct trace_message *m,
                       const char *comment, void *arg);

/*
 * Takes the next message (comment may be NULL) and calls fn for each selected one: for none, for
 * this one, or for the kept request and this one. Kept messages are copied, LIMIT_FILTER_KEPT bytes
 * in all at most; beyond that the oldest are given up.
 */
void filter_feed(struct filter *f, const struct trace_session *s, const struct trace_message *m,
                 const char *comment, filter_fn *fn, void *arg);

/* Requests given up for lack of room. */
uint64_t filter_given_up(const struct filter *f);

#endif
