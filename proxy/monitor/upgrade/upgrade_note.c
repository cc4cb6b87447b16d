/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
#define _GNU_SOURCE
#include "proxy/monitor/upgrade/upgrade_note.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sock.h"
#include "proxy/ipc/fdstore.h"

#define UPGRADE_NOTE_VERSION 1u

/* Its name in the keeper's store. */
#define UPGRADE_NOTE_NAME "up"

int upgrade_note_keep(struct fdstore *store, const struct upgrade_note *note)
{
    struct upgrade_note whole = *note;
    int fd = memfd_create("poemd-upgrade", MFD_CLOEXEC);
    int err = fd < 0 ? -errno : 0;

    whole.version = UPGRADE_NOTE_VERSION;
    if (!err && pwrite(fd, &whole, sizeof whole, 0) != (ssize_t)sizeof whole) {
        err = -EIO;
    }
    if (!err) {
        err = fdstore_keep(store, UPGRADE_NOTE_NAME, fd);
    }
    sock_close(&fd);
    return err;
}

static bool upgrade_note_is_sound(const struct upgrade_note *n)
{
    return n->version == UPGRADE_NOTE_VERSION && n->outcome < UPGRADE_OUTCOMES &&
           memchr(n->from, '\0', sizeof n->from) && n->signal <= 1;
}

/* Returns true if this process runs the program of the note. */
static bool upgrade_note_is_own(const struct upgrade_note *n)
{
    struct stat st;

    return stat("/proc/self/exe", &st) == 0 && st.st_dev == n->device && st.st_ino == n->inode;
}

bool upgrade_note_take(struct fdstore *store, struct upgrade_note *out)
{
    int fd = fdstore_take(store, UPGRADE_NOTE_NAME);
    const bool sound = fd >= 0 && pread(fd, out, sizeof *out, 0) == (ssize_t)sizeof *out &&
                       upgrade_note_is_sound(out);
    const bool pending = sound && out->outcome == UPGRADE_PENDING;

    if (!sound) {
        *out = (struct upgrade_note){.outcome = UPGRADE_NONE};
    } else if (pending) {
        out->outcome = upgrade_note_is_own(out) ? UPGRADE_DONE : UPGRADE_FAILED;
        if (pwrite(fd, out, sizeof *out, 0) != (ssize_t)sizeof *out) {
            log_debug("the outcome of the upgrade cannot be noted");
        }
    }
    sock_close(&fd);
    return pending;
}
