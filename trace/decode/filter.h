/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Which messages are wanted: one small language for capturing, showing and extracting.
 *
 *   FILTER = TERM *(" " TERM)                  all terms must hold
 *   TERM   = "command=" NAME *("," NAME)       by name, without VFIO_USER_, any case; or a number
 *          | "from=" ("client" | "backend")
 *          | "region=" N *("," N)              REGION_READ, _WRITE, _WRITE_MULTI, GET_REGION_…
 *          | "session=" N *("," N)
 *          | "route=" NAME *("," NAME)
 *          | "id=" N *("," N)
 *          | "after=" SECONDS | "before=" SECONDS    since the trace's first message
 *          | "errors"                          error replies, and what they answer
 *          | "slower=" N ("ns" | "us" | "ms" | "s")  replies that came later, and what they answer
 *          | "fds"                             messages with fds
 *
 * A term with "!" before it must not hold. A reply goes by what it answers where it does not say
 * itself ("region="). "errors" and "slower=" can only be known at the reply; whoever filters gets
 * both: the request comes as filter_fed keeps it until then. Pure but for bounded memory.
 */
#ifndef POEMD_TRACE_DECODE_FILTER_H
#define POEMD_TRACE_DECODE_FILTER_H

#include <stddef.h>

#include "trace/decode/pair.h"

struct filter;

/*
 * Reads a filter. NULL: what is wrong, where, and what would be right is in why; or no memory, why
 * saying so. An empty text wants everything.
 */
struct filter *filter_new(const char *text, char *why, size_t n)
    __attribute__((warn_unused_result));
void filter_free(struct filter *f);

/* Whether any term needs the reply to judge the request: then messages come late, in pairs. */
bool filter_waits(const struct filter *f);

/* Called for a message that is wanted, in order within its session where filter_waits is false. */
typedef void filter_fn(const struct trace_session *s, const struct trace_message *m,
                       const char *comment, void *arg);

/*
 * Takes the next message (comment NULL: none) and calls fn for those that are wanted: none, this
 * one, or the request that was kept and this one. What is kept is copied, LIMIT_FILTER_KEPT bytes
 * in all at the most; beyond that the oldest are given up.
 */
void filter_feed(struct filter *f, const struct trace_session *s, const struct trace_message *m,
                 const char *comment, filter_fn *fn, void *arg);

/* Requests that were given up for want of room. */
uint64_t filter_given_up(const struct filter *f);

#endif
