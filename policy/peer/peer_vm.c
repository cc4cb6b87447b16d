/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/* Reads names of virtual machines as QEMU and libvirt write them. */
#define _GNU_SOURCE
#include "policy/peer/peer_vm.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text/hex.h"
#include "policy/peer/peer_proc.h"

/* Bytes of a command line that are read: libvirt's have 10 to 20 KiB, with -name at the start. */
#define PEER_VM_ARGUMENTS (32u << 10)

/*
 * libvirt cuts a machine's name at 64 bytes, of which "qemu-4294967295-" takes 16, and drops a dot
 * or dash at its end: a name of fewer bytes than these was not cut.
 */
#define PEER_VM_CUT 47u

/* ---- the command line ---- */

/*
 * Copies a value of QEMU's options, in which two commas stand for one, up to a single comma.
 * Returns where it ends. A value that does not fit is "".
 */
static const char *peer_vm_value(const char *p, char out[PEER_VM_MAX])
{
    size_t n = 0;

    for (; *p; p++) {
        if (*p == ',' && *++p != ',') {
            p--;
            break;
        }
        if (n < PEER_VM_MAX) {
            out[n++] = *p;
        }
    }
    out[n < PEER_VM_MAX ? n : 0] = '\0';
    return p;
}

/* Takes the guest's name, if there is one, from the value of a -name option. */
static void peer_vm_option(const char *p, char out[PEER_VM_MAX])
{
    static const char key[] = "guest=";
    bool first = true;

    for (;;) {
        char value[PEER_VM_MAX];
        const bool named = strncmp(p, key, sizeof key - 1) == 0;
        const bool unnamed = first && p[strcspn(p, "=,")] != '=';

        p = peer_vm_value(named ? p + sizeof key - 1 : p, value);
        if (named || unnamed) {
            memcpy(out, value, sizeof value);
        }
        if (*p != ',') {
            return;
        }
        p++;
        first = false;
    }
}

bool peer_vm_of_arguments(const char *p, size_t n, char out[PEER_VM_MAX])
{
    const char *const end = p + n;
    bool is_value = false;

    memset(out, 0, PEER_VM_MAX);
    /* An argument without its NUL was cut. */
    for (const char *nul; p < end && (nul = memchr(p, '\0', (size_t)(end - p))); p = nul + 1) {
        if (is_value) {
            peer_vm_option(p, out);
        }
        is_value = !is_value && (strcmp(p, "-name") == 0 || strcmp(p, "--name") == 0);
    }
    return out[0] != '\0';
}

void peer_vm_read(struct peer_vm *out, pid_t pid, int pidfd)
{
    struct pollfd poll_fd = {.fd = pidfd, .events = POLLIN};
    char text[PEER_VM_ARGUMENTS];
    const int dir_fd = peer_open_folder(pid);
    ssize_t n;

    memset(out, 0, sizeof *out);
    if (dir_fd < 0) {
        out->unknown = (struct peer_unknown){-dir_fd, "the process is gone, or hidden from us"};
        return;
    }
    n = peer_proc_read(dir_fd, "cmdline", text, sizeof text);
    close(dir_fd);
    /* If the process is alive now, the folder was its own. */
    if (pidfd < 0 || poll(&poll_fd, 1, 0) != 0) {
        out->unknown = (struct peer_unknown){ESRCH, "the process is gone"};
    } else if (n < 0) {
        out->unknown = (struct peer_unknown){(int)-n, "its command line cannot be read"};
    } else if (!peer_vm_of_arguments(text, (size_t)n, out->name)) {
        out->unknown = (struct peer_unknown){0, "its command line has no name (-name)"};
    }
}

/* ---- the unit ---- */

/* Undoes the escapes of a unit's name ("\x2d"). Returns false if it does not fit. */
static bool peer_vm_unescape(const char *p, char out[PEER_VM_MAX])
{
    size_t n = 0;

    while (*p) {
        unsigned char byte = (unsigned char)*p;

        if (n == PEER_VM_MAX - 1) {
            return false;
        }
        if (p[0] == '\\' && p[1] == 'x' && p[2] && p[3] && hex_read(p + 2, &byte, 1)) {
            p += 3;
        }
        out[n++] = (char)byte;
        p++;
    }
    out[n] = '\0';
    return true;
}

/* Finds the name in a unit of libvirt's system daemon. Returns false if it is another unit. */
static bool peer_vm_of_unit(const char *unit, char out[PEER_VM_MAX])
{
    static const char before[] = "machine-qemu-";
    static const char behind[] = ".scope";
    char name[PEER_VM_MAX];
    size_t n;
    size_t at = sizeof before - 1;

    if (!peer_vm_unescape(unit, name) || strncmp(name, before, at) != 0) {
        return false;
    }
    n = strlen(name);
    at += strspn(name + at, "0123456789");
    if (at == sizeof before - 1 || name[at] != '-' || n <= at + sizeof behind ||
        strcmp(name + n - (sizeof behind - 1), behind) != 0) {
        return false;
    }
    at++;
    snprintf(out, PEER_VM_MAX, "%.*s", (int)(n - at - (sizeof behind - 1)), name + at);
    return true;
}

/* Reduces a name to what libvirt leaves of it in that of a machine. */
static void peer_vm_reduce(const char *name, char out[PEER_VM_MAX])
{
    size_t n = 0;

    for (; *name && n < PEER_VM_MAX - 1; name++) {
        const bool mark = *name == '.' || *name == '-';

        if (mark ? n > 0 && out[n - 1] != '.' && out[n - 1] != '-'
                 : (*name >= '0' && *name <= '9') || (*name >= 'a' && *name <= 'z') ||
                       (*name >= 'A' && *name <= 'Z')) {
            out[n++] = *name;
        }
    }
    while (n > 0 && (out[n - 1] == '.' || out[n - 1] == '-')) {
        n--;
    }
    out[n] = '\0';
}

/* Returns whether libvirt would name the machine like that. */
static bool peer_vm_agree(const char *name, const char *by_unit)
{
    char reduced[PEER_VM_MAX];
    const size_t n = strlen(by_unit);

    peer_vm_reduce(name, reduced);
    return strncmp(reduced, by_unit, n) == 0 && (reduced[n] == '\0' || n >= PEER_VM_CUT);
}

/* ---- both ---- */

void peer_vm_settle(struct peer *p, const struct peer_vm *given)
{
    char by_unit[PEER_VM_MAX];
    const bool managed = peer_knows(p, PEER_UNIT) && peer_vm_of_unit(p->unit, by_unit);
    const bool named = !given->unknown.why;

    p->unknown[PEER_VM] = given->unknown;
    if (managed && !(named && peer_vm_agree(given->name, by_unit))) {
        p->unknown[PEER_VM] = (struct peer_unknown){.why = NULL};
        p->vm_by_unit = true;
        snprintf(p->vm, sizeof p->vm, "%s", by_unit);
    } else if (named) {
        snprintf(p->vm, sizeof p->vm, "%s", given->name);
    }
}

void peer_vm_find(struct peer *p)
{
    struct peer_vm given = {.unknown = p->unknown[PEER_PIDFD]};

    if (peer_knows(p, PEER_PIDFD) && peer_knows(p, PEER_PID)) {
        peer_vm_read(&given, p->pid, p->pidfd);
    }
    peer_vm_settle(p, &given);
}
