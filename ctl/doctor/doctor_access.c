/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Whether users can use sockets. A child process becomes the user and asks the kernel, so that
 * groups, access control lists and all folders of the path count.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "ctl/control/poemctl_control.h"
#include "ctl/doctor/doctor.h"
#include "proxy/config/command.h"

/* Users as which libvirt runs QEMU: of Debian, and of others. */
static const char *const libvirt_users[] = {"libvirt-qemu", "qemu"};

/* In a child: becomes the user. Returns 0 or an errno. */
static int doctor_access_become(uid_t uid)
{
    const struct passwd *const user = getpwuid(uid);
    const gid_t gid = user ? user->pw_gid : (gid_t)uid;

    if ((user ? initgroups(user->pw_name, gid) : setgroups(0, NULL)) < 0 ||
        setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0) {
        return errno;
    }
    return 0;
}

/* Returns 0 if the user has the rights (of access(2)) to the path; otherwise an errno. */
static int doctor_access_ask(uid_t uid, const char *path, int rights)
{
    const pid_t pid = fork();
    int status = 0;

    if (pid == 0) {
        const int err = doctor_access_become(uid);

        _exit(err ? err : access(path, rights) < 0 ? errno : 0);
    }
    if (pid < 0 || waitpid(pid, &status, 0) < 0) {
        return errno;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

static const char *doctor_access_user(uid_t uid, char out[64])
{
    const struct passwd *const user = getpwuid(uid);

    snprintf(out, 64, user ? "%.40s" : "%.0s%lu", user ? user->pw_name : "", (unsigned long)uid);
    return out;
}

/* ---- clients ---- */

static void doctor_access_client(struct doctor *d, const struct config_route *r, uid_t uid)
{
    const int err = doctor_access_ask(uid, r->listen, W_OK);
    char shown[256];
    char user[64];
    char mend[192];

    if (err == 0) {
        return;
    }
    log_escape(shown, sizeof shown, r->listen, strlen(r->listen));
    doctor_access_user(uid, user);
    snprintf(
        mend, sizeof mend,
        "give the route \"listen PATH owner %s\", and its user the right to search each folder",
        user);
    doctor_report(d, DOCTOR_WRONG, mend, "route %s: user %s cannot connect to \"%s\": %s", r->name,
                  user, shown, strerror(err));
}

/* Checks the users that the rules name as clients. Returns false if they name none. */
static bool doctor_access_named(struct doctor *d, const struct config_route *r)
{
    bool any = false;

    for (size_t i = 0; i < r->rules.n_allow; i++) {
        const struct rules_allow *const a = &r->rules.allow[i];

        if (a->party == SIDE_CLIENT && a->fact == RULES_USER) {
            doctor_access_client(d, r, a->id);
            any = true;
        }
    }
    return any;
}

static void doctor_access_route_clients(struct doctor *d, const struct config_route *r)
{
    struct stat st;
    char shown[256];

    log_escape(shown, sizeof shown, r->listen, strlen(r->listen));
    if (stat(r->listen, &st) < 0) {
        doctor_report(d, DOCTOR_WRONG, "see the log of poemd; reload it if the route is new",
                      "route %s: there is no socket \"%s\": %s", r->name, shown, strerror(errno));
        return;
    }
    if (doctor_access_named(d, r)) {
        return;
    }
    for (size_t i = 0; i < sizeof libvirt_users / sizeof *libvirt_users; i++) {
        const struct passwd *const user = getpwnam(libvirt_users[i]);

        if (user) {
            doctor_access_client(d, r, user->pw_uid);
        }
    }
}

void doctor_access_clients(struct doctor *d)
{
    if (!d->config || !d->broker || geteuid() != 0) {
        doctor_report(d, DOCTOR_SKIPPED, "", "%s",
                      !d->config   ? "no configuration is known"
                      : !d->broker ? "no poemd runs, and there are no sockets"
                                   : "only root can try what other users may");
        return;
    }
    for (size_t i = 0; i < d->config->n_routes; i++) {
        doctor_access_route_clients(d, &d->config->routes[i]);
    }
}

/* ---- devices ---- */

static void doctor_access_backend(struct doctor *d, const struct config_route *r)
{
    struct stat st;
    char shown[256];

    log_escape(shown, sizeof shown, r->backend, strlen(r->backend));
    if (stat(r->backend, &st) < 0) {
        doctor_report(d, DOCTOR_WRONG, "start the device, or correct \"backend\"",
                      "route %s: no device listens at \"%s\": %s", r->name, shown, strerror(errno));
    } else if (!S_ISSOCK(st.st_mode)) {
        doctor_report(d, DOCTOR_WRONG, "correct \"backend\"", "route %s: \"%s\" is not a socket",
                      r->name, shown);
    }
}

static void doctor_access_program(struct doctor *d, const struct config_route *r)
{
    const bool other = geteuid() == 0 && r->spawn_uid != CONFIG_NO_UID;
    struct value_fault fault;
    struct command *const c = malloc(sizeof *c);
    char shown[256];
    int err;

    if (c && command_read(c, r->spawn, 3, &fault)) {
        err = other                           ? doctor_access_ask(r->spawn_uid, c->argv[0], X_OK)
              : access(c->argv[0], X_OK) == 0 ? 0
                                              : errno;
        if (err) {
            log_escape(shown, sizeof shown, c->argv[0], strlen(c->argv[0]));
            doctor_report(
                d, DOCTOR_WRONG, "install the program, or let the route's user execute it",
                "route %s: its device \"%s\" cannot be started: %s", r->name, shown, strerror(err));
        }
    }
    free(c);
}

void doctor_access_devices(struct doctor *d)
{
    for (size_t i = 0; d->config && i < d->config->n_routes; i++) {
        const struct config_route *const r = &d->config->routes[i];

        if (r->spawn) {
            doctor_access_program(d, r);
        } else {
            doctor_access_backend(d, r);
        }
    }
}
