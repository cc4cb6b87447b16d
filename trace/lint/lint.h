/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Finds violations of the specification, QEMU's docs/interop/vfio-user.rst, by the peers of a
 * trace, and what an existing program does not accept (profile.h).
 *
 * Only messages sent by a peer are judged, never the broker's own. Nothing is reported that may
 * only look wrong because the capture began late, lost messages or was filtered. Pure except for
 * its memory, which is bounded for each session.
 */
#ifndef POEMD_TRACE_LINT_LINT_H
#define POEMD_TRACE_LINT_LINT_H

#include <stddef.h>

#include "trace/file/reader.h"
#include "trace/lint/profile.h"

enum lint_level {
    LINT_NOTE,    /* legal, and worth knowing */
    LINT_WARNING, /* against a "should", or against a field's description */
    LINT_ERROR,   /* against a "must", or not readable */
    LINT_LEVELS,
};

/* Names, sections and texts: lint_rules.c, in this order. */
enum lint_code {
    LINT_REPLY_TO_NO_REPLY,
    LINT_ERROR_WITHOUT_REPLY,
    LINT_UNKNOWN_TYPE,
    LINT_RESERVED_FLAGS,
    LINT_HEADER_SIZE,
    LINT_REPLY_COMMAND,
    LINT_UNASKED_REPLY,
    LINT_ERROR_PAYLOAD,
    LINT_NO_REPLY_IN_REPLY,
    LINT_ERROR_IN_COMMAND,
    LINT_ERROR_FIELD,
    LINT_UNANSWERED,
    LINT_UNANSWERED_AT_END,
    LINT_NO_ANSWER,
    LINT_INCOMPLETE,
    LINT_UNKNOWN_COMMAND,
    LINT_WRONG_DIRECTION,
    LINT_BEFORE_VERSION,
    LINT_VERSION_AGAIN,
    LINT_VERSION_DATA,
    LINT_VERSION_NUMBER,
    LINT_VERSION_CAPABILITY,
    LINT_PAYLOAD_SHORT,
    LINT_PAYLOAD_LONG,
    LINT_COUNT,
    LINT_FLAGS,
    LINT_CAPS,
    LINT_ARGSZ_SMALL,
    LINT_ARGSZ_WRONG,
    LINT_REPLY_OVER_ARGSZ,
    LINT_REPLY_ARGSZ,
    LINT_NOT_ZERO,
    LINT_FDS_WHERE_NONE,
    LINT_TOO_MANY_FDS,
    LINT_FDS_MISSING,
    LINT_FD_INDEX,
    LINT_DATA_OVER_MAX,
    LINT_ASKED_OVER_MAX,
    LINT_MESSAGE_SIZE,
    LINT_REGION_UNKNOWN,
    LINT_REGION_BEYOND,
    LINT_REGION_FLAG,
    LINT_REPLY_DIFFERS,
    LINT_REPLY_COUNT,
    LINT_REPLY_SHORT,
    LINT_IRQ_UNKNOWN,
    LINT_IRQ_BEYOND,
    LINT_IRQ_FLAG,
    LINT_MULTI_NOT_NEGOTIATED,
    LINT_MAP_RANGE,
    LINT_MAP_PAGE,
    LINT_MAP_OFFSET,
    LINT_MAP_OVERLAP,
    LINT_MAP_OVERLAP_TAKEN,
    LINT_MAP_TOO_MANY,
    LINT_UNMAP_UNKNOWN,
    LINT_DMA_OUTSIDE,
    LINT_DMA_FLAGS,
    LINT_RESET_UNSUPPORTED,
    LINT_FEATURE_UNKNOWN,
    LINT_STATE_UNUSED,
    LINT_STATE_FORBIDDEN,
    LINT_MIG_STATE,
    LINT_NOT_ACCEPTED,
    LINT_WARNED_ABOUT,
    LINT_CODES,
};

struct lint_rule {
    const char *name; /* "reply-to-no-reply" */
    enum lint_level level;
    const char *section; /* of the specification; NULL: the command's own */
    const char *text;    /* the fault */
};

const struct lint_rule *lint_rule(enum lint_code code);

/* Returns what QEMU 11.1 does if a device breaks the rule, "prints …"; NULL if not known. */
const char *lint_rule_qemu(enum lint_code code);
const char *lint_level_name(enum lint_level level);

/*
 * Findings of one code that are reported one by one, for each session; the rest are only counted.
 */
#define LINT_EACH_MAX 16u

struct lint_finding {
    enum lint_code code;
    enum lint_level level;
    const struct trace_session *session;
    uint64_t number; /* of the message; 0: a summary of several */
    uint64_t read_ns;
    enum side party; /* the one at fault */
    uint16_t id;
    uint16_t command;
    const char *section;
    const char *effect; /* what the profile's program does with it: "prints …"; NULL: not known */
    const char *detail; /* the numbers; may be ""; printable ASCII */
    uint64_t more;      /* further ones of the same code, not reported one by one */
};

typedef void lint_fn(const struct lint_finding *f, void *arg);

struct lint;

/*
 * Returns NULL if memory runs out. Judges by the specification, and by what the profile's program
 * does. fn is called for each finding at once.
 */
struct lint *lint_new(enum profile profile, lint_fn *fn, void *arg)
    __attribute__((warn_unused_result));
void lint_free(struct lint *l);

/*
 * Take what the reader returns, in its order; section comes from trace_reader_section. A session's
 * user pointer belongs to the lint until its session is over or lint_forget is called. Return false
 * if memory runs out.
 */
bool lint_session(struct lint *l, struct trace_session *s, const char *section)
    __attribute__((warn_unused_result));
void lint_message(struct lint *l, struct trace_session *s, const struct trace_message *m);
void lint_statistics(struct lint *l, struct trace_session *s);

/*
 * Reports requests that were never answered. Call it at the trace's end, before any session is
 * forgotten.
 */
void lint_end(struct lint *l);

/* Frees the state of a session, after reporting how many findings were not reported one by one. */
void lint_forget(struct lint *l, struct trace_session *s);

/* Number of findings of a level so far, whether reported one by one or only counted. */
uint64_t lint_count(const struct lint *l, enum lint_level level);

#endif
