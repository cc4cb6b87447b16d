/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Which messages of a trace an action is about: the options --filter, --since and --until. */
#ifndef POEMD_CTL_TRACE_TRACE_CHOICE_H
#define POEMD_CTL_TRACE_TRACE_CHOICE_H

#include <stdbool.h>

struct trace_choice {
    const char *filter; /* of trace/decode/filter.h; NULL: all messages */
    const char *since;  /* a time, or NULL */
    const char *until;
    char *text; /* owned: what the three make */
};

#define TRACE_CHOICE_OPTIONS(type, member) \
    {.name = "filter", \
     .value = "FILTER", \
     .help = "only messages that match this filter", \
     CLI_TEXT(type, member.filter)}, \
        {.name = "since", \
         .value = "TIME", \
         .help = "only messages from this time on", \
         CLI_TEXT(type, member.since)}, \
    { \
        .name = "until", .value = "TIME", .help = "only messages before this time", \
        CLI_TEXT(type, member.until) \
    }

/*
 * Makes one filter of the three, to which c->filter points afterwards. A time is a day and an hour
 * of the local time zone, "2026-11-29 18:24:05.5", or of UTC if a "Z" follows; an hour alone is one
 * of today. Returns false after an error message. Call trace_choice_deinit in either case.
 */
bool trace_choice_settle(struct trace_choice *c, const char *action)
    __attribute__((warn_unused_result));
void trace_choice_deinit(struct trace_choice *c);

#endif
