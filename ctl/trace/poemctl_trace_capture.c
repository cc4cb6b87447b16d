/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The actions of poemctl trace that a running poemd carries out: start, stop, dump, list. The file
 * is opened here, with the caller's rights, and passed to poemd as an open fd.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sock.h"
#include "proxy/config/config_trace.h"
#include "ctl/control/poemctl_control.h"
#include "ctl/poemctl_json.h"
#include "ctl/trace/poemctl_trace.h"
#include "trace/decode/filter.h"

#define FORMAT "poemd-traces/1"

/* ---- the output ---- */

struct output {
    int fd; /* -1 if none */
    const char *path;
    bool made; /* the file was created here */
    bool pipe;
};

static bool trace_capture_cannot_write(const char *path, const char *why)
{
    char shown[256];

    poemctl_error("trace start", "\"%s\": %s", log_escape(shown, sizeof shown, path, strlen(path)),
                  why);
    return false;
}

/* Checks that a capture can be written to the fd. */
static bool trace_capture_check_output(struct output *o)
{
    struct stat st;

    if (fstat(o->fd, &st) < 0) {
        return trace_capture_cannot_write(o->path, strerror(errno));
    }
    o->pipe = S_ISFIFO(st.st_mode);
    if (isatty(o->fd)) {
        return trace_capture_cannot_write(o->path,
                                          "a capture is not for a terminal: -w FILE, or a pipe");
    }
    if (S_ISREG(st.st_mode) && st.st_size > 0) {
        return trace_capture_cannot_write(
            o->path, "the file is not empty: remove it, or choose another file");
    }
    return true;
}

/* Opens the output; path "-" is standard output. Reports errors. */
static bool trace_capture_open_output(struct output *o, const char *path)
{
    *o = (struct output){.fd = -1, .path = path};
    if (strcmp(path, "-") == 0) {
        o->path = "standard output";
        o->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    } else {
        /* Mode 0600: a capture may hold secrets of the guest. */
        o->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0600);
        o->made = o->fd >= 0;
        if (o->fd < 0 && errno == EEXIST) {
            o->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        }
    }
    return o->fd < 0 ? trace_capture_cannot_write(o->path, strerror(errno))
                     : trace_capture_check_output(o);
}

/* Removes the file if it was created for a capture that did not start. */
static void trace_capture_forget_output(struct output *o)
{
    if (o->made) {
        unlink(o->path);
    }
    sock_close(&o->fd);
}

/* ---- starting ---- */

struct wanted {
    const char *control;
    const char *file;
    const char *route;
    const char *filter;
    bool wait;
    bool quiet; /* no number is printed: standard output gets the capture */
    struct control_request request;
};

static bool trace_capture_read_payload(void *values, const char *text)
{
    uint32_t *const payload = &((struct wanted *)values)->request.payload;
    uint64_t n = 0;

    if (strcmp(text, "all") == 0) {
        *payload = CONFIG_PAYLOAD_ALL;
    } else if (strcmp(text, "guest") == 0) {
        *payload = CONFIG_PAYLOAD_GUEST;
    } else if (cli_number(text, 0, LIMIT_CONTROL_PAYLOAD, &n)) {
        *payload = (uint32_t)n;
    } else {
        poemctl_error("trace start", "--payload: all, guest or a number from 0 to %u",
                      LIMIT_CONTROL_PAYLOAD);
        return false;
    }
    return true;
}

/*
 * Checks the filter here as well, so that an error in it is a usage error, as in the actions that
 * read; the broker parses it again.
 */
static bool trace_capture_is_filter(const char *text)
{
    char why[512];
    struct filter *const filter = filter_new(text, why, sizeof why);

    if (!filter) {
        poemctl_error("trace start", "%s", why);
    }
    filter_free(filter);
    return filter != NULL;
}

/* Copies a text into a request. Returns false, after an error message, if it is too long. */
static bool trace_capture_put_text(const char *option, const char *text, char *to, size_t size)
{
    if (strlen(text) >= size) {
        poemctl_error("trace start", "--%s: at most %zu bytes", option, size - 1);
        return false;
    }
    memcpy(to, text, strlen(text) + 1);
    return true;
}

/* Completes the request by what the command line has. */
static bool trace_capture_complete(struct wanted *w, const char *session)
{
    struct control_request *q = &w->request;

    if ((session != NULL) == (w->route != NULL)) {
        poemctl_error("trace start", "which session, or --route ROUTE?");
        return false;
    }
    if (w->filter && (!trace_capture_put_text("filter", w->filter, q->filter, sizeof q->filter) ||
                      !trace_capture_is_filter(w->filter))) {
        return false;
    }
    return w->route ? trace_capture_put_text("route", w->route, q->route, sizeof q->route)
                    : poemctl_number("trace start", session, &q->number);
}

/* ---- waiting for the end ---- */

static int held_fd = -1;

/*
 * Asks poemd to end the capture and to send its last counts. SA_RESETHAND: a second signal kills
 * poemctl.
 */
static void trace_capture_on_signal(int sig)
{
    (void)sig;
    shutdown(held_fd, SHUT_WR);
}

static void trace_capture_let_signals_end_it(int fd)
{
    struct sigaction a = {.sa_handler = trace_capture_on_signal, .sa_flags = (int)SA_RESETHAND};

    held_fd = fd;
    sigaction(SIGINT, &a, NULL);
    sigaction(SIGTERM, &a, NULL);
    sigaction(SIGHUP, &a, NULL);
}

/*
 * Reports how the capture ended. An end that was asked for, or a session that is over, counts as
 * success.
 */
static int trace_capture_write_end(const json_t *trace)
{
    static const char *const good[] = {"asked", "session ended", "shutdown", "reader gone"};
    const char *why = control_text(trace, "why");

    fprintf(stderr, "poemctl: trace %lld ended: %s; %lld messages, %lld lost, %lld bytes\n",
            control_number(trace, "number"), why, control_number(trace, "messages"),
            control_number(trace, "lost"), control_number(trace, "bytes"));
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (strcmp(why, good[i]) == 0) {
            return POEMCTL_YES;
        }
    }
    return POEMCTL_COULD_NOT;
}

static int trace_capture_await_end(struct control_connection *c)
{
    json_t *part;
    bool last;
    int code = control_next(c, &part, &last);

    if (code == POEMCTL_YES && json_object_size(part) > 0) {
        code = trace_capture_write_end(json_object_get(part, "trace"));
    } else if (code == POEMCTL_YES) {
        poemctl_error("trace start", "the capture has ended: poemd does not remember how");
        code = POEMCTL_COULD_NOT;
    }
    json_decref(part);
    return code;
}

/* Handles poemd's answer to the request, which has the capture's number. */
static int trace_capture_go_on(struct control_connection *c, struct wanted *w, struct output *o)
{
    const bool hold = w->request.flags & CONTROL_HOLD;
    json_t *part;
    bool last;
    int code = control_next(c, &part, &last);

    if (code != POEMCTL_YES) {
        trace_capture_forget_output(o);
        return code;
    }
    fprintf(w->quiet ? stderr : stdout, w->quiet ? "poemctl: trace %lld\n" : "%lld\n",
            control_number(json_object_get(part, "trace"), "number"));
    json_decref(part);
    /*
     * Closed so that the reader of a pipe sees its end when the capture ends, not when poemctl
     * does.
     */
    sock_close(&o->fd);
    if (!hold) {
        return code;
    }
    (void)fflush(stdout);
    return trace_capture_await_end(c);
}

static int trace_start_main(int argc, char **argv)
{
    struct wanted w = {.file = "-", .request = control_request(CONTROL_TRACE_START)};
    struct control_connection c;
    struct output o;
    char **operands;
    int code;

    w.request.payload = CONFIG_PAYLOAD_DEFAULT;
    operands = poemctl_parse(&trace_start, argc, argv, &w);
    if (!operands) {
        return POEMCTL_USAGE;
    }
    if (!trace_capture_complete(&w, operands[0])) {
        return poemctl_usage(&trace_start);
    }
    if (!trace_capture_open_output(&o, w.file)) {
        trace_capture_forget_output(&o);
        return POEMCTL_COULD_NOT;
    }
    w.quiet = strcmp(w.file, "-") == 0;
    w.request.flags = w.wait || o.pipe ? CONTROL_HOLD : 0;
    if (!control_ask(&c, "trace start", w.control, &w.request, o.fd)) {
        trace_capture_forget_output(&o);
        return POEMCTL_COULD_NOT;
    }
    if (w.request.flags & CONTROL_HOLD) {
        trace_capture_let_signals_end_it(c.fd);
    }
    code = trace_capture_go_on(&c, &w, &o);
    control_hang_up(&c);
    return code;
}

static const struct cli_option start_options[] = {
    POEMCTL_CONTROL_OPTION(struct wanted, control),
    {"output", 'w', "FILE", "write the capture to this file instead of to standard output",
     CLI_TEXT(struct wanted, file)},
    {"payload", 0, "BYTES|all|guest", "how much of each message's data is kept",
     CLI_READ(trace_capture_read_payload)},
    TRACE_FILTER_OPTION(struct wanted, filter),
    {"memory", 0, "MIB", "keep the last messages in memory until a dump",
     CLI_NUMBER(struct wanted, request.memory_mib, 0, LIMIT_CONTROL_MEMORY_MIB)},
    {"wait", 0, NULL, "end when the capture ends", CLI_FLAG(struct wanted, wait)},
    {"route", 0, "ROUTE", "capture every session of this route", CLI_TEXT(struct wanted, route)},
    POEMCTL_END_OPTION,
};

const struct poemctl_command trace_start = {
    .name = "trace start",
    .synopsis = "[--control PATH] [-w FILE] [--payload BYTES | all | guest] [--filter FILTER] "
                "[--memory MIB] [--wait] SESSION | --route ROUTE",
    .what = "capture the messages of a session or a route",
    .manual = "poemctl-trace-start(1)",
    .options = start_options,
    .most = 1,
    .surplus = "which session, or --route ROUTE?",
    .run = trace_start_main,
};

/* ---- running captures ---- */

static void trace_capture_nothing(json_t *part, void *arg)
{
    (void)part;
    (void)arg;
}

struct options {
    const char *control;
    bool json;
};

static int trace_capture_about_one(const struct poemctl_command *command, enum control_type type,
                                   int argc, char **argv)
{
    struct control_request q = control_request(type);
    struct options o = {.control = NULL};
    char **const operands = poemctl_parse(command, argc, argv, &o);

    if (!operands) {
        return POEMCTL_USAGE;
    }
    if (!poemctl_number(command->name, operands[0], &q.number)) {
        return poemctl_usage(command);
    }
    return control_ask_all(command->name, o.control, &q, trace_capture_nothing, NULL);
}

static int trace_stop_main(int argc, char **argv)
{
    return trace_capture_about_one(&trace_stop, CONTROL_TRACE_STOP, argc, argv);
}

static int trace_dump_main(int argc, char **argv)
{
    return trace_capture_about_one(&trace_dump, CONTROL_TRACE_DUMP, argc, argv);
}

static const struct cli_option one_options[] = {
    POEMCTL_CONTROL_OPTION(struct options, control),
    POEMCTL_END_OPTION,
};

const struct poemctl_command trace_stop = {
    .name = "trace stop",
    .synopsis = "[--control PATH] NUMBER",
    .what = "end a capture",
    .manual = "poemctl-trace-start(1)",
    .options = one_options,
    .least = 1,
    .most = 1,
    .run = trace_stop_main,
};

const struct poemctl_command trace_dump = {
    .name = "trace dump",
    .synopsis = "[--control PATH] NUMBER",
    .what = "write what a capture in memory holds to its file",
    .manual = "poemctl-trace-start(1)",
    .options = one_options,
    .least = 1,
    .most = 1,
    .run = trace_dump_main,
};

/* ---- list ---- */

static void trace_capture_print_trace(const json_t *t)
{
    const json_t *payload = json_object_get(t, "payload");
    const char *why = control_text(t, "why");

    printf("%lld ", control_number(t, "number"));
    if (json_is_integer(json_object_get(t, "session"))) {
        printf("session %lld: ", control_number(t, "session"));
    } else {
        printf("route %s, %lld sessions: ", control_text(t, "route"),
               control_number(t, "sessions"));
    }
    printf("%s%s%s\n    %lld messages, %lld lost, %lld bytes", control_text(t, "state"),
           *why ? ", " : "", why, control_number(t, "messages"), control_number(t, "lost"),
           control_number(t, "bytes"));
    printf("; payload ");
    if (json_is_integer(payload)) {
        printf("%lld", (long long)json_integer_value(payload));
    } else {
        printf("%s", control_text(t, "payload"));
    }
    if (control_number(t, "memory-mib") > 0) {
        printf("; flight recorder of %lld MiB", control_number(t, "memory-mib"));
    }
    if (*control_text(t, "filter")) {
        printf("; filter %s", control_text(t, "filter"));
    }
    if (*control_text(t, "file")) {
        printf("\n    %s", control_text(t, "file"));
    }
    printf("\n");
}

static void trace_capture_take_trace(json_t *part, void *arg)
{
    json_t *list = arg;
    json_t *trace = json_object_get(part, "trace");

    if (list) {
        (void)json_array_append(list, trace);
    } else {
        trace_capture_print_trace(trace);
    }
}

static int trace_list_main(int argc, char **argv)
{
    const struct control_request q = control_request(CONTROL_TRACE_LIST);
    struct options o = {.control = NULL};
    json_t *list;
    int code;

    if (!poemctl_parse(&trace_list, argc, argv, &o)) {
        return POEMCTL_USAGE;
    }
    list = o.json ? json_array() : NULL;
    code = control_ask_all("trace list", o.control, &q, trace_capture_take_trace, list);
    if (o.json && code == POEMCTL_YES) {
        code = poemctl_json("trace list", json_pack("{s:s,s:O}", "format", FORMAT, "traces", list),
                            code);
    }
    json_decref(list);
    return code;
}

static const struct cli_option list_options[] = {
    POEMCTL_CONTROL_OPTION(struct options, control),
    POEMCTL_JSON_OPTION(struct options, json),
    POEMCTL_END_OPTION,
};

const struct poemctl_command trace_list = {
    .name = "trace list",
    .synopsis = "[--control PATH] [--json]",
    .what = "list the captures",
    .manual = "poemctl-trace-start(1)",
    .options = list_options,
    .run = trace_list_main,
};
