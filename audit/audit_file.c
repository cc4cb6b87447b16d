/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/* SPDX-FileCopyrightText: 2026 The poemd authors */
/*
 * Writes batches of records to disk and begins new files.
 *
 * If a write fails cleanly (usually because the disk is full), the file is cut back to its previous
 * length. If that is impossible, or if a sync fails, after which the kernel forgets which pages
 * never reached the disk, the log is broken: only reading it again shows its state.
 */
#define _GNU_SOURCE
#include "audit/audit_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sock.h"
#include "audit/audit_disk.h"

bool audit_file_rotated(const char *path, unsigned number, char *out)
{
    return (size_t)snprintf(out, PATH_MAX, "%s.%0*u", path, AUDIT_FILE_DIGITS, number) < PATH_MAX;
}

/* A lock of the open file description, not of the process, so closing a copy of the fd keeps it. */
int audit_file_lock(int fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    if (fcntl(fd, F_OFD_SETLK, &lock) == 0) {
        return 0;
    }
    return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
}

void audit_file_deinit(struct audit_file *f)
{
    sock_close(&f->fd);
    sock_close(&f->mark_fd);
    json_decref(f->host);
    f->host = NULL;
    audit_key_deinit(&f->key);
    free(f->bytes);
    f->bytes = NULL;
}

/* ---- the batch ---- */

static int audit_file_reserve(struct audit_file *f, size_t n)
{
    size_t room = f->room ? f->room : AUDIT_LINE_MAX;
    char *bytes;

    if (f->room - f->n >= n) {
        return 0;
    }
    while (room - f->n < n) {
        room *= 2;
    }
    bytes = realloc(f->bytes, room);
    if (!bytes) {
        return -ENOMEM;
    }
    f->bytes = bytes;
    f->room = room;
    return 0;
}

/* Turns the n bytes at the batch's end into a line and a leaf. */
static int audit_file_finish_line(struct audit_file *f, size_t n)
{
    char *const line = f->bytes + f->n;
    struct audit_hash leaf;

    if (audit_hash_leaf(line, n, &leaf) < 0 || audit_tree_add(&f->batch.tree, &leaf) < 0) {
        return -ENOMEM;
    }
    audit_line_prev(&leaf, f->batch.prev);
    f->batch.last_n = n;
    line[n] = '\n';
    f->n += n + 1;
    return 0;
}

/* Adds a record without comparing its time with that of the record before. */
static int file_add_line(struct audit_file *f, const char *time, const struct audit_event *event,
                         const char *members, size_t n)
{
    size_t head;
    char *at;

    if (audit_file_reserve(f, AUDIT_HEAD_MAX + n + 2) < 0) {
        return -ENOMEM;
    }
    at = f->bytes + f->n;
    head = audit_line_head(at, f->batch.tree.size, time, f->batch.prev, event->name);
    /* "{}" contributes only its end; of "{…}" all is copied and the first byte becomes a comma. */
    if (n > 2) {
        at[head] = ',';
        memcpy(at + head + 1, members + 1, n - 1);
    } else {
        at[head] = '}';
    }
    if (audit_file_finish_line(f, head + (n > 2 ? n : 1)) < 0) {
        return -ENOMEM;
    }
    f->seal = f->seal || event->seals;
    memcpy(f->batch.time, time, sizeof f->batch.time);
    if (strcmp(time, f->batch.latest) > 0) {
        memcpy(f->batch.latest, time, sizeof f->batch.latest);
    }
    return 0;
}

int audit_file_add_own(struct audit_file *f, const char *time, const char *event, json_t *members)
{
    const struct audit_event *const known = audit_event_find(event, strlen(event));
    char *text = NULL;
    int err = -ENOMEM;

    if (members && (!f->host || json_object_set(members, "host", f->host) == 0)) {
        text = json_dumps(members, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
    }
    if (text) {
        err = file_add_line(f, time, known, text, strlen(text));
    }
    free(text);
    json_decref(members);
    return err;
}

int audit_file_add_clock(struct audit_file *f, const char *time)
{
    /* All times have the same length and form, so byte order is time order. */
    return strcmp(time, f->batch.time) < 0
               ? audit_file_add_own(f, time, AUDIT_CLOCK,
                                    json_pack("{s:s}", "before", f->batch.time))
               : 0;
}

int audit_file_add(struct audit_file *f, const char *time, const struct audit_event *event,
                   const char *members, size_t n)
{
    const int err = audit_file_add_clock(f, time);

    return err < 0 ? err : file_add_line(f, time, event, members, n);
}

static int audit_file_add_checkpoint(struct audit_file *f)
{
    char note[AUDIT_NOTE_MAX];
    size_t n;

    if (audit_checkpoint_write(&f->batch.tree, &f->key.vkey, f->key.pkey, note) < 0 ||
        audit_file_reserve(f, AUDIT_HEAD_MAX + 2 * sizeof note) < 0) {
        return -ENOMEM;
    }
    n = audit_line_checkpoint(f->bytes + f->n, f->batch.tree.size, f->batch.prev, note);
    if (audit_file_finish_line(f, n) < 0) {
        return -ENOMEM;
    }
    f->batch.sealed = f->batch.tree.size;
    memcpy(f->note, note, sizeof f->note);
    return 0;
}

/* ---- disk ---- */

/* Discards the batch. */
static void audit_file_drop(struct audit_file *f)
{
    f->batch = f->on_disk;
    f->n = 0;
    f->seal = false;
}

static bool audit_file_is_full(int err)
{
    return err == -ENOSPC || err == -EDQUOT || err == -EFBIG || err == -ENOMEM;
}

/* Writes the batch to disk as it is. */
static enum audit_outcome audit_file_flush(struct audit_file *f, int *error)
{
    const bool sealed = f->batch.sealed > f->on_disk.sealed;
    int err = audit_disk_write(f->fd, f->bytes, f->n, f->length);

    if (err < 0) {
        *error = -err;
        audit_file_drop(f);
        return audit_file_is_full(err) && ftruncate(f->fd, (off_t)f->length) == 0 ? AUDIT_FULL
                                                                                  : AUDIT_BROKEN;
    }
    if (f->n > 0 && fdatasync(f->fd) < 0) {
        *error = errno;
        audit_file_drop(f);
        return AUDIT_BROKEN;
    }
    f->length += f->n;
    f->on_disk = f->batch;
    audit_file_drop(f);
    if (sealed) {
        audit_mark_write(f, f->note);
    }
    *error = 0;
    return AUDIT_DURABLE;
}

/* ---- rotation ---- */

/*
 * Fills the batch with the first lines of a new file: the tree it continues and a checkpoint of it.
 */
static int audit_file_begin_batch(struct audit_file *f, const char *rotated)
{
    const char *const slash = strrchr(rotated, '/');
    /*
     * The last record's time: records that wait to be written may be older than the current time.
     */
    const int err = audit_file_add_own(
        f, f->on_disk.time, AUDIT_ROTATED,
        audit_line_rotate(&f->on_disk.tree, slash ? slash + 1 : rotated, f->on_disk.latest));

    return err < 0 ? err : audit_file_add_checkpoint(f);
}

/*
 * Renames the current file to rotated and fresh to f->path. There is a complete log at f->path at
 * every moment, because the old file gets its second name first. Returns 0 or -errno; sets *unknown
 * if the disk may have either state.
 */
static int audit_file_swap_names(struct audit_file *f, const char *fresh, const char *rotated,
                                 bool *unknown)
{
    int err;

    if (link(f->path, rotated) < 0) {
        return -errno;
    }
    err = audit_disk_sync_folder(f->path);
    if (err == 0 && rename(fresh, f->path) < 0) {
        err = -errno;
    }
    if (err < 0) {
        unlink(rotated);
        return err;
    }
    err = audit_disk_sync_folder(f->path);
    *unknown = err < 0;
    return err;
}

/* Begins a new file whose first lines are the batch. Returns 0 or -errno. */
static int audit_file_begin_file(struct audit_file *f, const char *rotated, bool *unknown)
{
    char fresh[PATH_MAX];
    int err;
    int fd;

    if ((size_t)snprintf(fresh, sizeof fresh, "%s.new", f->path) >= sizeof fresh) {
        return -ENAMETOOLONG;
    }
    if (unlink(fresh) < 0 && errno != ENOENT) {
        return -errno;
    }
    fd = audit_disk_create(fresh, 0600, f->bytes, f->n);
    if (fd < 0) {
        return fd;
    }
    err = audit_file_lock(fd);
    if (err == 0) {
        err = audit_file_swap_names(f, fresh, rotated, unknown);
    }
    if (err < 0) {
        close(fd);
        unlink(fresh);
        return err;
    }
    sock_close(&f->fd);
    f->fd = fd;
    f->length = f->n;
    f->on_disk = f->batch;
    f->last_number++;
    audit_mark_write(f, f->note);
    return 0;
}

/* Seals the file and begins the next one. The batch must be empty. Returns 0 or -errno. */
static int audit_file_rotate(struct audit_file *f, bool *unknown)
{
    char rotated[PATH_MAX];
    int err = 0;

    *unknown = false;
    if (f->last_number >= AUDIT_FILE_NUMBER_MAX ||
        !audit_file_rotated(f->path, f->last_number + 1, rotated)) {
        return -ENAMETOOLONG;
    }
    if (f->on_disk.sealed < f->on_disk.tree.size) {
        err = audit_file_add_checkpoint(f);
        if (err == 0) {
            *unknown = audit_file_flush(f, &err) == AUDIT_BROKEN;
            err = -err;
        }
    }
    if (err == 0) {
        err = audit_file_begin_batch(f, rotated);
    }
    if (err == 0) {
        err = audit_file_begin_file(f, rotated, unknown);
    }
    audit_file_drop(f);
    return err;
}

/* Writes the batch to disk and checks that it directly follows the earlier content. */
static enum audit_outcome file_flush_untouched(struct audit_file *f, struct audit_done *done)
{
    const struct audit_end before = f->on_disk;
    const uint64_t length = f->length;
    const enum audit_outcome o = audit_file_flush(f, &done->error);

    if (o != AUDIT_DURABLE) {
        return o;
    }
    done->touched = audit_touch_find(f, &done->error);
    if (!done->touched && !audit_touch_same_end(f, &before, length)) {
        done->touched = "its end was cut off while it was written";
        done->error = ESTALE;
    }
    return done->touched ? AUDIT_BROKEN : AUDIT_DURABLE;
}

static enum audit_outcome audit_file_write_batch(struct audit_file *f, bool seal,
                                                 struct audit_done *done)
{
    const uint64_t unsealed = f->batch.tree.size - f->batch.sealed;
    int *const error = &done->error;

    *error = 0;
    if (unsealed > 0 && (f->seal || seal || unsealed >= AUDIT_UNSEALED_MAX) &&
        audit_file_add_checkpoint(f) < 0) {
        audit_file_drop(f);
        *error = ENOMEM;
        return AUDIT_FULL;
    }
    if (f->n == 0) {
        return AUDIT_DURABLE;
    }
    done->touched = audit_touch_find(f, error);
    if (done->touched) {
        audit_file_drop(f);
        return AUDIT_BROKEN;
    }
    return file_flush_untouched(f, done);
}

void audit_file_commit(struct audit_file *f, bool seal, struct audit_done *done)
{
    bool unknown;

    done->touched = NULL;
    done->outcome = audit_file_write_batch(f, seal, done);
    if (done->outcome != AUDIT_DURABLE || f->rotate_size == 0 || f->length < f->rotate_size) {
        return;
    }
    /*
     * The requested records are on disk even if no new file can be begun: logging continues in this
     * one.
     */
    done->error = -audit_file_rotate(f, &unknown);
    if (unknown) {
        sock_close(&f->fd);
    }
}
