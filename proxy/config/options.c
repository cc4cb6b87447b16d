/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Reads the command line of poemd. Options are rows of a table; their values are read like those of
 * the configuration language. Opens only the configuration file.
 */
#define _GNU_SOURCE

#include "proxy/config/options.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/sock_path.h"
#include "proxy/config/config_value.h"
#include "proxy/config/places.h"

enum option_id {
    OPT_LISTEN,
    OPT_BACKEND,
    OPT_MODE,
    OPT_OWNER,
    OPT_GROUP,
    OPT_WAIT_BACKEND,
    OPT_TRACE,
    OPT_CONFIG,
    OPT_CHECK,
    OPT_CONTROL,
    OPT_WORKERS,
    OPT_USER,
    OPT_LOG_LEVEL,
    OPT_READY_FD,
    OPT_ACCEPT_LOSS,
    OPT_HELP,
    OPT_VERSION,
    OPTS,
};

struct option_row {
    const char *name;
    const char *value;    /* its name in the help; NULL: no value */
    enum value_kind kind; /* if checked */
    bool checked;         /* the value is read by value_read, between least and most */
    unsigned least;
    unsigned most;
    bool single; /* allowed only with --listen */
    const char *help;
};

static const struct option_row rows[OPTS] = {
    [OPT_LISTEN] = {.name = "listen", .value = "PATH", .help = "serve clients on this socket"},
    [OPT_BACKEND] = {.name = "backend",
                     .value = "PATH",
                     .help = "and relay them to the device process on this one",
                     .single = true},
    [OPT_MODE] = {.name = "mode",
                  .value = "MODE",
                  .help = "mode of the --listen socket (0600)",
                  .kind = VALUE_MODE,
                  .checked = true,
                  .single = true},
    [OPT_OWNER] = {.name = "owner",
                   .value = "USER",
                   .help = "owner of the --listen socket",
                   .kind = VALUE_ACCOUNT,
                   .checked = true,
                   .single = true},
    [OPT_GROUP] = {.name = "group",
                   .value = "GROUP",
                   .help = "group of the --listen socket",
                   .kind = VALUE_ACCOUNT,
                   .checked = true,
                   .single = true},
    [OPT_WAIT_BACKEND] = {.name = "wait-backend",
                          .value = "DURATION",
                          .help = "wait this long for an absent backend (0)",
                          .kind = VALUE_DURATION,
                          .checked = true,
                          .most = LIMIT_HANDSHAKE_MS,
                          .single = true},
    [OPT_TRACE] = {.name = "trace",
                   .value = "FILE",
                   .help = "capture messages, for poemctl trace and Wireshark",
                   .single = true},
    [OPT_CONFIG] = {.name = "config",
                    .value = "FILE",
                    .help = "serve the routes of this file, poemd.conf(5)"},
    [OPT_CHECK] = {.name = "check", .help = "only check the configuration"},
    [OPT_CONTROL] = {.name = "control", .value = "PATH", .help = "answer poemctl on this socket"},
    [OPT_WORKERS] = {.name = "workers",
                     .value = "NUMBER",
                     .help = "processes that relay (one per core, at most 4)",
                     .kind = VALUE_COUNT,
                     .checked = true,
                     .least = 1,
                     .most = LIMIT_WORKERS},
    [OPT_USER] = {.name = "user",
                  .value = "USER",
                  .help = "user of the workers if poemd runs as root",
                  .kind = VALUE_ACCOUNT,
                  .checked = true},
    [OPT_LOG_LEVEL] = {.name = "log-level",
                       .value = "LEVEL",
                       .help = "error, warning, info or debug (info)",
                       .kind = VALUE_LEVEL,
                       .checked = true},
    [OPT_READY_FD] = {.name = "ready-fd",
                      .value = "NUMBER",
                      .help = "write a newline to this descriptor once all sockets listen",
                      .kind = VALUE_COUNT,
                      .checked = true,
                      .most = INT_MAX},
    [OPT_ACCEPT_LOSS] = {.name = "accept-loss",
                         .help = "continue an audit log that has lost sealed records"},
    [OPT_HELP] = {.name = "help", .help = "show this"},
    [OPT_VERSION] = {.name = "version", .help = "show the version"},
};

/* The command line as given, before any of it is done. */
struct options_given {
    const char *text[OPTS]; /* NULL: not given; "" if it has no value */
    unsigned number[OPTS];
    FILE *out;
    FILE *err;
    bool again;  /* for the monitor … */
    int text_fd; /* … with the text of the configuration file, or -1 */
};

const char *options_name(size_t i)
{
    return i < OPTS ? rows[i].name : NULL;
}

/* ---- answers ---- */

static void options_help(FILE *to)
{
    fputs("usage: poemd --listen PATH --backend PATH [OPTION]...\n"
          "       poemd --config FILE [OPTION]...\n\n"
          "The handshake broker between QEMU and vfio-user device processes.\n\n",
          to);
    for (size_t i = 0; i < OPTS; i++) {
        const char *value = rows[i].value ? rows[i].value : "";

        fprintf(to, "  --%s %s%*s%s\n", rows[i].name, value,
                (int)(24 - strlen(rows[i].name) - strlen(value)), "", rows[i].help);
    }
    fputs("\nExit status: 0 success, 1 --check found errors, 2 usage error, 3 failure.\n", to);
}

static enum options_outcome options_done(struct options *o, enum options_status status)
{
    o->status = status;
    return OPTIONS_DONE;
}

static bool options_usage_fault(const struct options_given *g, const char *hint, const char *fmt,
                                ...) __attribute__((format(printf, 3, 4)));

/* Reports a fault of the command line. Returns false, for the caller to return. */
static bool options_usage_fault(const struct options_given *g, const char *hint, const char *fmt,
                                ...)
{
    va_list ap;

    fputs("poemd: error: ", g->err);
    va_start(ap, fmt);
    vfprintf(g->err, fmt, ap);
    va_end(ap);
    fprintf(g->err, "\n    hint: %s\n", hint);
    return false;
}

/* ---- the arguments ---- */

/* Reports a word that getopt rejects. */
static bool options_getopt_fault(const struct options_given *g, const char *word, bool lacks_value)
{
    const char *names[OPTS];
    char hint[64] = "poemd --help shows the options";
    char shown[80];
    const char *near;

    log_escape(shown, sizeof shown, word, strlen(word));
    if (lacks_value) {
        return options_usage_fault(g, hint, "%s requires a value", shown);
    }
    for (size_t i = 0; i < OPTS; i++) {
        names[i] = rows[i].name;
    }
    near = value_nearest(word + strspn(word, "-"), names, OPTS);
    if (near) {
        snprintf(hint, sizeof hint, "did you mean --%s?", near);
    }
    return options_usage_fault(g, hint, "unknown option %s", shown);
}

static bool options_collect(struct options_given *g, int argc, char **argv)
{
    struct option longs[OPTS + 1] = {{0}};
    char shown[80];
    int at = 1; /* of the word that getopt reads */
    int c;

    for (int i = 0; i < OPTS; i++) {
        longs[i].name = rows[i].name;
        longs[i].has_arg = rows[i].value ? required_argument : no_argument;
        longs[i].val = i;
    }
    opterr = 0;
    optind = 0; /* glibc: resets the state of an earlier call */
    while ((c = getopt_long(argc, argv, "+:", longs, NULL)) != -1) {
        if (c == '?' || c == ':') {
            return options_getopt_fault(g, argv[at], c == ':');
        }
        at = optind;
        if (g->text[c]) {
            return options_usage_fault(g, "give it once", "--%s is given twice", rows[c].name);
        }
        g->text[c] = optarg ? optarg : "";
    }
    if (optind < argc) {
        log_escape(shown, sizeof shown, argv[optind], strlen(argv[optind]));
        return options_usage_fault(g, "poemd --help shows the options",
                                   "unexpected argument \"%s\"", shown);
    }
    return true;
}

static bool options_check_values(struct options_given *g)
{
    struct value_fault fault;

    for (size_t i = 0; i < OPTS; i++) {
        if (g->text[i] && rows[i].checked &&
            !value_read(rows[i].kind, g->text[i], rows[i].least, rows[i].most, &g->number[i],
                        &fault)) {
            return options_usage_fault(g, fault.hint, "--%s: %s", rows[i].name, fault.text);
        }
    }
    return true;
}

/* Rejects addresses of other forms, since a relative path would be valid here. */
static bool options_check_paths(const struct options_given *g)
{
    static const int paths[] = {OPT_LISTEN, OPT_BACKEND, OPT_CONTROL};

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        const char *text = g->text[paths[i]];
        const char *fault = text ? sock_path_fault(text) : NULL;
        char shown[80];

        if (fault) {
            log_escape(shown, sizeof shown, text, strlen(text));
            return options_usage_fault(g, fault, "--%s: \"%s\" is not a path", rows[paths[i]].name,
                                       shown);
        }
    }
    return true;
}

static bool options_check_combination(const struct options_given *g)
{
    if (g->text[OPT_CONFIG] && g->text[OPT_LISTEN]) {
        return options_usage_fault(g, "put all routes into the file",
                                   "--config and --listen exclude each other");
    }
    if (!g->text[OPT_CONFIG] && !g->text[OPT_LISTEN]) {
        return options_usage_fault(g, "--listen PATH --backend PATH, or --config FILE",
                                   "nothing to serve");
    }
    if (g->text[OPT_LISTEN] && !g->text[OPT_BACKEND]) {
        return options_usage_fault(g, "--backend PATH names the device's socket",
                                   "--listen needs a --backend");
    }
    for (size_t i = 0; i < OPTS; i++) {
        if (g->text[OPT_CONFIG] && g->text[i] && rows[i].single) {
            return options_usage_fault(g, "set it for each route in the file",
                                       "--%s goes with --listen, not with --config", rows[i].name);
        }
    }
    return true;
}

/* ---- the configuration ---- */

static bool options_set_text(char **to, const char *text)
{
    char *copy = text ? strdup(text) : NULL;

    if (text && copy) {
        free(*to);
        *to = copy;
    }
    return !text || copy;
}

/* Returns path, made absolute by the working directory if it is relative; NULL: errno. */
static char *options_absolute(const char *path)
{
    char *cwd;
    char *out = NULL;

    if (path[0] == '/' || path[0] == '\0') {
        return strdup(path);
    }
    while (strncmp(path, "./", 2) == 0) {
        path += 2;
    }
    cwd = getcwd(NULL, 0);
    if (cwd && asprintf(&out, "%s/%s", strcmp(cwd, "/") == 0 ? "" : cwd, path) < 0) {
        out = NULL;
    }
    free(cwd);
    return out;
}

/* path is NULL if not given. */
static int options_set_control(struct config *c, const char *path, struct config_errors *e)
{
    char *whole = path ? options_absolute(path) : NULL;
    int r = 0;

    if (path) {
        r = whole ? config_set_control(c, whole, e) : -errno;
    }
    free(whole);
    return r;
}

/* Options for the whole of poemd override the file. */
static int options_override(struct config *c, const struct options_given *g,
                            struct config_errors *e)
{
    if (g->text[OPT_WORKERS]) {
        c->workers = g->number[OPT_WORKERS];
    }
    if (g->text[OPT_LOG_LEVEL]) {
        c->log_level = (enum log_level)g->number[OPT_LOG_LEVEL];
    }
    c->accept_loss = g->text[OPT_ACCEPT_LOSS] != NULL;
    if (g->text[OPT_USER]) {
        c->user_at = (struct config_place){0, 0};
    }
    if (!options_set_text(&c->user, g->text[OPT_USER])) {
        return -ENOMEM;
    }
    return options_set_control(c, g->text[OPT_CONTROL], e);
}

/* Sets the route's capture. Returns 0, -EINVAL with an error added, or another -errno. */
static int options_set_trace(struct config *c, const char *file, struct config_errors *e)
{
    char *const path = options_absolute(file);
    struct value_fault fault;
    unsigned none;

    if (!path) {
        return -errno;
    }
    if (!value_read(VALUE_FILE, path, 0, 0, &none, &fault)) {
        config_errors_add(e, (struct config_place){0, 0}, fault.hint, "%s", fault.text);
        free(path);
        return -EINVAL;
    }
    c->routes[0].trace_file = path;
    return config_settle_trace(&c->routes[0]);
}

/* Makes the route of the command line. Returns 0, -EINVAL with errors added, or another -errno. */
static int options_make_single(struct config *c, const struct options_given *g,
                               struct config_errors *e)
{
    char *listen = options_absolute(g->text[OPT_LISTEN]);
    char *backend = options_absolute(g->text[OPT_BACKEND]);
    int r = listen && backend ? config_single(c, listen, backend, e) : -errno;

    free(listen);
    free(backend);
    if (r < 0) {
        return r;
    }
    if (g->text[OPT_MODE]) {
        c->routes[0].mode = (mode_t)g->number[OPT_MODE];
    }
    c->routes[0].wait_backend_ms = g->number[OPT_WAIT_BACKEND];
    if (!options_set_text(&c->routes[0].owner_name, g->text[OPT_OWNER]) ||
        !options_set_text(&c->routes[0].group_name, g->text[OPT_GROUP])) {
        return -ENOMEM;
    }
    return g->text[OPT_TRACE] ? options_set_trace(c, g->text[OPT_TRACE], e) : 0;
}

/* Makes the config of all arguments. Sets *from_file if the errors are those of the file. */
static int options_make_config(struct options *o, const struct options_given *g,
                               struct config_errors *e, bool *from_file)
{
    int r = config_init(&o->config);

    *from_file = g->text[OPT_CONFIG] != NULL;
    if (r == 0) {
        r = *from_file && g->text_fd >= 0
                ? config_load_text_take(&o->config, g->text[OPT_CONFIG], g->text_fd, e)
            : *from_file ? config_load(&o->config, g->text[OPT_CONFIG], e)
                         : options_make_single(&o->config, g, e);
    }
    if (r == 0) {
        *from_file = false;
        r = options_override(&o->config, g, e);
    }
    return r < 0 ? r : config_resolve(&o->config, e);
}

static enum options_outcome config_fault(struct options *o, const struct options_given *g, int r,
                                         const struct config_errors *e, bool from_file)
{
    const char *file = g->text[OPT_CONFIG];
    char shown[1024];

    if (r != -EINVAL) {
        log_escape(shown, sizeof shown, file ? file : "", file ? strlen(file) : 0);
        fprintf(g->err, "poemd: error: %s%s%s\n", shown, file ? ": " : "", strerror(-r));
        return options_done(o, STATUS_FAILED);
    }
    config_errors_print(e, from_file ? file : "poemd", g->err);
    if (!from_file) {
        return options_done(o, STATUS_USAGE);
    }
    return options_done(o, g->text[OPT_CHECK] ? STATUS_NO : STATUS_FAILED);
}

static bool options_take_ready_fd(struct options *o, const struct options_given *g)
{
    o->awaited = g->text[OPT_READY_FD] != NULL;
    if (!o->awaited || g->again) {
        return true;
    }
    o->ready_fd = (int)g->number[OPT_READY_FD];
    if (fcntl(o->ready_fd, F_SETFD, FD_CLOEXEC) < 0) {
        return options_usage_fault(g, "open it before poemd is started",
                                   "--ready-fd: %d is not open", o->ready_fd);
    }
    return true;
}

static void options_warn(const char *text, void *arg)
{
    fprintf((FILE *)arg, "poemd: warning: %s\n", text);
}

static void options_write_checked(const struct options *o, const struct options_given *g)
{
    const char *name = g->text[OPT_CONFIG] ? g->text[OPT_CONFIG] : "command line";
    char shown[1024];

    fprintf(g->out, "%s: ok, %zu route%s\n", log_escape(shown, sizeof shown, name, strlen(name)),
            o->config.n_routes, o->config.n_routes == 1 ? "" : "s");
}

static enum options_outcome options_read_as(struct options *o, int argc, char **argv,
                                            struct options_given g)
{
    FILE *const out = g.out;
    FILE *const err = g.err;
    struct config_errors errors;
    bool from_file;
    int r;

    *o = (struct options){.ready_fd = -1, .words = argv + 1};
    config_errors_init(&errors);
    if (!options_collect(&g, argc, argv)) {
        return options_done(o, STATUS_USAGE);
    }
    if (g.text[OPT_HELP]) {
        options_help(out);
        return options_done(o, STATUS_YES);
    }
    if (g.text[OPT_VERSION]) {
        fputs("poemd " POEMD_VERSION "\n", out);
        return options_done(o, STATUS_YES);
    }
    if (!options_check_values(&g) || !options_check_paths(&g) || !options_check_combination(&g) ||
        !options_take_ready_fd(o, &g)) {
        return options_done(o, STATUS_USAGE);
    }
    r = options_make_config(o, &g, &errors, &from_file);
    if (r < 0) {
        return config_fault(o, &g, r, &errors, from_file);
    }
    if (g.text[OPT_CHECK]) {
        places_check(&o->config, options_warn, err);
        options_write_checked(o, &g);
        return options_done(o, STATUS_YES);
    }
    o->given = malloc(sizeof *o->given);
    if (!o->given) {
        return config_fault(o, &g, -ENOMEM, &errors, from_file);
    }
    *o->given = g;
    return OPTIONS_RUN;
}

enum options_outcome options_read(struct options *o, int argc, char **argv, FILE *out, FILE *err)
{
    return options_read_as(o, argc, argv,
                           (struct options_given){.out = out, .err = err, .text_fd = -1});
}

enum options_outcome options_read_again(struct options *o, int argc, char **argv, int text_fd,
                                        FILE *out, FILE *err)
{
    const struct options_given g = {.out = out, .err = err, .again = true, .text_fd = text_fd};

    return options_read_as(o, argc, argv, g);
}

const char *options_file(const struct options *o)
{
    return o->given->text[OPT_CONFIG];
}

/* Applies the command line to what was loaded, with the result r. */
static int options_reload_rest(const struct options *o, struct config *c, int r,
                               struct config_errors *e)
{
    if (r == 0) {
        r = options_override(c, o->given, e);
    }
    return r < 0 ? r : config_resolve(c, e);
}

int options_reload(const struct options *o, struct config *c, struct config_errors *e)
{
    return options_reload_rest(o, c, config_load(c, options_file(o), e), e);
}

int options_reload_text_take(const struct options *o, struct config *c, int text_fd,
                             struct config_errors *e)
{
    return options_reload_rest(o, c, config_load_text_take(c, options_file(o), text_fd, e), e);
}

void options_deinit(struct options *o)
{
    config_deinit(&o->config);
    free(o->given);
    o->given = NULL;
    if (o->ready_fd >= 0) {
        close(o->ready_fd);
        o->ready_fd = -1;
    }
}
