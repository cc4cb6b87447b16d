/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The actions of poemctl trace that a running poemd carries out: start, stop, dump, list. The file
 * is opened here, with the caller's rights, and passed to poemd as an open fd.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
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
            o->path, "there is something in it: remove it, or choose another file");
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
    bool wait;
    bool quiet; /* no number is printed: standard output gets the capture */
    struct control_request request;
};

/* Reads a number up to `most`; `or` lists the option's other values for the error message. */
static bool trace_capture_read_count(const char *option, const char * or, const char *text,
                                     unsigned most, uint32_t *out)
{
    char *end;
    unsigned long v;

    errno = 0;
    v = strtoul(text, &end, 10);
    if (errno || *text == '\0' || text[strspn(text, "0123456789")] != '\0' || v > most) {
        poemctl_error("trace start", "--%s: %sa number from 0 to %u", option, or, most);
        return false;
    }
    *out = (uint32_t)v;
    return true;
}

static bool trace_capture_read_payload(const char *text, uint32_t *out)
{
    if (strcmp(text, "all") == 0) {
        *out = CONFIG_PAYLOAD_ALL;
    } else if (strcmp(text, "guest") == 0) {
        *out = CONFIG_PAYLOAD_GUEST;
    } else {
        return trace_capture_read_count("payload", "all, guest or ", text, LIMIT_CONTROL_PAYLOAD,
                                        out);
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

static bool trace_capture_take_option(struct wanted *w, int c)
{
    struct control_request *q = &w->request;

    switch (c) {
    case 'C':
        w->control = optarg;
        return true;
    case 'w':
        w->file = optarg;
        return true;
    case 'W':
        w->wait = true;
        return true;
    case 'r':
        return trace_capture_put_text("route", optarg, q->route, sizeof q->route);
    case 'f':
        return trace_capture_put_text("filter", optarg, q->filter, sizeof q->filter) &&
               trace_capture_is_filter(optarg);
    case 'p':
        return trace_capture_read_payload(optarg, &q->payload);
    case 'm':
        return trace_capture_read_count("memory", "", optarg, LIMIT_CONTROL_MEMORY_MIB,
                                        &q->memory_mib);
    default:
        return false;
    }
}

static bool trace_capture_read_wanted(struct wanted *w, int argc, char **argv)
{
    static const struct option longs[] = {
        POEMCTL_CONTROL_OPTION,
        {"route", required_argument, NULL, 'r'},
        {"filter", required_argument, NULL, 'f'},
        {"payload", required_argument, NULL, 'p'},
        {"memory", required_argument, NULL, 'm'},
        {"wait", no_argument, NULL, 'W'},
        {NULL, 0, NULL, 0},
    };
    int c;

    *w = (struct wanted){.file = "-", .request = control_request(CONTROL_TRACE_START)};
    w->request.payload = CONFIG_PAYLOAD_DEFAULT;
    while ((c = getopt_long(argc, argv, "w:", longs, NULL)) != -1) {
        if (!trace_capture_take_option(w, c)) {
            return false;
        }
    }
    if (argc - optind != (w->request.route[0] ? 0 : 1)) {
        poemctl_error("trace start", "which session, or --route ROUTE?");
        return false;
    }
    return w->request.route[0] || poemctl_number("trace start", argv[optind], &w->request.number);
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

int trace_start_main(int argc, char **argv)
{
    struct control_connection c;
    struct wanted w;
    struct output o;
    int code;

    if (!trace_capture_read_wanted(&w, argc, argv)) {
        return trace_usage("start");
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
    return poemctl_finish("trace start", code);
}

/* ---- running captures ---- */

static void trace_capture_nothing(json_t *part, void *arg)
{
    (void)part;
    (void)arg;
}

/* Parses the options that stop, dump and list share. Returns false if they are wrong. */
static bool trace_capture_read_common(int argc, char **argv, const char **control, bool *json)
{
    static const struct option longs[] = {
        {"json", no_argument, NULL, 'j'},
        POEMCTL_CONTROL_OPTION,
        {NULL, 0, NULL, 0},
    };
    int c;

    *control = NULL;
    *json = false;
    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        if (c == '?') {
            return false;
        }
        *json = *json || c == 'j';
        *control = c == 'C' ? optarg : *control;
    }
    return true;
}

static int trace_capture_about_one(int argc, char **argv, const char *name, enum control_type type)
{
    struct control_request q = control_request(type);
    const char *control;
    bool json;

    if (!trace_capture_read_common(argc, argv, &control, &json) || json || argc - optind != 1 ||
        !poemctl_number(name, argv[optind], &q.number)) {
        return trace_usage(strchr(name, ' ') + 1);
    }
    return control_ask_all(name, control, &q, trace_capture_nothing, NULL);
}

int trace_stop_main(int argc, char **argv)
{
    return trace_capture_about_one(argc, argv, "trace stop", CONTROL_TRACE_STOP);
}

int trace_dump_main(int argc, char **argv)
{
    return trace_capture_about_one(argc, argv, "trace dump", CONTROL_TRACE_DUMP);
}

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
        printf("; recorder of %lld MiB", control_number(t, "memory-mib"));
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

int trace_list_main(int argc, char **argv)
{
    const struct control_request q = control_request(CONTROL_TRACE_LIST);
    const char *control;
    json_t *list;
    bool json;
    int code;

    if (!trace_capture_read_common(argc, argv, &control, &json) || optind < argc) {
        return trace_usage("list");
    }
    list = json ? json_array() : NULL;
    code = control_ask_all("trace list", control, &q, trace_capture_take_trace, list);
    if (json && code == POEMCTL_YES) {
        code = poemctl_json("trace list", json_pack("{s:s,s:O}", "format", FORMAT, "traces", list),
                            code);
    }
    json_decref(list);
    return poemctl_finish("trace list", code);
}
