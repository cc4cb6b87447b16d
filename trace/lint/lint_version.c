/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Judges the VERSION exchange: what each party sent, and the limits of the other that each
 * received, which the broker may have written. Pure except for the JSON's memory.
 */
#include <string.h>

#include "base/log.h"
#include "handshake/version.h"
#include "trace/lint/lint_session.h"

/* Returns an integer capability, or `silence` if the offer leaves it out. */
static uint64_t lint_version_capability(const struct version_offer *o, const char *name,
                                        uint64_t silence)
{
    uint64_t n;

    return json_u64(json_object_get(json_object_get(o->json, "capabilities"), name), &n) && n > 0
               ? n
               : silence;
}

static void lint_version_learn_limits(struct lint_limits *l, const struct version_offer *o)
{
    *l = (struct lint_limits){
        .known = true,
        .max_msg_fds = o->max_msg_fds,
        .takes = {.max_data = o->max_data_xfer_size, .max_bitmap = o->max_bitmap_size}};
}

/* Reads the payload. Returns false, after reporting why, if it cannot be read. */
static bool lint_version_read_offer(const struct lint_at *at, struct version_offer *o)
{
    enum json_outcome json;
    enum version_outcome r;

    version_init(o);
    r = version_read(o, at->v.p, at->v.n, &json);
    if (r == VERSION_OK) {
        return true;
    }
    version_deinit(o);
    if (!lint_judged(at)) {
        return false;
    }
    if (r == VERSION_SHORT) {
        lint_say(at, LINT_PAYLOAD_SHORT, "%zu bytes", at->v.total);
    } else {
        lint_say(at, LINT_VERSION_DATA, "%s", version_outcome_text(r, json));
    }
    return false;
}

void lint_version_request(struct lint_at *at)
{
    struct lint_session *s = at->known;
    struct version_offer o;

    if (lint_judged(at)) {
        if (at->v.m->sender != SIDE_CLIENT) {
            lint_say(at, LINT_WRONG_DIRECTION, "%s", "");
            return;
        }
        if (at->v.m->n_fds > 0) {
            lint_say(at, LINT_FDS_WHERE_NONE, "%u with a request", at->v.m->n_fds);
        }
        if (s->asked) {
            lint_say(at, LINT_VERSION_AGAIN, "%s", "");
        }
        s->asked = true;
    }
    if (!lint_version_read_offer(at, &o)) {
        return;
    }
    if (at->v.m->legs & TRACE_LEG_BACKEND) {
        s->proposed = o.number;
        json_decref(s->capabilities);
        s->capabilities = json_incref(json_object_get(o.json, "capabilities"));
        lint_version_learn_limits(&s->limits[SIDE_BACKEND], &o);
    }
    version_deinit(&o);
}

/* The specification: "must be a subset of those proposed". */
static void lint_version_judge_capabilities(const struct lint_at *at, const struct version_offer *o)
{
    json_t *const caps = json_object_get(o->json, "capabilities");
    const char *name;
    json_t *value;
    char shown[64];

    if (!at->known->capabilities) {
        return;
    }
    json_object_foreach(caps, name, value)
    {
        if (!json_object_get(at->known->capabilities, name)) {
            lint_say(at, LINT_VERSION_CAPABILITY, "%s",
                     log_escape(shown, sizeof shown, name, strlen(name)));
        }
    }
}

static void lint_version_judge_reply(const struct lint_at *at, const struct version_offer *o)
{
    const struct wire_version *asked = &at->known->proposed;

    if (o->number.major != asked->major || o->number.minor > asked->minor) {
        lint_say(at, LINT_VERSION_NUMBER, "%u.%u to %u.%u", o->number.major, o->number.minor,
                 asked->major, asked->minor);
    }
    if (at->v.m->n_fds > 0 && !o->twin_supported) {
        lint_say(at, LINT_FDS_WHERE_NONE, "%u with a reply", at->v.m->n_fds);
    }
    if (o->twin_supported && o->twin_has_fd && o->twin_fd_index >= at->v.m->n_fds) {
        lint_say(at, LINT_FD_INDEX, "twin_socket's is %u of %u", o->twin_fd_index, at->v.m->n_fds);
    }
    lint_version_judge_capabilities(at, o);
}

static void lint_version_learn_reply(struct lint_session *s, const struct version_offer *o)
{
    const uint64_t pgsizes = lint_version_capability(o, "pgsizes", 4096);

    s->answered = true;
    lint_version_learn_limits(&s->limits[SIDE_CLIENT], o);
    s->max_dma_maps = lint_version_capability(o, "max_dma_maps", 65535);
    s->page = pgsizes & (~pgsizes + 1);
    s->write_multiple =
        json_is_true(json_object_get(json_object_get(o->json, "capabilities"), "write_multiple"));
}

void lint_version_reply(struct lint_at *at)
{
    struct version_offer o;

    if (at->v.hdr.flags & WIRE_ERROR) {
        if (lint_judged(at) && at->v.total > 0) {
            lint_say(at, LINT_ERROR_PAYLOAD, "%zu bytes", at->v.total);
        }
        if (lint_judged(at)) {
            lint_profile_reply(at);
        }
        return;
    }
    if (!lint_version_read_offer(at, &o)) {
        return;
    }
    if (lint_judged(at) && (at->v.m->legs & TRACE_LEG_BACKEND)) {
        lint_version_judge_reply(at, &o);
        lint_profile_version(at, o.json);
    }
    if (at->v.m->legs & TRACE_LEG_CLIENT) {
        lint_version_learn_reply(at->known, &o);
    }
    version_deinit(&o);
}
