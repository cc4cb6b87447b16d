/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * The command poemctl run: starts a broker in the middle of the sockets that a VMM's command names,
 * shows the messages while the command runs, ends with it, and reports. See poemctl-run(1).
 *
 * It only starts others: poemd with a configuration of its own in a temporary folder, "trace show"
 * on the capture of each device, the command, and at its end "trace lint" and "trace stats".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sock.h"
#include "ctl/poemctl.h"
#include "ctl/run/run_child.h"
#include "ctl/run/run_command.h"
#include "proxy/config/text/config_lex.h"

#define RUN_FILE 4096u

/* How long the broker has to notice that the command's sockets are closed. */
#define RUN_NOTICE_MS 200

struct run_options {
    const char *trace;
    const char *html;
    bool lint;
    bool quiet;
};

struct run {
    const struct run_options *options;
    char folder[64];     /* "" if it was not made */
    char self[RUN_FILE]; /* poemctl's own file */
    char poemd[RUN_FILE];
    char trace[RUN_DEVICES][RUN_FILE]; /* of each device */
    struct run_command command;
    pid_t broker; /* 0: not started */
    pid_t show[RUN_DEVICES];
};

static int run_complain(const char *what, const char *why)
{
    return poemctl_could_not("run", what, why);
}

/* ---- places ---- */

/* Finds poemctl's own file, and poemd beside it, or in sbin beside its folder. */
static bool run_find_programs(struct run *r)
{
    static const char *const places[] = {"poemd", "../sbin/poemd"};
    const ssize_t n = readlink("/proc/self/exe", r->self, sizeof r->self - 1);
    char *slash;

    if (n <= 0) {
        return false;
    }
    r->self[n] = '\0';
    slash = strrchr(r->self, '/');
    for (size_t i = 0; i < sizeof places / sizeof *places && slash; i++) {
        const int wrote = snprintf(r->poemd, sizeof r->poemd, "%.*s%s", (int)(slash - r->self) + 1,
                                   r->self, places[i]);

        if (wrote > 0 && (size_t)wrote < sizeof r->poemd && access(r->poemd, X_OK) == 0) {
            return true;
        }
    }
    memcpy(r->poemd, "poemd", sizeof "poemd");
    return true;
}

static bool run_make_folder(struct run *r)
{
    const char *base = getenv("XDG_RUNTIME_DIR");

    if (!base || base[0] != '/' || strlen(base) > sizeof r->folder - sizeof "/poemctl-run.XXXXXX") {
        base = "/tmp";
    }
    snprintf(r->folder, sizeof r->folder, "%s/poemctl-run.XXXXXX", base);
    if (!mkdtemp(r->folder)) {
        (void)run_complain(r->folder, strerror(errno));
        r->folder[0] = '\0';
        return false;
    }
    return true;
}

/* Names the capture of each device: of the first --trace, of others with their number behind it. */
static bool run_name_traces(struct run *r)
{
    char cwd[RUN_FILE] = "";

    if (r->options->trace && r->options->trace[0] != '/' && !getcwd(cwd, sizeof cwd - 1)) {
        (void)run_complain(r->options->trace, strerror(errno));
        return false;
    }
    if (cwd[0]) {
        const size_t length = strlen(cwd);

        cwd[length] = '/';
        cwd[length + 1] = '\0';
    }
    for (size_t i = 0; i < r->command.n_devices; i++) {
        char number[24] = "";
        int n;

        if (i > 0 || !r->options->trace) {
            snprintf(number, sizeof number, "-%zu", i + 1);
        }
        n = r->options->trace
                ? snprintf(r->trace[i], RUN_FILE, "%s%s%s", cwd, r->options->trace, number)
                : snprintf(r->trace[i], RUN_FILE, "%s/trace%s", r->folder, number);
        if (n < 0 || (size_t)n >= RUN_FILE) {
            (void)run_complain("--trace", "the path is too long");
            return false;
        }
    }
    return true;
}

/* Writes a statement of a route with a text. */
static void run_put_statement(FILE *f, const char *word, const char *text)
{
    fprintf(f, "    %s ", word);
    lex_quote(text, f);
}

/* Writes the configuration; path has room for RUN_FILE bytes. */
static bool run_configure(struct run *r, char *path)
{
    FILE *f;

    snprintf(path, RUN_FILE, "%s/poemd.conf", r->folder);
    f = fopen(path, "we");
    if (!f) {
        (void)run_complain(path, strerror(errno));
        return false;
    }
    for (size_t i = 0; i < r->command.n_devices; i++) {
        fprintf(f, "route device%zu {\n", i + 1);
        run_put_statement(f, "listen", r->command.device[i].listen);
        fputc('\n', f);
        run_put_statement(f, "backend", r->command.device[i].backend);
        fputc('\n', f);
        /* As much as the largest configuration space, which lint reads. */
        run_put_statement(f, "trace", r->trace[i]);
        fputs(" payload 4096\n}\n", f);
    }
    if (fclose(f) != 0) {
        (void)run_complain(path, strerror(errno));
        return false;
    }
    return true;
}

/* ---- the processes ---- */

/* Starts poemd, and waits until it listens. */
static bool run_start_broker(struct run *r, char *config)
{
    char ready_text[16];
    char *const argv[] = {r->poemd,  "--config",   config,     "--log-level",
                          "warning", "--ready-fd", ready_text, NULL};
    int ready[2];
    char byte;
    ssize_t n;

    if (pipe2(ready, O_CLOEXEC) < 0) {
        (void)run_complain("pipe", strerror(errno));
        return false;
    }
    snprintf(ready_text, sizeof ready_text, "%d", ready[1]);
    r->broker = run_child_start(argv, true, ready[1]);
    close(ready[1]);
    n = r->broker > 0 ? read(ready[0], &byte, 1) : -1;
    close(ready[0]);
    if (n != 1) {
        (void)run_complain(r->poemd, "the broker did not start");
        return false;
    }
    return true;
}

static bool run_start_shows(struct run *r)
{
    for (size_t i = 0; i < r->command.n_devices; i++) {
        char *const argv[] = {r->self, "trace", "show", "--follow", "--summary", r->trace[i], NULL};

        if (r->options->quiet) {
            continue;
        }
        r->show[i] = run_child_start(argv, true, -1);
        if (r->show[i] < 0) {
            (void)run_complain("trace show", strerror(-r->show[i]));
            return false;
        }
    }
    return true;
}

/* Runs the command to its end. Returns the exit status, as of a shell. */
static int run_command_run(struct run *r)
{
    const pid_t pid = run_child_start(r->command.argv, false, -1);
    char shown[256];
    int status;

    if (pid < 0) {
        return run_complain(r->command.argv[0], strerror(-pid));
    }
    run_child_forward_signals(pid);
    status = run_child_wait(pid);
    if (WIFSIGNALED(status)) {
        poemctl_error(
            "run", "%s was killed by signal %d (%s)",
            log_escape(shown, sizeof shown, r->command.argv[0], strlen(r->command.argv[0])),
            WTERMSIG(status), sigdescr_np(WTERMSIG(status)));
    }
    return run_child_code(status);
}

/* Ends the broker, which closes the captures, and then the shows, which have read them. */
static void run_end_children(struct run *r)
{
    /* So that sessions end since the command has gone, and not since the broker is stopped. */
    const struct timespec notice = {.tv_nsec = RUN_NOTICE_MS * 1000000L};

    if (r->broker > 0) {
        nanosleep(&notice, NULL);
        kill(r->broker, SIGTERM);
        (void)run_child_wait(r->broker);
    }
    for (size_t i = 0; i < r->command.n_devices; i++) {
        if (r->show[i] > 0) {
            (void)run_child_end(r->show[i]);
        }
    }
}

/* Runs an action of poemctl trace on a capture. Returns its exit status. */
static int run_action(char *const *argv)
{
    const pid_t pid = run_child_start(argv, true, -1);

    return pid < 0 ? POEMCTL_COULD_NOT : run_child_code(run_child_wait(pid));
}

/* Lints the captures, and makes their pages. Returns the worst exit status. */
static int run_report(struct run *r)
{
    int worst = POEMCTL_YES;

    for (size_t i = 0; i < r->command.n_devices; i++) {
        char page[RUN_FILE];
        char *const lint[] = {r->self, "trace", "lint", r->trace[i], NULL};
        char *const stats[] = {r->self, "trace", "stats", "--html", page, r->trace[i], NULL};
        int code = r->options->lint ? run_action(lint) : POEMCTL_YES;

        worst = code > worst ? code : worst;
        if (r->options->html) {
            snprintf(page, sizeof page, i > 0 ? "%s-%zu" : "%s", r->options->html, i + 1);
            code = run_action(stats);
            worst = code > worst ? code : worst;
        }
    }
    return worst;
}

static void run_clean(struct run *r, const char *config)
{
    for (size_t i = 0; i < r->command.n_devices; i++) {
        if (!r->options->trace) {
            unlink(r->trace[i]);
        }
        unlink(r->command.device[i].listen);
    }
    if (r->folder[0]) {
        unlink(config);
        rmdir(r->folder);
    }
}

/* Returns the exit code; everything that was started has ended. */
static int run_all(struct run *r, char **argv)
{
    char config[RUN_FILE] = "";
    int code = POEMCTL_COULD_NOT;
    const char *why;
    int report;

    if (!run_find_programs(r) || !run_make_folder(r)) {
        return POEMCTL_COULD_NOT;
    }
    why = run_command_init(&r->command, argv, r->folder);
    if (why) {
        poemctl_error("run", "%s", why);
        code = POEMCTL_USAGE;
    } else if (run_name_traces(r) && run_configure(r, config) && run_start_broker(r, config) &&
               run_start_shows(r)) {
        code = run_command_run(r);
    }
    run_end_children(r);
    if (r->broker > 0 && code != POEMCTL_COULD_NOT) {
        report = run_report(r);
        code = code == POEMCTL_YES ? report : code;
    }
    run_clean(r, config);
    run_command_deinit(&r->command);
    return code;
}

static int run_main(int argc, char **argv)
{
    struct run_options options = {.trace = NULL};
    char **const operands = poemctl_parse(&poemctl_run, argc, argv, &options);
    struct run *r;
    int code;

    if (!operands) {
        return POEMCTL_USAGE;
    }
    r = calloc(1, sizeof *r);
    if (!r) {
        return run_complain(operands[0], "out of memory");
    }
    r->options = &options;
    code = run_all(r, operands);
    free(r);
    return code;
}

static const struct cli_option run_table[] = {
    {"trace", 0, "FILE", "keep the capture in this file", CLI_TEXT(struct run_options, trace)},
    {"lint", 0, NULL, "report faults at the end, and exit 1 if there are any",
     CLI_FLAG(struct run_options, lint)},
    {"html", 0, "FILE", "write a page with statistics", CLI_TEXT(struct run_options, html)},
    {"quiet", 'q', NULL, "do not show the messages", CLI_FLAG(struct run_options, quiet)},
    POEMCTL_END_OPTION,
};

const struct poemctl_command poemctl_run = {
    .name = "run",
    .synopsis = "[--trace FILE] [--lint] [--html FILE] [-q | --quiet] -- COMMAND ...",
    .what = "run QEMU with a broker in between, and show what passes",
    .manual = "poemctl-run(1)",
    .options = run_table,
    .least = 1,
    .most = POEMCTL_ANY,
    .missing = "which command?",
    .run = run_main,
};
