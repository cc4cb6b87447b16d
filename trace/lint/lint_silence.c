/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Judges silence: messages that their sender did not finish, and requests without an answer. Most
 * of it is known only at the session's end. Pure except for the JSON's memory.
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "trace/decode/names.h"
#include "trace/lint/lint_session.h"

/*
 * A request that waited for so long got no answer. A shorter wait is normal when a session ends:
 * the answer may have been under way.
 */
#define LINT_PATIENCE_NS UINT64_C(1000000000)

#define LINT_WAIT_TEXT 32u
#define LINT_REASON 64u

/* Formats a wait in seconds, "4.5 s". */
static const char *lint_silence_wait(uint64_t ns, char out[static LINT_WAIT_TEXT])
{
    snprintf(out, LINT_WAIT_TEXT, "%" PRIu64 ".%" PRIu64 " s", ns / 1000000000,
             ns / 100000000 % 10);
    return out;
}

static uint64_t lint_silence_since(uint64_t earlier, uint64_t later)
{
    return later > earlier ? later - earlier : 0;
}

/* Copies the word for the reason of the session's end, or "". */
static void lint_silence_reason(const struct trace_session *s, char out[static LINT_REASON])
{
    json_t *const ending = *s->ending ? json_loads(s->ending, JSON_REJECT_DUPLICATES, NULL) : NULL;
    const char *const why = json_string_value(json_object_get(ending, "ended"));

    snprintf(out, LINT_REASON, "%s", why ? why : "");
    json_decref(ending);
}

/*
 * Returns true if a session with this reason ended since this side closed its socket, or its
 * process died: the reasons are words such as "backend-closed".
 */
static bool lint_silence_closed(const char *reason, enum side side)
{
    const char *const name = side_name(side);

    return strncmp(reason, name, strlen(name)) == 0 &&
           (strstr(reason, "closed") || strstr(reason, "gone") || strstr(reason, "died"));
}

void lint_silence_incomplete(struct lint_at *at, const struct trace_request *request)
{
    const struct trace_message *const m = at->v.m;

    at->known->incomplete[m->sender & 1u][(m->flags & TRACE_TWIN) != 0] =
        (struct lint_incomplete){.known = true,
                                 .number = m->number,
                                 .read_ns = m->read_ns,
                                 .asked_ns = request ? request->read_ns : 0,
                                 .stopped_ns = m->read_ns + m->passed_ns,
                                 .size = m->size,
                                 .missing = m->missing,
                                 .id = at->v.hdr.id,
                                 .command = at->v.hdr.command};
}

static void lint_silence_report(struct lint *l, const struct trace_session *s, enum side sender,
                                const struct lint_incomplete *i)
{
    struct lint_session *const known = s->user;
    const enum lint_code code = LINT_INCOMPLETE;
    const uint64_t asked = i->asked_ns ? i->asked_ns : i->read_ns;
    char wait[LINT_WAIT_TEXT];
    char detail[128];

    snprintf(detail, sizeof detail, "%" PRIu32 " of %" PRIu32 " bytes came; the %s waited %s",
             i->size - i->missing, i->size, side_name(side_other(sender)),
             lint_silence_wait(lint_silence_since(asked, i->stopped_ns), wait));
    lint_report(l, known,
                &(struct lint_finding){.code = code,
                                       .level = lint_rule(code)->level,
                                       .session = s,
                                       .number = i->number,
                                       .read_ns = i->read_ns,
                                       .party = sender,
                                       .id = i->id,
                                       .command = i->command,
                                       .section = lint_section_of(code, i->command),
                                       .detail = detail});
}

void lint_silence_over(struct lint *l, struct trace_session *s)
{
    struct lint_session *const known = s->user;

    char reason[LINT_REASON];
    bool cut;

    lint_silence_reason(s, reason);
    cut = strcmp(reason, "truncated-message") == 0;
    for (int side = 0; side < SIDES; side++) {
        known->closed[side] = lint_silence_closed(reason, (enum side)side);
    }
    for (unsigned n = 0; n < SIDES * 2; n++) {
        const enum side sender = (enum side)(n / 2);
        struct lint_incomplete *const i = &known->incomplete[sender][n % 2];

        /* If the session ended for another reason while it came, its sender is not to blame. */
        if (i->known && (cut || known->closed[sender] ||
                         lint_silence_since(i->read_ns, i->stopped_ns) >= LINT_PATIENCE_NS)) {
            lint_silence_report(l, s, sender, i);
        }
        i->known = false;
    }
}

/* Writes how a request that was not answered waited; out has size bytes. */
static void lint_silence_text(const struct trace_request *r, const struct lint_session *known,
                              char *out, size_t size)
{
    const enum side party = side_other(r->sender);
    const uint64_t end = r->session->ended_ns;
    char wait[LINT_WAIT_TEXT];

    lint_silence_wait(lint_silence_since(r->read_ns, end), wait);
    if (known->closed[party]) {
        snprintf(out, size, "the %s closed the connection after %s", side_name(party), wait);
    } else {
        snprintf(out, size, "the %s waited %s", side_name((enum side)r->sender), wait);
    }
}

/* Reports that a request has had no reply, for which the other side is to blame. */
static void lint_silence_blame(struct lint *l, struct lint_session *known,
                               const struct trace_request *r, enum lint_code code,
                               const char *detail)
{
    lint_report(l, known,
                &(struct lint_finding){.code = code,
                                       .level = lint_rule(code)->level,
                                       .session = r->session,
                                       .number = r->number,
                                       .read_ns = r->read_ns,
                                       .party = side_other(r->sender),
                                       .id = r->hdr.id,
                                       .command = r->hdr.command,
                                       .section = lint_section_of(code, r->hdr.command),
                                       .detail = detail});
}

/* Returns the rule that an unanswered request violates, or LINT_CODES. */
static enum lint_code lint_silence_code(const struct trace_request *r,
                                        const struct lint_session *known)
{
    if (!known || known->partial || (r->flags & TRACE_UNDELIVERED) ||
        (r->legs != TRACE_LEGS && !(r->flags & TRACE_BROKER) && r->sender == SIDE_CLIENT)) {
        return LINT_CODES;
    }
    if (known->last_answered[r->sender & 1u] > r->number) {
        return LINT_UNANSWERED;
    }
    if (!known->over) {
        return LINT_CODES;
    }
    /* A client may end while the device waits for memory. */
    if ((known->closed[SIDE_BACKEND] && r->sender == SIDE_CLIENT) ||
        lint_silence_since(r->read_ns, r->session->ended_ns) >= LINT_PATIENCE_NS) {
        return LINT_NO_ANSWER;
    }
    return LINT_UNANSWERED_AT_END;
}

void lint_silence_unanswered(const struct trace_request *r, void *arg)
{
    struct lint_session *const known = r->session->user;
    const enum lint_code code = lint_silence_code(r, known);
    char detail[128] = "";

    if (code == LINT_CODES) {
        return;
    }
    if (code == LINT_NO_ANSWER) {
        lint_silence_text(r, known, detail, sizeof detail);
    }
    lint_silence_blame(arg, known, r, code, detail);
}

void lint_silence_in_stead(const struct lint_at *at, const struct trace_request *r)
{
    const char *const error = names_errno(at->v.hdr.error);
    char wait[LINT_WAIT_TEXT];
    char detail[128];

    snprintf(detail, sizeof detail, "after %s the broker answered %s in the %s's stead",
             lint_silence_wait(trace_latency(r, at->v.m), wait), error ? error : "an error",
             side_name(side_other(r->sender)));
    lint_silence_blame(at->lint, at->known, r, LINT_NO_ANSWER, detail);
}
