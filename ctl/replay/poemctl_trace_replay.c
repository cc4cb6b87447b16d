/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The action poemctl trace replay: reads a session from a trace, replays it, and reports the
 * result.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/members.h"
#include "base/wire/wire_command.h"
#include "ctl/poemctl_json.h"
#include "ctl/trace/poemctl_trace.h"
#include "ctl/replay/replay.h"
#include "ctl/replay/replay_read.h"
#include "trace/decode/names.h"

#define ACTION "trace replay"
#define FORMAT "poemd-replay/1"

struct options {
    bool json;
    bool as_device;
    bool fast;
    int timeout_ms; /* 0: not given */
    enum { LEG_CLIENT, LEG_BACKEND } leg;
    struct replay_reading in;
    const char *file;
    const char *path;
    struct replay_masks masks;
};

/* ---- the command line ---- */

static bool trace_replay_read_session(void *values, const char *text)
{
    return replay_read_choice(&((struct options *)values)->in, ACTION, text);
}

static bool trace_replay_read_mask(void *values, const char *text)
{
    char why[320];

    if (!replay_mask_add(&((struct options *)values)->masks, text, why, sizeof why)) {
        poemctl_error(ACTION, "%s", why);
        return false;
    }
    return true;
}

/* ---- reports ---- */

static const char *trace_replay_kind_name(enum replay_finding_kind kind)
{
    static const char *const names[] = {[REPLAY_DIFFERS] = "differs",
                                        [REPLAY_MISSING] = "missing",
                                        [REPLAY_UNASKED] = "unasked",
                                        [REPLAY_UNEXPECTED] = "unexpected",
                                        [REPLAY_ENDED] = "ended"};

    return names[kind];
}

static void trace_replay_print_finding(const struct replay_finding *f)
{
    const struct replay_message *const about = f->request ? f->request : f->recorded;
    char name[64];
    char place[96] = "";

    if (!f->recorded) {
        printf("%s\n", f->text);
    } else if (f->kind == REPLAY_ENDED) {
        printf("%s before %s\n", f->text, replay_name(f->recorded, name, sizeof name));
    } else {
        printf("%s%s: %s\n", replay_name(f->recorded, name, sizeof name),
               replay_place(about, place, sizeof place), f->text);
    }
}

/* Prints the client's eventfds for interrupts, and how often the device signalled each. */
static void trace_replay_print_interrupts(const struct replay_result *r)
{
    for (size_t i = 0; i < r->objects.n; i++) {
        const struct replay_object *const o = &r->objects.objects[i];
        const char *const name = wire_name_of(wire_irqs, o->irq);

        if (o->interrupt) {
            printf("interrupt %s %" PRIu32 " vector %" PRIu32 ": %" PRIu64 "\n",
                   name ? name : "index", o->irq, o->vector, replay_objects_fired(o));
        }
    }
}

static void trace_replay_print_result(const struct replay_reading *in,
                                      const struct replay_result *r)
{
    for (unsigned i = 0; i < r->n_findings; i++) {
        trace_replay_print_finding(&r->findings[i]);
    }
    if (r->found > r->n_findings) {
        printf("... and %" PRIu64 " more\n", r->found - r->n_findings);
    }
    trace_replay_print_interrupts(r);
    printf("session %" PRIu64 "%s%s: sent %" PRIu64 ", came %" PRIu64 ", compared %" PRIu64
           ": %" PRIu64 " equal, %" PRIu64 " masked, %" PRIu64 " finding%s",
           in->session, in->route[0] ? " of " : "", in->route, r->sent, r->came, r->compared,
           r->equal, r->masked, r->found, r->found == 1 ? "" : "s");
    if (r->in_part > 0) {
        printf("; %" PRIu64 " compared in part", r->in_part);
    }
    if (r->repeated > 0) {
        printf("; %" PRIu64 " replies repeated", r->repeated);
    }
    putchar('\n');
}

static json_t *trace_replay_finding_json(const struct replay_finding *f)
{
    const struct replay_message *const about = f->request ? f->request : f->recorded;
    char place[96] = "";
    json_t *const j = json_pack("{s:s, s:s, s:s}", "kind", trace_replay_kind_name(f->kind),
                                "command", wire_command_name(f->command), "text", f->text);
    int err = j ? 0 : -1;

    if (f->recorded) {
        err |= json_object_set_new(j, "message", json_integer((json_int_t)f->recorded->number));
        err |= json_object_set_new(
            j, "about", json_string(replay_place(about, place, sizeof place) + (place[0] == ' ')));
    }
    if (f->request) {
        err |= json_object_set_new(j, "request", json_integer((json_int_t)f->request->number));
    }
    if (f->kind == REPLAY_DIFFERS && f->difference.what != REPLAY_EQUAL) {
        const struct replay_difference *const d = &f->difference;
        json_t *const what = json_pack("{s:s, s:I, s:I}", "what", replay_what_name(d->what),
                                       "recorded", (json_int_t)d->want, "got", (json_int_t)d->got);

        if (d->what == REPLAY_BYTES) {
            err |= json_object_set_new(what, "at", json_integer(d->at));
            err |= json_object_set_new(what, "count", json_integer(d->count));
        }
        err |= json_object_set_new(j, "difference", what);
    }
    if (err) {
        json_decref(j);
        return NULL;
    }
    return j;
}

static json_t *trace_replay_interrupts_json(const struct replay_result *r)
{
    json_t *const all = json_array();

    for (size_t i = 0; all && i < r->objects.n; i++) {
        const struct replay_object *const o = &r->objects.objects[i];
        const char *const name = wire_name_of(wire_irqs, o->irq);

        if (o->interrupt) {
            json_array_append_new(all, json_pack("{s:i, s:s?, s:i, s:I}", "index", (int)o->irq,
                                                 "name", name, "vector", (int)o->vector, "count",
                                                 (json_int_t)replay_objects_fired(o)));
        }
    }
    return all;
}

static const char *trace_replay_verdict(const struct replay_result *r)
{
    return r->could_not ? "could-not" : r->found > 0 ? "differs" : "equal";
}

static json_t *trace_replay_result_json(const struct replay_reading *in,
                                        const struct replay_result *r)
{
    json_t *const findings = json_array();

    for (unsigned i = 0; findings && i < r->n_findings; i++) {
        if (json_array_append_new(findings, trace_replay_finding_json(&r->findings[i]))) {
            json_decref(findings);
            return NULL;
        }
    }
    return members_object((const struct member[]){
        {"format", json_string(FORMAT)},
        {"result", json_string(trace_replay_verdict(r))},
        {"session", members_number(in->session)},
        {"route", json_string(in->route)},
        {"sent", members_number(r->sent)},
        {"came", members_number(r->came)},
        {"compared", members_number(r->compared)},
        {"equal", members_number(r->equal)},
        {"masked", members_number(r->masked)},
        {"in_part", members_number(r->in_part)},
        {"repeated", members_number(r->repeated)},
        {"found", members_number(r->found)},
        {"findings", findings},
        {"interrupts", trace_replay_interrupts_json(r)},
        {"why", r->could_not ? poemctl_json_text(r->why) : &members_omitted},
        {NULL, NULL}});
}

static int trace_replay_notify(const struct options *o, const struct replay_result *r)
{
    const int code = r->could_not ? POEMCTL_COULD_NOT : r->found > 0 ? POEMCTL_NO : POEMCTL_YES;

    if (r->could_not) {
        (void)poemctl_could_not(ACTION, o->path, r->why);
    }
    if (o->json) {
        return poemctl_json(ACTION, trace_replay_result_json(&o->in, r), code);
    }
    if (!r->could_not) {
        trace_replay_print_result(&o->in, r);
    }
    return code;
}

/* ---- replaying ---- */

/* The session may have had more files open at once than a shell allows by default. */
static void trace_replay_allow_many_fds(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static void trace_replay_ready(void *arg)
{
    const struct options *const o = arg;
    char shown[512];

    fprintf(stderr, "poemctl: " ACTION ": listening at %s\n",
            log_escape(shown, sizeof shown, o->path, strlen(o->path)));
}

static void trace_replay_play_device(struct options *o, const struct replay_settings *settings,
                                     struct replay_result *r)
{
    sigset_t stop;
    int stop_fd;

    sigemptyset(&stop);
    sigaddset(&stop, SIGINT);
    sigaddset(&stop, SIGTERM);
    sigprocmask(SIG_BLOCK, &stop, NULL);
    stop_fd = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
    if (stop_fd < 0) {
        replay_could_not(r, "signalfd: %s", strerror(errno));
        return;
    }
    replay_device(settings, stop_fd, trace_replay_ready, o, r);
    close(stop_fd);
}

static int trace_replay_play(struct options *o)
{
    const int timeout = o->timeout_ms ? o->timeout_ms : o->as_device ? -1 : POEMCTL_TIMEOUT_MS;
    const struct replay_settings settings = {.script = &o->in.script,
                                             .masks = &o->masks,
                                             .path = o->path,
                                             .leg = o->in.leg,
                                             .timeout_ms = timeout,
                                             .fast = o->fast};
    struct replay_result *const r = malloc(sizeof *r);
    int code;

    if (!r) {
        poemctl_error(ACTION, "out of memory");
        return POEMCTL_COULD_NOT;
    }
    replay_result_init(r);
    trace_replay_allow_many_fds();
    if (o->as_device) {
        trace_replay_play_device(o, &settings, r);
    } else {
        replay_client(&settings, r);
    }
    code = trace_replay_notify(o, r);
    replay_result_deinit(r);
    free(r);
    return code;
}

static int trace_replay_main(int argc, char **argv)
{
    static struct options o = {.leg = LEG_BACKEND};
    char **const operands = poemctl_parse(&trace_replay, argc, argv, &o);
    int code;

    if (!operands) {
        return POEMCTL_USAGE;
    }
    o.file = operands[0];
    o.path = operands[1];
    if (o.as_device && (o.masks.n > 0 || o.fast)) {
        poemctl_error(ACTION, "--mask and --fast are for the client's part, not --as-device");
        return poemctl_usage(&trace_replay);
    }
    if (!poemctl_socket(ACTION, o.path)) {
        return poemctl_usage(&trace_replay);
    }
    o.in.leg = o.leg == LEG_CLIENT ? TRACE_LEG_CLIENT : TRACE_LEG_BACKEND;
    code = replay_read(&o.in, ACTION, o.file);
    if (code == POEMCTL_YES) {
        code = trace_replay_play(&o);
    }
    replay_script_deinit(&o.in.script);
    return code;
}

static const struct cli_option options[] = {
    {"as-device", 0, NULL, "play the device at the socket, not the client",
     CLI_FLAG(struct options, as_device)},
    {"fast", 0, NULL, "without the pauses between messages", CLI_FLAG(struct options, fast)},
    POEMCTL_JSON_OPTION(struct options, json),
    {"session", 0, "N", "the session with this number", CLI_READ(trace_replay_read_session)},
    {"leg", 0, "client|backend", "messages as they passed on this leg of the broker (backend)",
     CLI_CHOICE(struct options, leg)},
    {"mask", 0, "MASK", "bytes that may differ in replies", CLI_READ(trace_replay_read_mask)},
    POEMCTL_TIMEOUT_OPTION(struct options, timeout_ms),
    POEMCTL_END_OPTION,
};

const struct poemctl_command trace_replay = {
    .name = ACTION,
    .synopsis = "[--fast] [--json] [--session N] [--leg client | backend] [--mask MASK] "
                "[--timeout MS] FILE SOCKET\n"
                "--as-device [--json] [--session N] [--leg client | backend] [--timeout MS] "
                "FILE SOCKET",
    .what = "play a session of a trace to a device, or as the device",
    .manual = "poemctl-trace-replay(1)",
    .options = options,
    .least = 2,
    .most = 2,
    .missing = "a trace, and the socket to play it to or at",
    .surplus = "a trace, and the socket to play it to or at",
    .run = trace_replay_main,
};
