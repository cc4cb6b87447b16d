/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Reads a VMM's arguments: as JSON objects, or as lists of NAME=VALUE. */
#define _GNU_SOURCE
#include "ctl/run/run_command.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char no_memory[] = "out of memory";

/*
 * Adds a device whose socket is the n bytes at path, in the working directory if they are relative.
 * Returns NULL, with *listen set to its new socket, or a text.
 */
static const char *run_command_add(struct run_command *c, const char *path, size_t n,
                                   const char *folder, const char **listen)
{
    char folder_of[RUN_PATH] = "";
    struct run_device *d;
    int wrote;

    if (c->n_devices == RUN_DEVICES) {
        return "more than 16 vfio-user devices";
    }
    d = &c->device[c->n_devices];
    if (n == 0 || n >= sizeof d->backend ||
        (path[0] != '/' && !getcwd(folder_of, sizeof folder_of))) {
        return "a socket's path that is empty or too long";
    }
    wrote = snprintf(d->backend, sizeof d->backend, "%s%s%.*s", folder_of, folder_of[0] ? "/" : "",
                     (int)n, path);
    if (wrote < 0 || (size_t)wrote >= sizeof d->backend) {
        return "a socket's path that is too long";
    }
    wrote = snprintf(d->listen, sizeof d->listen, "%s/%zu", folder, c->n_devices + 1);
    if (wrote < 0 || (size_t)wrote >= sizeof d->listen) {
        return "the path of the temporary folder is too long";
    }
    *listen = d->listen;
    return NULL;
}

/* Puts text, which it takes, in the place of an argument. */
static const char *run_command_change(struct run_command *c, size_t i, char *text)
{
    if (!text) {
        return no_memory;
    }
    c->changed[c->n_devices++] = text;
    c->argv[i] = text;
    return NULL;
}

/* Changes an argument of QEMU that is such an object. */
static const char *run_command_object(struct run_command *c, size_t i, const char *folder)
{
    json_t *const device = json_loads(c->argv[i], JSON_REJECT_DUPLICATES, NULL);
    const char *const driver = json_string_value(json_object_get(device, "driver"));
    json_t *const socket = json_object_get(device, "socket");
    const char *const path = json_string_value(json_object_get(socket, "path"));
    const char *listen;
    const char *why = NULL;

    if (driver && strcmp(driver, "vfio-user-pci") == 0 && path) {
        why = run_command_add(c, path, strlen(path), folder, &listen);
        if (!why && json_object_set_new(socket, "path", json_string(listen)) < 0) {
            why = no_memory;
        }
        why = why ? why : run_command_change(c, i, json_dumps(device, JSON_COMPACT));
    }
    json_decref(device);
    return why;
}

/* Changes an argument of cloud-hypervisor. */
static const char *run_command_list(struct run_command *c, size_t i, const char *folder)
{
    const char *const path = c->argv[i] + strlen("socket=");
    const size_t n = strcspn(path, ",");
    const char *listen;
    char *text = NULL;
    const char *const why = run_command_add(c, path, n, folder, &listen);

    if (why) {
        return why;
    }
    return run_command_change(c, i,
                              asprintf(&text, "socket=%s%s", listen, path + n) < 0 ? NULL : text);
}

const char *run_command_init(struct run_command *c, char **argv, const char *folder)
{
    const char *why = NULL;
    bool user_device = false;
    size_t n = 0;

    *c = (struct run_command){.argv = NULL};
    while (argv[n]) {
        n++;
    }
    c->argv = calloc(n + 1, sizeof *c->argv);
    if (!c->argv) {
        return no_memory;
    }
    memcpy(c->argv, argv, n * sizeof *argv);
    for (size_t i = 0; i < n && !why; i++) {
        if (argv[i][0] == '{') {
            why = run_command_object(c, i, folder);
        } else if (user_device && strncmp(argv[i], "socket=", strlen("socket=")) == 0) {
            why = run_command_list(c, i, folder);
        } else {
            user_device = strcmp(argv[i], "--user-device") == 0;
        }
    }
    return why || c->n_devices > 0 ? why : "the command names no vfio-user socket";
}

void run_command_deinit(struct run_command *c)
{
    for (size_t i = 0; i < c->n_devices; i++) {
        free(c->changed[i]);
    }
    free(c->argv);
}
