/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Faults on purpose: rules by which messages are delayed, changed or left out.
 *
 *   RULE   = ACTION *(" " TERM)
 *   ACTION = "delay=" TIME              the message goes on later, and all behind it
 *          | "drop"                     the reply does not go on
 *          | "error=" ERRNO             an error reply instead of the reply: a name or a number
 *          | "change=" OFFSET ":" HEX   these bytes in the payload, from OFFSET on
 *          | "close"                    the session ends before the message
 *          | "duplicate"                the reply goes on twice
 *          | "short=" BYTES             only so much of the reply's payload, as a whole message
 *   TERM   = "count=" N                 at most so often; otherwise without limit
 *          | "chance=" PERCENT "%"      of the messages that match, by the seed; otherwise all
 *          | "seed=" N                  of the chance; otherwise 0
 *          | a term of a filter (trace/decode/filter.h)
 *
 * TIME is a number with "us", "ms" or "s". A rule applies to messages that its filter selects, and
 * on which its action can be carried out: drop, error, duplicate and short only to replies. The
 * same rule, seed and messages give the same injections. Pure except for memory.
 */
#ifndef POEMD_TRACE_DECODE_INJECTION_H
#define POEMD_TRACE_DECODE_INJECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "trace/decode/filter.h"

enum injection_action {
    INJECTION_DELAY,
    INJECTION_DROP,
    INJECTION_ERROR,
    INJECTION_CHANGE,
    INJECTION_CLOSE,
    INJECTION_DUPLICATE,
    INJECTION_SHORT,
    INJECTION_ACTIONS,
};

struct injection {
    enum injection_action action;
    uint32_t number;  /* of DELAY: us; ERROR: errno; CHANGE: offset; SHORT: bytes */
    uint32_t n_bytes; /* of CHANGE */
    uint8_t bytes[LIMIT_INJECT_BYTES];
    uint16_t most;   /* times; UINT16_MAX: without limit */
    uint32_t chance; /* of UINT32_MAX; UINT32_MAX: always */
    uint64_t seed;
    struct filter *filter; /* owned */
};

/*
 * Parses a rule. Returns false with the error in why (size bytes) if memory runs out or the text is
 * wrong. Deinitialize it only if it returns true.
 */
bool injection_read(struct injection *i, const char *text, char *why, size_t size)
    __attribute__((warn_unused_result));
void injection_deinit(struct injection *i);

/* Returns the action's word ("delay"). Static. */
const char *injection_word(enum injection_action action);

/*
 * Takes the next message of a session, and returns true if the rule is to be carried out on it.
 * times is how often that was so until now. place is drawn from, with the seed: a number that the
 * message has whenever its session is repeated. Each message is given to each rule once, in order.
 */
bool injection_applies(struct injection *i, uint16_t times, uint64_t place,
                       const struct trace_session *s, const struct trace_message *m)
    __attribute__((warn_unused_result));

/* Returns the room that injection_make needs for a message of size bytes. */
size_t injection_room(const struct injection *i, size_t size);

/*
 * Makes the replacement of a whole message of n bytes (of ERROR and SHORT: its beginning
 * suffices) and stores it at out. Returns its length; 0: nothing goes on.
 */
size_t injection_make(const struct injection *i, const uint8_t *message, size_t n, uint8_t *out);

#endif
