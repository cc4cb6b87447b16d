/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* The command poemctl doctor: a table of checks, and the report on their findings. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/members.h"
#include "base/sock.h"
#include "ctl/control/poemctl_control.h"
#include "ctl/doctor/doctor.h"
#include "ctl/poemctl.h"
#include "ctl/poemctl_json.h"

#define FORMAT "poemd-doctor/1"
#define USUAL "/etc/poemd/poemd.conf"

static const struct {
    const char *name;
    void (*look)(struct doctor *d);
    const char *what; /* it looks at */
} checks[] = {
    {"kernel", doctor_kernel_features, "features of the kernel"},
    {"limits", doctor_kernel_limits, "open files for all sessions"},
    {"places", doctor_host_places, "files and folders that other users can change or read"},
    {"clients", doctor_access_clients, "the users of virtual machines and the sockets of routes"},
    {"devices", doctor_access_devices, "the sockets and programs of devices"},
    {"apparmor", doctor_host_apparmor, "AppArmor's profile of libvirt's virtual machines"},
    {"memory", doctor_session_memory, "the memory that virtual machines share with devices"},
};

static const char *const levels[] = {"skipped", "note", "wrong"};

static void poemctl_doctor_add(const struct doctor *d, const char *level, const char *text,
                               const char *mend)
{
    (void)json_array_append_new(d->findings, members_object((const struct member[]){
                                                 {"check", json_string(d->check)},
                                                 {"level", json_string(level)},
                                                 {"text", json_string(text)},
                                                 {"mend", members_text(*mend ? mend : NULL)},
                                                 {NULL, NULL}}));
}

void doctor_report(struct doctor *d, enum doctor_level level, const char *mend, const char *fmt,
                   ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    d->reported++;
    d->wrong = d->wrong || level == DOCTOR_WRONG;
    poemctl_doctor_add(d, levels[level], text, mend);
}

/* ---- a running poemd ---- */

static void poemctl_doctor_take_part(json_t *part, void *arg)
{
    json_t *const into = arg;
    json_t *const broker = json_object_get(part, "broker");
    json_t *const session = json_object_get(part, "session");

    if (broker) {
        (void)json_object_update(into, broker);
    } else if (session && json_is_array(into)) {
        (void)json_array_append(into, session);
    }
}

/* Fills in an object and an array, and returns true, if a poemd runs. */
static bool poemctl_doctor_ask(struct doctor *d, const char *control, json_t *broker,
                               json_t *sessions)
{
    const struct control_request status = control_request(CONTROL_STATUS);
    const struct control_request list = control_request(CONTROL_SESSIONS);
    const char *const path = control_path(control);
    char shown[256];
    int fd = sock_connect_packets(path);

    d->check = "poemd";
    if (fd < 0) {
        doctor_report(d, DOCTOR_NOTE, "start it, or give its control socket as --control",
                      "no poemd answers at \"%s\": %s",
                      log_escape(shown, sizeof shown, path, strlen(path)), strerror(-fd));
        return false;
    }
    sock_close(&fd);
    return control_ask_all("doctor", control, &status, poemctl_doctor_take_part, broker) ==
               POEMCTL_YES &&
           control_ask_all("doctor", control, &list, poemctl_doctor_take_part, sessions) ==
               POEMCTL_YES;
}

/* ---- the configuration ---- */

/* Loads the configuration. Returns false, after a report, if it cannot be loaded. */
static bool poemctl_doctor_load(struct doctor *d, struct config *c, const char *path)
{
    struct config_errors errors;
    char shown[256];
    int err;

    d->check = "configuration";
    config_errors_init(&errors);
    if (config_init(c) < 0) {
        return false;
    }
    err = config_load(c, path, &errors);
    if (err == 0) {
        return true;
    }
    log_escape(shown, sizeof shown, path, strlen(path));
    if (err == -EINVAL && errors.n > 0) {
        doctor_report(d, DOCTOR_WRONG, errors.error[0].hint, "%s: the first of %zu error%s: %s",
                      shown, errors.total, POEMCTL_PLURAL(errors.total), errors.error[0].text);
    } else {
        doctor_report(d, DOCTOR_WRONG, "write it, or name another one by --config", "%s: %s", shown,
                      strerror(-err));
    }
    config_deinit(c);
    return false;
}

/* ---- the report ---- */

/* Runs all checks. Adds an entry for each that reports nothing. */
static void poemctl_doctor_look(struct doctor *d)
{
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        d->check = checks[i].name;
        d->reported = 0;
        checks[i].look(d);
        if (d->reported == 0) {
            poemctl_doctor_add(d, "ok", checks[i].what, "");
        }
    }
}

static void poemctl_doctor_print(const struct doctor *d)
{
    const json_t *f;
    size_t i;

    json_array_foreach(d->findings, i, f)
    {
        const char *const mend = control_text(f, "mend");

        printf("%-8s %-14s %s\n", control_text(f, "level"), control_text(f, "check"),
               control_text(f, "text"));
        if (*mend) {
            printf("                        %s\n", mend);
        }
    }
}

struct options {
    const char *config;
    const char *control;
    bool json;
};

/* Asks and loads, runs the checks, and reports. broker and sessions are empty. */
static int poemctl_doctor_examine(const struct options *o, json_t *broker, json_t *sessions)
{
    struct doctor d = {.sessions = sessions, .findings = json_array()};
    const char *path = USUAL;
    struct config config;
    const json_t *file;
    int code;

    d.broker = poemctl_doctor_ask(&d, o->control, broker, sessions) ? broker : NULL;
    file = json_object_get(json_object_get(broker, "configuration"), "file");
    if (o->config) {
        path = o->config;
    } else if (json_is_string(file)) {
        path = json_string_value(file);
    }
    d.config = poemctl_doctor_load(&d, &config, path) ? &config : NULL;
    poemctl_doctor_look(&d);
    code = d.wrong ? POEMCTL_NO : POEMCTL_YES;
    if (o->json) {
        code = poemctl_json("doctor",
                            json_pack("{s:s,s:O}", "format", FORMAT, "findings", d.findings), code);
    } else {
        poemctl_doctor_print(&d);
    }
    if (d.config) {
        config_deinit(&config);
    }
    json_decref(d.findings);
    return code;
}

static int poemctl_doctor_main(int argc, char **argv)
{
    struct options o = {.json = false};
    json_t *broker;
    json_t *sessions;
    int code;

    if (!poemctl_parse(&poemctl_doctor, argc, argv, &o)) {
        return POEMCTL_USAGE;
    }
    broker = json_object();
    sessions = json_array();
    code = poemctl_doctor_examine(&o, broker, sessions);
    json_decref(broker);
    json_decref(sessions);
    return code;
}

static const struct cli_option options[] = {
    POEMCTL_JSON_OPTION(struct options, json),
    {"config", 0, "FILE", "the configuration of poemd (that of the running one)",
     CLI_TEXT(struct options, config)},
    POEMCTL_CONTROL_OPTION(struct options, control),
    POEMCTL_END_OPTION,
};

const struct poemctl_command poemctl_doctor = {
    .name = "doctor",
    .synopsis = "[--json] [--config FILE] [--control PATH]",
    .what = "find what is wrong on this host",
    .manual = "poemctl-doctor(1)",
    .options = options,
    .surplus = "it takes no argument",
    .run = poemctl_doctor_main,
};
