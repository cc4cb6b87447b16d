/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Recovers a log that its writer had not closed: moves a torn end aside, and records what was found
 * and what is missing. Sealed records are never moved aside unasked: if a checkpoint of our own key
 * covers more records than are left, the damage was not done by a crash.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/audit_disk.h"
#include "audit/audit_file.h"
#include "audit/audit_scan.h"

#define TORN_FILES 1000u

/* ---- checkpoints behind the end ---- */

/* Keeps the line's checkpoint if our key signed it and it is larger than the one kept so far. */
static void recover_look(struct audit_file *f, const char *line, size_t n)
{
    char note[AUDIT_NOTE_MAX];
    struct audit_checkpoint c;
    struct audit_head head;

    if (audit_line_read(&head, line, n) && !head.time && audit_line_note(&head, note) &&
        audit_checkpoint_read(&c, note, strlen(note), &f->key.vkey) == AUDIT_NOTE_OK &&
        c.size > f->mark.size) {
        f->mark = c;
        memcpy(f->mark_note, note, sizeof note);
    }
}

/* Does the same for arbitrary bytes: lines end at newlines and begin at a brace. */
static void recover_look_all(struct audit_file *f, const char *p, size_t n)
{
    static const char begin[] = "{\"seq\":";

    while (n > 0) {
        const char *const end = memchr(p, '\n', n);
        const size_t line_n = end ? (size_t)(end - p) : n;
        const char *const from = memmem(p, line_n, begin, sizeof begin - 1);

        if (from) {
            recover_look(f, from, line_n - (size_t)(from - p));
        }
        p += line_n + (end ? 1 : 0);
        n -= line_n + (end ? 1 : 0);
    }
}

int audit_recover_search(struct audit_file *f)
{
    /*
     * The windows overlap by more than a checkpoint's line, so that each one is complete in some
     * window.
     */
    const size_t step = AUDIT_LINE_MAX;
    const size_t room = step + AUDIT_HEAD_MAX + 2 * (size_t)AUDIT_NOTE_MAX;
    char *const bytes = malloc(room);
    uint64_t at = f->length;
    ssize_t r = 1;

    if (!bytes) {
        return -ENOMEM;
    }
    while (r > 0) {
        do {
            r = pread(f->fd, bytes, room, (off_t)at);
        } while (r < 0 && errno == EINTR);
        if (r > 0) {
            recover_look_all(f, bytes, (size_t)r);
            at += step;
        }
    }
    free(bytes);
    return r < 0 ? -errno : 0;
}

/* ---- a torn end ---- */

/* Creates the file for the torn end, with the first free number. Returns the fd or -errno. */
static int recover_create_torn(struct audit_file *f)
{
    int fd = -EEXIST;

    for (unsigned i = 1; i < TORN_FILES && fd == -EEXIST; i++) {
        const int n = snprintf(f->torn_path, sizeof f->torn_path, "%s.torn.%03u", f->path, i);

        fd = n < (int)sizeof f->torn_path ? audit_disk_create(f->torn_path, 0600, "", 0)
                                          : -ENAMETOOLONG;
    }
    return fd;
}

static int recover_copy_from(int from_fd, uint64_t at, int to_fd)
{
    char buffer[65536];
    uint64_t to = 0;

    for (;;) {
        const ssize_t r = pread(from_fd, buffer, sizeof buffer, (off_t)(at + to));
        int err;

        if (r < 0 && errno == EINTR) {
            continue;
        }
        if (r <= 0) {
            return r < 0 ? -errno : 0;
        }
        err = audit_disk_write(to_fd, buffer, (size_t)r, to);
        if (err < 0) {
            return err;
        }
        to += (uint64_t)r;
    }
}

/* Moves all bytes behind the file's length aside: syncs the copy first, then cuts the file. */
static int recover_move_torn(struct audit_file *f)
{
    const int fd = recover_create_torn(f);
    int err;

    if (fd < 0) {
        return fd;
    }
    err = recover_copy_from(f->fd, f->length, fd);
    if (err == 0 && fsync(fd) < 0) {
        err = -errno;
    }
    close(fd);
    if (err == 0) {
        err = audit_disk_sync_folder(f->path);
    }
    if (err < 0) {
        unlink(f->torn_path);
        return err;
    }
    return ftruncate(f->fd, (off_t)f->length) < 0 || fsync(f->fd) < 0 ? -errno : 0;
}

/* Adds the record of how the log was found to the batch. */
static int recover_add_found(struct audit_file *f, const char *time)
{
    const char *const slash = strrchr(f->torn_path, '/');
    const char *const name = slash ? slash + 1 : f->torn_path;
    json_t *const o = json_pack("{s:I, s:I}", "bytes", (json_int_t)f->torn_bytes, "unsealed",
                                (json_int_t)f->unsealed);

    if (o && f->torn_bytes > 0 &&
        json_object_set_new(o, "file", audit_text(name, strlen(name))) < 0) {
        json_decref(o);
        return -ENOMEM;
    }
    return audit_file_add_own(f, time, AUDIT_RECOVERED, o);
}

/* Adds the record of the missing records, with the checkpoint that proves they existed. */
static int recover_add_loss(struct audit_file *f, const char *time)
{
    return audit_file_add_own(f, time, AUDIT_LOSS,
                              json_pack("{s:I, s:I, s:s}", "kept", (json_int_t)f->on_disk.tree.size,
                                        "sealed", (json_int_t)f->mark.size, "checkpoint",
                                        f->mark_note));
}

/* Gets the current time; adds a clock-set-back record if the log's last record is later. */
static int recover_time(struct audit_file *f, char time[AUDIT_TIME_SIZE + 1])
{
    audit_line_now(time);
    return audit_file_add_clock(f, time);
}

int audit_recover(struct audit_file *f)
{
    const bool loss = f->mark.size > f->on_disk.tree.size;
    char time[AUDIT_TIME_SIZE + 1];
    struct audit_done done = {.error = 0};
    int err = 0;

    if (f->torn_bytes == 0 && f->unsealed == 0 && !loss) {
        return 0;
    }
    if (f->torn_bytes > 0) {
        err = recover_move_torn(f);
    }
    if (err == 0) {
        err = recover_time(f, time);
    }
    if (err == 0 && (f->torn_bytes > 0 || f->unsealed > 0)) {
        err = recover_add_found(f, time);
    }
    if (err == 0 && loss) {
        err = recover_add_loss(f, time);
    }
    if (err < 0) {
        return err;
    }
    audit_file_commit(f, true, &done);
    if (done.outcome != AUDIT_DURABLE) {
        return done.error ? -done.error : -EIO;
    }
    f->recovered = f->torn_bytes > 0 || f->unsealed > 0;
    return 0;
}
