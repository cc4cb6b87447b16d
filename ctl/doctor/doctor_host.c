/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Files of this host: places that others can change, and AppArmor's profile of libvirt. */
#define _GNU_SOURCE
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "ctl/doctor/doctor.h"
#include "proxy/config/places.h"

/* ---- places ---- */

static void doctor_host_place(const char *text, void *arg)
{
    doctor_report(arg, DOCTOR_WRONG, "", "%s", text);
}

static void doctor_host_secret(struct doctor *d, const char *path)
{
    struct stat st;
    char shown[256];
    char mend[300];

    if (!path || stat(path, &st) < 0 || (st.st_mode & (S_IRWXG | S_IRWXO)) == 0) {
        return;
    }
    log_escape(shown, sizeof shown, path, strlen(path));
    snprintf(mend, sizeof mend, "chmod 600 \"%s\"", shown);
    doctor_report(d, DOCTOR_WRONG, mend, "other users can read the audit log's key \"%s\"", shown);
}

void doctor_host_places(struct doctor *d)
{
    if (!d->config) {
        return;
    }
    places_check(d->config, doctor_host_place, d);
    doctor_host_secret(d, d->config->audit_key);
}

/* ---- AppArmor ---- */

static const char *const profiles[] = {
    "/etc/apparmor.d/abstractions/libvirt-qemu",
    "/etc/apparmor.d/local/abstractions/libvirt-qemu",
};

static bool doctor_host_has_apparmor(void)
{
    FILE *f = fopen("/sys/module/apparmor/parameters/enabled", "re");
    const bool on = f && fgetc(f) == 'Y';

    if (f) {
        (void)fclose(f);
    }
    return on && access(profiles[0], F_OK) == 0;
}

/* Returns true if a rule of the file names the folder, whose path ends with "/". */
static bool doctor_host_names(const char *file, const char *folder)
{
    FILE *f = fopen(file, "re");
    char *line = NULL;
    size_t size = 0;
    bool found = false;

    while (f && !found && getline(&line, &size, f) >= 0) {
        const char *p = line + strspn(line, " \t");

        /* Without the first "/": a rule may begin with a variable, or "/{,var/}". */
        found = *p != '#' && strstr(p, folder + 1);
    }
    free(line);
    if (f) {
        (void)fclose(f);
    }
    return found;
}

static void doctor_host_folder(struct doctor *d, const char *path)
{
    const char *const slash = strrchr(path, '/');
    const size_t n = slash ? (size_t)(slash - path) + 1 : 0;
    char folder[PATH_MAX];
    char shown[256];
    char mend[512];

    if (n == 0 || n >= sizeof folder) {
        return;
    }
    memcpy(folder, path, n);
    folder[n] = '\0';
    for (size_t i = 0; i < sizeof profiles / sizeof *profiles; i++) {
        if (doctor_host_names(profiles[i], folder)) {
            return;
        }
    }
    log_escape(shown, sizeof shown, folder, n);
    snprintf(mend, sizeof mend, "add \"%s* rw,\" to %s", shown, profiles[1]);
    doctor_report(d, DOCTOR_WRONG, mend,
                  "AppArmor keeps libvirt's virtual machines from the sockets in \"%s\"", shown);
}

void doctor_host_apparmor(struct doctor *d)
{
    if (!d->config || !doctor_host_has_apparmor()) {
        return;
    }
    for (size_t i = 0; i < d->config->n_routes; i++) {
        const char *const path = d->config->routes[i].listen;
        const char *const slash = strrchr(path, '/');
        bool known = false;

        for (size_t k = 0; k < i && slash && !known; k++) {
            const char *const other = d->config->routes[k].listen;

            known = strncmp(path, other, (size_t)(slash - path) + 1) == 0 &&
                    !strchr(other + (slash - path) + 1, '/');
        }
        if (!known) {
            doctor_host_folder(d, path);
        }
    }
}
